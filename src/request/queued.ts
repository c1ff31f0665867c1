import type { Queries } from '../store/pool.ts'

export type Queued = { readonly id: number; readonly target: string }

/** Requests that wait for a maintenance window, or for a turn on one of the targets before a time (ms since 1970; null: any). At most ten. */
export async function queuedRuns(
  db: Queries,
  of: { readonly window: number } | { readonly targets: readonly string[] | null; readonly before: number | null },
): Promise<readonly Queued[]> {
  const [window, targets, before] = 'window' in of ? [of.window, null, null] : [null, of.targets, of.before]
  return db.query<Queued>(
    `select id, target from lockkeeper.request
     where state in ('planning', 'waiting', 'granted') and not_before is not null
       and ($1::bigint is null or maintenance_id = $1) and ($2::text[] is null or target = any($2))
       and ($3::float8 is null or not_before < to_timestamp($3::float8 / 1000)) order by id limit 10`,
    [window, targets, before],
  )
}
