import type { Queries } from '../store/pool.ts'
import { hasSqlState, sqlState } from '../lib/sqlstate.ts'
import { APPLICATION, VERSION } from './names.ts'
import { LIVENESS_LOCK } from './liveness.ts'

/** A living process that shares the store; `id` is a pid of its session where the server does not tell more. */
export type Executor = { readonly id: string; readonly seconds: number }

/** Work that has not ended. `seconds` since it last moved. */
export type Pending = {
  readonly request: number
  readonly status: 'PENDING' | 'ENQUEUED'
  readonly version: string
  readonly isOurVersion: boolean
  readonly isOwnerAlive: boolean
  readonly seconds: number
}

/** Who holds the lock of a living process now, longest first. */
export async function readExecutors(db: Queries): Promise<readonly Executor[]> {
  return db.query<Executor>(
    `select coalesce(substring(a.query from '/\\* (\\S+) \\*/'), 'session ' || l.pid) as id,
       extract(epoch from clock_timestamp() - a.backend_start)::float8 as seconds
     from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where ${ALIVE} order by a.backend_start`,
    [LIVENESS_LOCK],
  )
}

export async function readPending(db: Queries): Promise<readonly Pending[]> {
  try {
    return await db.query<Pending>(
      `select substring(workflow_uuid from '^request-(\\d+)$')::int as request, status, coalesce(application_version, 'unknown') as version,
         coalesce(application_version = $2, false) as "isOurVersion",
         exists (select 1 from pg_locks l where ${ALIVE} and l.objid = (hashtext(w.executor_id)::bigint & 4294967295)::oid) as "isOwnerAlive",
         extract(epoch from clock_timestamp()) - greatest(created_at, updated_at) / 1000.0 as seconds
       from dbos.workflow_status w
       where status in ('PENDING', 'ENQUEUED') and application_name = $3 and workflow_uuid ~ '^request-\\d+$'
       order by 1`,
      [LIVENESS_LOCK, VERSION, APPLICATION],
    )
  } catch (error) {
    if (hasSqlState(error, sqlState.undefinedTable)) return [] // the engine has made no tables yet
    throw error
  }
}

const ALIVE = `l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = $1::bigint::oid
  and l.database = (select oid from pg_database where datname = current_database())`
