import type { ReviewSettings } from '../../../src/config/keys/review.ts'
import { TargetConnectionError, withTarget } from '../../../src/database/connect.ts'
import { weighFiles, weighUnseen } from '../../../src/plan/weighed/weighed.ts'
import { describeUrl } from '../../../src/database/urls.ts'
import type { Redactor } from '../../../src/redact/redact.ts'
import { readScript } from '../../../src/sql/parse.ts'
import type { SqlFile } from '../../../src/sql/review.ts'
import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { plainText } from '../../../src/lib/text/quoted.ts'
import type { Format, ReviewCommand } from './command.ts'
import { readFiles, type Place } from './files.ts'
import { asGithub } from './github.ts'
import { asMarkdown } from './markdown.ts'
import { isBlocking, type Reviewed } from './reviewed.ts'
import { asSarif } from './sarif.ts'
import { asText } from './text.ts'

export const reviewCodes = { passes: 0, blocks: 1, failed: 2 } as const

export type Printed = { readonly code: number; readonly text: string }

export type ReviewDeps = Place & {
  /** Whom to ask; null for nobody. */
  readonly asked: { readonly url: string; readonly thresholds: ReviewSettings; readonly order: 'migrate-first' | 'app-first' } | null
  readonly defaults: ReviewSettings
  readonly redactor: Redactor
  readonly version: string
  /** `2026-11-30`. */
  readonly today: string
}

/** What migrations would do, in the form that is asked for. Reads only, and nothing of the repository runs. */
export async function review(command: ReviewCommand, deps: ReviewDeps): Promise<Printed> {
  const files = await readFiles(command, deps)
  if (typeof files === 'string') return { code: reviewCodes.failed, text: files }
  if (files.length === 0) return { code: reviewCodes.passes, text: empty(command, deps.version) }
  try {
    const weighed = await weighedBy(files, deps)
    const reviewed = { ...weighed, files: files.map(({ name }) => name), findings: [...(await unreadable(files)), ...weighed.findings] }
    return {
      code: reviewed.findings.some(isBlocking) ? reviewCodes.blocks : reviewCodes.passes,
      text: printed(reviewed, command.format, deps),
    }
  } catch (error) {
    if (error instanceof TargetConnectionError) return { code: reviewCodes.failed, text: `${error.message} Nothing was reviewed.` }
    throw error
  }
}

const printed = (reviewed: Reviewed, format: Format, { version }: Pick<ReviewDeps, 'version'>): string => {
  switch (format) {
    case 'text':
      return asText(reviewed)
    case 'github':
      return asGithub(reviewed)
    case 'sarif':
      return asSarif(reviewed, version)
    case 'markdown':
      return asMarkdown(reviewed)
  }
}

/** A program that reads SARIF wants a whole one. */
const empty = ({ format }: ReviewCommand, version: string): string =>
  format === 'sarif' ? printed({ files: [], findings: [], by: NOTHING }, format, { version }) : NOTHING
const NOTHING = 'There is no migration in it: no file that ends in .sql.'

async function weighedBy(files: readonly SqlFile[], deps: ReviewDeps): Promise<Pick<Reviewed, 'findings' | 'by'>> {
  const asking = { today: deps.today, isOneTransaction: true }
  if (deps.asked === null)
    return {
      findings: await weighUnseen(files, { ...asking, schema: 'public', thresholds: deps.defaults, order: 'migrate-first' }),
      by: 'No database was asked: every table is taken to be large and in use. With --database or --target the review knows better.',
    }
  const { url, thresholds, order } = deps.asked
  return withTarget({ url, applicationName: 'lockkeeper review' }, async (client, place) => {
    const found = await weighFiles(client, files, {
      ...asking,
      schema: place.schema,
      host: place.host,
      redactor: deps.redactor,
      thresholds,
      order,
    })
    return { findings: found.findings, by: `Weighed by ${describeUrl(place)} as it is now.` }
  })
}

async function unreadable(files: readonly SqlFile[]): Promise<readonly Finding[]> {
  const scripts = await Promise.all(files.map(async ({ name, content }) => ({ name, script: await readScript(content) })))
  return scripts.flatMap(({ name, script }) => {
    if (script.kind === 'sql') return []
    const text = `it could not be read as SQL (${plainText(script.why, 200)}), so nobody knows what it does before somebody reads it`
    return [{ code: 'unreadable', weight: 'blocker', migration: name, line: null, table: null, text, advice: null, waived: null } as const]
  })
}
