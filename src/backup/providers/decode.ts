import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { captureChild } from '../../process/capture.ts'
import type { ChildEnd } from '../../process/child.ts'
import { childEnvironment, operatorPath } from '../../process/environment.ts'
import { runChild } from '../../process/run-child.ts'
import type { Manifest, ManifestFile } from '../manifest.ts'
import { together } from '../../lib/together.ts'
import type { Clients } from './clients.ts'
import type { Redactor } from '../../redact/redact.ts'

/** What a verification is given. */
export type VerifyRequest = {
  /** The backup's directory. */
  readonly path: string
  readonly clients: Pick<Clients, 'pgRestore'>
  /** The manifest as the catalogue recorded it; the one on the disk must say the same. */
  readonly recorded?: Manifest
  readonly spool: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  readonly signal: AbortSignal
  readonly report: (details: string) => void
}

/** What pg_restore needs to read a backup; no server is asked. */
export type Reading = Omit<VerifyRequest, 'recorded' | 'spool'>

/**
 * Lets pg_restore read the whole backup: null, or the end of the first pg_restore that could not. It decompresses on one core, so on
 * a machine with several the entries are dealt out to as many at once.
 */
export async function decodeWhole(request: VerifyRequest, manifest: Manifest, most = availableParallelism()): Promise<ChildEnd | null> {
  const directory = await mkdtemp(join(dirname(request.spool), 'decode-'))
  let tables = 0
  const onLine = (line: string) => {
    if (!line.includes('processing data for table')) return
    tables++
    request.report(`reading table ${Math.min(tables, manifest.tables)} of ${manifest.tables}`)
  }
  try {
    const shares = await sharesOf(request, manifest, most)
    const ends = await together(shares.map((share, at) => decodeShare(request, share, join(directory, String(at)), onLine)))
    return ends.find(({ exitCode }) => exitCode !== 0) ?? null
  } finally {
    await passLogs(directory, request.spool)
    await rm(directory, { recursive: true, force: true })
  }
}

/** One pg_restore over the backup. */
export const restore = (request: Reading, options: readonly string[], onLine: (line: string) => void, spool?: string): Promise<ChildEnd> =>
  runChild({
    argv: [request.clients.pgRestore, ...options, request.path],
    cwd: '/',
    env: environmentOf(request),
    signal: request.signal,
    redactor: request.redactor,
    onLine,
    ...(spool === undefined ? {} : { spool }),
  })

async function decodeShare(request: Reading, share: Share, file: string, onLine: (line: string) => void): Promise<ChildEnd> {
  if (share !== 'all') await writeFile(file, share.map((entry) => `${entry};\n`).join(''), { mode: 0o600 })
  const only = share === 'all' ? [] : [`--use-list=${file}`]
  return restore(request, ['--verbose', ...only, '--file=/dev/null'], onLine, `${file}.log`)
}

/** One after the other, since lines that were written at the same time could be torn. */
async function passLogs(directory: string, spool: string): Promise<void> {
  for (const name of (await readdir(directory)).filter((one) => one.endsWith('.log')).toSorted())
    await appendFile(spool, await readFile(join(directory, name)), { mode: 0o600 }).catch(() => {}) // a full disk says nothing about the backup
}

/** Numbers of entries in the table of contents. */
export type Share = 'all' | readonly number[]

async function sharesOf(request: Reading, manifest: Manifest, most: number): Promise<readonly Share[]> {
  if (most < 2) return ['all']
  const list = await captureChild({
    argv: [request.clients.pgRestore, '--list', request.path],
    cwd: '/',
    env: environmentOf(request),
    signal: request.signal,
    redactor: request.redactor,
  })
  // whatever is wrong with it, reading it whole tells
  return list.exitCode === 0 ? dealt(list.stdout.toString('utf8'), manifest.files, most) : ['all']
}

/**
 * The entries of a table of contents in at most so many shares of about equal size, each entry in exactly one. Undivided when a data
 * file belongs to no entry that was found, since nobody would read it. Pure.
 */
export function dealt(list: string, files: readonly ManifestFile[], most: number): readonly Share[] {
  const entries = [...list.matchAll(/^(\d+); /gm)].map(([, id]) => Number(id))
  const data = files.filter(({ path }) => DATA.test(path)).toSorted((a, b) => b.bytes - a.bytes)
  const known = new Set(entries)
  if (data.length < 2 || data.some((file) => !known.has(entryOf(file)))) return ['all']
  const shares = Array.from({ length: Math.min(most, data.length) }, () => ({ bytes: 0, entries: new Set<number>() }))
  for (const file of data) {
    const share = shares.reduce((least, one) => (one.bytes < least.bytes ? one : least))
    share.bytes += file.bytes
    share.entries.add(entryOf(file))
  }
  // what has no data file of its own, large objects among it, is read by the one that has least to do
  const least = shares.reduce((one, other) => (other.bytes < one.bytes ? other : one))
  for (const entry of entries) if (!shares.some((share) => share.entries.has(entry))) least.entries.add(entry)
  return shares.map((share) => entries.filter((entry) => share.entries.has(entry)))
}

const entryOf = ({ path }: ManifestFile): number => Number.parseInt(path, 10)

/** Such as `4711.dat.gz`: the data of the entry with that number. */
const DATA = /^\d+\.dat(\.\w+)?$/

const environmentOf = (request: Reading) => childEnvironment(request.env, operatorPath(request.env['PATH']), { LC_ALL: 'C' })
