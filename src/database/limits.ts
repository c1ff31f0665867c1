import type { Queryable } from './connect.ts'

/** Not every version has each of them. */
const LIMITS = ['idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout']

/**
 * For the transaction that was begun: an administrator's limits, set for the role or the database, would end it while it is held open on
 * purpose. Whoever calls this ends the transaction by himself.
 */
export async function liftLimits(session: Queryable): Promise<void> {
  await session.query(`select set_config(name, '0', true) from pg_settings where name = any ($1)`, [LIMITS])
}

/** For a session that has nothing to ask for a while. */
export async function stayIdle(session: Queryable): Promise<void> {
  await session.query(`select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'`)
}
