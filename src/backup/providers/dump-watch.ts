import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Queryable } from '../../database/connect.ts'
import { counted, sizeText } from '../../lib/text/units.ts'
import { waitsFor, waitText, type Wait } from './session.ts'

export type Watched = {
  readonly watcher: Queryable
  /** Of pg_dump's sessions. */
  readonly application: string
  /** The directory that it writes. */
  readonly directory: string
  readonly tables: number
  readonly finished: () => number
  readonly lockWaitMs: number
  readonly report: (details: string) => void
}

const REPORT_EVERY_MS = 1_000
/** pg_dump's own option bounds its wait for tables, and gives the better account of it; for sequences, views and the catalogue it has none. */
const AFTER_ITS_OWN_MS = 2_000

/**
 * Says once a second how far a dump is and what it waits for. `signal` aborts when it has waited for locks without a break for longer than
 * it may; `wait` is the lock that it waits for, as far as is known.
 */
export function watchDump(watched: Watched) {
  const { watcher, application, directory, tables, finished, report } = watched
  const tooLong = new AbortController()
  let round: Promise<void> | undefined
  let last: { readonly wait: Wait; readonly since: number; readonly at: number } | undefined
  const look = async () => {
    // that the directory cannot be read is pg_dump's to report, and of whoever writes it through
    const written = await writtenBytes(directory).catch(() => undefined)
    // what it waits for is told when the server can be asked; that it cannot be asked is pg_dump's to report
    const wait = await waitsFor(watcher, application).catch(() => last?.wait)
    const at = performance.now()
    last = wait === undefined ? undefined : { wait, since: last?.since ?? at, at }
    const sizes = written === undefined ? '' : `, ${sizeText(written)} written`
    const what = wait === undefined ? '' : `waiting for ${waitText(wait)}`
    report([`${Math.min(finished(), tables)} of ${counted(tables, 'table')}${sizes}`, what].filter((part) => part !== '').join('; '))
    if (last !== undefined && at - last.since > watched.lockWaitMs + AFTER_ITS_OWN_MS) tooLong.abort()
  }
  const timer = setInterval(() => {
    round ??= look().finally(() => (round = undefined))
  }, REPORT_EVERY_MS)
  return {
    signal: tooLong.signal,
    wait: () => last?.wait,
    async stop() {
      clearInterval(timer)
      await round
    },
  }
}

export async function writtenBytes(directory: string): Promise<number> {
  const sizes = (await readdir(directory)).map((name) =>
    stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0, // gone between the two calls
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
