import type { AuditEntry } from '../audit/write.ts'
import type { Queries, Tx } from '../store/pool.ts'
import { openBlocker } from './blocker.ts'
import { owesOffColumn } from './maintenance-mode.ts'
import type { EventRow, RequestEvent, RequestRow, RequestState, RequestView, RunOutcome, StepRow, VoteRow, Ending } from './request.ts'

/** Reading and changing a request's rows. Every change that people can see goes through here, since it must raise `revision`. */

const requestColumns = `id, token, kind, target, requester, requester_human as "requesterHuman", asked_in as "askedIn", channel, ask, state,
  plan, digest, evidence, policy, outcome, cancel_requested_at as "cancelRequestedAt", cancel_requested_by as "cancelRequestedBy",
  created_at as "createdAt", lockkeeper.now() as "readAt", expires_at as "expiresAt", granted_at as "grantedAt", grant_expires_at as "grantExpiresAt",
  started_at as "startedAt", ended_at as "endedAt", revision, ${breakGlassColumn()} as "breakGlass", ending, ${owesOffColumn} as "owesOff", not_before as "notBefore", not_after as "notAfter",
  maintenance_id as "windowId", check_at as "checkAt", closes_at as "closesAt", override_reason as "overrideReason"`

function breakGlassColumn(): string {
  const ms = (column: string) => `floor(extract(epoch from g.${column}) * 1000)`
  return `(select json_build_object('reason', g.reason, 'askedBy', g.asked_by, 'askedAt', ${ms('asked_at')}, 'digest', g.digest,
    'brokenBy', g.broken_by, 'brokenAt', ${ms('broken_at')}, 'involved', g.involved, 'review', g.review, 'reviewedBy', g.reviewed_by,
    'reviewedAt', ${ms('reviewed_at')}, 'note', g.note) from lockkeeper.break_glass g where g.request_id = request.id)`
}

export async function requestById(db: Queries, id: number): Promise<RequestRow | undefined> {
  return (await db.query<RequestRow>(`select ${requestColumns} from lockkeeper.request where id = $1`, [id]))[0]
}

export async function requestByToken(db: Queries, token: string): Promise<RequestRow | undefined> {
  if (!/^[\w-]{1,64}$/.test(token)) return undefined // none that we gave out, and PostgreSQL would not take every character
  return (await db.query<RequestRow>(`select ${requestColumns} from lockkeeper.request where token = $1`, [token]))[0]
}

/** Holds the row until the transaction ends: decisions about one request happen one after the other. */
export async function lockRequest(tx: Tx, id: number): Promise<RequestRow | undefined> {
  await tx.query('select 1 from lockkeeper.request where id = $1 for update', [id])
  // read when it is held: what stands in other tables would otherwise be as it was before the wait
  return requestById(tx, id)
}

export async function activeRequest(db: Queries, target: string): Promise<RequestRow | undefined> {
  return (
    await db.query<RequestRow>(
      `select ${requestColumns} from lockkeeper.request where target = $1 and state in ('planning','waiting','granted','running','needs_human')`,
      [target],
    )
  )[0]
}

/** Newest first. */
export async function listRequests(
  db: Queries,
  filter: {
    readonly target?: string
    readonly states?: readonly RequestState[]
    readonly limit: number
    readonly before?: number
    /** Only those whose glass was broken and that nobody has reviewed. */
    readonly isUnreviewed?: boolean
  },
): Promise<readonly RequestRow[]> {
  return db.query<RequestRow>(
    `select ${requestColumns} from lockkeeper.request
     where ($1::text is null or target = $1) and ($2::text[] is null or state = any($2)) and ($3::bigint is null or id < $3)
       and (not $5 or id in (select request_id from lockkeeper.break_glass where broken_at is not null and reviewed_at is null))
     order by id desc limit $4`,
    [filter.target ?? null, filter.states ?? null, filter.before ?? null, filter.limit, filter.isUnreviewed ?? false],
  )
}

export const voteColumns = 'request_id as "requestId", digest, actor, human, decision, reason, at'

export async function votesOf(db: Queries, requestId: number): Promise<readonly VoteRow[]> {
  return db.query<VoteRow>(`select ${voteColumns} from lockkeeper.vote where request_id = $1 order by id`, [requestId])
}

export async function stepsOf(db: Queries, requestId: number): Promise<readonly StepRow[]> {
  return db.query<StepRow>(
    `select request_id as "requestId", ordinal, name, title, state, attempt, details, output, data, started_at as "startedAt", ended_at as "endedAt"
     from lockkeeper.step where request_id = $1 order by ordinal`,
    [requestId],
  )
}

export async function eventsOf(db: Queries, requestId: number): Promise<readonly EventRow[]> {
  return db.query<EventRow>(
    `select id, request_id as "requestId", kind, data, at from lockkeeper.event where request_id = $1 order by id`,
    [requestId],
  )
}

/**
 * Everything a renderer needs but the tail of output, which lies in a file. The request is read last: an event may only be told with the
 * plan that it is about, and whatever came after the events raises the revision and is drawn next. What changed meanwhile is read again,
 * a few times, so that an end is not drawn without the post that tells it.
 */
export async function viewOf(
  db: Queries,
  request: RequestRow,
  about: Pick<RequestView, 'targetTitle' | 'commands' | 'tail'>,
  tries = 10,
): Promise<RequestView> {
  const [votes, steps, events, blocker, clock] = await Promise.all([
    votesOf(db, request.id),
    stepsOf(db, request.id),
    eventsOf(db, request.id),
    request.state === 'running' ? openBlocker(db, request.id) : null,
    db.query<{ now: Date }>('select lockkeeper.now() as now'),
  ])
  const newest = (await requestById(db, request.id)) ?? request
  if (newest.revision !== request.revision && tries > 1) return viewOf(db, newest, about, tries - 1)
  return {
    ...about,
    request: newest,
    votes,
    steps,
    events,
    ...(blocker === null ? {} : { blocker }),
    now: clock[0]?.now ?? request.createdAt,
  }
}

export async function addEvent(db: Queries, requestId: number, event: RequestEvent): Promise<void> {
  await db.query(
    `with added as (insert into lockkeeper.event (request_id, kind, data) values ($1, $2, $3))
     update lockkeeper.request set revision = revision + 1, draw_after = clock_timestamp() where id = $1`,
    [requestId, event.kind, JSON.stringify(event.data)],
  )
}

/** For what may be found a second time by whoever takes a run over: the event of this kind and name stands once. */
export async function addEventOnce(
  db: Queries,
  requestId: number,
  event: Extract<RequestEvent, { kind: 'migration_done' | 'finding' | 'tried' }>,
): Promise<void> {
  const [field, value] = event.kind === 'migration_done' ? ['name', event.data.name] : ['text', event.data.text]
  await db.query(
    `with added as (
       insert into lockkeeper.event (request_id, kind, data) select $1, $2, $3
       where not exists (select 1 from lockkeeper.event where request_id = $1 and kind = $2 and data->>$4::text = $5) returning 1)
     update lockkeeper.request set revision = revision + 1, draw_after = clock_timestamp() where id = $1 and exists (select 1 from added)`,
    [requestId, event.kind, JSON.stringify(event.data), field, value],
  )
}

/** Says that something visible changed without an event (a step's details, a vote's count). */
export async function touch(db: Queries, requestId: number): Promise<void> {
  await db.query(`update lockkeeper.request set revision = revision + 1 where id = $1`, [requestId])
}

const patchColumns = {
  plan: 'plan',
  digest: 'digest',
  evidence: 'evidence',
  policy: 'policy',
  outcome: 'outcome',
  identityKey: 'identity_key',
} as const

/** Values for columns of the request; JSON columns are given as values, not as text. Times are set by the store's clock, from now. */
export type Patch = { readonly [Key in keyof typeof patchColumns]?: unknown } & {
  /** Milliseconds from the store's now. */
  readonly expiresIn?: number
  /** Nothing is owed any more to a run that was ending. */
  readonly isOver?: true
  readonly grantExpiresIn?: number
  /** Of a request for a window: the approval lasts until that closes. */
  readonly grantExpiresAt?: Date
}

/**
 * Moves a request from one of the named states to another, stamps the times that belong to the new state and raises the revision.
 * False when it was in none of them: somebody else was faster, and nothing has changed.
 */
export async function transition(
  db: Queries,
  id: number,
  from: readonly RequestState[],
  to: RequestState,
  patch: Patch = {},
): Promise<boolean> {
  const sets = ['state = $3', 'revision = revision + 1', 'draw_after = clock_timestamp()']
  const values: unknown[] = [id, from, to]
  for (const [key, column] of Object.entries(patchColumns))
    if (key in patch) {
      const value = patch[key as keyof typeof patchColumns]
      values.push(value === null || typeof value === 'string' ? value : JSON.stringify(value))
      sets.push(`${column} = $${values.length}`)
    }
  if (patch.expiresIn !== undefined) {
    values.push(patch.expiresIn)
    sets.push(`expires_at = coalesce(not_after, lockkeeper.now() + $${values.length} * interval '1 millisecond')`) // its window may have been moved meanwhile
  }
  if (patch.grantExpiresIn !== undefined) {
    values.push(patch.grantExpiresIn)
    sets.push(`grant_expires_at = lockkeeper.now() + $${values.length} * interval '1 millisecond'`)
  }
  if (patch.isOver === true) sets.push('ending = null')
  if (patch.grantExpiresAt !== undefined) {
    values.push(patch.grantExpiresAt)
    sets.push(`grant_expires_at = $${values.length}`)
  }
  if (to === 'granted') sets.push('granted_at = lockkeeper.now()')
  if (to === 'waiting') sets.push('granted_at = null', 'grant_expires_at = null', 'escalated_at = null')
  if (to === 'running') sets.push('started_at = coalesce(started_at, lockkeeper.now())')
  if (['succeeded', 'failed', 'cancelled', 'rejected', 'expired', 'refused'].includes(to)) sets.push('ended_at = lockkeeper.now()')
  const rows = await db.query(`update lockkeeper.request set ${sets.join(', ')} where id = $1 and state = any($2) returning id`, values)
  return rows.length > 0
}

/**
 * Writes down how a run will end once maintenance mode is off again, and says so at once. It is running until then, so that the target
 * stays taken. False when it was not in that state, or is ending already.
 */
export async function endLater(db: Queries, id: number, from: RequestState, ending: Ending, outcome: RunOutcome): Promise<boolean> {
  const rows = await db.query(
    `update lockkeeper.request set state = 'running', ending = $3, outcome = $4, revision = revision + 1, draw_after = clock_timestamp()
     where id = $1 and state = $2 and ending is null returning id`,
    [id, from, ending, JSON.stringify(outcome)],
  )
  if (rows.length > 0) await addEvent(db, id, { kind: 'ending', data: { state: ending, headline: outcome.headline } })
  return rows.length > 0
}

/** What every audit row of the bot itself says about a request. */
export const about = (request: RequestRow): Pick<AuditEntry, 'actor' | 'target' | 'requestId' | 'digest'> => ({
  actor: 'lockkeeper',
  target: request.target,
  requestId: request.id,
  digest: request.digest,
})
