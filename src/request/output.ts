import { open, readFile, stat } from 'node:fs/promises'

/** Slack shows 2,500 characters; with what redaction and cutting take away, twice that is read. */
const TAIL_BYTES = 6_000
/** A log that a person will open in Slack; more than this stays on disk and the file says so. */
const MOST_BYTES = 5_000_000

/** The end of a run's output; empty when there is none yet. */
export async function readTail(path: string): Promise<string> {
  const file = await open(path).catch(absent)
  if (file === undefined) return ''
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - TAIL_BYTES)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, TAIL_BYTES)), 0, Math.min(size, TAIL_BYTES), from)
    const text = buffer.subarray(0, bytesRead).toString('utf8')
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1) // a line that was cut may hide a secret's beginning
  } finally {
    await file.close()
  }
}

/** The whole output; null when the run printed nothing. */
export async function readSpool(path: string): Promise<string | null> {
  const size = (await stat(path).catch(absent))?.size ?? 0
  if (size === 0) return null
  if (size <= MOST_BYTES) return readFile(path, 'utf8')
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0)
    return `${buffer.toString('utf8')}\n… ${size - MOST_BYTES} more bytes stand in output.log of this run.\n`
  } finally {
    await file.close()
  }
}

const absent = (error: NodeJS.ErrnoException) => {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
