import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Child } from './child.ts'

export const TAIL_BYTES = 64 * 1024

/** What has no line break for longer is given in pieces. */
export const LONGEST_LINE = 64 * 1024

/** Of one child; a loop that prints for ever must not fill the disk on which the records are kept. */
export const MOST_SPOOL_BYTES = 50 * 1024 * 1024

/** Takes what a child prints: redacted to its log, its listener and the tail. */
export function collectOutput(child: Child) {
  const spool = child.spool === undefined ? undefined : createWriteStream(child.spool, { flags: 'a', mode: 0o600 })
  let spoolFault: Error | undefined
  spool?.on('error', (error) => (spoolFault = error)) // a full disk must not end the child; the tail says what is missing
  const streams = { stdout: lines('stdout'), stderr: lines('stderr') }
  let tail = ''
  let spooled = 0
  function toSpool(text: string) {
    if (spool === undefined || spoolFault !== undefined || spooled > MOST_SPOOL_BYTES) return
    spooled += Buffer.byteLength(text)
    spool.write(text)
    if (spooled > MOST_SPOOL_BYTES)
      spool.write(`\n… The rest of this output is left out of the log, which takes ${MOST_SPOOL_BYTES / 1024 / 1024} MB of one command.\n`)
  }
  function take(text: string) {
    if (text === '') return
    toSpool(text)
    tail = (tail + text).slice(-TAIL_BYTES)
  }
  function lines(name: 'stdout' | 'stderr') {
    const redacted = child.redactor.stream()
    const decoder = new TextDecoder()
    let open = ''
    const pass = (text: string) => {
      take(text)
      if (child.onLine === undefined) return
      const parts = (open + text).split(/\r?\n/)
      open = parts.pop() ?? ''
      for (const line of parts) inPieces(line)
      // else it would be read again, whole, with every piece that follows
      const whole = open.length - (open.length % LONGEST_LINE)
      inPieces(open.slice(0, whole), whole > 0)
      open = open.slice(whole)
    }
    const inPieces = (line: string, isWritten = true) => {
      if (!isWritten) return
      for (let at = 0; at === 0 || at < line.length; at += LONGEST_LINE) child.onLine?.(line.slice(at, at + LONGEST_LINE), name)
    }
    return {
      write: (chunk: Buffer) => pass(redacted.write(decoder.decode(chunk, { stream: true }))),
      end() {
        pass(redacted.end())
        if (open !== '') child.onLine?.(open, name)
      },
    }
  }
  return {
    write: (name: 'stdout' | 'stderr', chunk: Buffer) => streams[name].write(chunk),
    isBehind: () => spoolFault === undefined && spool?.writableNeedDrain === true,
    /** Also when the log can be written no more, else the child would wait for ever. */
    caughtUp(act: () => void) {
      const once = () => {
        spool?.off('drain', once).off('error', once)
        act()
      }
      spool?.once('drain', once).once('error', once)
    },
    async end() {
      streams.stdout.end()
      streams.stderr.end()
      if (spool !== undefined && spoolFault === undefined) {
        spool.end()
        await finished(spool).catch((error: Error) => (spoolFault = error))
      }
      return spoolFault === undefined ? tail : `${tail}\n(the log file is incomplete: ${spoolFault.message})\n`
    },
  }
}
