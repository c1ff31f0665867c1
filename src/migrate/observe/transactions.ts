import { join } from 'node:path'
import { z } from 'zod'
import type { Queryable } from '../../database/connect.ts'
import { readJson, writeWholeSync } from '../../lib/durable-file.ts'
import type { Attempt } from '../attempts/attempt.ts'

const sampleShape = z.object({
  /** What the record said to be running a moment before; when that has failed, nothing ran after it. */
  running: z.string(),
  /** `xid8` as text; null before it wrote. */
  xid: z.string().nullable(),
  /** Its transaction is younger than what it was asked to run, so that has ended one before. */
  anew: z.boolean(),
  /** The first 200 characters of what it was asked to run, white space collapsed. */
  query: z.string(),
})

/** Which transaction a session of the migrator is in, at one moment. */
export type Sample = Omit<z.output<typeof sampleShape>, 'running'>

/** Null when it runs nothing of a migration. */
export async function sampleOf(client: Queryable, pid: number): Promise<Sample | null> {
  const { rows } = await client.query<Sample>(
    `select (next - ((next - backend_xid::text::bigint + 2147483648) & 4294967295) + 2147483648)::text as xid, -- the server shows its lower half
        coalesce(xact_start > query_start, false) as anew, left(regexp_replace(query, '\\s+', ' ', 'g'), ${SHOWN}) as query
       from pg_stat_activity, (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next) newest
      where pid = $1 and state = 'active' and query !~ '_prisma_migrations'`,
    [pid],
  )
  return rows[0] ?? null
}

const SHOWN = 200

/** Kept beside the attempt, since the watcher may change. */
export function keepSample(attempt: Attempt, running: string, sample: Sample): void {
  const kept = samplesOf(attempt)
  const own = kept.filter((one) => one.running === running)
  const isKept = own.some(({ xid, anew, query }) => xid === sample.xid && anew === sample.anew && query === sample.query)
  if (!isKept && own.length < MOST) writeWholeSync(placeOf(attempt), JSON.stringify([...kept, { running, ...sample }]))
}

/** A block that commits in a loop has a new transaction at each look; a few tell as much as all. */
const MOST = 20

/** What was seen of the transactions of one file. */
export type SeenTransactions = {
  /** Transaction ids (`xid8` as text) by what became of them; one whose fate the server has forgotten is in neither. */
  readonly committed: readonly string[]
  readonly aborted: readonly string[]
  /** One of its transactions had ended while it ran. */
  readonly endedOne: boolean
  /** A later statement of it was seen to be sent on its own. */
  readonly inPieces: boolean
}

/** `statements` as they are written; what Prisma asks for itself is told from them by its text. */
export async function seenOf(
  client: Queryable,
  attempt: Attempt,
  { name, sql, statements }: { readonly name: string; readonly sql: string; readonly statements: readonly string[] },
): Promise<SeenTransactions> {
  const script = collapse(sql)
  const later = statements.slice(1).map(collapse)
  const samples = samplesOf(attempt).filter(({ running }) => running === name)
  const isOf = ({ query }: Sample, text: string) => query.trim() !== '' && text.startsWith(query.trim())
  const whole = samples.filter((sample) => isOf(sample, script))
  const pieces = samples.filter((sample) => !isOf(sample, script) && later.some((text) => isOf(sample, text)))
  const xids = [...new Set([...whole, ...pieces].flatMap(({ xid }) => xid ?? []))]
  const fates = await Promise.all(xids.map(async (xid) => ({ xid, fate: await fateOf(client, xid) })))
  const only = (wanted: string) => fates.filter(({ fate }) => fate === wanted).map(({ xid }) => xid)
  return {
    committed: only('committed'),
    aborted: only('aborted'),
    endedOne: whole.some(({ anew }) => anew),
    inPieces: pieces.length > 0,
  }
}

async function fateOf(client: Queryable, xid: string): Promise<string | null> {
  const { rows } = await client.query<{ fate: string | null }>('select pg_xact_status($1::xid8) as fate', [xid])
  return rows[0]?.fate ?? null
}

const collapse = (text: string): string => text.replace(/\s+/g, ' ').trim()

const placeOf = (attempt: Attempt): string => join(attempt.directory, 'transactions.json')
const samplesOf = (attempt: Attempt): readonly z.output<typeof sampleShape>[] =>
  z.array(sampleShape).parse(readJson(placeOf(attempt)) ?? [])
