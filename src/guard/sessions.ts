import type { Queryable } from '../database/connect.ts'
import type { SeenSession } from './session.ts'

/** Cancels the statement, if the session still runs this very one. What ended meanwhile is left alone, and so is what it runs next. */
export async function cancelStatement(client: Queryable, applicationName: string, session: SeenSession): Promise<boolean> {
  const { rows } = await client.query<{ done: boolean }>(
    `select pg_cancel_backend(pid) as done from pg_stat_activity
      where pid = $1 and application_name = $2 and datname = current_database() and pid <> pg_backend_pid() and state = 'active'
        and (extract(epoch from backend_start) * 1000000)::bigint::text = $3 and (extract(epoch from query_start) * 1000000)::bigint::text = $4`,
    [session.pid, applicationName, session.backend, session.statement],
  )
  return rows[0]?.done === true
}
