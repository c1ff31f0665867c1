import type { Queries } from '../store/pool.ts'

/** What the last successful run with deploy steps made live; null when there is none. */
export async function lastCommit(db: Queries, target: string): Promise<string | null> {
  const [row] = await db.query<{ commit: string }>(
    `select plan->>'commit' as commit from lockkeeper.request
     where target = $1 and state = 'succeeded' and not coalesce((ask->>'skipApp')::boolean, false) order by id desc limit 1`,
    [target],
  )
  return row?.commit ?? null
}
