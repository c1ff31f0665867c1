import type { Queryable } from '../../database/connect.ts'
import type { Sample } from '../../guard/sample.ts'
import type { SeenSession } from '../../guard/session.ts'
import { detailOf, nameOf } from '../../guard/words.ts'
import { count, seconds } from '../../lib/text/sentences.ts'
import type { DatabaseState } from '../../plan/status.ts'
import { sampleOf, type Sample as TransactionSample } from './transactions.ts'

/** What the guard sees of the sessions of a migrator at one moment. */
export type Activity = Pick<Sample, 'sessions' | 'worker' | 'waiting' | 'index' | 'rewrite'> & { readonly queued: number }

/** The same with the record of Prisma 5 to 7. */
export type ActivitySnapshot = Activity & {
  readonly state: DatabaseState
  /** Who holds Prisma's lock, in any database of the server. */
  readonly lock: LockHolder | null
  readonly sample: TransactionSample | null
}

type LockHolder = {
  readonly pid: number
  readonly applicationName: string
  readonly name: string
  readonly database: string
  readonly here: boolean
}
export async function takeSnapshot(
  client: Queryable,
  readState: (client: Queryable) => Promise<DatabaseState>,
  sample: Sample,
): Promise<ActivitySnapshot> {
  const state = await readState(client)
  const lock = await lockHolder(client)
  const { worker } = sample
  return { ...activityOf(sample), state, lock, sample: worker?.state === 'active' ? await sampleOf(client, worker.pid) : null }
}

export const activityOf = ({ sessions, worker, waiting, index, rewrite, queue }: Sample): Activity => ({
  sessions,
  worker,
  waiting,
  index,
  rewrite,
  queued: queue.count,
})

/** One sentence for the card, or null when there is nothing to say beyond that it runs. Plain text. */
export function sentenceOf({ waiting, index, rewrite, queued }: Pick<Activity, 'waiting' | 'index' | 'rewrite' | 'queued'>): string | null {
  if (index !== null) return `${indexSentence(index)} ${behind(queued)}`
  if (waiting === null && rewrite !== null)
    return `The table is written anew (${rewrite.phase}): ${rewrite.blocksDone.toLocaleString('en-US')} of ${rewrite.blocksTotal.toLocaleString('en-US')} blocks read. ${behind(queued)}`
  if (waiting === null) return queued === 0 ? null : behind(queued)
  const what = waiting.prismaLock ? 'the migration lock' : waiting.relation === null ? 'a lock' : `a lock on ${waiting.relation}`
  const who = waiting.blocker === null ? 'another session' : describeSession(waiting.blocker)
  const queue = queued === 0 ? 'nobody waits behind us' : `${count(queued, 'session waits', 'sessions wait')} behind us`
  return `Waiting ${seconds(waiting.ms)} for ${what} that ${who} holds; ${queue}.`
}

/** `reporting (pid 4711, running for 38 min)` */
const describeSession = (session: SeenSession): string => `${nameOf(session)} (${detailOf(session)})`

const behind = (queued: number) =>
  queued === 0 ? 'Nobody is waiting behind it.' : `${count(queued, 'session is', 'sessions are')} waiting behind it.`

function indexSentence(index: NonNullable<Sample['index']>): string {
  const n = (value: number) => value.toLocaleString('en-US')
  const scan = index.phase.includes('validation') ? 2 : 1
  if (index.phase.startsWith('waiting')) {
    const of = index.lockersTotal > 0 ? `, ${n(index.lockersDone)} of ${n(index.lockersTotal)} gone` : ''
    const first = index.waitsFor === null ? '' : ` It waits for ${describeSession(index.waitsFor)}.`
    return `Index, waiting for older transactions to end${of}.${first}`
  }
  if (index.blocksTotal > 0) return `Index, scan ${scan} of 2: ${n(index.blocksDone)} of ${n(index.blocksTotal)} blocks.`
  if (index.tuplesTotal > 0) return `Index, scan ${scan} of 2: ${n(index.tuplesDone)} of ${n(index.tuplesTotal)} rows.`
  return `Index, scan ${scan} of 2.`
}

export async function lockHolder(client: Queryable): Promise<LockHolder | null> {
  const { rows } = await client.query<Omit<LockHolder, 'name'> & { role: string | null }>(
    `select l.pid, coalesce(a.application_name, '') as "applicationName", a.usename as role, coalesce(d.datname, '') as database,
        coalesce(d.datname = current_database(), false) as here
       from pg_locks l left join pg_stat_activity a using (pid) left join pg_database d on d.oid = l.database
      where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = 72707369 and l.objsubid = 1
      order by d.datname = current_database() desc`,
  )
  const row = rows[0]
  return row === undefined ? null : { ...row, name: nameOf(row) }
}

/** Another database of the same server in which sessions with this application name are; null when there is none. */
export async function strayDatabase(client: Queryable, applicationName: string): Promise<string | null> {
  const { rows } = await client.query<{ database: string }>(
    `select datname as database from pg_stat_activity
      where application_name = $1 and pid <> pg_backend_pid() and datname is not null and datname <> current_database() limit 1`,
    [applicationName],
  )
  return rows[0]?.database ?? null
}
