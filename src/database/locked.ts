import { code } from '../lib/text/code.ts'
import { hasSqlState, sqlState } from '../lib/sqlstate.ts'
import { lockedTable, type LockedTable } from './activity.ts'
import type { Queryable } from './connect.ts'

/** A table is held so exclusively that nobody can read it, nor even its size. `message` is a sentence for people, in Slack's mrkdwn. */
export class TableLockedError extends Error {
  readonly locked: LockedTable | null
  constructor(locked: LockedTable | null, cause: unknown) {
    super(sentence(locked), { cause })
    this.name = 'TableLockedError'
    this.locked = locked
  }
}

/** Runs `read`; when it gave up on a lock, throws TableLockedError, which names who holds what. Other faults pass through. */
export async function namingWhoLocks<T>(client: Queryable, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!hasSqlState(error, sqlState.lockNotAvailable)) throw error
    throw new TableLockedError(await lockedTable(client), error)
  }
}

function sentence(locked: LockedTable | null): string {
  const meaning = 'A migration would wait for that lock too, and everybody else behind the migration.'
  if (locked === null) return `A table was locked, by a transaction that could not be seen any more when it was looked for. ${meaning}`
  const { relation, kind, isWaiting, pid, applicationName, role, transactionMs } = locked
  const name = [applicationName, role].find((one): one is string => one !== null && one !== '')
  const since = transactionMs === null ? '' : `, whose transaction has been open for ${Math.round(transactionMs / 1000)} s`
  if (pid === null) return `The ${kind} ${code(relation)} is locked by a prepared transaction. ${meaning} Commit it or roll it back.`
  const who = `ession ${pid}${name === undefined ? '' : ` (${code(name)})`}${since}`
  const how = isWaiting
    ? `S${who}, waits to lock the ${kind} ${code(relation)} exclusively, and whoever comes later waits behind it`
    : `The ${kind} ${code(relation)} is locked by s${who}`
  return `${how}. ${meaning} Wait until that ends, or end it: ${code(`select pg_terminate_backend(${pid})`)}.`
}
