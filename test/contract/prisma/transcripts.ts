import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWholeSync } from '../../../src/lib/durable-file.ts'

/**
 * What the real one said and wrote, kept by version, file of tests and title. The recorded one is always held against it; the real one
 * as often as `LOCKKEEPER_TEST_CONTRACT` says: not at all, in a part of the situations (`1/9`), in `all`, or in all to be kept (`record`).
 */
export type Transcript = readonly unknown[]

export type Situation = { readonly version: string; readonly topic: string; readonly title: string }

const env = process.env['LOCKKEEPER_TEST_CONTRACT']

export const isAnyRealAsked = (): boolean => env !== undefined && env !== ''

export function isRealAsked({ version, topic, title }: Situation): boolean {
  if (env === undefined || env === '') return false
  if (env === 'all' || env === 'record') return true
  const [, part = '', of = ''] = /^([1-9])\/([1-9])$/.exec(env) ?? []
  if (part === '' || part > of) throw new Error(`LOCKKEEPER_TEST_CONTRACT is ${env}; it can be 1/9 and the like, all or record`)
  return createHash('sha256').update(`${version} ${topic} ${title}`).digest().readUInt32BE() % Number(of) === Number(part) - 1
}

export function transcriptOf({ version, topic, title }: Situation): Transcript {
  const found = read({ version, topic })[title]
  if (found === undefined)
    throw new Error(
      `What Prisma ${version} says of "${title}" (${topic}) is not kept; LOCKKEEPER_TEST_CONTRACT=record npx vitest run test/contract asks it.`,
    )
  return found
}

/** Only when it is to be recorded. */
export function keep({ version, topic, title }: Situation, transcript: Transcript): void {
  if (env !== 'record') return
  const kept = { ...read({ version, topic }), [title]: transcript }
  const sorted = Object.fromEntries(Object.entries(kept).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  mkdirSync(folderOf(version), { recursive: true })
  writeWholeSync(fileOf({ version, topic }), `${JSON.stringify(sorted, null, 1)}\n`)
}

const folderOf = (version: string): string => join(import.meta.dirname, 'transcripts', version)
const fileOf = ({ version, topic }: Pick<Situation, 'version' | 'topic'>): string => join(folderOf(version), `${topic}.json`)

function read(which: Pick<Situation, 'version' | 'topic'>): Readonly<Record<string, Transcript>> {
  try {
    return JSON.parse(readFileSync(fileOf(which), 'utf8')) as Record<string, Transcript>
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}
