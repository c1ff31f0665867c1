import { randomBytes } from 'node:crypto'
import type { Queries } from '../../store/pool.ts'
import type { SourceRow } from './message-source.ts'

/** Rows of `lockkeeper.message`: what stands in Slack, or should. */
export type MessageRow = {
  readonly id: number
  readonly key: string
  readonly channel: string
  readonly intent: string
  readonly ts: string | null
  readonly hash: string | null
  /** `unsure` from before an order goes out until its answer is known: whoever finds it looks in Slack before trying again. */
  readonly state: 'intended' | 'sent' | 'unsure' | 'given_up'
  readonly attempts: number
  /** Milliseconds until the next try, by the store's clock; negative when it is due. */
  readonly dueInMs: number
  readonly lastError: string | null
}

const columns = `id, key, channel, intent, ts, hash, state, attempts, last_error as "lastError",
  (extract(epoch from next_try_at - clock_timestamp()) * 1000)::float8 as "dueInMs"`

export async function messagesOf(db: Queries, of: SourceRow): Promise<Map<string, MessageRow>> {
  const rows = await db.query<MessageRow>(`select ${columns} from lockkeeper.message where ${of.table}_id = $1 order by id`, [of.id])
  return new Map(rows.map((row) => [row.key, row]))
}

/** The intent stands in the store before anything is said in Slack. */
export async function intend(
  db: Queries,
  message: { readonly key: string; readonly of: SourceRow; readonly channel: string; readonly intent?: string },
): Promise<MessageRow> {
  const [row] = await db.query<MessageRow>(
    `insert into lockkeeper.message (key, ${message.of.table}_id, channel, intent) values ($1, $2, $3, $4)
     on conflict (key) do update set channel = excluded.channel returning ${columns}`,
    [message.key, message.of.id, message.channel, message.intent ?? `lk_${randomBytes(12).toString('base64url')}`],
  )
  if (row === undefined) throw new Error(`the intent of ${message.key} was not stored`)
  return row
}

/** Takes back the intent of a message that was never sent. */
export const withdraw = async (db: Queries, key: string): Promise<void> =>
  void (await db.query(`delete from lockkeeper.message where key = $1 and state = 'intended' and ts is null`, [key]))

export type MessageChange = {
  readonly state: MessageRow['state']
  readonly channel?: string
  readonly ts?: string
  readonly hash?: string | null
  readonly attempts?: number
  readonly retryInMs?: number
  readonly error?: string | null
}

export async function changeMessage(db: Queries, row: MessageRow, change: MessageChange): Promise<MessageRow> {
  const [changed] = await db.query<MessageRow>(
    `update lockkeeper.message set state = $2, channel = coalesce($3, channel), ts = coalesce($4, ts),
       hash = case when $5 then $6 else hash end, attempts = coalesce($7, attempts),
       next_try_at = clock_timestamp() + $8 * interval '1 millisecond',
       last_error = case when $9 then $10 else last_error end,
       sent_at = case when $2 = 'sent' then clock_timestamp() else sent_at end
     where id = $1 returning ${columns}`,
    [
      row.id,
      change.state,
      change.channel ?? null,
      change.ts ?? null,
      change.hash !== undefined,
      change.hash ?? null,
      change.attempts ?? null,
      change.retryInMs ?? 0,
      change.error !== undefined,
      change.error ?? null,
    ],
  )
  if (changed === undefined) throw new Error(`the message ${row.key} has vanished from the store`)
  return changed
}

/** Writes down where it stands; undefined when another replica has written another place. */
export async function settlePost(
  db: Queries,
  row: MessageRow,
  place: { readonly channel: string; readonly ts: string },
): Promise<MessageRow | undefined> {
  const [settled] = await db.query<MessageRow>(
    `update lockkeeper.message set state = 'sent', ts = $2, channel = $3
     where id = $1 and (state <> 'sent' or ts is null or ts = $2) returning ${columns}`,
    [row.id, place.ts, place.channel],
  )
  return settled
}

/** For `status`: what people do not see of requests that still matter, newest first. */
export async function givenUpMessages(
  db: Queries,
  limit: number,
): Promise<readonly { readonly requestId: number; readonly key: string; readonly channel: string; readonly error: string }[]> {
  return db.query(
    `select m.request_id as "requestId", m.key, m.channel, coalesce(m.last_error, 'unknown') as error
     from lockkeeper.message m join lockkeeper.request r on r.id = m.request_id
     where m.state = 'given_up' and (r.ended_at is null or r.ended_at > clock_timestamp() - interval '1 day')
     order by m.id desc limit $1`,
    [limit],
  )
}
