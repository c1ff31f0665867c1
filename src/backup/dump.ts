import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { childEnvironment, operatorPath, runChild, type ChildEnd } from '../process.ts'
import type { Redactor } from '../redact.ts'
import type { Identity } from '../plan/plan.ts'
import type { Clients } from './clients.ts'
import { counted, sizeText } from './figures.ts'
import { sealFiles, syncDirectory, writeManifest, type Manifest, type ManifestFile } from './manifest.ts'
import { reserve } from './names.ts'
import {
  dumpApplicationName,
  endSessions,
  exportSnapshot,
  waitsFor,
  type DatabaseSession,
  type OpenSession,
  type Snapshot,
} from './session.ts'

export type DumpRequest = {
  readonly target: string
  readonly requestId: number
  /** Of the approved plan. */
  readonly digest: string
  readonly identity: Identity
  /** Where backups are kept, absolute. */
  readonly directory: string
  readonly clients: Clients
  /** The connection as libpq's variables: PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, PGSSLMODE… */
  readonly libpq: Readonly<Record<string, string>>
  readonly open: OpenSession
  /** The schema of `_prisma_migrations`. */
  readonly migrationsSchema: string
  readonly jobs: number
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
  const holder = await request.open(`${application}-snapshot`)
  const watcher = await request.open(`${application}-watch`).catch(async (error: unknown) => {
    await holder.close()
    throw error
  })
  let partial: string | undefined
  let isWhole = false
  try {
    await endSessions(watcher, application) // of a dead attempt
    const snapshot = await exportSnapshot(holder, request.migrationsSchema)
    if (!isSame(snapshot, request.identity)) return failed(otherDatabase(request.identity))
    const place = await reserve(request.directory, request.target, request.requestId, snapshot.takenAt)
    partial = place.partial
    const started = performance.now()
    const end = await runDump(request, application, snapshot, partial, watcher)
    if (end.ended === 'aborted' || request.signal.aborted) return { kind: 'aborted' }
    if (end.ended !== 'exited' || end.exitCode !== 0) return await explain(end, request, partial)
    request.report('writing through to the disk')
    const files = await sealFiles(partial, request.signal)
    const empty = files.find(({ bytes }) => bytes === 0)
    if (empty !== undefined) return failed(`pg_dump said that it succeeded, but left ${empty.path} empty.`)
    const manifest = manifestOf(request, place.name, snapshot, files, (performance.now() - started) / 1000)
    await writeManifest(partial, manifest)
    const path = join(request.directory, place.name)
    await rename(partial, path)
    isWhole = true
    await syncDirectory(request.directory)
    return { kind: 'done', path, manifest }
  } catch (error) {
    if (request.signal.aborted) return { kind: 'aborted' }
    if (isDiskFull(error)) return failed(diskFull(request.directory))
    throw error
  } finally {
    if (partial !== undefined && !isWhole) {
      await endSessions(watcher, application).catch(() => endAnew(request, application))
      await rm(partial, { recursive: true, force: true })
    }
    await Promise.allSettled([holder.close(), watcher.close()]) // a connection that is broken already is closed enough
  }
}

/** How long pg_dump waits for a table that somebody locks exclusively; it blocks nobody while it waits. */
const LOCK_WAIT_MS = 300_000

const REPORT_EVERY_MS = 1_000

async function runDump(
  request: DumpRequest,
  application: string,
  snapshot: Snapshot,
  partial: string,
  watcher: DatabaseSession,
): Promise<ChildEnd> {
  const progress = { started: 0, finished: 0 }
  const watching = watch(request, application, snapshot, partial, watcher, () =>
    request.jobs > 1 ? progress.finished : Math.max(0, progress.started - 1),
  )
  try {
    return await runChild({
      argv: [
        request.clients.pgDump,
        '--format=directory',
        `--jobs=${request.jobs}`,
        request.clients.compression === 'zstd' ? '--compress=zstd:1' : '--compress=1',
        `--snapshot=${snapshot.id}`,
        `--lock-wait-timeout=${LOCK_WAIT_MS}`,
        '--no-password',
        '--verbose',
        `--file=${partial}`,
      ],
      cwd: request.directory,
      env: libpqEnvironment(request, application, snapshot.serverVersion),
      signal: request.signal,
      spool: request.spool,
      redactor: request.redactor,
      onLine(line) {
        if (line.includes('dumping contents of table')) progress.started++
        if (/finished item \d+ TABLE DATA/.test(line)) progress.finished++
      },
    })
  } finally {
    await watching.stop()
  }
}

/** The connection stands in the environment of this one child, never in its arguments. */
function libpqEnvironment(request: DumpRequest, application: string, serverVersion: string): Record<string, string> {
  const extra: Record<string, string> = { ...request.libpq, PGAPPNAME: application, LC_ALL: 'C' }
  // a backend that waits for a lock does not notice that its client was killed, unless it is told to look (PostgreSQL 14 on)
  if (Number.parseInt(serverVersion, 10) >= 14)
    extra['PGOPTIONS'] = `${extra['PGOPTIONS'] ?? ''} -c client_connection_check_interval=1000`.trim()
  return childEnvironment(request.env, operatorPath(request.env['PATH']), extra, Object.keys(extra))
}

/** Says once a second how far it is and what it waits for. */
function watch(
  request: DumpRequest,
  application: string,
  snapshot: Snapshot,
  partial: string,
  watcher: DatabaseSession,
  finished: () => number,
) {
  let round: Promise<void> | undefined
  const look = async () => {
    const written = await writtenBytes(partial)
    // what it waits for is told when the server can be asked; that it cannot be asked is pg_dump's to report
    const waiting = await waitsFor(watcher, application).catch(() => undefined)
    const done = Math.min(finished(), snapshot.tables)
    request.report([`${done} of ${counted(snapshot.tables, 'table')}, ${sizeText(written)} written`, waiting].filter(Boolean).join('; '))
  }
  const timer = setInterval(() => {
    round ??= look().finally(() => (round = undefined))
  }, REPORT_EVERY_MS)
  return {
    async stop() {
      clearInterval(timer)
      await round
    },
  }
}

async function writtenBytes(directory: string): Promise<number> {
  const sizes = (await readdir(directory)).map((name) =>
    stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0, // gone between the two calls
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

const isSame = (snapshot: Snapshot, identity: Identity): boolean =>
  snapshot.systemIdentifier === identity.systemIdentifier && snapshot.databaseOid === identity.databaseOid

const otherDatabase = (identity: Identity): string =>
  `The backup's URL leads to another database than the one that was approved (${identity.database} on ${identity.host}).`

async function explain(end: ChildEnd, request: DumpRequest, partial: string): Promise<DumpEnd> {
  const excerpt = lastLines(end.tail)
  if (/No space left on device|Disk quota exceeded|File too large/.test(end.tail) || end.signal === 'SIGXFSZ')
    return failed(`${diskFull(request.directory)} ${sizeText(await writtenBytes(partial))} had been written.`, excerpt)
  if (/canceling statement due to lock timeout/.test(end.tail))
    return failed(`pg_dump waited ${LOCK_WAIT_MS / 60_000} min for a table that another session locks, and gave up.`, excerpt)
  if (end.signal !== null) return failed(`pg_dump was ended by ${end.signal}.`, excerpt)
  if (end.ended === 'not-started') return failed('pg_dump could not be started.', excerpt)
  return failed(`pg_dump ended with exit code ${end.exitCode}.`, excerpt)
}

const diskFull = (directory: string): string => `The disk of the backup directory ${directory} is full.`

const isDiskFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException | null)?.code ?? '')

const failed = (reason: string, excerpt?: string): DumpEnd => ({
  kind: 'failed',
  reason,
  ...(excerpt === undefined || excerpt === '' ? {} : { excerpt }),
})

/** What pg_dump complained about; its progress would bury it. */
function lastLines(tail: string): string {
  const all = tail.split('\n').filter((line) => line.trim() !== '')
  const telling = all.filter((line) => /(error|fatal|detail|hint|warning|could not|query was):?/i.test(line))
  return (telling.length > 0 ? telling : all).slice(-6).join('\n')
}

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
    tables: snapshot.tables,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    rawBytes: snapshot.databaseBytes,
    files: [...files],
  }
}

/** The watcher broke with the server or the network: one more look with a new session. */
async function endAnew(request: DumpRequest, application: string): Promise<void> {
  const session = await request.open(`${application}-watch`).catch(() => undefined)
  if (session === undefined) return // the server is away, and a session of a child that is gone ends by itself when it notices
  await endSessions(session, application).finally(() => session.close())
}
