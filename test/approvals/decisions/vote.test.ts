import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { castVote, type Ballot } from '../../../approvals/decisions/vote.ts'
import { transition } from '../../../src/request/store.ts'
import { stillGranted } from '../../../approvals/grant-check.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { votesOf } from '../../../src/request/store.ts'
import type { RequestRow } from '../../../src/request/request.ts'
import { ALICE, baseTarget, BOB, CAROL, createFixture, DAVE, DIGEST, type Store, type Fixture } from '../fixture.ts'
import { createStore } from '../../helpers/postgres.ts'

let store: Store
let fixture: Fixture
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({
    store,
    targets: { prod: baseTarget, staging: { ...baseTarget, approvals: { required: 2, from: ['group:S0DBA', 'user:U0BOB'] } } },
  })
})

const vote = (request: RequestRow, account: string, how: Partial<Ballot> = {}) =>
  castVote(fixture.deps, { token: request.token, account, entry: 'modal', decision: 'approve', digest: DIGEST, ...how })

/** The refusal's code and text in one line, or what was counted. */
async function answer(request: RequestRow, account: string, how: Partial<Ballot> = {}) {
  const outcome = await vote(request, account, how)
  return `${isRefusal(outcome) ? outcome.code : outcome.kind}: ${outcome.text}`.replace(/<!date[^>]*>/g, '<date>')
}

const stateOf = async (request: RequestRow) => (await fixture.request(request.id)).state

describe('a vote', () => {
  test('of an approver grants the request, starts the time of the grant and wakes the run', async () => {
    const request = await fixture.waiting()
    expect(await answer(request, CAROL)).toBe(`granted: Your approval of #${request.id} is counted: 1 of 1. The run starts now.`)
    const granted = await fixture.request(request.id)
    expect(granted.state).toBe('granted')
    expect((granted.grantExpiresAt?.getTime() ?? 0) - (granted.grantedAt?.getTime() ?? 0)).toBeCloseTo(900_000, -3)
    expect(granted.revision).toBeGreaterThan(request.revision)
    expect(fixture.signals.map(({ kind }) => kind)).toEqual(['start', 'decided'])
    expect(await fixture.events(request.id)).toEqual(['approved'])
    expect(await fixture.audited()).toContain(`${CAROL} approve granted`)
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
  })

  test('below the quorum is counted and leaves the request waiting', async () => {
    const request = await fixture.waiting({ target: 'staging' })
    expect(await answer(request, CAROL)).toBe(`counted: Your approval of #${request.id} is counted: 1 of 2. One more is needed.`)
    expect(await stateOf(request)).toBe('waiting')
    expect(await answer(request, BOB)).toBe(`granted: Your approval of #${request.id} is counted: 2 of 2. The run starts now.`)
    expect(fixture.signals.filter(({ kind }) => kind === 'decided')).toHaveLength(1)
  })

  test('given twice counts once and is answered calmly', async () => {
    const request = await fixture.waiting({ target: 'staging' })
    await vote(request, CAROL)
    expect(await answer(request, CAROL)).toBe(
      `already_voted: Your approval of #${request.id} is counted already: 1 of 2. Nothing more is needed from you.`,
    )
    await vote(request, BOB)
    expect(await answer(request, BOB)).toBe(
      `already_voted: Your approval of #${request.id} is counted already, and it is decided. Nothing more is needed from you.`,
    )
  })

  test('sent twice at the same moment counts once', async () => {
    const request = await fixture.waiting({ target: 'staging' })
    const outcomes = await Promise.all([vote(request, CAROL), vote(request, CAROL), vote(request, CAROL)])
    expect(outcomes.map((outcome) => (isRefusal(outcome) ? outcome.code : outcome.kind)).sort()).toEqual([
      'already_voted',
      'already_voted',
      'counted',
    ])
    expect(await votesOf(fixture.deps.db, request.id)).toHaveLength(1)
    expect(await stateOf(request)).toBe('waiting')
  })

  test('of two approvers at once counts each once and grants exactly once', async () => {
    const request = await fixture.waiting({ target: 'staging' })
    const outcomes = await Promise.all([vote(request, CAROL), vote(request, DAVE)])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['counted', 'granted'])
    expect(await votesOf(fixture.deps.db, request.id)).toHaveLength(2)
    expect(fixture.signals.filter(({ kind }) => kind === 'decided')).toHaveLength(1)
    expect(await fixture.events(request.id)).toEqual(['approved', 'approved'])
  })

  test('to approve and one to reject at once: one of them wins and the other is told', async () => {
    const request = await fixture.waiting()
    const outcomes = await Promise.all([vote(request, CAROL), vote(request, DAVE, { decision: 'reject', reason: 'not today' })])
    const state = await stateOf(request)
    expect(['granted', 'rejected']).toContain(state)
    expect(outcomes.map((outcome) => (isRefusal(outcome) ? outcome.code : outcome.kind)).sort()).toEqual(['already_decided', state])
    expect(await votesOf(fixture.deps.db, request.id)).toHaveLength(1)
  })

  test('of 30 people on 15 requests in the same moment is counted for each', async () => {
    for (let index = 0; index < 15; index++)
      fixture.setTarget(`shop-${index}`, { ...baseTarget, approvals: { required: 2, from: ['group:S0DBA'] } })
    const requests = await Promise.all(Array.from({ length: 15 }, (_, index) => fixture.waiting({ target: `shop-${index}` })))
    await Promise.all(requests.flatMap((request) => [vote(request, CAROL), vote(request, DAVE)]))
    expect(await Promise.all(requests.map(stateOf))).toEqual(requests.map(() => 'granted'))
  })
})

describe('a rejection', () => {
  test('is final, gives its reason and frees the target', async () => {
    const request = await fixture.waiting()
    expect(await answer(request, CAROL, { decision: 'reject', reason: 'not before <Monday>' })).toBe(
      `rejected: You rejected #${request.id}. Nothing was changed, and \`prod\` is free.`,
    )
    const rejected = await fixture.request(request.id)
    expect(rejected.state).toBe('rejected')
    expect(rejected.outcome).toEqual({ headline: 'Rejected by <@U0CAROL>. Nothing was changed.', why: 'not before &lt;Monday&gt;' })
    expect(await answer(request, DAVE)).toBe(
      `already_decided: #${request.id} was rejected by <@U0CAROL> <date>: “not before &lt;Monday&gt;”. Your click changed nothing.`,
    )
    expect(fixture.signals.map(({ kind }) => kind)).toEqual(['start', 'decided'])
  })

  test('needs a reason', async () => {
    const request = await fixture.waiting()
    expect(await answer(request, CAROL, { decision: 'reject', reason: '  ' })).toBe(
      `bad_arguments: Say in a sentence why you reject #${request.id}, so that the others know what to change.`,
    )
    expect(await stateOf(request)).toBe('waiting')
  })

  test('by somebody who had approved is still possible while others are missing', async () => {
    const request = await fixture.waiting({ target: 'staging' })
    await vote(request, CAROL)
    expect((await vote(request, CAROL, { decision: 'reject', reason: 'saw the lock' })).kind).toBe('rejected')
    expect(await fixture.audited()).toEqual(expect.arrayContaining([`${CAROL} approve counted`, `${CAROL} reject rejected`]))
  })
})

describe('a vote is refused, and nothing changes,', () => {
  test.each([
    [
      'U0GUEST',
      'not_a_member: Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it.',
    ],
    [
      'U0XAVIER',
      'not_a_member: Lockkeeper takes requests and votes from full members of this workspace only, and this is an account of another organisation. Nothing was changed. Ask a full member to do it.',
    ],
    [
      // shares a channel with us, so Slack does not call the account a stranger
      'U0PARTNER',
      'not_a_member: Lockkeeper takes requests and votes from full members of this workspace only, and this is an account of another organisation. Nothing was changed. Ask a full member to do it.',
    ],
    [
      'U0BOT',
      'not_a_member: Lockkeeper takes requests and votes from full members of this workspace only, and this is a bot. Nothing was changed. Ask a full member to do it.',
    ],
    [
      'U0GONE',
      'not_a_member: Lockkeeper takes requests and votes from full members of this workspace only, and this is a deactivated account. Nothing was changed. Ask a full member to do it.',
    ],
    [
      'U0NOBODY',
      'identity_unknown: Slack did not say who you are (`user_not_found`), and what cannot be checked is refused. Nothing was changed. Try again in a minute.',
    ],
  ])('from %s, even as a member of the group', async (account, text) => {
    fixture.slack.groups.set('S0DBA', [CAROL, DAVE, account])
    const request = await fixture.waiting()
    expect(await answer(request, account)).toBe(text)
    expect(await stateOf(request)).toBe('waiting')
    expect(await votesOf(fixture.deps.db, request.id)).toEqual([])
    expect(await fixture.audited()).toContain(`${account} approve ${text.split(':')[0] ?? ''}`)
  })

  test('from the requester, naming who has and who else may', async () => {
    fixture.slack.groups.set('S0DBA', [ALICE, CAROL, DAVE])
    const request = await fixture.waiting({ target: 'staging' })
    expect(await answer(request, ALICE)).toBe(
      `own_request: You asked for #${request.id} yourself, so somebody else has to approve it: 2 of <!subteam^S0DBA> or <@U0BOB> are needed.`,
    )
    await vote(request, BOB)
    expect(await answer(request, ALICE)).toBe(
      `own_request: You asked for #${request.id} yourself, so somebody else has to approve it: <@U0BOB> has, one more of <!subteam^S0DBA> or <@U0BOB> is needed.`,
    )
    expect(await answer(request, ALICE, { decision: 'reject', reason: 'changed my mind' })).toBe(
      `own_request: You asked for #${request.id} yourself. To take it back, use Cancel or \`/migrate cancel ${request.id}\`.`,
    )
  })

  test("from the requester's second account", async () => {
    fixture.slack.groups.set('S0DBA', ['U0SECOND', CAROL])
    fixture.peopleFile['U0SECOND'] = ALICE
    const request = await fixture.waiting()
    expect(await answer(request, 'U0SECOND')).toMatch(/^own_request: /)
  })

  test('from the second account of somebody who has voted', async () => {
    fixture.slack.groups.set('S0DBA', ['U0SECOND', CAROL])
    fixture.peopleFile['U0SECOND'] = CAROL
    const request = await fixture.waiting({ target: 'staging' })
    await vote(request, CAROL)
    expect(await answer(request, 'U0SECOND')).toMatch(/^already_voted: /)
    expect(await stateOf(request)).toBe('waiting')
  })

  test('from a stranger to the group', async () => {
    fixture.slack.users.set('U0ERIN', fixture.slack.member('U0ERIN'))
    const request = await fixture.waiting()
    expect(await answer(request, 'U0ERIN')).toBe(
      `not_an_approver: #${request.id} may be decided by <!subteam^S0DBA> or <@U0BOB>, and only by those who were among them when it was asked and still are. You are not. Nothing was changed.`,
    )
  })

  test('from somebody who left the group since, and from one who joined it since', async () => {
    const request = await fixture.waiting()
    fixture.slack.users.set('U0ERIN', fixture.slack.member('U0ERIN'))
    fixture.slack.groups.set('S0DBA', [CAROL, 'U0ERIN'])
    expect(await answer(request, DAVE)).toMatch(/^not_an_approver: /)
    expect(await answer(request, 'U0ERIN')).toMatch(/^not_an_approver: /)
    expect(await answer(request, CAROL)).toMatch(/^granted: /)
  })

  test('through a group that cannot be read, while named people still may', async () => {
    const request = await fixture.waiting()
    fixture.slack.state.areGroupsUnreadable = true
    expect(await answer(request, CAROL)).toBe(
      `approvers_unknown: #${request.id} may be decided by <!subteam^S0DBA> or <@U0BOB>, and Slack does not say now who is in <!subteam^S0DBA>. What cannot be checked is refused. Nothing was changed; try again in a minute.`,
    )
    expect(await answer(request, BOB)).toMatch(/^granted: /)
  })

  test('while Slack does not say who clicks', async () => {
    const request = await fixture.waiting()
    fixture.slack.state.isDown = true
    expect(await answer(request, BOB)).toBe(
      'identity_unknown: Slack did not say who you are (no answer), and what cannot be checked is refused. Nothing was changed. Try again in a minute.',
    )
  })

  test('for an older digest', async () => {
    const request = await fixture.waiting()
    expect(await answer(request, CAROL, { digest: '0badcafe'.padEnd(64, '0') })).toBe(
      `digest_changed: The plan of #${request.id} has changed since this was shown: it was \`0badcafe\` and is \`7f3a9c21\` now. Your click changed nothing. Read the card as it is now and decide about that.`,
    )
  })

  test("after its time by the store's clock, before anybody has swept it", async () => {
    const request = await fixture.waiting()
    await fixture.deps.db.query(`update lockkeeper.request set expires_at = clock_timestamp() - interval '1 second' where id = $1`, [
      request.id,
    ])
    expect(await answer(request, CAROL)).toBe(
      `request_expired: #${request.id} expired <date> without enough approvals. Nothing was changed. Ask again with \`/migrate deploy prod\`.`,
    )
    expect(await stateOf(request)).toBe('waiting')
  })

  test('with a token of no request', async () => {
    const request = await fixture.waiting()
    expect(await answer({ ...request, token: 'r_0000000000000000' }, CAROL)).toBe(
      'stale_button: This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    )
  })

  test("of staging's card for production: it counts for staging only", async () => {
    const [production, staging] = [await fixture.waiting(), await fixture.waiting({ target: 'staging' })]
    await vote(staging, CAROL)
    expect(await votesOf(fixture.deps.db, production.id)).toEqual([])
    expect(await stateOf(production)).toBe('waiting')
  })

  test('while it is planned again, and when it was cancelled', async () => {
    const request = await fixture.waiting()
    await fixture.deps.db.query(`update lockkeeper.request set state = 'planning' where id = $1`, [request.id])
    expect(await answer(request, CAROL)).toMatch(/^stale_button: /)
    await fixture.deps.db.query(`update lockkeeper.request set state = 'cancelled', ended_at = clock_timestamp() where id = $1`, [
      request.id,
    ])
    expect(await answer(request, CAROL)).toBe(`already_decided: #${request.id} was cancelled <date>. Your click changed nothing.`)
  })

  test('when the target has left the configuration', async () => {
    const request = await fixture.waiting()
    fixture.targets.delete('prod')
    expect(await answer(request, CAROL)).toBe(
      `unknown_target: \`prod\` is no longer in lockkeeper.yaml, so nobody may approve #${request.id}.`,
    )
  })
})

describe('the rules only tighten', () => {
  test('a threshold that was raised since holds', async () => {
    const request = await fixture.waiting()
    fixture.setTarget('prod', { ...baseTarget, approvals: { required: 2, from: ['group:S0DBA', 'user:U0BOB'] } })
    expect(await answer(request, CAROL)).toMatch(/^counted: .* 1 of 2\. /)
  })

  test('a threshold that was lowered since does not', async () => {
    const request = await fixture.waiting({ target: 'staging' })
    fixture.setTarget('staging', baseTarget)
    expect(await answer(request, CAROL)).toMatch(/^counted: .* 1 of 2\. /)
  })

  test('an approval that was enough is not when the threshold is raised before the start', async () => {
    const request = await fixture.waiting()
    await vote(request, CAROL)
    fixture.setTarget('prod', { ...baseTarget, approvals: { required: 2, from: ['group:S0DBA', 'user:U0BOB'] } })
    expect(await stillGranted(fixture.deps, request.id)).toEqual({
      kind: 'refusal',
      code: 'not_an_approver',
      text: `#${request.id} counts 1 of 2 approvals under the rules as they are now. An approver may have left the group, or the rules for \`prod\` became stricter. It has to be approved again.`,
    })
  })

  test('what needed no approval when it was asked for is told so when it needs one', async () => {
    fixture.setTarget('prod', { ...baseTarget, protected: false, approvals: { required: 0, from: [] } })
    const request = await fixture.waiting()
    await transition(fixture.deps.db, request.id, ['waiting'], 'granted', { grantExpiresIn: 60_000 })
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
    fixture.setTarget('prod', baseTarget)
    expect(await stillGranted(fixture.deps, request.id)).toEqual({
      kind: 'refusal',
      code: 'not_an_approver',
      text: `#${request.id} was asked for when \`prod\` needed no approval, and now it needs 1. It has to be approved.`,
    })
  })

  test('an approver who leaves the group or is deactivated before the start does not count any more', async () => {
    const request = await fixture.waiting()
    await vote(request, CAROL)
    fixture.slack.users.set(CAROL, fixture.slack.member(CAROL, { isDeleted: true }))
    expect(await stillGranted(fixture.deps, request.id)).toMatchObject({ code: 'not_an_approver' })
    fixture.slack.users.set(CAROL, fixture.slack.member(CAROL))
    fixture.slack.groups.set('S0DBA', [DAVE])
    expect(await stillGranted(fixture.deps, request.id)).toMatchObject({ code: 'not_an_approver' })
  })

  test('before the start an unreadable group grants nothing; a run that has started does not wait for Slack', async () => {
    const request = await fixture.waiting()
    await vote(request, CAROL)
    fixture.slack.state.isDown = true
    expect(await stillGranted(fixture.deps, request.id)).toMatchObject({ code: 'approvers_unknown' })
    await fixture.deps.db.query(`update lockkeeper.request set state = 'running', started_at = clock_timestamp() where id = $1`, [
      request.id,
    ])
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
  })

  test('a request that fell back to waiting goes on with another click when the missing approver is there again', async () => {
    const request = await fixture.waiting()
    await vote(request, CAROL)
    await store.db.query(`update lockkeeper.request set state = 'waiting', granted_at = null where id = $1`, [request.id])
    expect(await answer(request, CAROL)).toBe(`granted: Your approval of #${request.id} is counted: 1 of 1. The run starts now.`)
    expect(await stateOf(request)).toBe('granted')
    expect(await votesOf(fixture.deps.db, request.id)).toHaveLength(1)
    const keys = fixture.signals.filter(({ kind }) => kind === 'decided').map(({ key }) => key)
    expect(new Set(keys).size).toBe(2) // the engine ignores one that it has seen, and the run would not wake
  })

  test('a grant that was not used in time, or was cancelled, is none', async () => {
    const request = await fixture.waiting()
    await vote(request, CAROL)
    await fixture.deps.db.query(`update lockkeeper.request set grant_expires_at = clock_timestamp() where id = $1`, [request.id])
    expect(await stillGranted(fixture.deps, request.id)).toMatchObject({ code: 'grant_expired' })
    await fixture.deps.db.query(
      `update lockkeeper.request set state = 'running', started_at = clock_timestamp(), cancel_requested_at = clock_timestamp() where id = $1`,
      [request.id],
    )
    expect(await stillGranted(fixture.deps, request.id)).toMatchObject({ code: 'already_decided' })
  })
})

describe('on the command line', () => {
  test('a login votes only while Slack cannot be reached', async () => {
    fixture.peopleFile['os:deploy'] = BOB
    const request = await fixture.waiting()
    expect(await answer(request, 'os:deploy')).toBe(
      `vote_in_slack: Slack can be reached, so #${request.id} is decided there, by the buttons of its card. The command line counts votes only while Slack cannot be reached. Nothing was changed.`,
    )
    fixture.slack.state.isDown = true
    expect(await answer(request, 'os:deploy')).toMatch(/^granted: /)
  })

  test('a login that is nobody, or only a member of a group, has no vote', async () => {
    fixture.peopleFile['os:carol'] = CAROL
    const request = await fixture.waiting()
    fixture.slack.state.isDown = true
    expect(await answer(request, 'os:root')).toBe(
      "identity_unknown: The login `root` belongs to nobody that Lockkeeper knows. Nothing was changed. Add `os:root: U…` under `people` in lockkeeper.yaml, with the person's Slack user id.",
    )
    expect(await answer(request, 'os:carol')).toMatch(/^approvers_unknown: /)
  })

  test("a login of the requester is the requester's", async () => {
    fixture.peopleFile['os:deploy'] = ALICE
    const request = await fixture.waiting()
    fixture.slack.state.isDown = true
    expect(await answer(request, 'os:deploy')).toMatch(/^own_request: /)
  })
})
