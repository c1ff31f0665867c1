import type { Queries } from '../store/pool.ts'

/** What the last successful run with deploy steps made live; null when there is none. */
export async function lastCommit(db: Queries, target: string): Promise<string | null> {
  return (await lastDeploy(db, target))?.commit ?? null
}

/** That run with its commit. */
export async function lastDeploy(db: Queries, target: string): Promise<{ readonly id: number; readonly commit: string } | null> {
  const [row] = await db.query<{ id: number; commit: string }>(
    `select id::int as id, plan->>'commit' as commit from lockkeeper.request
     where target = $1 and state = 'succeeded' and jsonb_path_exists(plan, '$.steps[*] ? (@.phase == "deploy")') order by id desc limit 1`,
    [target],
  )
  return row ?? null
}
