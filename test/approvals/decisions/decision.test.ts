import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { breakGlass } from '../../../approvals/break-glass/decision.ts'
import { acknowledgePage } from '../../../approvals/decisions/acknowledge.ts'
import { cancelRequest } from '../../../approvals/decisions/cancel.ts'
import type { Done } from '../../../approvals/decisions/decision.ts'
import { reviewRequest } from '../../../approvals/decisions/review.ts'
import { castVote } from '../../../approvals/decisions/vote.ts'
import type { ApprovalDeps } from '../../../approvals/deps.ts'
import { isRefusal, type Refusal } from '../../../src/lib/refusal.ts'
import { activeStates, endedStates, type RequestRow, type RequestState } from '../../../src/request/request.ts'
import { transition, votesOf } from '../../../src/request/store.ts'
import { createStore } from '../../helpers/postgres.ts'
import { ALICE, baseTarget, BOB, CAROL, createFixture, DAVE, DIGEST, type Store, type Fixture } from '../fixture.ts'

let store: Store
let fixture: Fixture
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({ store, targets: { prod: { ...baseTarget, breakGlass: { from: [`user:${BOB}`], remind: '24h' } } } })
})

const WHY = 'Checkout is down'
const OTHER = 'b'.repeat(64)

type Tried = Promise<Done | Refusal>

/** Each act by somebody who may: the request is Alice's, and Dave broke the glass of an earlier plan of it. */
const acts = {
  approve: (deps: ApprovalDeps, { token }: RequestRow, account = CAROL, digest = DIGEST): Tried =>
    castVote(deps, { token, account, entry: 'modal', decision: 'approve', digest }),
  reject: (deps: ApprovalDeps, { token }: RequestRow, account = CAROL, digest = DIGEST): Tried =>
    castVote(deps, { token, account, entry: 'modal', decision: 'reject', digest, reason: 'not today' }),
  break_glass: (deps: ApprovalDeps, { token }: RequestRow, account = BOB, digest = DIGEST): Tried =>
    breakGlass(deps, { token, account, entry: 'modal', digest, reason: WHY }),
  review: (deps: ApprovalDeps, { token }: RequestRow, account = CAROL): Tried =>
    reviewRequest(deps, { token, account, entry: 'modal', note: 'fine' }),
  cancel: (deps: ApprovalDeps, { token }: RequestRow, account = ALICE): Tried => cancelRequest(deps, { token, account, entry: 'button' }),
  acknowledge: (deps: ApprovalDeps, { token }: RequestRow, account = BOB): Tried =>
    acknowledgePage(deps, { token, account, entry: 'button' }),
}
type Act = keyof typeof acts
const names = ['approve', 'reject', 'break_glass', 'review', 'cancel', 'acknowledge'] as const satisfies readonly Act[]

const states: readonly RequestState[] = [...activeStates, ...endedStates]
const isDecision = (act: Act) => act === 'approve' || act === 'reject' || act === 'break_glass'
const fitting: Readonly<Record<Act, readonly RequestState[]>> = {
  approve: ['waiting'],
  reject: ['waiting'],
  break_glass: ['waiting'],
  review: endedStates,
  cancel: activeStates,
  acknowledge: states,
}

/** Asked by Alice, let through once before by Dave and not reviewed, with on-call paged. */
async function requestIn(state: RequestState): Promise<RequestRow> {
  const { id } = await fixture.waiting()
  await store.db.query(
    `insert into lockkeeper.break_glass (request_id, reason, asked_by, digest, broken_by, broken_at, involved, review, remind_ms, remind_at)
     values ($1, $2, $3, $4, $3, lockkeeper.now(), $5, $6, 86400000, lockkeeper.now() + interval '1 day')`,
    [id, WHY, DAVE, DIGEST, [DAVE], ['group:S0DBA', 'user:U0BOB']],
  )
  await store.db.query(`insert into lockkeeper.page (token, request_id, reason, text) values ($1, $2, 'needs_human', 'it stopped')`, [
    `page_${id}`,
    id,
  ])
  // what runs was granted, and what needs a person ran
  const way: readonly RequestState[] =
    state === 'waiting' ? [] : state === 'running' ? ['granted', state] : state === 'needs_human' ? ['granted', 'running', state] : [state]
  for (const next of way) await transition(store.db, id, ['waiting', 'granted', 'running'], next)
  return fixture.request(id)
}

type Row = { readonly actor: string; readonly [column: string]: unknown }

const rowsAfter = (seq: number) =>
  store.db.query<Row>(
    `select actor, human, entry, act, target, request_id as request, result, digest, data from lockkeeper.audit where seq > $1 order by seq`,
    [seq],
  )
async function newest(): Promise<number> {
  const [row] = await store.db.query<{ seq: number }>('select coalesce(max(seq), 0) as seq from lockkeeper.audit')
  return row?.seq ?? 0
}

/** What may not differ after a refusal. */
async function everything({ id }: RequestRow) {
  const pages = await store.db.query('select acknowledged_by from lockkeeper.page where request_id = $1', [id])
  const { readAt: _, ...request } = await fixture.request(id)
  return { request, votes: await votesOf(store.db, id), events: await fixture.events(id), pages }
}

const line = (outcome: Done | Refusal) =>
  `${isRefusal(outcome) ? outcome.code : outcome.kind}: ${outcome.text}`.replace(/<!date[^>]*>/g, '<date>')

/** Somebody else is faster: between the finding of the request and the hold on its row. */
const after = (rival: () => Promise<unknown>): ApprovalDeps => ({
  ...fixture.deps,
  db: {
    ...store.db,
    async transaction(work) {
      await rival()
      return store.db.transaction(work)
    },
  },
})

describe('every act leaves exactly one row of the audit', () => {
  const data = {
    approve: {},
    reject: { reason: 'not today' },
    break_glass: { reason: WHY },
    review: { note: 'fine' },
    cancel: {},
    acknowledge: {},
  }
  const allowed: Readonly<Record<Act, readonly [RequestState, string, string]>> = {
    approve: ['waiting', CAROL, 'granted'],
    reject: ['waiting', CAROL, 'rejected'],
    break_glass: ['waiting', BOB, 'broken'],
    review: ['succeeded', CAROL, 'reviewed'],
    cancel: ['running', ALICE, 'cancelling'],
    acknowledge: ['needs_human', BOB, 'acknowledged'],
  }
  const row = (act: Act, request: RequestRow, account: string, result: string) => ({
    actor: account,
    human: account,
    entry: act === 'cancel' || act === 'acknowledge' ? 'button' : 'modal',
    act,
    target: 'prod',
    request: request.id,
    result,
    digest: DIGEST,
    data: data[act],
  })

  test.each(names)('%s, when it is allowed', async (act) => {
    const [state, account, result] = allowed[act]
    const request = await requestIn(state)
    const before = await newest()
    expect(await acts[act](fixture.deps, request)).toMatchObject({ kind: result, requestId: request.id })
    expect(await rowsAfter(before)).toEqual([row(act, request, account, result)])
  })

  test.each(names)('%s, when it is refused to a guest', async (act) => {
    const request = await requestIn(allowed[act][0])
    const before = await newest()
    expect(await acts[act](fixture.deps, request, 'U0GUEST')).toMatchObject({ code: 'not_a_member' })
    expect(await rowsAfter(before)).toEqual([row(act, request, 'U0GUEST', 'not_a_member')])
  })

  test.each(names)('%s, when its button belongs to no request', async (act) => {
    const request = { ...(await requestIn(allowed[act][0])), token: 'r_ofAnotherBot0000' }
    const before = await newest()
    expect(line(await acts[act](fixture.deps, request))).toBe(
      'stale_button: This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    )
    expect(await rowsAfter(before)).toMatchObject([{ act, target: null, request: null, result: 'stale_button', data: data[act] }])
  })

  test('and nothing in approvals writes one beside the place of decisions, but for what the bot does by itself', async () => {
    const writers: string[] = []
    for await (const file of glob('approvals/**/*.ts')) if (/\bwriteAudit\b/.test(readFileSync(file, 'utf8'))) writers.push(file)
    expect(writers.toSorted()).toEqual([
      'approvals/decisions/audit.ts',
      'approvals/decisions/expiry.ts',
      'approvals/decisions/grant-at-once.ts',
    ])
  })
})

describe('who comes second between the finding and the hold loses:', () => {
  /** Refused with exactly this, with one row of its own, and what the rival did stands as it was. */
  async function expectLost(act: Act, request: RequestRow, rival: () => Promise<unknown>, sentence: string, loser: string) {
    let won: unknown
    const before = await newest()
    const deps = after(async () => {
      await rival()
      won = await everything(request)
    })
    expect(line(await acts[act](deps, request))).toBe(sentence)
    expect(won).toBeDefined()
    expect(await everything(request)).toEqual(won)
    expect((await rowsAfter(before)).filter(({ actor }) => actor === loser)).toMatchObject([
      { act, request: request.id, result: sentence.split(':')[0] },
    ])
  }

  test('an approval to a rejection', async () => {
    const request = await requestIn('waiting')
    await expectLost(
      'approve',
      request,
      () => acts.reject(fixture.deps, request, DAVE),
      `already_decided: #${request.id} was rejected by <@U0DAVE> <date>: “not today”. Your click changed nothing.`,
      CAROL,
    )
  })

  test('a rejection to an approval', async () => {
    const request = await requestIn('waiting')
    await expectLost(
      'reject',
      request,
      () => acts.approve(fixture.deps, request, DAVE),
      `already_decided: #${request.id} is decided already: approved by <@U0DAVE> <date>. Your click changed nothing.`,
      CAROL,
    )
  })

  test('a vote to a plan that changes', async () => {
    const request = await requestIn('waiting')
    await expectLost(
      'approve',
      request,
      () => store.db.query('update lockkeeper.request set digest = $1 where id = $2', [OTHER, request.id]),
      `digest_changed: The plan of #${request.id} has changed since this was shown: it was \`7f3a9c21\` and is \`bbbbbbbb\` now. Your click changed nothing. Read the card as it is now and decide about that.`,
      CAROL,
    )
  })

  test('a vote to a plan that is made again', async () => {
    const request = await requestIn('waiting')
    await expectLost(
      'approve',
      request,
      () => transition(store.db, request.id, ['waiting'], 'planning'),
      `stale_button: #${request.id} is being planned again, so there is nothing to decide yet. Use the buttons of the card when the new plan is there.`,
      CAROL,
    )
  })

  test('a vote to the time that the request had', async () => {
    const request = await requestIn('waiting')
    await expectLost(
      'reject',
      request,
      () => store.db.query(`update lockkeeper.request set expires_at = lockkeeper.now() where id = $1`, [request.id]),
      `request_expired: #${request.id} expired <date> without enough approvals. Nothing was changed. Ask again with \`/migrate deploy prod\`.`,
      CAROL,
    )
  })

  test('a broken glass to a cancel', async () => {
    const request = await requestIn('waiting')
    await expectLost(
      'break_glass',
      request,
      () => acts.cancel(fixture.deps, request),
      `already_decided: #${request.id} was cancelled <date>. Your click changed nothing.`,
      BOB,
    )
  })

  test('a review to another review', async () => {
    const request = await requestIn('failed')
    await expectLost(
      'review',
      request,
      () => acts.review(fixture.deps, request, BOB),
      `already_reviewed: #${request.id} is reviewed already: <@U0BOB> did it <date>. Your click changed nothing.`,
      CAROL,
    )
  })

  test('a cancel to the end of the run', async () => {
    const request = await requestIn('running')
    await expectLost(
      'cancel',
      request,
      () => transition(store.db, request.id, ['running'], 'succeeded'),
      `nothing_to_cancel: #${request.id} is not under way: it finished <date>. Nothing was changed.`,
      ALICE,
    )
  })

  test('an acknowledgement to another one', async () => {
    const request = await requestIn('needs_human')
    await expectLost(
      'acknowledge',
      request,
      () => acts.acknowledge(fixture.deps, request, CAROL),
      `nothing_to_acknowledge: <@U0CAROL> acknowledged the page about #${request.id} <date> already. Nobody is paged any more.`,
      BOB,
    )
  })

  test('and whoever finds the request gone is told so, with a row', async () => {
    const request = await fixture.waiting()
    const before = await newest()
    const deps = after(() => store.db.query('delete from lockkeeper.request where id = $1', [request.id]))
    expect(await acts.approve(deps, request)).toMatchObject({ code: 'stale_button' })
    expect(await rowsAfter(before)).toMatchObject([{ actor: CAROL, act: 'approve', request: null, result: 'stale_button', digest: DIGEST }])
  })
})

test('only states, plans and times that fit let an act pass; what is refused changes nothing and wakes nobody', async () => {
  const situation = fc.record({
    state: fc.constantFrom(...states),
    act: fc.constantFrom(...names),
    isSamePlan: fc.boolean(),
    isInTime: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(situation, async ({ state, act, isSamePlan, isInTime }) => {
      const request = await requestIn(state)
      try {
        if (!isInTime) await store.db.query(`update lockkeeper.request set expires_at = lockkeeper.now() where id = $1`, [request.id])
        const before = { all: await everything(request), seq: await newest(), signals: fixture.signals.length }
        const outcome = isDecision(act)
          ? await acts[act](fixture.deps, request, undefined, isSamePlan ? DIGEST : OTHER)
          : await acts[act](fixture.deps, request)
        const fits = fitting[act].includes(state) && (!isDecision(act) || (isSamePlan && isInTime))
        expect(isRefusal(outcome)).toBe(!fits)
        expect(await rowsAfter(before.seq)).toMatchObject([
          { act, request: request.id, result: isRefusal(outcome) ? outcome.code : outcome.kind },
        ])
        if (fits) return
        expect(await everything(request)).toEqual(before.all)
        expect(fixture.signals).toHaveLength(before.signals)
      } finally {
        // a target has one request at a time
        await store.db.query(`update lockkeeper.request set state = 'failed' where id = $1`, [request.id])
      }
    }),
    { numRuns: 120 },
  )
})
