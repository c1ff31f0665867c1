import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { readAloud, startFlow, steady, type Flow } from '../helpers/flow.ts'
import { commitTo, git } from '../helpers/sample.ts'
import { until } from '../helpers/until.ts'

/** Hours pass by the store's clock; a whole run starts a dozen real programs. */
vi.setConfig({ testTimeout: 180_000 })

const windows = { allow: 'Tue,Wed 02:00-04:00 America/New_York' }
let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    target: () => ({ windows, timezone: 'America/New_York' }),
    pending: 1,
    targets: {
      changed: { pending: 1, target: () => ({ windows, timezone: 'America/New_York' }) },
      late: { pending: 1, target: () => ({ windows, timezone: 'America/New_York' }) },
      frozen: { pending: 1, target: () => ({ windows, timezone: 'America/New_York' }) },
      urgent: { pending: 1, target: () => ({ windows: { ...windows, override: ['user:U0ALICE'] } }) },
      attended: { pending: 0, target: () => ({ windows: { standby: true } }) },
    },
  })
})
afterAll(() => flow?.close())
beforeEach(() => clock('2026-11-30 12:00 America/New_York'))

const clock = (at: string) => flow.store.query(`update lockkeeper.store set clock_offset = $1::timestamptz - clock_timestamp()`, [at])
const events = async (id: number) =>
  (await flow.store.query<{ kind: string }>('select kind from lockkeeper.event where request_id = $1 order by id', [id])).map(
    ({ kind }) => kind,
  )
const happened = (id: number, kind: string, times = 1) =>
  until(`#${id} has ${times} of ${kind}`, async () => (await events(id)).filter((one) => one === kind).length === times)
/** What somebody reads in his direct messages about a request, the newest last. */
const direct = (id: number, person: string) =>
  flow.slack
    .directMessages(person)
    .map((message) => steady(readAloud(message), flow.directory))
    .filter((text) => text.includes(`#${id}.`))

test('outside of the hours a deploy is refused and queued by a button: approved at noon, checked at 18:00 and 01:00, run at 02:00', async () => {
  expect(await flow.answer('deploy prod')).toMatchInlineSnapshot()
  const offered = flow.slack.ephemerals('U0ALICE').at(-1)
  await flow.slack.as('U0ALICE').click({ channel: offered?.channel ?? '', ts: offered?.ts ?? '' }, 'queue')
  const request = await flow.reaches(1, 'waiting')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(await flow.press(request.id, 'approve', 'U0BOB')).toContain(
    'It lasts until the window closes, {time}; the run starts by itself {time} at the earliest.',
  )
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  await clock('2026-11-30 18:00:01 America/New_York')
  await happened(request.id, 'checked')
  await clock('2026-12-01 01:00:01 America/New_York')
  await happened(request.id, 'checked', 2)
  expect(await flow.reaches(request.id, 'granted')).toMatchObject({ startedAt: null })
  await clock('2026-12-01 02:00:01 America/New_York')
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect((await events(request.id)).filter((kind) => !kind.endsWith('_done'))).toEqual([
    'requested',
    'approved',
    'checked',
    'checked',
    'started',
    'ended',
  ])
  expect(flow.thread(request.id).filter((post) => post.startsWith('Compared'))).toMatchInlineSnapshot()
})

test('what changed is asked anew at 18:00, so that nobody is asked in the night', async () => {
  const { repository } = flow.behind('changed')
  const request = await flow.ask('deploy changed --at "Tue 02:00"')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  await git(repository, ['update-ref', 'refs/heads/main', `${request.plan?.commit}~2`])
  await commitTo(repository, { files: { 'README.md': 'The shop, told anew\n' }, subject: 'Tell it anew' })
  await clock('2026-11-30 18:00:01 America/New_York')
  await flow.reachesPlan(request.id, request.digest)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  await clock('2026-12-01 01:00:01 America/New_York')
  await happened(request.id, 'checked')
  await clock('2026-12-01 02:00:01 America/New_York')
  await flow.reaches(request.id, 'succeeded')
  expect((await events(request.id)).filter((kind) => !kind.endsWith('_done'))).toEqual([
    'requested',
    'approved',
    'asked_anew',
    'approved',
    'checked',
    'started',
    'ended',
  ])
})

test('a window that closed before its turn voids the approval and tells both', async () => {
  const request = await flow.ask('deploy late --at "Tue 02:00"')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  await flow.stop()
  await clock('2026-12-01 04:30 America/New_York')
  await flow.start()
  await flow.reaches(request.id, 'expired')
  await until('both are told', () => direct(request.id, 'U0ALICE').length === 1 && direct(request.id, 'U0BOB').length === 1)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(flow.thread(request.id).at(-1)).toMatchInlineSnapshot()
  expect(direct(request.id, 'U0ALICE')).toMatchInlineSnapshot()
  expect(direct(request.id, 'U0BOB')).toMatchInlineSnapshot()
  const message = flow.slack.directMessages('U0ALICE').at(-1)
  await clock('2026-12-02 02:30 America/New_York')
  await flow.slack.as('U0ALICE').click({ channel: message?.channel ?? '', ts: message?.ts ?? '' }, 'ask_again')
  await flow.reaches(request.id + 1, 'waiting')
  await flow.answer(`cancel ${request.id + 1}`)
})

test('a freeze that is set meanwhile stops it at its turn, and both are told', async () => {
  const request = await flow.ask('deploy frozen --at "Tue 02:00"')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  expect(await flow.answer('freeze frozen until Tue 12:00 the fair is on', 'U0CAROL')).toMatchInlineSnapshot()
  await until('the channel is told', () => flow.slack.state().messages.some(({ text }) => text.startsWith('frozen is frozen')))
  await clock('2026-12-01 02:00:01 America/New_York')
  await flow.reaches(request.id, 'refused')
  await until('both are told', () => direct(request.id, 'U0ALICE').length === 1 && direct(request.id, 'U0BOB').length === 1)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(direct(request.id, 'U0BOB')).toMatchInlineSnapshot()
  expect(await flow.answer('status frozen')).toMatchInlineSnapshot()
  expect(await flow.answer('unfreeze frozen', 'U0CAROL')).toMatchInlineSnapshot()
})

test('an override runs outside of the hours once it is approved, and is loud', async () => {
  const request = await flow.ask('deploy urgent --override "the index is missing"')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.thread(request.id)[0]).toMatchInlineSnapshot()
  const { ts } = flow.card(request.id)
  expect(flow.slack.state().messages.find(({ threadTs, broadcast }) => threadTs === ts && broadcast)?.text).toContain('OVERRIDE')
})

test('where somebody has to stand by, a run that starts by itself waits inside its window until he has confirmed', async () => {
  await flow.store.query(
    `insert into lockkeeper.maintenance (token, name, targets, starts_at, ends_at, timezone, reason, owner, owner_human, channels, standby)
     values ('w_test', 'spring', '{attended}', '2026-12-01 02:00 UTC', '2026-12-01 04:00 UTC', 'UTC', 'spring', 'U0BOB', 'U0BOB', '{C0DEPLOYS}', 'U0CAROL')`,
  )
  const request = await flow.ask('deploy attended --in-window spring')
  await flow.approve(request.id)
  await clock('2026-12-01 02:00:01 UTC')
  await happened(request.id, 'no_standby')
  await flow.drawn(request.id)
  expect(flow.thread(request.id).at(-1)).toMatchInlineSnapshot()
  expect(await flow.reaches(request.id, 'granted')).toMatchObject({ startedAt: null })
  await flow.store.query(`update lockkeeper.maintenance set standby_confirmed_at = lockkeeper.now()`)
  await clock('2026-12-01 02:02 UTC')
  await flow.reaches(request.id, 'succeeded')
})
