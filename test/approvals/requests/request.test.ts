import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cancelRequest } from '../../../approvals/decisions/cancel.ts'
import { expireDue } from '../../../approvals/decisions/expiry.ts'
import { openRequest, randomToken } from '../../../approvals/requests/request.ts'
import { castVote } from '../../../approvals/decisions/vote.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { eventsOf, transition } from '../../../src/request/store.ts'
import type { RequestState } from '../../../src/request/request.ts'
import { createStore } from '../../helpers/postgres.ts'
import { ALICE, baseTarget, BOB, CAROL, createFixture, DAVE, DIGEST, type Store, type Fixture } from '../fixture.ts'

let store: Store
let fixture: Fixture
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({ store })
})

const withoutDates = (text: string) => text.replace(/<!date[^>]*>/g, '<date>')

async function ask(account: string, targetName = 'prod') {
  const target = fixture.targets.get(targetName)
  if (target === undefined) throw new Error('no target')
  return openRequest(fixture.deps, {
    target,
    ask: { ref: 'main', reason: 'launch', skipApp: false },
    account,
    askedIn: 'C0DEPLOYS',
    entry: 'slash',
  })
}

async function answer(outcome: Promise<{ readonly kind: string; readonly text?: string; readonly code?: string }>) {
  const { kind, code, text } = await outcome
  return withoutDates(`${code ?? kind}: ${text ?? ''}`)
}

describe('asking', () => {
  test('writes the request, the record of it and its workflow at once', async () => {
    const opened = await ask(ALICE)
    if (isRefusal(opened)) throw new Error(opened.text)
    const request = await fixture.request(opened.id)
    expect(request).toMatchObject({
      state: 'planning',
      target: 'prod',
      requester: ALICE,
      requesterHuman: ALICE,
      askedIn: 'C0DEPLOYS',
      channel: 'C0DEPLOYS',
      ask: { ref: 'main', reason: 'launch', skipApp: false },
    })
    expect(opened.token).toBe(request.token)
    expect(request.token).toMatch(/^r_[A-Za-z0-9]{16}$/)
    expect(fixture.signals).toEqual([{ id: opened.id, kind: 'start' }])
    expect(await fixture.audited()).toEqual([`${ALICE} request opened`])
  })

  test('leaves nothing behind when the workflow cannot be started', async () => {
    const failing = { ...fixture.deps, engine: { ...fixture.deps.engine, start: () => Promise.reject(new Error('engine')) } }
    const target = fixture.targets.get('prod')
    if (target === undefined) throw new Error('no target')
    const asked = { target, ask: { ref: null, reason: null, skipApp: false }, account: ALICE, askedIn: null, entry: 'cli' as const }
    await expect(openRequest(failing, asked)).rejects.toThrow('engine')
    expect(await store.db.query('select id from lockkeeper.request')).toEqual([])
    expect(await fixture.audited()).toEqual([])
  })

  test('for a target that is taken names the holder, what it does and the way out', async () => {
    const request = await fixture.waiting()
    expect(await answer(ask(CAROL))).toBe(
      `target_taken: \`prod\` is taken by #${request.id} (asked by <@U0ALICE>, waiting for approval since <date>). It frees when that ends, or with \`/migrate cancel ${request.id}\`.`,
    )
    await transition(store.db, request.id, ['waiting'], 'running')
    expect(await answer(ask(CAROL))).toMatch(/running since <date>/)
    await transition(store.db, request.id, ['running'], 'succeeded')
    expect((await ask(CAROL)).kind).toBe('opened')
  })

  test('by 50 people at once opens one request', async () => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => ask(ALICE)))
    expect(outcomes.filter(({ kind }) => kind === 'opened')).toHaveLength(1)
    expect(outcomes.filter((outcome) => isRefusal(outcome) && outcome.code === 'target_taken')).toHaveLength(49)
    expect(fixture.signals).toHaveLength(1)
  })

  test('is for those whom the target names', async () => {
    fixture.setTarget('prod', { ...baseTarget, requests: { from: ['group:S0DBA'] } })
    expect(await answer(ask(ALICE))).toBe(
      'not_allowed_to_ask: Runs of `prod` may be asked for by <!subteam^S0DBA> only. Nothing was started. Ask one of them, or see what is pending with `/migrate status prod`.',
    )
    fixture.slack.state.areGroupsUnreadable = true
    expect(await answer(ask(CAROL))).toBe(
      'identity_unknown: Runs of `prod` may be asked for by <!subteam^S0DBA> only, and Slack does not say now who that is. What cannot be checked is refused; nothing was started. Try again in a minute.',
    )
    expect(await fixture.audited()).toEqual([`${ALICE} request not_allowed_to_ask`, `${CAROL} request identity_unknown`])
  })

  test('is for a member of the same organisation whose first workspace is another one', async () => {
    expect(await ask('U0SISTER')).toMatchObject({ kind: 'opened' })
  })

  test.each(['U0GUEST', 'U0XAVIER', 'U0PARTNER', 'U0BOT', 'U0GONE'])('is not for %s', async (account) => {
    expect(await ask(account)).toMatchObject({ code: 'not_a_member' })
    expect(await store.db.query('select id from lockkeeper.request')).toEqual([])
  })

  test('for what nobody else could approve is refused at once', async () => {
    fixture.setTarget('prod', { ...baseTarget, approvals: { required: 2, from: ['user:U0BOB', 'user:U0ALICE'] } })
    expect(await answer(ask(ALICE))).toBe(
      'too_few_approvers: This needs 2 approvals from <@U0BOB> and <@U0ALICE>, and without you only 1 person is left to give them. Somebody else can ask, or `approvals` in lockkeeper.yaml names more people.',
    )
  })

  test('gives tokens that say nothing and do not favour a letter', () => {
    expect(randomToken((count) => new Uint8Array(count).fill(61))).toBe('r_9999999999999999')
    let next = 0
    const bytes = (count: number) => Uint8Array.from({ length: count }, () => next++ % 256)
    expect(randomToken(bytes)).toBe('r_ABCDEFGHIJKLMNOP')
    next = 248
    expect(randomToken(bytes)).toBe('r_ABCDEFGHIJKLMNOP')
  })
})

describe('cancelling', () => {
  const cancel = (account: string, id: number) => cancelRequest(fixture.deps, { account, entry: 'slash', id })

  test.each(['planning', 'waiting', 'granted'] as const)(
    'what is %s ends it at once and wakes its workflow',
    async (state: RequestState) => {
      const request = await fixture.waiting()
      await store.db.query('update lockkeeper.request set state = $2 where id = $1', [request.id, state])
      expect(await answer(cancel(ALICE, request.id))).toBe(
        `cancelled: #${request.id} is cancelled. Nothing was changed, and \`prod\` is free.`,
      )
      expect(await fixture.request(request.id)).toMatchObject({
        state: 'cancelled',
        outcome: { headline: 'Cancelled by <@U0ALICE> before it started. Nothing was changed.' },
      })
      expect(await fixture.events(request.id)).toEqual(['ended'])
      expect(fixture.signals.at(-1)).toEqual({ id: request.id, kind: 'cancel', key: `cancel:${request.id}` })
    },
  )

  test('a run asks it to stop where that is safe, once', async () => {
    const request = await fixture.waiting()
    await transition(store.db, request.id, ['waiting'], 'running')
    expect(await answer(cancel(CAROL, request.id))).toBe(
      `cancelling: #${request.id} is being cancelled. It stops where that is safe, and its card says where that was.`,
    )
    expect(await fixture.request(request.id)).toMatchObject({ state: 'running', cancelRequestedBy: CAROL })
    expect(await answer(cancel(ALICE, request.id))).toBe(
      `nothing_to_cancel: #${request.id} is being cancelled already: <@U0CAROL> asked for it <date>. It stops where that is safe.`,
    )
    expect(await fixture.events(request.id)).toEqual(['cancel_requested'])
  })

  test('what needs a person closes it, and says who took over', async () => {
    const request = await fixture.waiting()
    await transition(store.db, request.id, ['waiting'], 'needs_human', { outcome: { headline: 'unclear', known: 'one applied' } })
    expect(await answer(cancel(CAROL, request.id))).toBe(
      `closed: #${request.id} is closed, and the record says that you took over. Lockkeeper changes nothing about what it found: make sure of the state of \`prod\` before the next run, which is possible now.`,
    )
    expect((await fixture.request(request.id)).outcome).toEqual({
      headline: 'Closed by <@U0CAROL>, who took over. Lockkeeper does nothing more about this run.',
      known: 'one applied',
    })
    expect(await fixture.audited()).toContain(`${CAROL} cancel closed`)
  })

  test('is for the requester and for approvers', async () => {
    fixture.slack.users.set('U0ERIN', fixture.slack.member('U0ERIN'))
    const request = await fixture.waiting()
    expect(await answer(cancel('U0ERIN', request.id))).toBe(
      `not_allowed_to_cancel: #${request.id} may be cancelled by <@U0ALICE>, who asked for it, or by <!subteam^S0DBA> or <@U0BOB>. You are none of them. Nothing was changed.`,
    )
    expect(await answer(cancel('U0GUEST', request.id))).toMatch(/^not_a_member: /)
    fixture.slack.state.areGroupsUnreadable = true
    expect(await answer(cancel(CAROL, request.id))).toMatch(/^approvers_unknown: /)
    expect((await fixture.request(request.id)).state).toBe('waiting')
    expect(await answer(cancel(BOB, request.id))).toMatch(/^cancelled: /)
  })

  test('what has ended, or never was, says so', async () => {
    const request = await fixture.waiting()
    await transition(store.db, request.id, ['waiting'], 'failed')
    expect(await answer(cancel(ALICE, request.id))).toBe(
      `nothing_to_cancel: #${request.id} is not under way: it failed <date>. Nothing was changed.`,
    )
    expect(await answer(cancel(ALICE, 4711))).toBe('unknown_request: There is no request #4711. `/migrate history` lists those there are.')
  })

  test('and approving at once: one of them wins', async () => {
    const request = await fixture.waiting()
    const [voted, cancelled] = await Promise.all([
      castVote(fixture.deps, { token: request.token, account: CAROL, entry: 'modal', decision: 'approve', digest: DIGEST }),
      cancel(ALICE, request.id),
    ])
    expect((await fixture.request(request.id)).state).toBe('cancelled')
    expect(cancelled.kind).toBe('cancelled')
    expect(isRefusal(voted) ? voted.code : voted.kind).toMatch(/^(granted|already_decided)$/)
  })
})

describe('time', () => {
  const pastBy = (id: number, column: string, milliseconds: number) =>
    store.db.query(`update lockkeeper.request set ${column} = clock_timestamp() - $2 * interval '1 millisecond' where id = $1`, [
      id,
      milliseconds,
    ])

  test('ends a request that nobody approved, and wakes its workflow', async () => {
    const request = await fixture.waiting()
    expect(await expireDue(fixture.deps)).toEqual({ requests: 0, grants: 0, reminders: 0, escalations: 0, reviews: 0 })
    await pastBy(request.id, 'expires_at', 1)
    expect(await expireDue(fixture.deps)).toEqual({ requests: 1, grants: 0, reminders: 0, escalations: 0, reviews: 0 })
    const expired = await fixture.request(request.id)
    expect(expired.state).toBe('expired')
    expect(withoutDates(expired.outcome?.headline ?? '')).toBe('Expired <date> without enough approvals. Nothing was changed.')
    expect(await fixture.events(request.id)).toEqual(['expired'])
    expect(fixture.signals.at(-1)).toMatchObject({ id: request.id, kind: 'due' })
    expect(await expireDue(fixture.deps)).toEqual({ requests: 0, grants: 0, reminders: 0, escalations: 0, reviews: 0 })
  })

  test('ends a grant that was not used, and none that was', async () => {
    const request = await fixture.waiting()
    await castVote(fixture.deps, { token: request.token, account: CAROL, entry: 'modal', decision: 'approve', digest: DIGEST })
    await pastBy(request.id, 'grant_expires_at', 1)
    await store.db.query(`update lockkeeper.request set state = 'running', started_at = clock_timestamp() where id = $1`, [request.id])
    expect(await expireDue(fixture.deps)).toEqual({ requests: 0, grants: 0, reminders: 0, escalations: 0, reviews: 0 })
    await store.db.query(`update lockkeeper.request set state = 'granted', started_at = null where id = $1`, [request.id])
    expect(await expireDue(fixture.deps)).toEqual({ requests: 0, grants: 1, reminders: 0, escalations: 0, reviews: 0 })
    expect((await eventsOf(store.db, request.id)).at(-1)).toMatchObject({ kind: 'expired', data: { what: 'grant' } })
  })

  test('half-way reminds once for each plan', async () => {
    const request = await fixture.waiting()
    await store.db.query(`update lockkeeper.request set expires_at = clock_timestamp() + interval '119 minutes' where id = $1`, [
      request.id,
    ])
    expect(await expireDue(fixture.deps)).toEqual({ requests: 0, grants: 0, reminders: 1, escalations: 0, reviews: 0 })
    expect(await expireDue(fixture.deps)).toEqual({ requests: 0, grants: 0, reminders: 0, escalations: 0, reviews: 0 })
    expect((await eventsOf(store.db, request.id)).at(-1)).toMatchObject({
      kind: 'reminded',
      data: { digest: DIGEST, count: 0, required: 1, from: ['group:S0DBA', 'user:U0BOB'] },
    })
  })

  test('is told by one of several replicas', async () => {
    for (let index = 0; index < 10; index++) fixture.setTarget(`shop-${index}`, baseTarget)
    for (let index = 0; index < 10; index++) await pastBy((await fixture.waiting({ target: `shop-${index}` })).id, 'expires_at', 1)
    const done = await Promise.all([expireDue(fixture.deps), expireDue(fixture.deps), expireDue(fixture.deps)])
    expect(done.reduce((sum, { requests }) => sum + requests, 0)).toBe(10)
    expect(fixture.signals.filter(({ kind }) => kind === 'due')).toHaveLength(10)
  })

  test('passes over one that cannot be ended, ends the others and then says so', async () => {
    for (const name of ['first', 'second']) fixture.setTarget(name, baseTarget)
    const [first, second] = [await fixture.waiting({ target: 'first' }), await fixture.waiting({ target: 'second' })]
    await pastBy(first.id, 'expires_at', 20)
    await pastBy(second.id, 'expires_at', 10)
    const signal = fixture.deps.engine.signal
    const failing = {
      ...fixture.deps,
      engine: {
        ...fixture.deps.engine,
        signal: (...args: Parameters<typeof signal>) => (args[1] === first.id ? Promise.reject(new Error('engine')) : signal(...args)),
      },
    }
    await expect(expireDue(failing)).rejects.toThrow(`requests ${first.id} are due and could not be dealt with: engine`)
    expect((await fixture.request(first.id)).state).toBe('waiting')
    expect((await fixture.request(second.id)).state).toBe('expired')
  })

  test('of a vote and of the sweep at once: one of them wins', async () => {
    const request = await fixture.waiting()
    await pastBy(request.id, 'expires_at', 1)
    const [voted] = await Promise.all([
      castVote(fixture.deps, { token: request.token, account: DAVE, entry: 'modal', decision: 'approve', digest: DIGEST }),
      expireDue(fixture.deps),
    ])
    expect(voted).toMatchObject({ code: 'request_expired' })
  })
})

describe('where nobody has to approve', () => {
  const free = { ...baseTarget, protected: false, approvals: { required: 0 } }
  const askFor = async (target: Parameters<Fixture['setTarget']>[1], how: Partial<Parameters<typeof openRequest>[1]>) => {
    fixture.setTarget('prod', target)
    const configured = fixture.targets.get('prod')
    if (configured === undefined) throw new Error('no target')
    const ask = { ref: 'main', reason: 'launch', skipApp: false }
    return answer(openRequest(fixture.deps, { target: configured, ask, account: ALICE, askedIn: 'C0DEPLOYS', entry: 'slash', ...how }))
  }
  const glass = { breakGlass: { from: ['user:U0DAVE'], review: ['user:U0CAROL'] } }
  const breaking = { required: 0, from: [], breaking: { required: 1, from: ['user:U0BOB'] } }

  test('a request for later is not told to be approved', async () => {
    const at = Date.now() + 3_600_000
    const later = await askFor(free, { slot: { at } })
    expect(later).toMatch(/^opened: #1 is asked for: `main` to `prod`, queued for .+: it starts by itself then\. /)
    expect(later).toContain('Its card appears in <#C0DEPLOYS> while the plan is made; this target asks for no approval. To take it back')
    expect(await answer(cancelRequest(fixture.deps, { id: 1, account: ALICE, entry: 'slash' }))).toMatch(/^cancelled/)
    expect(await askFor({ ...free, approvals: breaking }, { slot: { at } })).toContain(
      'this target asks for no approval, unless a migration is breaking: that <@U0BOB> can approve there. To take it back',
    )
  })

  test('there is no glass to break, or only for what is breaking', async () => {
    expect(await askFor({ ...free, ...glass }, { account: DAVE, breakGlass: true })).toBe(
      'bad_arguments: `prod` asks for no approval, so there is no glass to break. Nothing was started. It starts by itself with `/migrate deploy prod`.',
    )
    expect(await askFor({ ...free, ...glass, approvals: breaking }, { account: DAVE, breakGlass: true })).toBe(
      'opened: #1 is asked for with break-glass: `main` to `prod`. Its card appears in <#C0DEPLOYS> while the plan is made; it starts by itself then, unless a migration is breaking. Where one is, read the plan there and press *Break the glass*. To take it back: `/migrate cancel 1`.',
    )
  })
})
