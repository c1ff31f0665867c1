import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createHomes, type Homes } from '../../../approvals/home/publish.ts'
import { actOnDue } from '../../../src/store/due.ts'
import { createLog } from '../../../src/lib/log.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import type { Sent, View } from '../../../src/slack/port.ts'
import { setFreeze } from '../../../src/windows/freezes/freezes.ts'
import { changeWindow, insertWindow } from '../../../src/windows/store.ts'
import { createStore } from '../../helpers/postgres.ts'
import { spoken } from '../../helpers/spoken.ts'
import { baseTarget, createFixture, type Store, type Fixture } from '../fixture.ts'

let store: Store
let fixture: Fixture
const HOUR = 3_600_000
const LINK = 'https://example.slack.com/archives/C0DEPLOYS/p1'

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({ store, targets: { prod: { ...baseTarget, label: 'Production' } } })
  await store.db.query(`truncate lockkeeper.maintenance, lockkeeper.freeze, lockkeeper.home cascade`)
  await store.db.query(`update lockkeeper.home_drawn set mark = null, next_at = '-infinity', lease = '-infinity'`)
})

/** One replica, with what it told Slack. */
function replica(
  answer: () => Sent<null> = () => ({ kind: 'ok', value: null }),
  permalink: () => Sent<string> = () => ({ kind: 'refused', error: 'message_not_found' }),
) {
  const published: { readonly account: string; readonly text: string; readonly links: number }[] = []
  const says: { notice: string | null } = { notice: null }
  const homes = createHomes({
    commands: { migrate: '/migrate', maintenance: '/maintenance' },
    db: store.db,
    targets: fixture.targets,
    people: fixture.deps.people,
    freezes: [],
    log: createLog(createRedactor([]), 'fatal', process.stderr),
    clock: { now: () => 0 },
    notice: () => says.notice,
    slack: {
      permalink: () => Promise.resolve(permalink()),
      user: () => Promise.resolve({ kind: 'unsure', cause: 'no answer' }),
      publishHome: (account: string, view: View) => {
        published.push({ account, text: spoken(view).join('\n'), links: JSON.stringify(view).split(LINK).length - 1 })
        return Promise.resolve(answer())
      },
    },
  })
  return { homes, published, says }
}

const isDue = async ({ due }: Homes) => (await store.db.query<{ due: boolean }>(`select ${due.isDue} as due`))[0]?.due
const pauseIsOver = () => store.db.query(`update lockkeeper.home_drawn set lease = '-infinity'`)
const schedule = async (reason: string) => {
  const [row] = await store.db.query<{ ms: number }>('select (extract(epoch from lockkeeper.now()) * 1000)::float8 as ms')
  const startsAt = (row?.ms ?? 0) + HOUR
  const window = await insertWindow(store.db, {
    targets: ['prod'],
    startsAt,
    endsAt: startsAt + HOUR,
    timezone: 'UTC',
    reason,
    work: null,
    owner: 'U0ALICE',
    ownerHuman: 'U0ALICE',
    channels: ['C0DEPLOYS'],
  })
  return window?.id ?? expect.fail('the window was not written')
}
const freeze = () =>
  store.db.transaction((tx) =>
    setFreeze(tx, { kind: 'freeze', targets: ['prod'], reason: 'Sales', setBy: 'U0BOB', setByHuman: 'U0BOB', until: null }),
  )

test('nothing is due as long as nobody looks', async () => {
  const { homes } = replica()
  await schedule('New disks')
  expect(await isDue(homes)).toBe(false)
})

test('a window, its change, and a freeze are each due once, and then no more', async () => {
  const { homes, published } = replica()
  await homes.show('U0ALICE')
  await actOnDue(store.db, [homes.due])
  expect(published).toHaveLength(1) // as it was when it was opened: the same is not sent twice
  const changes: readonly (readonly [act: () => Promise<unknown>, shows: string])[] = [
    [() => schedule('New disks'), 'New disks'],
    [async () => changeWindow(store.db, await onlyWindow(), { standby: 'U0BOB', isStandbyConfirmed: true }), '<@U0BOB> stands by'],
    [freeze, '• *Production* is frozen until somebody lifts it · “Sales” · <@U0BOB>'],
  ]
  for (const [act, shows] of changes) {
    await pauseIsOver()
    expect(await isDue(homes)).toBe(false)
    await act()
    expect(await isDue(homes)).toBe(true)
    await actOnDue(store.db, [homes.due])
    expect(published.at(-1)?.text).toContain(shows)
  }
  expect(published.map(({ account }) => account)).toEqual(['U0ALICE', 'U0ALICE', 'U0ALICE', 'U0ALICE'])
})

const onlyWindow = async () =>
  (await store.db.query<{ id: number }>('select id from lockkeeper.maintenance'))[0]?.id ?? expect.fail('there is no window')

test('of three replicas one draws, and after that there is a pause', async () => {
  const replicas = [replica(), replica(), replica()] as const
  await replicas[0]?.homes.show('U0ALICE')
  await replicas[0]?.homes.show('U0BOB')
  await schedule('New disks')
  await Promise.all(replicas.map(({ homes }) => homes.due.act()))
  const told = replicas.flatMap(({ published }) => published).filter(({ text }) => text.includes('New disks'))
  expect(told.map(({ account }) => account).toSorted()).toEqual(['U0ALICE', 'U0BOB'])
  await schedule('More disks')
  expect(await isDue(replicas[1].homes)).toBe(false)
})

test('what Slack did not take is tried again; what it refuses is not', async () => {
  const answers: Sent<null>[] = [
    { kind: 'unsure', cause: 'no answer' },
    { kind: 'ok', value: null },
    { kind: 'refused', error: 'user_not_found' },
  ]
  const { homes, published } = replica(() => {
    const answer = answers.shift()
    if (answer === undefined) throw new Error('nobody asked for this')
    return answer
  })
  await homes.show('U0ALICE')
  expect(await isDue(homes)).toBe(true)
  await actOnDue(store.db, [homes.due])
  await pauseIsOver()
  expect(await isDue(homes)).toBe(false)
  await schedule('New disks')
  await actOnDue(store.db, [homes.due])
  await pauseIsOver()
  expect(await isDue(homes)).toBe(false)
  expect(published).toHaveLength(3)
})

test('an announcement that Slack takes later than it was drawn gets its link then, and one of which Slack did not say where it stands gets it later', async () => {
  const links: Sent<string>[] = [
    { kind: 'limited', retryAfterMs: 1_000 },
    { kind: 'ok', value: LINK },
  ]
  const { homes, published } = replica(undefined, () => {
    const link = links.shift()
    if (link === undefined) throw new Error('it was asked for once more than needed')
    return link
  })
  await homes.show('U0ALICE')
  await schedule('Other disks')
  const id = await schedule('New disks')
  // messages have ids of their own, in another order than windows
  for (const other of [1, 2, 3, 4, 5])
    await store.db.query(
      `insert into lockkeeper.message (key, channel, ts, intent, state) values ($1, 'C0ELSEWHERE', '1.1', gen_random_uuid(), 'sent')`,
      [`window:${other}:C0ELSEWHERE`],
    )
  const look = async () => {
    await pauseIsOver()
    const due = await isDue(homes)
    await actOnDue(store.db, [homes.due])
    return [due, published.length, published.at(-1)?.links]
  }
  expect(await look()).toEqual([true, 2, 0])
  await store.db.query(`update lockkeeper.maintenance set drawn_revision = revision where id = $1`, [id])
  expect(await look()).toEqual([false, 2, 0])
  await store.db.query(
    `insert into lockkeeper.message (key, maintenance_id, channel, ts, intent, state) values ($1, $2, 'C0DEPLOYS', '1.2', gen_random_uuid(), 'sent')`,
    [`window:${id}:C0DEPLOYS`, id],
  )
  expect(await look()).toEqual([true, 2, 0])
  expect(await look()).toEqual([true, 3, 1])
  expect(await look()).toEqual([false, 3, 1])
})

test('that no run starts now is told at once', async () => {
  const { homes, published, says } = replica()
  await homes.show('U0ALICE')
  await actOnDue(store.db, [homes.due])
  await pauseIsOver()
  says.notice = 'The record is not whole.'
  expect(await isDue(homes)).toBe(true)
  await actOnDue(store.db, [homes.due])
  expect(published.at(-1)?.text).toContain('*No run starts now.* The record is not whole.')
  await pauseIsOver()
  expect(await isDue(homes)).toBe(false)
})
