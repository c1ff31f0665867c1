import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Queries } from '../store/pool.ts'
import { bareCloneOf, removeCheckout } from '../deploy/checkout.ts'
import type { GitDeps } from '../plan/deps.ts'
import { COMPILED } from '../migrate/prisma/prisma-workspace.ts'
import { endedStates } from '../request/request.ts'

/** Logs of runs stay for as long as people ask what happened; the record in the store stays for ever. */
const LOG_DAYS = 90

/**
 * Removes what settled runs left below `var/`: checkouts at once, logs after 90 days. A run that needs a person keeps everything, and so
 * does what belongs to no request of this store. Each target's last successful checkout stays: deploy steps work in it unless told
 * otherwise, so the application may have been started from there. Gives the ids whose checkouts went.
 */
export async function removeSettledRuns(db: Queries, deps: GitDeps): Promise<readonly number[]> {
  const checkouts = join(deps.varDirectory, 'checkouts')
  const settled = await db.query<{ id: number; target: string }>(
    `select r.id, r.target from lockkeeper.request r
      where r.id = any ($1) and r.state = any ($2)
        and r.id is distinct from (select max(s.id) from lockkeeper.request s
          where s.target = r.target and s.state = 'succeeded' and s.id = any ($1)
            and jsonb_path_exists(s.plan, '$.steps[*] ? (@.phase == "deploy")'))
      order by r.id`,
    [await idsIn(checkouts), endedStates],
  )
  for (const { id, target } of settled) {
    const repository = bareCloneOf(deps.varDirectory, target)
    await removeCheckout({ deps, repository, directory: join(checkouts, String(id)) })
    for (const name of ['layout', COMPILED]) await rm(join(deps.varDirectory, 'runs', String(id), name), { recursive: true, force: true })
  }
  await removeOldLogs(db, join(deps.varDirectory, 'runs'))
  return settled.map(({ id }) => id)
}

async function removeOldLogs(db: Queries, runs: string): Promise<void> {
  const old = await db.query<{ id: number }>(
    `select id from lockkeeper.request
      where id = any ($1) and state = any ($2) and ended_at < clock_timestamp() - $3 * interval '1 day'`,
    [await idsIn(runs), endedStates, LOG_DAYS],
  )
  for (const { id } of old) await rm(join(runs, String(id)), { recursive: true, force: true })
}

/** Directories that are named by a request; none when there is no such place yet. */
async function idsIn(directory: string): Promise<readonly number[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => /^[1-9]\d{0,14}$/.test(name)).map(Number)
}
