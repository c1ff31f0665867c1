import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freezeTargets, unfreezeTargets } from '../../../approvals/decisions/freeze.ts'
import { actOnDue } from '../../../src/store/due.ts'
import { freezeMessage, type FreezeNews } from '../../../src/windows/freezes/draw.ts'
import { freezesDue, freezesInForce } from '../../../src/windows/freezes/freezes.ts'
import { storeNow } from '../../../src/store/now.ts'
import { ALICE, baseTarget, BOB, CAROL, createFixture, type Store, type Fixture } from '../../approvals/fixture.ts'
import { createStore } from '../../helpers/postgres.ts'
import { spoken } from '../../helpers/spoken.ts'

let store: Store
let fixture: Fixture
const HOUR = 3_600_000

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  await store.db.query(`update lockkeeper.store set clock_offset = '0'`)
  fixture = await createFixture({
    store,
    targets: {
      prod: { ...baseTarget, label: 'Production', timezone: 'America/New_York', windows: { manage: ['group:S0DBA'] } },
      eu: { ...baseTarget, channel: 'C0EUROPE', requests: { from: ['user:U0BOB', 'user:U0CAROL'] } },
    },
  })
})

const targetsOf = (...names: readonly string[]) => names.map((name) => fixture.targets.get(name) ?? expect.fail(`no target ${name}`))
const freezing = async (how: {
  readonly by?: string
  readonly kind?: 'freeze' | 'lock'
  readonly targets?: readonly string[] | null
  readonly forMs?: number | null
  readonly reason?: string
}) =>
  freezeTargets(fixture.deps, {
    kind: how.kind ?? 'freeze',
    targets: how.targets === null ? null : targetsOf(...(how.targets ?? ['prod'])),
    account: how.by ?? CAROL,
    entry: 'slash',
    until: how.forMs === null ? null : (await storeNow(store.db)) + (how.forMs ?? 48 * HOUR),
    reason: how.reason ?? 'end of the quarter',
  })
const lifting = (kind: 'freeze' | 'lock', targets: readonly string[] | null, by = CAROL) =>
  unfreezeTargets(fixture.deps, { kind, targets: targets === null ? null : targetsOf(...targets), account: by, entry: 'slash' })
const said = ({ text }: { readonly text: string }) =>
  text
    .replace(/<!date[^>]*>/g, '{time}')
    .replace(/\((Sun|Mon|Tue|Wed|Thu|Fri|Sat) \d+ [A-Z]\w+( \d{4})? [\d:]+( [A-Z][^\s,)]*)/g, (_all, _day, year, zone) =>
      year === undefined ? `({time}${zone}` : `({time with year}${zone}`,
    )
/** What the channels are told, oldest first. */
const posts = async () =>
  (
    await store.db.query<{ channel: string; data: FreezeNews }>(
      `select channel, data from lockkeeper.bulletin where kind = 'freeze' order by id`,
    )
  ).map(({ channel, data }) => `${channel} ${said({ text: spoken(freezeMessage(data)).join(' / ') })}`)
const later = (by: string) => store.db.query(`update lockkeeper.store set clock_offset = clock_offset + $1::interval`, [by])
const look = () => actOnDue(store.db, [freezesDue(store.db, fixture.targets, '/migrate')])

describe('a freeze', () => {
  test('is in force for its target, says so in the channel, and is audited', async () => {
    expect(said(await freezing({}))).toMatchInlineSnapshot(
      `"\`prod\` is frozen until {time} ({time with year} America/New_York, in 2 d): nothing starts, and what runs goes on. To end it earlier: \`/migrate unfreeze prod\`."`,
    )
    expect(await freezesInForce(store.db, 'prod')).toMatchObject([
      { kind: 'freeze', targets: ['prod'], setBy: CAROL, reason: 'end of the quarter' },
    ])
    expect(await freezesInForce(store.db, 'eu')).toEqual([])
    expect(await posts()).toMatchInlineSnapshot(`
      [
        "C0DEPLOYS *Production is frozen* until {time} ({time} America/New_York), by <@U0CAROL>. Nothing starts; what runs goes on. / > end of the quarter / \`/migrate unfreeze prod\` ends it earlier.",
      ]
    `)
    expect(await fixture.audited()).toEqual(['U0CAROL freeze set'])
  })

  test('of all targets is said once in each channel, and needs the right for each of them', async () => {
    expect(said(await freezing({ targets: null, by: BOB }))).toMatchInlineSnapshot(
      `"Windows, freezes and locks of \`prod\` are set and lifted by <!subteam^S0DBA> only. Nothing was changed. Ask one of them."`,
    )
    expect(await posts()).toEqual([])
    expect(said(await freezing({ targets: null, forMs: null, reason: '' }))).toMatchInlineSnapshot(
      `"All targets are frozen until somebody lifts it: nothing starts, and what runs goes on. To end it: \`/migrate unfreeze all\`."`,
    )
    expect(await posts()).toMatchInlineSnapshot(`
      [
        "C0DEPLOYS *Every target is frozen* until somebody lifts it, by <@U0CAROL>. Nothing starts; what runs goes on. / \`/migrate unfreeze all\` ends it.",
        "C0EUROPE *Every target is frozen* until somebody lifts it, by <@U0CAROL>. Nothing starts; what runs goes on. / \`/migrate unfreeze all\` ends it.",
      ]
    `)
    expect(await freezesInForce(store.db, 'eu')).toHaveLength(1)
    expect(await fixture.audited()).toEqual(['U0BOB freeze not_allowed_to_schedule', 'U0CAROL freeze set'])
  })

  test('set again replaces the one before', async () => {
    await freezing({})
    expect(said(await freezing({ forMs: 72 * HOUR, reason: 'and a day more' }))).toMatchInlineSnapshot(
      `"\`prod\` is frozen until {time} ({time with year} America/New_York, in 3 d): nothing starts, and what runs goes on. It replaces the one that <@U0CAROL> set until {time} ({time} America/New_York). To end it earlier: \`/migrate unfreeze prod\`."`,
    )
    expect(await freezesInForce(store.db, 'prod')).toMatchObject([{ reason: 'and a day more' }])
  })

  test('is lifted by those who may set it, and leaves a note and a row', async () => {
    await freezing({})
    expect(said(await lifting('freeze', ['prod'], ALICE))).toMatchInlineSnapshot(
      `"Windows, freezes and locks of \`prod\` are set and lifted by <!subteam^S0DBA> only. Nothing was changed. Ask one of them."`,
    )
    expect(await freezesInForce(store.db, 'prod')).toHaveLength(1)
    expect(said(await lifting('freeze', ['prod']))).toMatchInlineSnapshot(
      `"The freeze of \`prod\` is lifted: set by <@U0CAROL>, “end of the quarter”."`,
    )
    expect(await freezesInForce(store.db, 'prod')).toEqual([])
    expect((await posts()).slice(1)).toMatchInlineSnapshot(`
      [
        "C0DEPLOYS *The freeze of Production is lifted* by <@U0CAROL>. Runs may start again, within the hours of their targets.",
      ]
    `)
    expect(await fixture.audited()).toEqual(['U0CAROL freeze set', 'U0ALICE unfreeze not_allowed_to_schedule', 'U0CAROL unfreeze lifted'])
  })

  test('that is not there cannot be lifted, and another is not lifted by mistake', async () => {
    await freezing({ targets: null })
    await freezing({ kind: 'lock', forMs: null })
    expect(said(await lifting('freeze', ['prod']))).toMatchInlineSnapshot(
      `"No freeze of \`prod\` is in force, so nothing was changed. One of all targets is lifted with \`/migrate unfreeze all\`, and one of lockkeeper.yaml there. \`/migrate status prod\` says what holds it."`,
    )
    expect(said(await lifting('freeze', ['eu']))).toMatchInlineSnapshot(
      `"No freeze of \`eu\` is in force, so nothing was changed. One of all targets is lifted with \`/migrate unfreeze all\`, and one of lockkeeper.yaml there. \`/migrate status eu\` says what holds it."`,
    )
    expect(await freezesInForce(store.db, 'prod')).toHaveLength(2)
  })

  test('is told an hour before it ends to whoever set it, ends by itself, and each is said once with several replicas', async () => {
    await freezing({})
    await look()
    expect(await posts()).toHaveLength(1)
    await later('47 hours 5 minutes')
    await Promise.all([look(), look(), look()])
    expect((await posts()).slice(1)).toMatchInlineSnapshot(`
      [
        "C0DEPLOYS <@U0CAROL>, the freeze of *Production* that you set ends {time} ({time} America/New_York). Runs may start then. To keep it, set it anew: \`/migrate freeze prod until …\`. / > end of the quarter",
      ]
    `)
    await later('1 hour')
    await Promise.all([look(), look()])
    expect((await posts()).slice(2)).toMatchInlineSnapshot(`
      [
        "C0DEPLOYS *The freeze of Production has ended*, as it was set by <@U0CAROL>. Runs may start again, within the hours of their targets.",
      ]
    `)
    expect(await freezesInForce(store.db, 'prod')).toEqual([])
    await look()
    expect(await posts()).toHaveLength(3)
    expect(await fixture.audited()).toEqual(['U0CAROL freeze set', 'lockkeeper freeze ended'])
  })

  test('for less than an hour ends without being announced, and one that was lifted ends in silence', async () => {
    await freezing({ forMs: HOUR / 2 })
    await look()
    expect(await posts()).toHaveLength(1)
    await lifting('freeze', ['prod'])
    await later('2 hours')
    await look()
    expect(await posts()).toHaveLength(2)
  })
})

test('whoever may ask for runs may freeze where nobody else is named, and nobody may when Slack does not say who that is', async () => {
  expect(said(await freezing({ targets: ['eu'], by: BOB }))).toContain('`eu` is frozen until')
  expect(said(await freezing({ targets: ['eu'], by: ALICE }))).toMatchInlineSnapshot(
    `"Windows, freezes and locks of \`eu\` are set and lifted by <@U0BOB> or <@U0CAROL> only. Nothing was changed. Ask one of them."`,
  )
  fixture.slack.state.areGroupsUnreadable = true
  expect(said(await freezing({}))).toMatchInlineSnapshot(
    `"Windows, freezes and locks of \`prod\` are set and lifted by <!subteam^S0DBA> only, and Slack does not say now who that is. What cannot be checked is refused; nothing was changed. Try again in a minute."`,
  )
})
