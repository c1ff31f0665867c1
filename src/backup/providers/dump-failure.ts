import type { ChildEnd } from '../../process/child.ts'
import { secondsText } from '../../lib/text/units.ts'
import { waitText, type Wait } from './session.ts'

/** Why pg_dump ended, as sentences; `excerpt` is what it complained about, if it said something. */
export type DumpFailure = { readonly reason: string; readonly excerpt: string }

/** Of a pg_dump that ended, but not well. `wait` is the lock that it was last seen to wait for. Pure. */
export function whyDumpFailed(end: ChildEnd, lockWaitMs: number, wait: Wait | undefined): DumpFailure {
  return { reason: reasonOf(end, lockWaitMs, wait), excerpt: lastLines(end.tail) }
}

export const isDiskFullOf = (end: ChildEnd): boolean =>
  /No space left on device|Disk quota exceeded|File too large/.test(end.tail) || end.signal === 'SIGXFSZ'

/** The words of the server when `--lock-wait-timeout` is over; pg_dump sets it as the timeout of the statement that locks. */
export const isLockTimeout = (end: ChildEnd): boolean => TIMEOUT.test(end.tail) || isRefusedLock(end)

const TIMEOUT = /canceling statement due to (lock|statement) timeout/
/** Words of pg_dump itself, around those of a server that speaks another language. A session that was ended is told by libpq, in English. */
function isRefusedLock({ tail }: ChildEnd): boolean {
  const [, severity = '', text = ''] = /query failed: ([^\s:]+): +(.+)/.exec(tail) ?? []
  const isForeign = !/^(FATAL|PANIC)$/.test(severity) && (severity !== 'ERROR' || /[^\p{ASCII}]/u.test(text.replaceAll(/"[^"]*"/g, '')))
  return isForeign && /Query was: LOCK TABLE /.test(tail) && !/server closed the connection/.test(tail)
}

/** A sentence for a lock that was not to be had. */
export function lockedOut(waitedMs: number, wait: Wait | undefined): string {
  const waited = `waited ${secondsText(waitedMs / 1000)} for`
  if (wait === undefined) return `The backup ${waited} a table that another session locks, and gave up.`
  const end = wait.pid === null || wait.pid === 0 ? '' : ` Wait until that ends, or end it: \`select pg_terminate_backend(${wait.pid})\`.`
  const prepared = wait.pid === 0 ? ' Commit it or roll it back.' : ''
  return `The backup ${waited} ${waitText(wait)}, and gave up.${end}${prepared}`
}

function reasonOf(end: ChildEnd, lockWaitMs: number, wait: Wait | undefined): string {
  if (TIMEOUT.test(end.tail) || (isRefusedLock(end) && wait !== undefined)) return lockedOut(lockWaitMs, wait)
  const asked = /could not obtain lock on relation "([^"]+)"/.exec(end.tail)?.[1]
  if (asked !== undefined)
    return `While the backup ran another session asked for an exclusive lock on ${asked}, as ALTER TABLE does, and pg_dump gives up then. Ask again when that is over.`
  if (/out of shared memory|max_locks_per_transaction/.test(end.tail))
    return 'The server has no room for more locks, and pg_dump locks every table. Raise its max_locks_per_transaction and restart it.'
  if (end.signal !== null) return `pg_dump was ended by ${end.signal}.`
  if (end.ended === 'not-started') return 'pg_dump could not be started.'
  const said = saidBy(end.tail)
  return said === undefined ? `pg_dump ended with exit code ${end.exitCode}.` : `pg_dump ended with exit code ${end.exitCode}: ${said}.`
}

/** What the server said to it, first. */
const saidBy = (tail: string): string | undefined =>
  (/\bERROR: +(.+)/.exec(tail) ??
    /(?:query failed|from server): [^\s:]+: +(.+)/.exec(tail) ?? // in the language of the server
    /connection to server .* failed: (?:FATAL: +)?(.+)/.exec(tail))?.[1]
    ?.trim()
    .replace(/\.$/, '')

/** Its progress would bury it. */
function lastLines(tail: string): string {
  const all = tail.split('\n').filter((line) => line.trim() !== '')
  const telling = all.filter((line) => /(error|fatal|detail|hint|warning|could not|query was):?/i.test(line))
  return (telling.length > 0 ? telling : all).slice(-6).join('\n')
}
