import { createTask, type RunCoordinator, type ScheduledTask } from 'node-cron'
import { storeNow } from '../../store/now.ts'
import type { Db, Tx } from '../../store/pool.ts'
import type { Due } from '../../store/due.ts'
import type { Log } from '../../lib/log.ts'
import { nextOccurrence } from '../../calendar/cron.ts'

/** Something that is done at the times of a cron expression, by one replica. `gather` asks the world outside first, before any transaction. */
export type Job = {
  readonly name: string
  readonly cron: string
  readonly timezone: string
  /** Also soon after each start, since the configuration may be another one. It must not matter how often it is done. */
  readonly isDoneAtStart?: true
} & ({ readonly act: Act } | { readonly gather: () => Promise<Act> })

/** In the transaction that moves its next time on. `at`: when it was due; `now`: the store's time. Milliseconds since 1970. */
export type Act = (tx: Tx, times: { readonly at: number; readonly now: number }) => Promise<void>

export type CronJobs = {
  /** Writes the next times down and starts the clocks. */
  readonly start: () => Promise<void>
  /** What nobody did at its time: all replicas were down, or the one that was elected died. */
  readonly due: Due
  readonly stop: () => Promise<void>
}

/**
 * node-cron wakes every replica at the same moment, and its run coordinator asks the store which one goes on. Done is what the row says:
 * its transaction does the thing and moves the next time on, so a replica that dies in between leaves it due.
 */
export function createCronJobs({ db, log }: { readonly db: Db; readonly log: Log }, jobs: readonly Job[]): CronJobs {
  const tasks = new Set<ScheduledTask>()
  const names = jobs.map(({ name }) => name)
  return {
    async start() {
      for (const job of jobs) {
        await writeNext(db, job)
        const task = createTask(job.cron, () => runJob(db, job, 'now'), {
          name: job.name,
          timezone: job.timezone,
          distributed: true,
          runCoordinator: coordinatorOf(db, job.name),
          distributedLease: LEASE_MS,
          suppressMissedWarning: true, // it is in the row
          logger: {
            info() {},
            debug() {},
            warn: (text) => log.warn({ job: job.name }, text),
            error: (fault, cause) => logFault(log, job, cause ?? fault),
          },
        })
        tasks.add(task)
        await task.start()
      }
    },
    due: {
      name: 'cron jobs',
      isDue:
        names.length === 0
          ? 'false'
          : `exists (select from lockkeeper.rota where ${overdue} and name in (${names.map(literal).join(', ')}))`,
      async act() {
        for (const job of jobs) await runJob(db, job, 'overdue')
      },
    },
    async stop() {
      await Promise.all([...tasks].map(async (task) => task.destroy()))
      tasks.clear()
    },
  }
}

/** Longer than anything here takes; a replica that was elected and died keeps the others waiting for so long at most. */
const LEASE_MS = 60_000

const overdue = `next_at <= lockkeeper.now() - interval '1 minute'`

/** Each replica asks with the same key for the same moment: one of them is elected, when nobody has done it before. */
const coordinatorOf = (db: Db, name: string): RunCoordinator => ({
  async shouldRun(key, ttlMs) {
    const slot = new Date(key.slice(key.indexOf(':', name.length) + 1))
    const elected = await db.query(
      `update lockkeeper.rota set lease = clock_timestamp() + $3 * interval '1 millisecond'
       where name = $1 and next_at <= $2 and (lease is null or lease < clock_timestamp()) returning name`,
      [name, slot, ttlMs],
    )
    return elected.length > 0
  },
})

/** Another expression or zone counts from now on; the same one keeps what is still to be done. */
async function writeNext(db: Db, { name, cron, timezone, isDoneAtStart }: Job): Promise<void> {
  const next = isDoneAtStart === true ? (await storeNow(db)) - LEASE_MS : nextOccurrence(cron, timezone, (await storeNow(db)) + 1)
  if (next === undefined) throw new Error(`${name}: "${cron}" never comes`)
  await db.query(
    `insert into lockkeeper.rota as known (name, plan, next_at) values ($1, $2, to_timestamp($3::float8 / 1000))
     on conflict (name) do update set plan = excluded.plan, next_at = excluded.next_at, lease = null where known.plan <> excluded.plan or $4`,
    [name, `${cron} ${timezone}`, next, isDoneAtStart === true],
  )
}

/** Nothing when another replica is at it, or has done it. A clock of a process may be a little ahead of the store's. */
async function runJob(db: Db, job: Job, when: 'now' | 'overdue'): Promise<void> {
  const due = when === 'now' ? `next_at <= lockkeeper.now() + interval '5 seconds'` : overdue
  if ('gather' in job && (await db.query(`select from lockkeeper.rota where name = $1 and ${due}`, [job.name])).length === 0) return
  const act = 'gather' in job ? await job.gather() : job.act
  await db.transaction(async (tx) => {
    const [row] = await tx.query<{ at: number }>(
      `select floor(extract(epoch from next_at) * 1000)::float8 as at from lockkeeper.rota
       where name = $1 and ${due} for update skip locked`,
      [job.name],
    )
    if (row === undefined) return
    const now = Math.max(await storeNow(tx), row.at)
    await act(tx, { at: row.at, now })
    const next = nextOccurrence(job.cron, job.timezone, now + 1)
    if (next === undefined) throw new Error(`${job.name}: "${job.cron}" never comes`)
    await tx.query(`update lockkeeper.rota set next_at = to_timestamp($2::float8 / 1000), lease = null where name = $1`, [job.name, next])
  })
}

const logFault = (log: Log, { name }: Job, fault: string | Error) =>
  log.warn({ job: name, error: typeof fault === 'string' ? fault : fault.message }, 'what repeats was not done; trying again in a minute')

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`
