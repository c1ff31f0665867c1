import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { askAgain, queueOffered } from '../../approvals/requests/again.ts'
import { expireDue } from '../../approvals/decisions/expiry.ts'
import { gateFor, passes, type Doors } from '../../approvals/gate.ts'
import { openRequest } from '../../approvals/requests/request.ts'
import { castVote } from '../../approvals/decisions/vote.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { storeNow } from '../../src/store/now.ts'
import { nextCheck, startSlotOf } from '../../src/request/start-slot.ts'
import { transition } from '../../src/request/store.ts'
import { setFreeze } from '../../src/windows/freezes/freezes.ts'
import { ALICE, baseTarget, BOB, CAROL, createFixture, DIGEST, type Store, type Fixture } from './fixture.ts'
import { createStore } from '../helpers/postgres.ts'

let store: Store
let fixture: Fixture

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({
    store,
    targets: {
      prod: { ...baseTarget, timezone: 'America/New_York', windows: { allow: 'Tue,Wed 02:00-04:00', override: ['user:U0CAROL'] } },
      open: { ...baseTarget, approvals: { ...baseTarget.approvals, escalate: ['user:U0DAVE'] } },
      loose: { ...baseTarget, protected: false, windows: { allow: 'Tue,Wed 02:00-04:00' } },
    },
  })
  await setClock('2026-11-30 12:00 America/New_York') // a Monday
})

const setClock = (at: string) => store.db.query(`update lockkeeper.store set clock_offset = $1::timestamptz - clock_timestamp()`, [at])
const againDeps = () => ({ ...fixture.deps, whyNoRun: async () => null })
const target = (name: string) => fixture.targets.get(name) ?? expect.fail(`no target ${name}`)
const asking = (
  name: string,
  how: { readonly at?: number; readonly override?: string; readonly by?: string; readonly entry?: 'slash' | 'cli' } = {},
) =>
  openRequest(fixture.deps, {
    target: target(name),
    ask: { ref: null, reason: 'the "spring" columns', skipApp: false },
    account: how.by ?? ALICE,
    askedIn: 'C0DEPLOYS',
    entry: how.entry ?? 'slash',
    ...(how.at === undefined ? {} : { slot: { at: how.at } }),
    ...(how.override === undefined ? {} : { override: how.override }),
  })
const said = (outcome: unknown) =>
  isRefusal(outcome)
    ? `${outcome.code}: ${outcome.text.replace(/<!date[^>]*>/g, '{time}')}`.replace(/in \d+ h( \d+ min)?/g, 'in {duration}')
    : JSON.stringify(outcome)
const opensWith = (outcome: Awaited<ReturnType<typeof openRequest>>) => {
  if (isRefusal(outcome)) throw new Error(outcome.text)
  return outcome
}
const freezing = (targets: readonly string[] | null, hours = 48) =>
  store.db.transaction(async (tx) =>
    setFreeze(tx, {
      kind: 'freeze',
      targets,
      reason: 'the fair',
      setBy: CAROL,
      setByHuman: CAROL,
      until: (await storeNow(tx)) + hours * 3_600_000,
    }),
  )
/** As the workflow leaves it. */
const planned = async (id: number) => {
  const like = await fixture.waiting({ target: 'open' })
  await transition(store.db, id, ['planning'], 'waiting', {
    plan: like.plan,
    digest: DIGEST,
    evidence: like.evidence,
    policy: like.policy,
    expiresIn: 1_000_000,
  })
  await store.db.query(`update lockkeeper.request set state = 'cancelled' where id = $1`, [like.id])
  return fixture.request(id)
}
const voting = (token: string, by = BOB) =>
  castVote(fixture.deps, { token, account: by, entry: 'button', decision: 'approve', digest: DIGEST })
const TUESDAY = Date.UTC(2026, 11, 1, 7)

describe('whether it is open, from what is known', () => {
  const span = fc.record({ from: fc.integer({ min: 0, max: 10 }), to: fc.integer({ min: 11, max: 20 }) })
  const status = fc.oneof(
    fc.record({ kind: fc.constant('open' as const), span, always: fc.boolean() }),
    fc.record({
      kind: fc.constant('closed' as const),
      why: fc.constantFrom('hours' as const, 'holiday' as const, 'frozen' as const),
      name: fc.constant('x'),
      until: fc.constant(null),
      next: fc.constant(null),
    }),
  )
  const doors: fc.Arbitrary<Doors> = fc.record({
    isProtected: fc.boolean(),
    status,
    window: fc.option(fc.record({ id: fc.constant(7), endsAt: fc.integer({ min: 11, max: 30 }) })),
    isOverridden: fc.boolean(),
  })
  const needs = (window: 'required' | 'optional') => ({ window, class: 'breaking' as const })

  test('nothing but an override passes a freeze', () => {
    fc.assert(
      fc.property(doors, (given) => {
        const isFrozen = given.status.kind === 'closed' && given.status.why === 'frozen'
        expect(passes(given).kind === 'frozen').toBe(isFrozen && !given.isOverridden)
      }),
    )
  })

  test('a protected target keeps its hours, unless a maintenance window or an override opens it; another does not keep them', () => {
    fc.assert(
      fc.property(doors, (given) => {
        const isShut = given.status.kind === 'closed' && given.status.why !== 'frozen'
        expect(passes(given).kind === 'outside').toBe(isShut && given.isProtected && given.window === null && !given.isOverridden)
      }),
    )
  })

  test('what needs a window has one, hours that are written down, or an override; what needs none is stopped by a freeze alone', () => {
    fc.assert(
      fc.property(doors, (given) => {
        const isFrozen = given.status.kind === 'closed' && given.status.why === 'frozen'
        const hasHours = given.status.kind === 'open' && !given.status.always
        const required = passes({ ...given, need: needs('required') })
        expect(required.kind === 'open').toBe(given.isOverridden || (!isFrozen && (given.window !== null || hasHours)))
        expect(passes({ ...given, need: needs('optional') }).kind === 'open').toBe(given.isOverridden || !isFrozen)
        // never wider than without a rule
        expect([required.kind, passes(given).kind]).not.toEqual(['open', 'outside'])
      }),
    )
  })

  test('it closes no earlier than the window that it is in', () => {
    fc.assert(
      fc.property(doors, (given) => {
        const passage = passes(given)
        if (passage.kind !== 'open' || passage.windowId === null) return
        expect(passage.closesAt).toBeGreaterThanOrEqual(given.window?.endsAt ?? Infinity)
      }),
    )
  })

  test('the next check is ahead of now and before the turn, 8 hours or 1 hour', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e8 }), fc.integer({ min: 0, max: 1e8 }), (turn, now) => {
        const at = nextCheck(turn, now)
        fc.pre(at !== null)
        expect(at > now && [8, 1].includes((turn - at) / 3_600_000)).toBe(true)
        const row = { notBefore: new Date(turn), checkAt: new Date(at) }
        expect([startSlotOf(row, now), startSlotOf(row, at), startSlotOf(row, turn)]).toEqual(['later', 'check', 'now'])
      }),
    )
  })
})

describe('outside of its hours', () => {
  test('a request is refused, and offered for the next opening', async () => {
    const refusal = await asking('prod')
    expect(said(refusal)).toMatchInlineSnapshot(
      `"outside_window: \`prod\` is closed: runs start \`Tue,Wed 02:00-04:00\` only. Nothing was started. It opens {time} to {time} (Tue 1 Dec 02:00 to 04:00 America/New_York), in {duration}."`,
    )
    expect(isRefusal(refusal) && refusal.offer?.label).toBe('Queue for Tue 1 Dec 02:00 America/New_York')
    expect(said(await asking('prod', { entry: 'cli' }))).toMatchInlineSnapshot(
      `"outside_window: \`prod\` is closed: runs start \`Tue,Wed 02:00-04:00\` only. Nothing was started. It opens {time} to {time} (Tue 1 Dec 02:00 to 04:00 America/New_York), in {duration}. To queue it for then: \`/migrate deploy prod --at "2026-12-01 02:00 America/New_York" --reason "the \\"spring\\" columns"\`"`,
    )
    expect(await fixture.audited()).toEqual(['U0ALICE request outside_window', 'U0ALICE request outside_window'])
  })

  test('a target without protection, one without hours, and one in its hours are open', async () => {
    expect(await asking('loose')).toMatchObject({ kind: 'opened', slot: null })
    expect(await asking('open')).toMatchObject({ kind: 'opened', slot: null })
    await setClock('2026-12-01 02:30 America/New_York')
    expect(await asking('prod')).toMatchObject({ kind: 'opened', slot: null })
  })

  test('an approval of a request from the opening before is refused, and counts nothing', async () => {
    await setClock('2026-12-01 03:59 America/New_York')
    const opened = opensWith(await asking('prod'))
    await planned(opened.id)
    await setClock('2026-12-01 04:01 America/New_York')
    expect(said(await voting(opened.token))).toMatchInlineSnapshot(
      `"outside_window: #1 cannot be approved now. \`prod\` is closed: runs start \`Tue,Wed 02:00-04:00\` only. No approval opens that, so your click changed nothing. It opens {time} to {time} (Wed 2 Dec 02:00 to 04:00 America/New_York), in {duration}."`,
    )
    expect(await fixture.request(opened.id)).toMatchObject({ state: 'waiting' })
  })

  test('a maintenance window opens it', async () => {
    await store.db.query(
      `insert into lockkeeper.maintenance (token, targets, starts_at, ends_at, timezone, reason, owner, owner_human, channels)
       values ('w_1', '{prod}', lockkeeper.now() - interval '1 hour', lockkeeper.now() + interval '1 hour', 'UTC', 'x', 'U0BOB', 'U0BOB', '{}')`,
    )
    const opened = opensWith(await asking('prod'))
    expect(await gateFor(fixture.deps, store.db, await fixture.request(opened.id))).toMatchObject({ kind: 'open', windowId: 1 })
  })
})

describe('an offer', () => {
  const offered = async () => {
    const refusal = await asking('prod')
    return (isRefusal(refusal) ? refusal.offer?.token : undefined) ?? expect.fail('nothing was offered')
  }
  const taking = (token: string, account = ALICE) => queueOffered(againDeps(), { token, account, entry: 'button' })

  test('is taken once, by whoever it was made to, and waits for its turn', async () => {
    const token = await offered()
    expect(said(await taking(token, BOB))).toMatchInlineSnapshot(
      `"not_allowed_to_ask: This was offered to <@U0ALICE>, and only they can take it. Nothing was started. To ask yourself: \`/migrate deploy prod\`."`,
    )
    expect(said(await taking('r_unknown'))).toContain('stale_button')
    expect(await taking(token)).toMatchObject({ kind: 'opened' })
    expect(await fixture.request(1)).toMatchObject({
      notBefore: new Date(TUESDAY),
      notAfter: new Date(TUESDAY + 7_200_000),
      checkAt: new Date(TUESDAY - 8 * 3_600_000),
    })
    expect(said(await taking(token))).toMatchInlineSnapshot(
      `"already_decided: This was queued already: it is #1. Your click changed nothing."`,
    )
  })

  test('of an opening that has begun starts at once, and of one that has closed is refused', async () => {
    const token = await offered()
    await setClock('2026-12-01 03:00 America/New_York')
    expect(await taking(token)).toMatchObject({ kind: 'opened' })
    expect(await fixture.request(1)).toMatchObject({ notBefore: null })
    await store.db.query(`update lockkeeper.request set state = 'cancelled'`)
    await setClock('2026-11-30 12:00 America/New_York')
    const late = await offered()
    await setClock('2026-12-01 05:00 America/New_York')
    expect(said(await taking(late))).toContain('outside_window')
  })
})

describe('an approval for a window', () => {
  test('lasts until the window closes, and says so', async () => {
    const opened = opensWith(await asking('prod', { at: TUESDAY }))
    await planned(opened.id)
    const voted = await voting(opened.token)
    expect('text' in voted && voted.text.replace(/<!date[^>]*>/g, '{time}')).toBe(
      `Your approval of #${opened.id} is counted: 1 of 1. It starts by itself {time}; this approval lasts until its window closes, {time}.`,
    )
    expect(await fixture.request(opened.id)).toMatchObject({ state: 'granted', grantExpiresAt: new Date(TUESDAY + 7_200_000) })
    await setClock('2026-12-01 04:00:01 America/New_York')
    expect(await expireDue(fixture.deps)).toMatchObject({ grants: 1 })
    expect(await fixture.request(opened.id)).toMatchObject({ state: 'expired' })
    expect((await fixture.audited()).at(-1)).toBe('lockkeeper expire window_closed')
  })

  test('is not taken in a freeze that covers its turn, and a time outside of the hours is refused', async () => {
    expect(said(await asking('prod', { at: TUESDAY + 9_000_000 }))).toMatchInlineSnapshot(
      `"outside_window: \`prod\` is closed at that time, {time} (Tue 1 Dec 04:30 America/New_York): it is outside of \`Tue,Wed 02:00-04:00\`. Nothing was started. The next opening after that is {time} to {time} (Wed 2 Dec 02:00 to 04:00 America/New_York)."`,
    )
    const opened = opensWith(await asking('prod', { at: TUESDAY }))
    await planned(opened.id)
    await freezing(['prod'])
    expect(said(await voting(opened.token))).toMatchInlineSnapshot(
      `"frozen: #1 cannot be approved now. \`prod\` is frozen until {time} (Wed 2 Dec 12:00 America/New_York) by <@U0CAROL>: “the fair”. No approval opens that, so your click changed nothing. The freeze ends by itself then, or earlier with \`/migrate unfreeze prod\`. It opens {time} to {time} (Tue 8 Dec 02:00 to 04:00 America/New_York), in 7 d 14 h."`,
    )
    expect((await fixture.audited()).at(-1)).toBe('U0BOB approve frozen')
  })
})

describe('in a freeze', () => {
  test('asking is refused with who, why, until when and how it ends; other targets are free', async () => {
    await freezing(['open'])
    expect(said(await asking('open'))).toMatchInlineSnapshot(
      `"frozen: \`open\` is frozen until {time} (Wed 2 Dec 17:00 UTC) by <@U0CAROL>: “the fair”. Nothing was started. The freeze ends by itself then, or earlier with \`/migrate unfreeze open\`."`,
    )
    expect(await asking('loose')).toMatchObject({ kind: 'opened' })
  })

  test('what was approved before does not start', async () => {
    const request = await fixture.waiting({ target: 'open' })
    await freezing(null)
    const passage = await gateFor(fixture.deps, store.db, request)
    expect(passage.kind === 'shut' && passage.refusal.code).toBe('frozen')
  })
})

describe('an override', () => {
  test('is for those who are named, loud, audited, and no approval', async () => {
    expect(said(await asking('prod', { override: 'it is down' }))).toMatchInlineSnapshot(
      `"not_allowed_to_override: Windows and freezes of \`prod\` are overridden by <@U0CAROL> only. Nothing was started. Ask one of them, or ask without \`--override\` for the next opening."`,
    )
    expect(said(await asking('open', { override: 'it is down', by: CAROL }))).toMatchInlineSnapshot(
      `"not_allowed_to_override: Nobody may override the windows and freezes of \`open\`: \`windows.override\` in lockkeeper.yaml names nobody. Nothing was started. Ask for the next opening, or have a freeze lifted with \`/migrate unfreeze open\`."`,
    )
    await freezing(['prod'])
    const opened = opensWith(await asking('prod', { override: 'it is down', by: CAROL }))
    const request = await planned(opened.id)
    expect(request).toMatchObject({ overrideReason: 'it is down', state: 'waiting' })
    expect(await fixture.events(opened.id)).toEqual(['overridden'])
    expect(await gateFor(fixture.deps, store.db, request)).toMatchObject({ kind: 'open' })
    expect(await voting(opened.token)).toMatchObject({ kind: 'granted' })
    fixture.setTarget('prod', { ...baseTarget, windows: { allow: 'Tue,Wed 02:00-04:00' } })
    const passage = await gateFor(fixture.deps, store.db, request)
    expect(passage.kind === 'shut' && said(passage.refusal)).toMatchInlineSnapshot(
      `"not_allowed_to_override: <@U0CAROL> may not override the windows and freezes of \`prod\` any more, and it is closed. Nothing was started. Ask for the next opening."`,
    )
    expect(await fixture.audited()).toContain('U0CAROL override asked')
  })
})

test('when nobody answers, somebody else is told once at three quarters of the time, and whoever asked may ask again', async () => {
  const request = await fixture.waiting({ target: 'open' })
  await store.db.query(`update lockkeeper.store set clock_offset = clock_offset + interval '2 hours 50 minutes'`)
  expect(await expireDue(fixture.deps)).toMatchObject({ reminders: 1, escalations: 0 })
  await store.db.query(`update lockkeeper.store set clock_offset = clock_offset + interval '15 minutes'`)
  expect((await Promise.all([expireDue(fixture.deps), expireDue(fixture.deps)])).reduce((sum, one) => sum + one.escalations, 0)).toBe(1)
  expect(await fixture.events(request.id)).toEqual(['reminded', 'escalated'])
  await store.db.query(`update lockkeeper.store set clock_offset = clock_offset + interval '1 hour'`)
  await expireDue(fixture.deps)
  const again = (account: string) => askAgain(againDeps(), { token: request.token, account, entry: 'button' })
  expect(said(await again(BOB))).toMatchInlineSnapshot(
    `"not_allowed_to_ask: #1 was asked for by <@U0ALICE>, and only they can ask for it again here. Nothing was started. To ask yourself: \`/migrate deploy open\`."`,
  )
  expect(await again(ALICE)).toMatchObject({ kind: 'opened' })
  expect(await fixture.request(request.id + 1)).toMatchObject({ ask: request.ask, requester: ALICE, state: 'planning' })
})
