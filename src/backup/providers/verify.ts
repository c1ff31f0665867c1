import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChildEnd } from '../../process/child.ts'
import { decodeWhole, restore, type VerifyRequest } from './decode.ts'
import { counted, sizeText } from '../../lib/text/units.ts'
import { filesOf, hashFile, readManifest, recordOf, type Manifest } from '../manifest.ts'

export type VerifyEnd =
  | { readonly kind: 'verified'; readonly manifest: Manifest; readonly seconds: number }
  /** `reason` is a sentence that names the file or the number that is wrong. */
  | { readonly kind: 'damaged'; readonly reason: string; readonly excerpt?: string }
  | { readonly kind: 'aborted' }

/**
 * Reads the whole backup: every file's size and SHA-256, a full decode by pg_restore, and the rows of the record of migrations.
 * The decode alone is not enough: it passes an emptied data file and a damaged gzip header (measured with 15.18).
 */
export async function verifyBackup(request: VerifyRequest): Promise<VerifyEnd> {
  const started = performance.now()
  const reading = await readManifest(request.path)
  if (reading.kind === 'unreadable') return damaged(`The manifest cannot be read: ${reading.why}`)
  const { manifest } = reading
  if (request.recorded !== undefined && JSON.stringify(request.recorded) !== JSON.stringify(manifest))
    return damaged('The manifest is not the one that was recorded when the backup was made.')
  try {
    const wrong = await compareSizes(request.path, manifest)
    if (wrong !== undefined) return damaged(wrong)
    return (await readWhole(request, manifest)) ?? (await countRows(request, manifest)) ?? verified(manifest, started)
  } catch (error) {
    if (request.signal.aborted) return { kind: 'aborted' }
    throw error
  }
}

/** For a quick look: every file of the manifest is there with its size, and no other. Undefined when all is well. */
export async function compareSizes(path: string, manifest: Manifest): Promise<string | undefined> {
  const present = new Set(await filesOf(path))
  for (const file of manifest.files) {
    if (!present.delete(file.path)) return `The file ${file.path} is missing.`
    const { size } = await lstat(join(path, file.path))
    if (file.bytes === 0) return `The file ${file.path} is empty.`
    if (size !== file.bytes) return `The file ${file.path} has ${size} bytes instead of ${file.bytes}.`
  }
  const [stranger] = present
  return stranger === undefined ? undefined : `The file ${stranger} does not belong to this backup.`
}

async function compareSums(request: VerifyRequest, manifest: Manifest): Promise<string | undefined> {
  let done = 0
  for (const file of manifest.files) {
    request.report(`checksums: ${sizeText(done)} of ${sizeText(manifest.bytes)}`)
    const { sha256 } = await hashFile(join(request.path, file.path), request.signal)
    if (sha256 !== file.sha256) return `The file ${file.path} has changed since the backup was made (SHA-256).`
    done += file.bytes
  }
  return undefined
}

/** The sums at the same time as the decode, which is not waited for when one of them is wrong: that says more. */
async function readWhole(request: VerifyRequest, manifest: Manifest): Promise<VerifyEnd | undefined> {
  const stop = new AbortController()
  const summing = compareSums(request, manifest)
  summing.then(
    (wrong) => wrong !== undefined && stop.abort(),
    () => stop.abort(),
  )
  const decoding = decodeWhole({ ...request, signal: AbortSignal.any([request.signal, stop.signal]) }, manifest)
  const [sums, decode] = await Promise.allSettled([summing, decoding])
  if (sums.status === 'rejected') throw sums.reason
  if (sums.value !== undefined) return damaged(sums.value)
  if (decode.status === 'rejected') throw decode.reason
  return decode.value === null ? undefined : notDecoded(decode.value)
}

async function countRows(request: VerifyRequest, manifest: Manifest): Promise<VerifyEnd | undefined> {
  request.report('counting the migrations in it')
  const { schema, table } = recordOf(manifest)
  const argv = ['--data-only', `--schema=${schema}`, `--table=${table}`, '--file=-']
  const counter = copyRowCounter()
  const end = await restore(request, argv, (line) => counter.take(line))
  if (end.exitCode !== 0) return notDecoded(end)
  const rows = counter.rows()
  if (rows === manifest.migrations) return undefined
  return damaged(
    `It holds ${rows === null ? `no table ${table}` : `${counted(rows, 'row')} of ${table}`}; ` +
      `the database had ${manifest.migrations === null ? 'no such table' : manifest.migrations} when it was dumped.`,
  )
}

/** Counts the lines between `COPY … FROM stdin;` and `\.`; a row is one line in this format, line breaks in it are escaped. */
export function copyRowCounter() {
  let rows: number | null = null
  let isInside = false
  return {
    take: (line: string): void => {
      if (isInside && line === '\\.') isInside = false
      else if (isInside) rows = (rows ?? 0) + 1
      else if (/^COPY .* FROM stdin;$/.test(line)) {
        isInside = true
        rows ??= 0
      }
    },
    rows: () => rows,
  }
}

function notDecoded(end: ChildEnd): VerifyEnd {
  if (end.ended === 'aborted') return { kind: 'aborted' }
  const excerpt = end.tail
    .split('\n')
    .filter((line) => line.startsWith('pg_restore: error') || line.includes('could not'))
    .slice(-4)
    .join('\n')
  const how = end.exitCode === null ? `was ended by ${end.signal ?? 'the system'}` : `ended with exit code ${end.exitCode}`
  return damaged(`pg_restore could not read it whole: it ${how}.`, excerpt)
}

const verified = (manifest: Manifest, started: number): VerifyEnd => ({
  kind: 'verified',
  manifest,
  seconds: (performance.now() - started) / 1000,
})

const damaged = (reason: string, excerpt?: string): VerifyEnd => ({
  kind: 'damaged',
  reason,
  ...(excerpt === undefined || excerpt === '' ? {} : { excerpt }),
})
