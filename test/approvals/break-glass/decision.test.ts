import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { breakGlass, type Breaking } from '../../../approvals/break-glass/decision.ts'
import { cancelRequest } from '../../../approvals/decisions/cancel.ts'
import { expireDue } from '../../../approvals/decisions/expiry.ts'
import { policyHash } from '../../../approvals/policy.ts'
import { openRequest } from '../../../approvals/requests/request.ts'
import { reviewRequest } from '../../../approvals/decisions/review.ts'
import { stillGranted } from '../../../approvals/grant-check.ts'
import { castVote } from '../../../approvals/decisions/vote.ts'
import type { Target } from '../../../src/config/config.ts'
import { isRefusal, type Refusal } from '../../../src/lib/refusal.ts'
import { eventsOf, listRequests, transition, votesOf } from '../../../src/request/store.ts'
import type { RequestRow } from '../../../src/request/request.ts'
import { createStore } from '../../helpers/postgres.ts'
import { ALICE, baseTarget, BOB, CAROL, createFixture, DAVE, DIGEST, type Store, type Fixture } from '../fixture.ts'

const breakable = { ...baseTarget, breakGlass: { from: [`user:${ALICE}`, 'group:S0ONCALL'], remind: '24h' } }
const WHY = 'Checkout is down, the index is missing'

let store: Store
let fixture: Fixture
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({ store, targets: { prod: breakable, plain: baseTarget } })
  fixture.slack.groups.set('S0ONCALL', [BOB])
})

const smash = (request: RequestRow, account: string, how: Partial<Breaking> = {}) =>
  breakGlass(fixture.deps, { token: request.token, account, digest: DIGEST, reason: WHY, entry: 'modal', ...how })
const review = (request: RequestRow, account: string, note: string | null = null) =>
  reviewRequest(fixture.deps, { token: request.token, account, note, entry: 'modal' })

const line = (outcome: Refusal | { readonly kind: string; readonly text: string }) =>
  `${isRefusal(outcome) ? outcome.code : outcome.kind}: ${outcome.text}`.replace(/<!date[^>]*>/g, '<date>')

function targetOf(name: string): Target {
  const target = fixture.targets.get(name)
  if (target === undefined) throw new Error(`no target ${name}`)
  return target
}

const breakGlassOf = async (request: RequestRow) => (await fixture.request(request.id)).breakGlass

/** Broken by Alice, who asked for it, and over. */
async function over(): Promise<RequestRow> {
  const request = await fixture.waiting({ breakGlass: WHY })
  await smash(request, ALICE, { reason: null })
  await transition(store.db, request.id, ['granted'], 'running')
  await transition(store.db, request.id, ['running'], 'succeeded', { outcome: { headline: '1 migration applied.' } })
  return fixture.request(request.id)
}

/** What may not differ after a refusal. */
async function everything(request: RequestRow) {
  const { revision, state, breakGlass, grantedAt } = await fixture.request(request.id)
  return { revision, state, breakGlass, grantedAt, votes: await votesOf(store.db, request.id), events: await fixture.events(request.id) }
}

async function expectRefused(
  request: RequestRow,
  act: () => Promise<Refusal | { readonly kind: string; readonly text: string }>,
  row: string,
) {
  const before = await everything(request)
  const audited = (await fixture.audited()).length
  const outcome = await act()
  expect(await everything(request)).toEqual(before)
  expect((await fixture.audited()).slice(audited)).toEqual([row])
  expect(fixture.signals.filter(({ kind }) => kind === 'decided')).toEqual([])
  return line(outcome)
}

describe('whoever may break the glass', () => {
  test('lets the request run, with a vote of its own kind, an event that names all, and its run woken', async () => {
    const request = await fixture.waiting({ breakGlass: WHY })
    expect(await breakGlassOf(request)).toMatchObject({ reason: WHY, askedBy: ALICE, brokenBy: null })
    expect(line(await smash(request, ALICE, { reason: null }))).toBe(
      `broken: You broke the glass of #${request.id}. The run starts now, everybody who may approve is told, and <!subteam^S0DBA> or <@U0BOB> must review it afterwards.`,
    )
    const granted = await fixture.request(request.id)
    expect(granted.state).toBe('granted')
    expect((granted.grantExpiresAt?.getTime() ?? 0) - (granted.grantedAt?.getTime() ?? 0)).toBeCloseTo(900_000, -3)
    expect(granted.breakGlass).toMatchObject({ brokenBy: ALICE, digest: DIGEST, reason: WHY, involved: [ALICE], reviewedBy: null })
    expect(await votesOf(store.db, request.id)).toMatchObject([{ actor: ALICE, human: ALICE, decision: 'break_glass', reason: WHY }])
    expect((await eventsOf(store.db, request.id)).map(({ kind, data }) => ({ kind, data }))).toEqual([
      {
        kind: 'glass_broken',
        data: {
          by: ALICE,
          reason: WHY,
          count: 0,
          required: 1,
          review: ['group:S0DBA', 'user:U0BOB'],
          users: [CAROL, DAVE, BOB],
          unreviewed: [],
        },
      },
    ])
    expect(fixture.signals.map(({ kind }) => kind)).toEqual(['start', 'decided'])
    expect(await fixture.audited()).toEqual([`${ALICE} request opened`, `${ALICE} break_glass broken`])
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
  })

  test('may do so with a request that waits already, and need not be the one who asked', async () => {
    const request = await fixture.waiting()
    expect((await smash(request, BOB)).kind).toBe('broken')
    expect(await breakGlassOf(request)).toMatchObject({
      brokenBy: BOB,
      askedBy: BOB,
      involved: expect.arrayContaining([ALICE, BOB]) as string[],
    })
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
  })

  test('does not hinder an approval, which counts as usual and leaves nothing to review', async () => {
    const request = await fixture.waiting({ breakGlass: WHY })
    expect(
      (await castVote(fixture.deps, { token: request.token, account: CAROL, entry: 'modal', decision: 'approve', digest: DIGEST })).kind,
    ).toBe('granted')
    expect(await listRequests(store.db, { isUnreviewed: true, limit: 10 })).toEqual([])
    expect(line(await smash(request, ALICE))).toBe(
      `already_decided: #${request.id} is decided already: approved by <@U0CAROL> <date>. Your click changed nothing.`,
    )
  })

  test('may cancel what he let through', async () => {
    const request = await fixture.waiting({ by: DAVE })
    fixture.slack.groups.set('S0DBA', [CAROL, DAVE])
    await smash(request, ALICE)
    expect((await cancelRequest(fixture.deps, { account: ALICE, entry: 'slash', id: request.id })).kind).toBe('cancelled')
    expect(await listRequests(store.db, { isUnreviewed: true, limit: 10 })).toMatchObject([{ id: request.id, state: 'cancelled' }])
  })

  test('may ask for it where nobody else is left to approve', async () => {
    fixture.setTarget('alone', {
      ...breakable,
      approvals: { required: 1, from: [`user:${ALICE}`] },
      breakGlass: { from: [`user:${ALICE}`], review: [`user:${BOB}`] },
    })
    const usual = await openRequest(fixture.deps, {
      entry: 'slash',
      target: targetOf('alone'),
      ask: { ref: null, reason: WHY, skipApp: false },
      account: ALICE,
      askedIn: null,
    })
    expect(isRefusal(usual) && usual.code).toBe('too_few_approvers')
    const request = await fixture.waiting({ target: 'alone', breakGlass: WHY })
    expect((await smash(request, ALICE, { reason: null })).kind).toBe('broken')
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
  })

  test('is told of earlier ones on the target that nobody has reviewed, and so is the channel', async () => {
    const first = await over()
    const second = await fixture.waiting({ breakGlass: WHY })
    await smash(second, ALICE, { reason: null })
    expect((await eventsOf(store.db, second.id)).at(-1)).toMatchObject({ kind: 'glass_broken', data: { unreviewed: [first.id] } })
  })

  test('clicks twice, or at the same moment as somebody else, and it is broken once', async () => {
    const request = await fixture.waiting({ breakGlass: WHY })
    const outcomes = await Promise.all([smash(request, ALICE), smash(request, ALICE), smash(request, BOB)])
    expect(outcomes.filter(({ kind }) => kind === 'broken')).toHaveLength(1)
    expect(await fixture.events(request.id)).toEqual(['glass_broken'])
    expect(await votesOf(store.db, request.id)).toHaveLength(1)
    expect(fixture.signals.filter(({ kind }) => kind === 'decided')).toHaveLength(1)
    const [winner, other] = (await breakGlassOf(request))?.brokenBy === ALICE ? [ALICE, BOB] : [BOB, ALICE]
    expect(line(await smash(request, winner))).toBe(
      `already_voted: You broke the glass of #${request.id} already, and it is decided. Nothing more is needed from you.`,
    )
    expect(line(await smash(request, other))).toBe(
      `already_decided: #${request.id} is decided already: <@${winner}> broke the glass <date>. Your click changed nothing.`,
    )
  })
})

describe('the glass stays whole, and nothing changes,', () => {
  test('for somebody who is not named', async () => {
    const request = await fixture.waiting()
    expect(await expectRefused(request, () => smash(request, CAROL), `${CAROL} break_glass not_allowed_to_break_glass`)).toBe(
      `not_allowed_to_break_glass: The glass on \`prod\` may be broken by <@U0ALICE> or <!subteam^S0ONCALL>, and only by those who were among them when it was asked and still are. You are not. Nothing was started. #${request.id} waits for approvals as usual.`,
    )
  })

  test('for somebody who joined after it was asked, or has left since', async () => {
    const request = await fixture.waiting()
    fixture.slack.groups.set('S0ONCALL', [CAROL])
    for (const account of [BOB, CAROL])
      expect(await expectRefused(request, () => smash(request, account), `${account} break_glass not_allowed_to_break_glass`)).toMatch(
        /^not_allowed_to_break_glass: /,
      )
  })

  test.each([
    ['U0GUEST', 'a guest'],
    ['U0XAVIER', 'an account of another organisation'],
    ['U0PARTNER', 'an account of another organisation'],
    ['U0BOT', 'a bot'],
    ['U0GONE', 'a deactivated account'],
  ])('for %s, even as a member of the group', async (account, what) => {
    fixture.slack.groups.set('S0ONCALL', [account])
    const request = await fixture.waiting()
    expect(await expectRefused(request, () => smash(request, account), `${account} break_glass not_a_member`)).toBe(
      `not_a_member: Lockkeeper takes requests and votes from full members of this workspace only, and this is ${what}. Nothing was changed. Ask a full member to do it.`,
    )
  })

  test('while Slack does not say who is in the group', async () => {
    const request = await fixture.waiting()
    fixture.slack.state.areGroupsUnreadable = true
    expect(await expectRefused(request, () => smash(request, BOB), `${BOB} break_glass approvers_unknown`)).toBe(
      'approvers_unknown: The glass on `prod` may be broken by <@U0ALICE> or <!subteam^S0ONCALL>, and Slack does not say now who that is. What cannot be checked is refused. Nothing was started; try again in a minute.',
    )
  })

  test('without a reason, with white space for one, and with one of 10,000 characters', async () => {
    const request = await fixture.waiting()
    for (const reason of ['', ' \n\t ', null])
      expect(await expectRefused(request, () => smash(request, ALICE, { reason }), `${ALICE} break_glass bad_arguments`)).toBe(
        'bad_arguments: Breaking the glass needs a reason, which everybody reads. Nothing was started. Say in a sentence what cannot wait, for example `--reason "checkout is down, the index is missing"`.',
      )
    expect(
      await expectRefused(request, () => smash(request, ALICE, { reason: 'x'.repeat(10_000) }), `${ALICE} break_glass bad_arguments`),
    ).toBe('bad_arguments: The reason is 10,000 characters long, and at most 500 fit on the card. Nothing was started.')
  })

  test('for an older plan, another token, and a request that has expired', async () => {
    const request = await fixture.waiting()
    expect(
      await expectRefused(request, () => smash(request, ALICE, { digest: 'a'.repeat(64) }), `${ALICE} break_glass digest_changed`),
    ).toBe(
      `digest_changed: The plan of #${request.id} has changed since this was shown: it was \`aaaaaaaa\` and is \`7f3a9c21\` now. Your click changed nothing. Read the card as it is now and decide about that.`,
    )
    expect(
      await expectRefused(request, () => smash(request, ALICE, { token: 'r_forged0000000000' }), `${ALICE} break_glass stale_button`),
    ).toBe(
      'stale_button: This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    )
    await store.db.query(`update lockkeeper.request set expires_at = clock_timestamp() - interval '1 s'`)
    expect(await expectRefused(request, () => smash(request, ALICE), `${ALICE} break_glass request_expired`)).toBe(
      `request_expired: #${request.id} expired <date> without enough approvals. Nothing was changed. Ask again with \`/migrate deploy prod\`.`,
    )
  })

  test('where the target does not configure it, then or now', async () => {
    const plain = await fixture.waiting({ target: 'plain' })
    const says = (id: number, target: string) =>
      `glass_not_configured: Nobody may break the glass on \`${target}\`: \`breakGlass\` in lockkeeper.yaml names who may, and did not name anybody when this was asked, or does not now. Nothing was started. #${id} waits for approvals as usual.`
    const row = `${ALICE} break_glass glass_not_configured`
    expect(await expectRefused(plain, () => smash(plain, ALICE), row)).toBe(says(plain.id, 'plain'))
    fixture.setTarget('plain', breakable)
    expect(await expectRefused(plain, () => smash(plain, ALICE), row)).toBe(says(plain.id, 'plain'))
    const request = await fixture.waiting()
    fixture.setTarget('prod', baseTarget)
    expect(await expectRefused(request, () => smash(request, ALICE), row)).toBe(says(request.id, 'prod'))
  })

  test('when nobody else would be left to review it', async () => {
    fixture.setTarget('prod', { ...breakable, breakGlass: { from: [`user:${ALICE}`, `user:${BOB}`], review: [`user:${BOB}`] } })
    const request = await fixture.waiting()
    expect(await expectRefused(request, () => smash(request, BOB), `${BOB} break_glass too_few_approvers`)).toBe(
      'too_few_approvers: Whoever breaks the glass is reviewed by somebody else afterwards, and of <@U0BOB> nobody else is left. Nothing was started. `breakGlass.review` in lockkeeper.yaml has to name more people.',
    )
  })

  test('at the machine while Slack can be reached; while it cannot, people who are named may', async () => {
    fixture.peopleFile['os:deploy'] = ALICE
    fixture.peopleFile['os:oncall'] = BOB
    const request = await fixture.waiting()
    expect(await expectRefused(request, () => smash(request, 'os:deploy'), 'os:deploy break_glass vote_in_slack')).toBe(
      `vote_in_slack: Slack can be reached, so the glass of #${request.id} is broken there, on its card. The command line does it only while Slack cannot be reached. Nothing was started.`,
    )
    expect(await expectRefused(request, () => smash(request, 'os:mallory'), 'os:mallory break_glass identity_unknown')).toMatch(
      /^identity_unknown: The login `mallory` belongs to nobody that Lockkeeper knows\./,
    )
    fixture.slack.state.isDown = true
    expect(await expectRefused(request, () => smash(request, 'os:oncall'), 'os:oncall break_glass approvers_unknown')).toMatch(
      /^approvers_unknown: /,
    )
    expect((await smash(request, 'os:deploy')).kind).toBe('broken')
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
  })
})

describe('asking for it is refused, and nothing is written,', () => {
  const ask = (account: string, reason: string | null, target = 'prod') =>
    openRequest(fixture.deps, {
      entry: 'slash',
      target: targetOf(target),
      ask: { ref: null, reason, skipApp: false },
      account,
      askedIn: 'C0DEPLOYS',
      breakGlass: true,
    }).then((outcome) => (isRefusal(outcome) ? line(outcome) : outcome.kind))

  test.each([
    [
      CAROL,
      WHY,
      'prod',
      'not_allowed_to_break_glass: The glass on `prod` may be broken by <@U0ALICE> or <!subteam^S0ONCALL>. You are not. Nothing was started. The usual way is `/migrate deploy prod`.',
    ],
    [
      ALICE,
      WHY,
      'plain',
      'glass_not_configured: Nobody may break the glass on `plain`: `breakGlass` in lockkeeper.yaml names who may, and did not name anybody. Nothing was started. The usual way is `/migrate deploy plain`.',
    ],
    [
      ALICE,
      null,
      'prod',
      'bad_arguments: Breaking the glass needs a reason, which everybody reads. Nothing was started. Say in a sentence what cannot wait, for example `--reason "checkout is down, the index is missing"`.',
    ],
  ])('by %s for %s on %s', async (account, reason, target, text) => {
    expect(await ask(account, reason, target)).toBe(text)
    expect(await listRequests(store.db, { limit: 1 })).toEqual([])
    expect(await fixture.audited()).toEqual([`${account} request ${text.split(':')[0] ?? ''}`])
  })
})

describe('what was let through holds no longer', () => {
  test('when whoever did it has left the group, or the target stopped allowing it; it can still be approved', async () => {
    const request = await fixture.waiting()
    await smash(request, BOB)
    fixture.slack.groups.set('S0ONCALL', [])
    const left = await stillGranted(fixture.deps, request.id)
    expect(left !== true && line(left)).toBe(
      `not_an_approver: <@U0BOB> broke the glass of #${request.id} and may not do that under the rules as they are now: somebody may have left the group, or \`breakGlass\` of \`prod\` has changed. It needs an approval, or somebody who may.`,
    )
    fixture.slack.groups.set('S0ONCALL', [BOB])
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
    fixture.setTarget('prod', baseTarget)
    expect(await stillGranted(fixture.deps, request.id)).toMatchObject({ code: 'not_an_approver' })
    await transition(store.db, request.id, ['granted'], 'waiting')
    expect(
      (await castVote(fixture.deps, { token: request.token, account: CAROL, entry: 'modal', decision: 'approve', digest: DIGEST })).kind,
    ).toBe('granted')
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
  })

  test('while Slack does not say who is in the group, before the start; a run that began does not wait for that', async () => {
    const request = await fixture.waiting()
    await smash(request, BOB)
    fixture.slack.state.areGroupsUnreadable = true
    expect(await stillGranted(fixture.deps, request.id)).toMatchObject({ code: 'approvers_unknown' })
    await transition(store.db, request.id, ['granted'], 'running')
    expect(await stillGranted(fixture.deps, request.id)).toBe(true)
  })

  test('for another plan, with whatever stands in the votes', async () => {
    const request = await fixture.waiting({ breakGlass: WHY })
    await smash(request, ALICE)
    await store.db.query(`update lockkeeper.request set digest = $1`, ['b'.repeat(64)])
    expect(await stillGranted(fixture.deps, request.id)).toMatchObject({ code: 'not_an_approver' })
  })

  test('its rules are part of what is approved', () => {
    const plain = targetOf('plain')
    expect(policyHash({ ...plain, breakGlass: targetOf('prod').breakGlass })).not.toBe(policyHash(plain))
  })
})

describe('the review', () => {
  test('is written with its note, told once, and takes the mark away', async () => {
    const request = await over()
    expect(await listRequests(store.db, { isUnreviewed: true, limit: 10 })).toMatchObject([{ id: request.id }])
    expect(line(await review(request, CAROL, '  Right, the index was missing.  '))).toBe(
      `reviewed: #${request.id} is reviewed, and the record names you. Its mark is gone.`,
    )
    expect(await breakGlassOf(request)).toMatchObject({ reviewedBy: CAROL, note: 'Right, the index was missing.' })
    expect(await fixture.events(request.id)).toEqual(['glass_broken', 'reviewed'])
    expect(await fixture.audited()).toContain(`${CAROL} review reviewed`)
    expect(await listRequests(store.db, { isUnreviewed: true, limit: 10 })).toEqual([])
    expect(line(await review(request, BOB))).toBe(
      `already_reviewed: #${request.id} is reviewed already: <@U0CAROL> did it <date>. Your click changed nothing.`,
    )
  })

  test('of two at once is written once', async () => {
    const request = await over()
    const outcomes = await Promise.all([review(request, CAROL), review(request, DAVE), review(request, CAROL)])
    expect(outcomes.map((outcome) => (isRefusal(outcome) ? outcome.code : outcome.kind)).toSorted()).toEqual([
      'already_reviewed',
      'already_reviewed',
      'reviewed',
    ])
    expect(await fixture.events(request.id)).toEqual(['glass_broken', 'reviewed'])
  })

  test.each([
    [
      ALICE,
      'own_break_glass',
      'You asked for #1 or broke its glass yourself, so somebody else has to review it: one of <!subteam^S0DBA> or <@U0BOB>. Nothing was changed; its mark stays.',
    ],
    [
      'U0SECOND',
      'own_break_glass',
      'You asked for #1 or broke its glass yourself, so somebody else has to review it: one of <!subteam^S0DBA> or <@U0BOB>. Nothing was changed; its mark stays.',
    ],
    [
      'U0ERIN',
      'not_a_reviewer',
      '#1 is reviewed by <!subteam^S0DBA> or <@U0BOB>. You are not among them. Nothing was changed; its mark stays.',
    ],
    [
      'U0GUEST',
      'not_a_member',
      'Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it.',
    ],
  ])('by %s is refused as %s', async (account, code, text) => {
    fixture.slack.users.set('U0ERIN', fixture.slack.member('U0ERIN'))
    fixture.peopleFile['U0SECOND'] = ALICE
    fixture.slack.groups.set('S0DBA', [ALICE, 'U0SECOND', 'U0GUEST', CAROL])
    const request = await over()
    const before = await everything(request)
    expect(line(await review(request, account))).toBe(`${code}: ${text}`)
    expect(await everything(request)).toEqual(before)
    expect((await fixture.audited()).at(-1)).toBe(`${account} review ${code}`)
  })

  test('by the one who asked is refused although somebody else broke the glass, and by whoever broke it for an earlier plan', async () => {
    fixture.slack.groups.set('S0DBA', [ALICE, CAROL])
    const request = await fixture.waiting()
    await smash(request, BOB)
    await transition(store.db, request.id, ['granted'], 'cancelled')
    for (const account of [ALICE, BOB]) expect(await review(request, account)).toMatchObject({ code: 'own_break_glass' })
    await store.db.query(`update lockkeeper.request set state = 'waiting', ended_at = null, digest = $1`, ['b'.repeat(64)])
    await smash(request, ALICE, { digest: 'b'.repeat(64) })
    await transition(store.db, request.id, ['granted'], 'cancelled')
    for (const account of [ALICE, BOB]) expect(await review(request, account)).toMatchObject({ code: 'own_break_glass' })
    expect(await review(request, CAROL)).toMatchObject({ kind: 'reviewed' })
  })

  test('waits for the end of the run, and for somebody who takes over where a person is needed', async () => {
    const request = await fixture.waiting({ breakGlass: WHY })
    expect(line(await review(request, CAROL))).toBe(
      `not_to_review: The glass of #${request.id} was not broken, so there is nothing to review. Nothing was changed.`,
    )
    await smash(request, ALICE)
    await transition(store.db, request.id, ['granted'], 'running')
    expect(line(await review(request, CAROL))).toBe(
      `not_to_review: #${request.id} has not ended: it is running since <date>. Review it when it has ended. Nothing was changed.`,
    )
    await transition(store.db, request.id, ['running'], 'needs_human')
    expect(line(await review(request, CAROL))).toBe(
      `not_to_review: #${request.id} has not ended: it is stopped and in need of a person since <date>. Review it when somebody has taken over and closed it. Nothing was changed.`,
    )
  })

  test('with a forged token or an unreadable group is refused', async () => {
    const request = await over()
    expect(await reviewRequest(fixture.deps, { token: 'r_forged', account: CAROL, note: null, entry: 'modal' })).toMatchObject({
      code: 'stale_button',
    })
    fixture.slack.state.areGroupsUnreadable = true
    expect(line(await review(request, CAROL))).toBe(
      `approvers_unknown: #${request.id} is reviewed by <!subteam^S0DBA> or <@U0BOB>, and Slack does not say now who that is. What cannot be checked is refused. Nothing was changed; try again in a minute.`,
    )
  })

  test('is possible for a target that allows it no longer, by the reviewers of then', async () => {
    const request = await over()
    fixture.setTarget('prod', { ...baseTarget, approvals: { required: 1, from: [`user:${DAVE}`] } })
    expect((await review(request, CAROL)).kind).toBe('reviewed')
  })

  test('is possible when it asked anew under rules without break-glass, which void what was let through', async () => {
    const request = await fixture.waiting()
    await smash(request, ALICE)
    const { breakGlass: _gone, ...policy } = request.policy ?? {}
    fixture.setTarget('prod', baseTarget)
    await transition(store.db, request.id, ['granted'], 'waiting', { policy, digest: 'b'.repeat(64) })
    expect(await listRequests(store.db, { isUnreviewed: true, limit: 10 })).toMatchObject([{ id: request.id }])
    await transition(store.db, request.id, ['waiting'], 'cancelled')
    expect((await review(request, CAROL)).kind).toBe('reviewed')
  })

  test('by somebody who took part cannot be written into the store at all', async () => {
    const request = await over()
    await expect(
      store.db.query(
        `update lockkeeper.break_glass set reviewed_by = $2, reviewed_by_human = $2, reviewed_at = clock_timestamp() where request_id = $1`,
        [request.id, ALICE],
      ),
    ).rejects.toThrow(/check constraint/)
  })
})

describe('reminders', () => {
  const dueNow = () => store.db.query(`update lockkeeper.break_glass set remind_at = clock_timestamp() - interval '1 s'`)
  const nothing = { requests: 0, grants: 0, reminders: 0, escalations: 0, reviews: 0 }

  test('come when they are due, once with any number of replicas, again after the time, and never after the review', async () => {
    const request = await over()
    expect(await expireDue(fixture.deps)).toEqual(nothing)
    for (let round = 1; round <= 2; round++) {
      await dueNow()
      const found = await Promise.all(Array.from({ length: 4 }, () => expireDue(fixture.deps)))
      expect(found.reduce((sum, { reviews }) => sum + reviews, 0)).toBe(1)
      expect((await fixture.events(request.id)).filter((kind) => kind === 'review_due')).toHaveLength(round)
    }
    expect((await eventsOf(store.db, request.id)).at(-1)).toMatchObject({
      kind: 'review_due',
      data: { review: ['group:S0DBA', 'user:U0BOB'], users: [CAROL, DAVE, BOB] },
    })
    const [row] = await store.db.query<{ hours: number }>(
      `select round(extract(epoch from remind_at - clock_timestamp()) / 3600)::int as hours from lockkeeper.break_glass`,
    )
    expect(row?.hours).toBe(24)
    await review(request, CAROL)
    await dueNow()
    expect(await expireDue(fixture.deps)).toEqual(nothing)
  })

  test('wait for the end of the run', async () => {
    const request = await fixture.waiting({ breakGlass: WHY })
    await smash(request, ALICE)
    await dueNow()
    expect(await expireDue(fixture.deps)).toEqual(nothing)
    await transition(store.db, request.id, ['granted'], 'cancelled')
    expect(await expireDue(fixture.deps)).toEqual({ ...nothing, reviews: 1 })
  })

  test('come too while the run needs a person, and say that it has to be closed first', async () => {
    const request = await fixture.waiting({ breakGlass: WHY })
    await smash(request, ALICE)
    await transition(store.db, request.id, ['granted'], 'needs_human')
    await dueNow()
    expect(await expireDue(fixture.deps)).toEqual({ ...nothing, reviews: 1 })
    expect((await eventsOf(store.db, request.id)).at(-1)).toMatchObject({ kind: 'review_due', data: { needsPerson: true } })
    await transition(store.db, request.id, ['needs_human'], 'cancelled')
    await dueNow()
    expect(await expireDue(fixture.deps)).toEqual({ ...nothing, reviews: 1 })
    expect((await eventsOf(store.db, request.id)).at(-1)?.data).not.toHaveProperty('needsPerson')
  })
})
