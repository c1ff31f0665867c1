import { escapeMarkup } from '../../lib/text/escape.ts'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { SQL_RECORD } from '../../plan/record.ts'
import type { BackupStore } from '../../backup/catalogue.ts'
import { findClients } from '../../backup/providers/clients.ts'
import { dump, LOCK_WAIT_MS, type DumpEnd } from '../../backup/providers/pg-dump.ts'
import { secondsText, sizeText } from '../../lib/text/units.ts'
import { readManifest, type Manifest } from '../../backup/manifest.ts'
import { backupsOf, removePartials } from '../../backup/names.ts'
import { compareSizes } from '../../backup/providers/verify.ts'
import { LEAST_OF_BACKUP, readCapacity } from '../preflight/capacity.ts'
import { isRefusal } from '../../lib/refusal.ts'
import { TargetConnectionError, withTarget } from '../../database/connect.ts'
import { parseTargetUrl } from '../../database/urls.ts'
import type { Inspection, RunContext, Step, StepEnd } from '../../request/step.ts'

export const BACKUP_STEP = 'backup'

/** What later steps read: `dataOf('backup')`. `bytes` are those of the files. */
export const backupData = z.object({ name: z.string(), path: z.string(), bytes: z.number() })
export type BackupData = z.output<typeof backupData>

export type BackupStepDeps = {
  readonly store: Pick<BackupStore, 'written'>
  /** Parallel sessions of pg_dump; one a core unless told otherwise. */
  readonly jobs?: number
}

export const backupStep = (deps: BackupStepDeps): Step => ({
  name: BACKUP_STEP,
  title: 'Back up',
  changes: 'files',
  inspect: (context) => inspect(context),
  act: (context) => act(deps, context),
})

/** A finished backup of this very run for this very plan is used; one of another run or of an older plan is not. */
async function inspect(context: RunContext): Promise<Inspection> {
  const { directory } = context.target.backup
  for (const name of await backupsOf(directory, context.target.name)) {
    const path = join(directory, name)
    const reading = await readManifest(path)
    if (reading.kind !== 'manifest') continue
    const { manifest } = reading
    if (manifest.requestId !== context.requestId || manifest.digest !== context.digest || manifest.name !== name) continue
    if ((await compareSizes(path, manifest)) !== undefined) continue
    return { kind: 'done', output: outputOf(manifest), data: dataOf(manifest, path) }
  }
  return { kind: 'todo' }
}

async function act(deps: BackupStepDeps, context: RunContext): Promise<StepEnd> {
  const { target } = context
  const url = context.secret(target.backup.url ?? target.database.url)
  await removePartials(target.backup.directory, target.name)
  const found = await facts(deps, context, url)
  if (found === null) return cancelled
  if (typeof found === 'string') return failed(found)
  const end = await dump({
    target: target.name,
    requestId: context.requestId,
    digest: context.digest,
    identity: context.plan.identity,
    directory: target.backup.directory,
    clients: found.clients,
    url,
    ...(context.plan.prisma8 === undefined ? { migrationsSchema: schemaOf(context.secret(target.database.url)) } : RUNNER_RECORD),
    ...('sql' in target.tool ? { migrationsTable: SQL_RECORD } : {}),
    jobs: found.jobs,
    lockWaitMs: target.backup.lockWait ?? LOCK_WAIT_MS,
    spool: context.spool,
    env: context.env,
    redactor: context.redactor,
    signal: context.signal,
    report: context.report,
  })
  return ended(deps, end)
}

async function ended(deps: BackupStepDeps, end: DumpEnd): Promise<StepEnd> {
  if (end.kind === 'aborted') return cancelled
  if (end.kind === 'failed') return failed(escapeMarkup(end.reason), end.excerpt)
  await deps.store.written(end.manifest, end.path)
  return { kind: 'done', output: outputOf(end.manifest), data: dataOf(end.manifest, end.path) }
}

/** Asked again here, since a run that was adopted may be on another machine than its preflight. A string says what is missing; null that it was cancelled. */
async function facts(deps: BackupStepDeps, context: RunContext, url: string) {
  try {
    const { major, free } = await withTarget(
      { url, applicationName: `lockkeeper-backup-${context.requestId}-watch`, signal: context.signal },
      async (client) => ({ major: await serverMajor(client), free: (await readCapacity(client)).connections }),
    )
    const clients = await findClients({
      directory: context.target.backup.clients,
      serverMajor: major,
      env: context.env,
      redactor: context.redactor,
    })
    return isRefusal(clients) ? clients.text : { clients, jobs: jobsWithin(free, deps.jobs ?? availableParallelism()) }
  } catch (error) {
    if (context.signal.aborted) return null
    if (error instanceof TargetConnectionError) return escapeMarkup(error.message)
    throw error
  }
}

/** Fewer parallel sessions rather than none for want of connections. */
export const jobsWithin = (free: number, wished: number): number => Math.max(1, Math.min(wished, free - LEAST_OF_BACKUP))

async function serverMajor(client: Parameters<Parameters<typeof withTarget>[1]>[0]): Promise<number> {
  const { rows } = await client.query<{ version: string }>(`select current_setting('server_version_num') as version`)
  return Math.floor(Number(rows[0]?.version) / 10_000)
}

/** Of Prisma 8. */
const RUNNER_RECORD = { migrationsSchema: 'prisma_contract', migrationsTable: 'ledger' }

function schemaOf(url: string): string {
  const parsed = parseTargetUrl(url)
  return parsed.kind === 'url' ? parsed.url.schema : 'public'
}

/** The size is the database's, which people know; the files are a tenth of it, or a half. */
const outputOf = (manifest: Manifest): string =>
  `${sizeText(manifest.rawBytes)} in ${secondsText(manifest.seconds)}, ${sizeText(manifest.bytes)} on disk`

const dataOf = (manifest: Manifest, path: string): BackupData => ({ name: manifest.name, path, bytes: manifest.bytes })

const cancelled: StepEnd = {
  kind: 'cancelled',
  output: 'stopped, nothing kept',
  outcome: { headline: '*Cancelled during the backup.* Nothing was changed, and what had been written was removed.' },
}

const failed = (why: string, excerpt?: string): StepEnd => ({
  kind: 'failed',
  output: 'no backup was made',
  outcome: {
    headline: '*The backup failed.* Nothing was changed, and the application runs as before.',
    why,
    next: 'No migration runs without a backup. Mend that and ask again.',
    ...(excerpt === undefined ? {} : { excerpt }),
  },
})
