import { escapeMarkup } from '../../lib/text/escape.ts'
import type { Ahead } from '../../migrate/ahead.ts'
import type { BackupStore } from '../../backup/catalogue.ts'
import { findClients, majorOf } from '../../backup/providers/clients.ts'
import { together } from '../../lib/together.ts'
import { counted, secondsText } from '../../lib/text/units.ts'
import { readManifest, type Manifest } from '../../backup/manifest.ts'
import { prune } from '../../backup/prune.ts'
import { verifyBackup, type VerifyEnd } from '../../backup/providers/verify.ts'
import { maintenanceModeOf } from '../../deploy/planned.ts'
import { isRefusal } from '../../lib/refusal.ts'
import type { Inspection, RunContext, Step, StepEnd } from '../../request/step.ts'
import { BACKUP_STEP, backupData, type BackupData } from './backup.ts'

export type VerifyBackupStepDeps = {
  readonly store: BackupStore
  /** Asks Prisma meanwhile what it would do. */
  readonly ahead: Pick<Ahead, 'ask'>
}

/** `dataOf('verify-backup')`: the verified recovery point of this run, without which nothing migrates. */
export const verifyBackupStep = (deps: VerifyBackupStepDeps): Step => ({
  name: 'verify-backup',
  title: 'Verify the backup',
  changes: 'files',
  inspect: (context) => inspect(deps, context),
  act: (context) => act(deps, context),
})

async function inspect(deps: VerifyBackupStepDeps, context: RunContext): Promise<Inspection> {
  const backup = backupOf(context)
  const row = await deps.store.find(backup.name)
  if (row?.state !== 'verified' || row.requestId !== context.requestId || row.manifest === null) return { kind: 'todo' }
  // retention keeps it while the run is open; somebody else's hand may not have
  if ((await readManifest(backup.path)).kind !== 'manifest') return { kind: 'todo' }
  return { kind: 'done', output: `read in full${recordedIn(row.manifest, context)}`, data: backup }
}

async function act(deps: VerifyBackupStepDeps, context: RunContext): Promise<StepEnd> {
  const backup = backupOf(context)
  const end = await verify(deps, context, backup)
  if (end.kind === 'aborted') return cancelled
  if (end.kind === 'no-clients') return notRead(backup, end.text)
  if (end.kind === 'damaged') {
    await deps.store.mark(backup.name, 'failed')
    return damaged(backup, end)
  }
  await deps.store.written(end.manifest, backup.path) // the process that wrote it may have died before its row
  await deps.store.mark(backup.name, 'verified')
  await makeRoom(deps, context)
  return { kind: 'done', output: `read in full in ${secondsText(end.seconds)}${recordedIn(end.manifest, context)}`, data: backup }
}

type NoClients = { readonly kind: 'no-clients'; readonly text: string }

async function verify(deps: VerifyBackupStepDeps, context: RunContext, backup: BackupData): Promise<VerifyEnd | NoClients> {
  const row = await deps.store.find(backup.name)
  const reading = await readManifest(backup.path)
  if (reading.kind === 'unreadable') return { kind: 'damaged', reason: `The manifest cannot be read: ${reading.why}` }
  const clients = await findClients({
    directory: context.target.backup.clients,
    serverMajor: majorOf(reading.manifest.serverVersion),
    env: context.env,
    redactor: context.redactor,
  })
  if (isRefusal(clients)) return { kind: 'no-clients', text: clients.text }
  const { manifest } = reading
  return whileAsked(deps, context, manifest, () =>
    verifyBackup({
      path: backup.path,
      clients,
      spool: context.spool,
      env: context.env,
      redactor: context.redactor,
      signal: context.signal,
      report: context.report,
      ...(row?.manifest == null ? {} : { recorded: row.manifest }),
    }),
  )
}

/** An answer is good for a short time only, so nothing is asked while a backup is read that took longer to write. */
const MOST_SECONDS = 30

/** Reads the backup back while Prisma is asked, which ends with it when the backup is not verified. */
async function whileAsked(
  { ahead }: VerifyBackupStepDeps,
  context: RunContext,
  { seconds }: Manifest,
  read: () => Promise<VerifyEnd>,
): Promise<VerifyEnd> {
  // the commands that switch maintenance mode on come in between, and could change what Prisma reads
  if (maintenanceModeOf(context.plan) !== null || seconds > MOST_SECONDS) return read()
  const stop = new AbortController()
  const reading = async () => {
    let isVerified = false
    try {
      const end = await read()
      isVerified = end.kind === 'verified'
      return end
    } finally {
      if (!isVerified) stop.abort()
    }
  }
  const [end] = await together([reading(), ahead.ask(context, AbortSignal.any([context.signal, stop.signal]))])
  return end
}

/** Older backups make room only once this one is proven. That they could not is no reason to stop. */
async function makeRoom(deps: VerifyBackupStepDeps, context: RunContext): Promise<void> {
  const { directory, keep } = context.target.backup
  try {
    const pruned = await prune(deps.store, context.target.name, directory, keep.newest)
    if (pruned.length > 0) await context.audit('prune backups', 'pruned', { backups: pruned })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    await context.note({ kind: 'finding', data: { text: `Older backups could not be removed: ${escapeMarkup(reason)}` } })
  }
}

function backupOf(context: RunContext): BackupData {
  const parsed = backupData.safeParse(context.dataOf(BACKUP_STEP))
  if (!parsed.success) throw new Error('the backup step left no record of its backup', { cause: parsed.error })
  return parsed.data
}

/** Where the record of another tool is, is not known. */
function recordedIn({ migrations }: Manifest, { target }: Pick<RunContext, 'target'>): string {
  if ('command' in target.tool) return ''
  return `, ${migrations === null ? 'no migration table yet' : counted(migrations, 'migration record')}`
}

const cancelled: StepEnd = {
  kind: 'cancelled',
  output: 'stopped',
  outcome: { headline: '*Cancelled while the backup was verified.* Nothing was changed; the backup is kept.' },
}

/** Nothing is known against the backup. */
const notRead = (backup: BackupData, why: string): StepEnd => ({
  kind: 'failed',
  output: 'not verified',
  outcome: {
    headline: `*The backup \`${backup.name}\` could not be read.* Nothing was changed, and the application runs as before.`,
    why,
    next: 'No migration runs without a verified backup. Mend that and ask again.',
  },
})

const damaged = (backup: BackupData, end: Extract<VerifyEnd, { kind: 'damaged' }>): StepEnd => ({
  kind: 'failed',
  output: 'not verified',
  outcome: {
    headline: `*The backup \`${backup.name}\` could not be verified.* Nothing was changed, and the application runs as before.`,
    why: escapeMarkup(end.reason),
    next: 'No migration runs without a verified backup. Look at the disk of the backup directory, then ask again; a new backup is made.',
    ...(end.excerpt === undefined ? {} : { excerpt: end.excerpt }),
  },
})
