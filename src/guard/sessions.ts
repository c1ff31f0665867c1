import type { Queryable } from '../database/connect.ts'
import { code } from '../lib/text/code.ts'
import { sqlState } from '../lib/sqlstate.ts'
import type { SessionIdentity } from '../request/blocker.ts'
import type { SeenSession } from './session.ts'

const micros = (column: string) => `(extract(epoch from ${column}) * 1000000)::bigint::text`

/** Cancels the statement, if the session still runs this very one. What ended meanwhile is left alone, and so is what it runs next. */
export async function cancelStatement(client: Queryable, applicationName: string, session: SeenSession): Promise<boolean> {
  const { rows } = await client.query<{ done: boolean }>(
    `select pg_cancel_backend(pid) as done from pg_stat_activity
      where pid = $1 and application_name = $2 and datname = current_database() and pid <> pg_backend_pid() and state = 'active'
        and ${micros('backend_start')} = $3 and ${micros('query_start')} = $4`,
    [session.pid, applicationName, session.backend, session.statement],
  )
  return rows[0]?.done === true
}

const SAME = `datname = current_database() and pid = $1 and ${micros('backend_start')} is not distinct from $2
  and ${micros('xact_start')} is not distinct from $3`

/** Whether it is still there, in the same transaction. */
export async function isSameSession(client: Queryable, { pid, backend, transaction }: SessionIdentity): Promise<boolean> {
  if (pid === 0) return true
  const { rowCount } = await client.query(`select from pg_stat_activity where ${SAME}`, [pid, backend, transaction])
  return rowCount === 1
}

/** Ends the session, if it is still there in the same transaction. One whose beginnings cannot be seen is nobody's to end. */
export async function endSession(client: Queryable, session: SessionIdentity): Promise<'ended' | 'other' | 'not_allowed'> {
  const { pid, backend, transaction } = session
  if (pid === 0 || backend === null || transaction === null) return 'not_allowed'
  try {
    const { rows } = await client.query<{ done: boolean }>(
      `select pg_terminate_backend(pid) as done from pg_stat_activity where ${SAME} and pid <> pg_backend_pid()`,
      [pid, backend, transaction],
    )
    return rows[0]?.done === true ? 'ended' : 'other'
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === sqlState.insufficientPrivilege) return 'not_allowed'
    throw error
  }
}

/** Why this role may not end that session, with what helps, as mrkdwn; null when it may. */
export async function whyNotEnd(client: Queryable, { pid, backend, applicationName }: SeenSession): Promise<string | null> {
  if (pid === 0)
    return `It has no session that can be ended. Whoever prepared that transaction has to commit it or to take it back; ${code('SELECT * FROM pg_prepared_xacts')} lists it.`
  if (applicationName?.startsWith('lockkeeper-') === true) return 'It is a session of Lockkeeper itself, which ends by itself.'
  const { rows } = await client.query<{ me: string; isMine: boolean; isSuper: boolean; isServer: boolean }>(
    `select current_user as me, coalesce(t.rolsuper, false) and not r.rolsuper as "isSuper", a.usesysid is null as "isServer",
        r.rolsuper or pg_has_role('pg_signal_backend', 'USAGE') or coalesce(pg_has_role(a.usesysid, 'USAGE'), false) as "isMine"
       from pg_stat_activity a join pg_roles r on r.rolname = current_user left join pg_roles t on t.oid = a.usesysid where a.pid = $1`,
    [pid],
  )
  const row = rows[0]
  if (row === undefined) return null // it is gone
  const byHand = `Somebody with the right can run ${code(`SELECT pg_terminate_backend(${pid});`)}.`
  const granting = (right: string) => code(`GRANT ${right} TO ${/^[a-z_][a-z0-9_]*$/.test(row.me) ? row.me : `"${row.me}"`};`)
  if (row.isServer) return 'It is a process of the server itself, such as a vacuum, which makes way by itself or has to run.'
  if (row.isSuper) return `Its role is a superuser, whose sessions only another superuser may end. ${byHand}`
  if (!row.isMine)
    return `Lockkeeper's role ${code(row.me)} may not end sessions of others: ${granting('pg_signal_backend')} lets it. ${byHand}`
  if (backend === null)
    return `Lockkeeper's role ${code(row.me)} cannot see when that session began, so it might end another one: ${granting('pg_read_all_stats')} lets it. ${byHand}`
  return null
}
