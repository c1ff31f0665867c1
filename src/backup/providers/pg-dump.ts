import { syncDirectory } from '../../lib/durable-file.ts'
import type { Identity } from '../../database/identity.ts'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChildEnd } from '../../process/child.ts'
import { childEnvironment, operatorPath } from '../../process/environment.ts'
import { runChild } from '../../process/run-child.ts'
import type { Redactor } from '../../redact/redact.ts'
import { lockedTable, type LockedTable } from '../../database/activity.ts'
import { LOCK_TIMEOUT_MS, TargetConnectionError, withTarget, type Queryable } from '../../database/connect.ts'
import { stayIdle } from '../../database/limits.ts'
import { namingWhoLocks, TableLockedError } from '../../database/locked.ts'
import { hasSqlState, sqlState } from '../../lib/sqlstate.ts'
import { libpqDialect, type TargetUrl } from '../../database/urls.ts'
import type { Clients } from './clients.ts'
import { sizeText } from '../../lib/text/units.ts'
import { recordOf, sealFiles, writeManifest, type Manifest, type ManifestFile } from '../manifest.ts'
import { reserve } from '../names.ts'
import { isDiskFullOf, isLockTimeout, lockedOut, whyDumpFailed } from './dump-failure.ts'
import { watchDump, writtenBytes } from './dump-watch.ts'
import { dumpApplicationName, endSessions, exportSnapshot, type Snapshot, type Wait } from './session.ts'
import { writeThrough } from './write-through.ts'

export type DumpRequest = {
  readonly target: string
  readonly requestId: number
  /** Of the approved plan. */
  readonly digest: string
  readonly identity: Identity
  /** Where backups are kept, absolute. */
  readonly directory: string
  readonly clients: Clients
  /** The database's URL, resolved. */
  readonly url: string
  /** The schema of the table whose rows say which migrations the database has, and its name where that is not the one of Prisma 5 to 7. */
  readonly migrationsSchema: string
  readonly migrationsTable?: string
  readonly jobs: number
  /** How long pg_dump waits for a table that somebody locks exclusively; it blocks nobody while it waits. */
  readonly lockWaitMs: number
  readonly spool: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  readonly signal: AbortSignal
  readonly report: (details: string) => void
}

export type DumpEnd =
  | { readonly kind: 'done'; readonly path: string; readonly manifest: Manifest }
  /** `reason` is a sentence; `excerpt` the last lines of pg_dump, if it said something. */
  | { readonly kind: 'failed'; readonly reason: string; readonly excerpt?: string }
  | { readonly kind: 'aborted' }

/**
 * `pg_dump -Fd` under a partial name, sealed, then renamed: what stands under a final name is whole. Whatever goes wrong, the partial
 * directory and the sessions on the server are gone when this resolves.
 */
export async function dump(request: DumpRequest): Promise<DumpEnd> {
  const application = dumpApplicationName(request.requestId)
  try {
    return await withTarget({ url: request.url, applicationName: `${application}-watch` }, async (watcher, url) => {
      await stayIdle(watcher) // first of all: to connect once more may take longer than it may be idle
      return withTarget({ url: request.url, applicationName: `${application}-snapshot` }, (holder) =>
        dumpWith(request, { application, watcher, holder, url }),
      )
    })
  } catch (error) {
    if (request.signal.aborted) return { kind: 'aborted' }
    if (isDiskFull(error)) return failed(diskFull(request.directory))
    if (error instanceof TargetConnectionError) return failed(error.message)
    if (error instanceof TableLockedError)
      return failed(lockedOut(LOCK_TIMEOUT_MS, error.locked === null ? undefined : waitOf(error.locked)))
    if (hasSqlState(error, sqlState.insufficientPrivilege)) return failed(`The backup may not read everything: ${messageOf(error)}.`)
    throw error
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

type Sessions = {
  /** Of pg_dump's own sessions. */
  readonly application: string
  /** Looks at what pg_dump does and ends what it leaves. */
  readonly watcher: Queryable
  /** Holds the snapshot open. */
  readonly holder: Queryable
  readonly url: TargetUrl
}

async function dumpWith(request: DumpRequest, sessions: Sessions): Promise<DumpEnd> {
  await endSessions(sessions.watcher, sessions.application) // of a dead attempt
  const snapshot = await namingWhoLocks(sessions.watcher, () => exportSnapshot(sessions.holder, recordOf(request)))
  if (!isSame(snapshot, request.identity)) return failed(otherDatabase(request.identity))
  if (snapshot.inRecovery) return failed(STANDBY)
  const { name, partial } = await reserve(request.directory, request.target, request.requestId, snapshot.takenAt)
  let isWhole = false
  try {
    const started = performance.now()
    const writing = writeThrough(partial, WRITE_EVERY_MS)
    // stopped also when the dump throws, and its own fault counts then
    const [dumped] = await Promise.allSettled([runDump(request, sessions, snapshot, partial)])
    const lost = await writing.stop()
    if (dumped.status === 'rejected') throw dumped.reason
    const { end, wait, isOver } = dumped.value
    if (request.signal.aborted) return { kind: 'aborted' }
    if (isOver) return failed(lockedOut(request.lockWaitMs, wait))
    if (end.ended !== 'exited' || end.exitCode !== 0) return await explain(dumped.value, request, sessions, partial)
    if (lost !== undefined) throw lost
    request.report('writing through to the disk')
    const files = await sealFiles(partial, request.signal)
    const empty = files.find(({ bytes }) => bytes === 0)
    if (empty !== undefined) return failed(`pg_dump said that it succeeded, but left ${empty.path} empty.`)
    const manifest = manifestOf(request, name, snapshot, files, (performance.now() - started) / 1000)
    await writeManifest(partial, manifest)
    const path = join(request.directory, name)
    await rename(partial, path)
    isWhole = true
    await syncDirectory(request.directory)
    return { kind: 'done', path, manifest }
  } finally {
    if (!isWhole) {
      await endSessions(sessions.watcher, sessions.application).catch(() => endAnew(request, sessions.application))
      await rm(partial, { recursive: true, force: true })
    }
  }
}

/** Unless `backup.lockWait` says another. */
export const LOCK_WAIT_MS = 300_000

const WRITE_EVERY_MS = 1_000

/** How pg_dump ended, the lock that it was last seen to wait for, and whether it was ended since it waited for too long. */
type Dumped = { readonly end: ChildEnd; readonly wait: Wait | undefined; readonly isOver: boolean }

async function runDump(request: DumpRequest, sessions: Sessions, snapshot: Snapshot, partial: string): Promise<Dumped> {
  const progress = { started: 0, finished: 0 }
  const finished = () => (request.jobs > 1 ? progress.finished : Math.max(0, progress.started - 1))
  const { watcher, application } = sessions
  const { lockWaitMs, report } = request
  const watching = watchDump({ watcher, application, directory: partial, tables: snapshot.tables, finished, lockWaitMs, report })
  const connection = libpqDialect(watchful(sessions.url, snapshot), { applicationName: sessions.application }, systemCa(request.env))
  // the password stands in the environment of this one child, and nothing is left behind when everything dies
  const password = sessions.url.password === null ? {} : { PGPASSWORD: sessions.url.password }
  try {
    const end = await runChild({
      argv: [
        request.clients.pgDump,
        '--format=directory',
        `--jobs=${request.jobs}`,
        request.clients.compression === 'zstd' ? '--compress=zstd:1' : '--compress=1',
        `--snapshot=${snapshot.id}`,
        `--lock-wait-timeout=${request.lockWaitMs}`,
        '--no-password',
        '--verbose',
        `--file=${partial}`,
        `--dbname=${connection.conninfo}`,
      ],
      cwd: request.directory,
      env: childEnvironment(request.env, operatorPath(request.env['PATH']), { ...password, LC_ALL: 'C' }, ['PGPASSWORD']),
      signal: AbortSignal.any([request.signal, watching.signal]),
      spool: request.spool,
      redactor: request.redactor,
      onLine(line) {
        if (line.includes('dumping contents of table')) progress.started++
        if (/finished item \d+ TABLE DATA/.test(line)) progress.finished++
      },
    })
    return { end, wait: watching.wait(), isOver: watching.signal.aborted }
  } finally {
    await watching.stop()
  }
}

/** A backend that waits for a lock does not notice that its client was killed, unless it is told to look (PostgreSQL 14 on). */
function watchful(url: TargetUrl, snapshot: Snapshot): TargetUrl {
  if (Number.parseInt(snapshot.serverVersion, 10) < 14) return url
  return { ...url, options: `${url.options ?? ''} -c client_connection_check_interval=1000`.trim() }
}

/** What `pg` verifies with where the URL names no authority, for libpq, which has none of its own. */
const systemCa = (env: DumpRequest['env']): string | undefined =>
  [env['SSL_CERT_FILE'], '/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/cert.pem'].find((file) => file !== undefined && existsSync(file))

const isSame = (snapshot: Snapshot, identity: Identity): boolean =>
  snapshot.systemIdentifier === identity.systemIdentifier && snapshot.databaseOid === identity.databaseOid

const otherDatabase = (identity: Identity): string =>
  `The backup's URL leads to another database than the one that was approved (${identity.database} on ${identity.host}).`

/** Of a server that follows another one: it may not have replayed yet what was committed before the backup began. */
const STANDBY =
  "The backup's URL leads to a standby, which may not hold yet what was written last, and ends a backup that holds up its replay. Let it name the primary server."

async function explain({ end, wait }: Dumped, request: DumpRequest, sessions: Sessions, partial: string): Promise<DumpEnd> {
  // what was asked for is often seen before the first look of the watch, and always where the wait is short
  const seen = wait ?? (isLockTimeout(end) ? await lockHolder(sessions.watcher).catch(() => undefined) : undefined)
  const { reason, excerpt } = whyDumpFailed(end, request.lockWaitMs, seen)
  return failed(isDiskFullOf(end) ? await diskFullAfter(request.directory, partial) : reason, excerpt)
}

/** Who holds a table exclusively, for what is said when nobody was seen to be waited for. */
async function lockHolder(watcher: Queryable): Promise<Wait | undefined> {
  const locked = await lockedTable(watcher)
  return locked === null ? undefined : waitOf(locked)
}

const waitOf = ({ relation, pid, applicationName, role }: LockedTable): Wait => ({
  relation,
  pid: pid ?? 0,
  name: applicationName === null || applicationName === '' ? role : applicationName,
})

const diskFull = (directory: string): string => `The disk of the backup directory ${directory} is full.`

async function diskFullAfter(directory: string, partial: string): Promise<string> {
  const written = await writtenBytes(partial).catch(() => undefined)
  return written === undefined ? diskFull(directory) : `${diskFull(directory)} ${sizeText(written)} had been written.`
}

const isDiskFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException | null)?.code ?? '')

const failed = (reason: string, excerpt?: string): DumpEnd => ({
  kind: 'failed',
  reason,
  ...(excerpt === undefined || excerpt === '' ? {} : { excerpt }),
})

function manifestOf(request: DumpRequest, name: string, snapshot: Snapshot, files: readonly ManifestFile[], seconds: number): Manifest {
  return {
    version: 1,
    name,
    target: request.target,
    requestId: request.requestId,
    digest: request.digest,
    identity: request.identity,
    takenAt: snapshot.takenAt.toISOString(),
    seconds: Math.round(seconds * 1000) / 1000,
    serverVersion: snapshot.serverVersion,
    clientVersion: request.clients.version,
    migrations: snapshot.migrations,
    migrationsSchema: request.migrationsSchema,
    ...(request.migrationsTable === undefined ? {} : { migrationsTable: request.migrationsTable }),
    tables: snapshot.tables,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    rawBytes: snapshot.databaseBytes,
    files: [...files],
  }
}

/** The watcher broke with the server or the network: one more look with a new session. */
async function endAnew(request: DumpRequest, application: string): Promise<void> {
  try {
    await withTarget({ url: request.url, applicationName: `${application}-watch` }, (watcher) => endSessions(watcher, application))
  } catch (error) {
    if (!(error instanceof TargetConnectionError)) throw error // away: there a session whose client is gone ends by itself
  }
}
