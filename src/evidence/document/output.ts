import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Redactor } from '../../redact/redact.ts'
import type { OutputPart } from './document.ts'

/** Characters of output that a bundle carries: how it began, and more of how it ended. */
const HEAD = 100_000
const TAIL = 300_000

/** Reads the output of a run once, in pieces: whatever its length, only what is kept and one piece are in memory. */
export async function readOutput(path: string, redactor: Redactor): Promise<OutputPart> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  if (found === undefined) return { kind: 'missing', why: NOT_HERE }
  const stream = redactor.stream()
  const hash = createHash('sha256')
  let head = ''
  let tail: string[] = []
  let tailLength = 0
  let total = 0
  let bytes = 0
  const take = (text: string) => {
    if (text === '') return
    hash.update(text)
    bytes += Buffer.byteLength(text)
    total += text.length
    const forHead = text.slice(0, HEAD - head.length)
    head += forHead
    if (forHead.length === text.length) return
    tail.push(text.slice(forHead.length))
    tailLength += text.length - forHead.length
    while (tailLength - (tail[0]?.length ?? 0) >= TAIL) tailLength -= tail.shift()?.length ?? 0
  }
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 64 * 1024 })) take(stream.write(String(chunk)))
  take(stream.end())
  const kept = tail.join('')
  tail = []
  const end = kept.length > TAIL ? wholeLines(kept.slice(-TAIL)) : kept
  const cut = total - head.length - end.length
  return { kind: 'text', bytes, sha256: hash.digest('hex'), head: cut === 0 ? head + end : head, tail: cut === 0 ? '' : end, cut }
}

const NOT_HERE =
  'This machine has no output of this run: it has not begun, it printed nothing, another machine carried it, or its log is older than 90 days.'

/** Begins at a line, unless that line is all there is. */
function wholeLines(text: string): string {
  const at = text.indexOf('\n')
  return at < 0 || at > 10_000 ? text.toWellFormed() : text.slice(at + 1)
}
