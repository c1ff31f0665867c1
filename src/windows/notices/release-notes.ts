import type { Queries } from '../../store/pool.ts'
import type { ReleaseNotes, WindowRow } from '../window.ts'

/** What ran on the targets of a window since it opened, in the order of the starts. */
export async function notesOf(db: Queries, { id, targets, openedAt, startsAt }: WindowRow): Promise<ReleaseNotes> {
  const runs = await db.query<ReleaseNotes['runs'][number]>(
    `select id, target, state, (extract(epoch from ended_at - started_at) * 1000)::float8 as "durationMs", plan->>'commit' as commit, evidence->>'subject' as subject,
       (select before.plan->>'commit' from lockkeeper.request before
        where before.target = r.target and before.state = 'succeeded' and before.id < r.id and not coalesce((before.ask->>'skipApp')::boolean, false)
        order by before.id desc limit 1) as "from",
       coalesce((select array_agg(one->>'name' order by ordinal) from jsonb_array_elements(plan->'list') with ordinality as list (one, ordinal)), '{}') as migrations
     from lockkeeper.request r
     where started_at is not null and ((target = any($1) and started_at >= $2 and started_at <= lockkeeper.now()) or maintenance_id = $3)
     order by started_at, id`,
    [targets, openedAt ?? startsAt, id],
  )
  return { runs }
}
