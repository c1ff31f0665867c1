import type { Queries } from '../../store/pool.ts'
import type { Message, View } from '../port.ts'
import { update, type FormResponse, type Said } from './answering.ts'

/** The rows of `lockkeeper.answer`. Whoever changes one says from which state, so that of two who try one succeeds. */

export type Kind = 'command' | 'click' | 'form'

/** Where a delivery came from. */
export type Asked = {
  readonly kind: Kind
  /** `U…` */
  readonly account: string
  readonly channel?: string
  /** The message at the head of the thread that it was clicked in. */
  readonly thread?: string
  /** The window that was sent, or that was clicked in. */
  readonly view?: string
  readonly responseUrl?: string
  /** Opens a window, for 3 s. It is never written down. */
  readonly trigger?: string
  /** What is said when nobody comes to its end: then nothing was done. */
  readonly ifLost: Said
}

export type AnswerRow = {
  readonly id: string
  readonly kind: Kind
  readonly account: string
  readonly channel: string | null
  readonly thread: string | null
  readonly view: string | null
  /** Sealed. */
  readonly responseUrl: string | null
  readonly said: { readonly message: Message; readonly view: View } | null
  readonly parts: number
  readonly promised: View | null
  readonly tries: number
  /** Since it came. */
  readonly ageMs: number
}

/** A replica that lives and comes to no end keeps a delivery no longer than this; then its address still leads to the person. */
const WORK = `interval '20 minutes'`
/** Longer than a try by every way may take with one part of an answer. */
export const SENDING_MS = 60_000
const SENDING = `interval '${SENDING_MS} milliseconds'`
/** How often somebody looks whether the replica that holds it is dead. */
const LOOK = `interval '2 seconds'`

const COLUMNS = `a.id, a.kind, a.account, a.channel, a.thread, a.view, a.response_url as "responseUrl", a.said, a.parts, a.promised, a.tries,
  extract(epoch from clock_timestamp() - a.at)::float8 * 1000 as "ageMs"`

/** False when one of the keys stands there already: it came twice, or to another replica too. */
export async function takeDelivery(
  db: Queries,
  keys: readonly string[],
  {
    id,
    owner,
    sealedUrl,
    asked,
  }: { readonly id: string; readonly owner: string; readonly sealedUrl: string | null; readonly asked: Asked },
): Promise<boolean> {
  const rows = await db.query(
    `with fresh as (
       insert into lockkeeper.seen (key, answer) select key, $2::uuid from unnest($1::text[]) key on conflict do nothing returning key)
     insert into lockkeeper.answer (id, kind, account, channel, thread, view, response_url, said, owner, held_until, look_at)
     select $2::uuid, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, clock_timestamp() + ${WORK}, clock_timestamp() + ${LOOK}
     where (select count(*) from fresh) = cardinality($1::text[]) returning 1`,
    [
      keys,
      id,
      asked.kind,
      asked.account,
      asked.channel ?? null,
      asked.thread ?? null,
      asked.view ?? null,
      sealedUrl,
      JSON.stringify(asked.ifLost),
      owner,
    ],
  )
  return rows.length > 0
}

export type Written = { readonly promised: View | null }

/** Undefined when it is not taken any more: somebody gave it up for lost, or it was written in a transaction whose end was not heard. */
export async function writeAnswer(
  db: Queries,
  id: string,
  said: Said | null,
  response: FormResponse | null = null,
): Promise<Written | undefined> {
  const [row] = await db.query<Written>(
    `update lockkeeper.answer set state = case when $2::jsonb is null then 'sent' else 'due' end, said = $2::jsonb, response = $3::jsonb,
       response_url = case when $2::jsonb is null then null else response_url end,
       held_until = clock_timestamp() + ${SENDING}, look_at = clock_timestamp() + ${LOOK}
     where id = $1 and state = 'taken' returning promised`,
    [id, said === null ? null : JSON.stringify(said), response === null ? null : JSON.stringify(response)],
  )
  return row
}

/** What was promised, by whoever was first; undefined when the answer is there. */
export async function writePromise(db: Queries, id: string, view: View): Promise<View | undefined> {
  const [row] = await db.query<{ promised: View }>(
    `update lockkeeper.answer set promised = coalesce(promised, $2::jsonb) where id = $1 and state = 'taken' returning promised`,
    [id, JSON.stringify(view)],
  )
  return row?.promised
}

export type Standing = {
  readonly id: string
  readonly isTaken: boolean
  readonly response: FormResponse | null
  readonly promised: View | null
  readonly view: View | null
}

const STANDING = `select a.id, a.state = 'taken' as "isTaken", a.response, a.promised, a.said -> 'view' as view from lockkeeper.answer a`

/**
 * What an acknowledgement says by now; undefined when nobody has said anything. Once the end of a promise is known, that: heard late, the
 * promise would take its place again.
 */
export function responseOf({ isTaken, response, promised, view }: Standing): FormResponse | undefined {
  if (promised === null) return isTaken ? undefined : (response ?? undefined)
  return update(isTaken ? promised : (view ?? promised))
}

export const answerById = async (db: Queries, id: string): Promise<Standing | undefined> =>
  (await db.query<Standing>(`${STANDING} where id = $1`, [id]))[0]

/** Of a delivery that came before. */
export const answerByKeys = async (db: Queries, keys: readonly string[]): Promise<Standing | undefined> =>
  (await db.query<Standing>(`${STANDING} where id in (select answer from lockkeeper.seen where key = any($1)) limit 1`, [keys]))[0]

/** Nothing more comes of them; the address to the person goes first of all. */
export async function closeAnswers(db: Queries, ids: readonly string[], from: 'taken' | 'due', to: 'sent' | 'gone'): Promise<void> {
  await db.query(
    `update lockkeeper.answer set state = $3, said = case when kind = 'form' then said end, response_url = null, owner = null
     where id = any($1::uuid[]) and state = $2`,
    [ids, from, to],
  )
}

/** Left by this replica to whoever looks next. */
export async function leaveAnswer(
  db: Queries,
  id: string,
  { owner, parts, inMs }: { readonly owner: string; readonly parts?: number; readonly inMs: number },
): Promise<void> {
  await db.query(
    `update lockkeeper.answer set owner = null, parts = greatest(parts, $2), look_at = clock_timestamp() + $3 * interval '1 millisecond'
     where id = $1 and owner = $4 and state in ('taken', 'due')`,
    [id, parts ?? 0, inMs, owner],
  )
}

/** With the time anew for which it is held: each part may take as long as a whole answer of one. */
export async function countPart(
  db: Queries,
  id: string,
  { owner, parts }: { readonly owner: string; readonly parts: number },
): Promise<void> {
  await db.query(
    `update lockkeeper.answer set parts = greatest(parts, $2),
       held_until = case owner when $3 then clock_timestamp() + ${SENDING} else held_until end,
       look_at = case owner when $3 then clock_timestamp() + ${LOOK} else look_at end
     where id = $1`,
    [id, parts, owner],
  )
}

export const isAnswerDue = `exists (select from lockkeeper.answer where state in ('taken', 'due') and look_at <= clock_timestamp())`

/**
 * Answers that nobody has in hand any more. What was still taken becomes what is said of it then; in a window it takes the place of what
 * stands there. Those of replicas that live are looked at again later.
 */
export const claimAnswers = (
  db: Queries,
  owner: { readonly id: string; readonly lock: number; readonly mayJudge: boolean },
): Promise<readonly AnswerRow[]> =>
  db.query<AnswerRow>(
    `with looked as materialized (
       select id, owner is null or held_until <= clock_timestamp()
           or ($3 and owner <> $1 and pg_try_advisory_xact_lock($2::int, hashtext(owner))) as is_free
       from lockkeeper.answer where state in ('taken', 'due') and look_at <= clock_timestamp()
       order by look_at limit 20 for update skip locked),
     later as (
       update lockkeeper.answer a set look_at = clock_timestamp() + ${LOOK} from looked l where a.id = l.id and not l.is_free)
     update lockkeeper.answer a
     set owner = $1, held_until = clock_timestamp() + ${SENDING}, look_at = clock_timestamp() + ${LOOK}, tries = tries + 1, state = 'due',
       promised = case when kind = 'form' and state = 'taken' then coalesce(promised, said -> 'view') else promised end,
       response = case when kind = 'form' and state = 'taken' then jsonb_build_object('response_action', 'update', 'view', said -> 'view')
         else response end
     from looked l where a.id = l.id and l.is_free returning ${COLUMNS}`,
    [owner.id, owner.lock, owner.mayJudge],
  )

/** Slack repeats a delivery within the hour; what is older than a day is forgotten, said or not. */
export async function forgetOldAnswers(db: Queries): Promise<void> {
  await db.query(`delete from lockkeeper.answer where at < clock_timestamp() - interval '1 day'`)
}
