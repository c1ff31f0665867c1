import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { aboveRecord, readAloud, startFlow, steady, type Flow } from '../helpers/flow.ts'
import { commitTo, git } from '../helpers/sample.ts'
import { until } from '../helpers/until.ts'

/** Hours pass by the store's clock; a whole run starts a dozen real programs. */
vi.setConfig({ testTimeout: 180_000 })

const windows = { allow: 'Tue,Wed 02:00-04:00 America/New_York' }
/** A step of the application that lasts until the file is there. */
const UNTIL_TOLD = `const look = setInterval(() => require('fs').existsSync(process.argv[1]) && clearInterval(look), 50)`
let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    target: () => ({ windows, timezone: 'America/New_York' }),
    pending: 1,
    targets: {
      changed: { pending: 1, target: () => ({ windows, timezone: 'America/New_York' }) },
      late: { pending: 1, target: () => ({ windows, timezone: 'America/New_York' }) },
      frozen: { pending: 1, target: () => ({ windows, timezone: 'America/New_York' }) },
      early: { pending: 1, target: () => ({ windows, timezone: 'America/New_York' }) },
      urgent: { pending: 1, target: () => ({ windows: { ...windows, override: ['user:U0ALICE'] } }) },
      long: {
        pending: 1,
        target: ({ directory }) => ({
          windows,
          timezone: 'America/New_York',
          deploy: [{ name: 'Switch', cwd: directory, run: ['node', '-e', UNTIL_TOLD, join(directory, 'go-on')] }],
        }),
      },
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
/** The request that comes of a click. */
async function asked(click: () => Promise<unknown>) {
  const newest = async () =>
    (await flow.store.query<{ id: number }>('select coalesce(max(id), 0) as id from lockkeeper.request'))[0]?.id ?? 0
  const before = await newest()
  await click()
  const id = await until('the click asks', async () => {
    const now = await newest()
    return now > before && now
  })
  return flow.reaches(id, 'waiting')
}
/** What somebody reads in his direct messages about a request, the newest last. */
const direct = (id: number, person: string) =>
  flow.slack
    .directMessages(person)
    .map((message) => steady(readAloud(message), flow.directory))
    .filter((text) => text.includes(`#${id}.`))

test('outside of the hours a deploy is refused and queued by a button: approved at noon, checked at 18:00 and 01:00, run at 02:00', async () => {
  expect(await flow.answer('deploy prod')).toMatchInlineSnapshot(`
    "\`prod\` is closed: runs start \`Tue,Wed 02:00-04:00 America/New_York\` only. Nothing was started. It opens {time} to {time} (Tue 1 Dec 02:00 to 04:00 America/New_York), in {duration}.
    [Queue for Tue 1 Dec 02:00 America/New_York]"
  `)
  const offered = flow.slack.ephemerals('U0ALICE').at(-1)
  const request = await asked(() => flow.slack.as('U0ALICE').click({ channel: offered?.channel ?? '', ts: offered?.ts ?? '' }, 'queue'))
  expect(request).toMatchObject({ state: 'waiting', startedAt: null })
  await flow.drawn(request.id)
  expect(flow.cardInShort(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1
    <@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`.
    *Queued for* {time} to {time} (Tue 1 Dec 02:00 to 04:00 America/New_York). Once approved it starts by itself when its turn comes.
    Migration | Class | What it does | Rows
    20261120084500_index_orders_discount | additive | builds an index on orders, concurrently | 50
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Show the discount in the list of orders, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    *Risk*
    1 additive
    *Way back*
    rollback SQL for each migration, and the backup
    *Backup*
    the first of this target; the database has {size}
    *Application*
    Switch and 1 health check, after the migrations
    [Approve]
    [Reject]
    [Read the SQL]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
  expect(await flow.press(request.id, 'approve', 'U0BOB')).toContain(
    'It lasts until the window closes, {time}; the run starts by itself {time} at the earliest.',
  )
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  await flow.drawn(request.id)
  expect(flow.cardInShort(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1
    *Approved* by <@U0BOB> · queued for {time} to {time} (Tue 1 Dec 02:00 to 04:00 America/New_York) · asked by <@U0ALICE>
    Migration | Class | What it does | Rows
    20261120084500_index_orders_discount | additive | builds an index on orders, concurrently | 50
    [Cancel]
    Plan \`{plan}\` · the approval ends {time}, when its window closes"
  `)
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
  expect(flow.thread(request.id).filter((post) => post.startsWith('Compared'))).toMatchInlineSnapshot(`
    [
      "Compared again before its turn: the plan is still the one on the card, so nobody is asked.",
      "Compared again before its turn: the plan is still the one on the card, so nobody is asked.",
    ]
  `)
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
  expect(flow.cardInShort(request.id)).toMatchInlineSnapshot(`
    "Deploy to changed · #2
    <@U0ALICE> asks to deploy \`{commit}\` from \`main\`. *No migration is pending.*
    *Queued for* {time} to {time} (Tue 1 Dec 02:00 to 04:00 America/New_York). Once approved it starts by itself when its turn comes.
    *Asked anew.* Commit \`{commit}\` is no longer part of \`main\`.
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Tell it anew, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    *Application*
    Switch and 1 health check
    [Approve]
    [Reject]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
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
  expect(flow.cardInShort(request.id)).toMatchInlineSnapshot(`
    "Deploy to late · #3 expired
    *The window closed before its turn came, so nothing runs and nothing was changed.* The approval by <@U0BOB> was for that window and has ended with it. Ask again with \`/migrate deploy late\`.
    Asked by <@U0ALICE> · 1 migration, \`{commit}\` from \`main\` · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id).at(-1)).toMatchInlineSnapshot(
    `"The window closed before its turn came, so nothing runs and nothing was changed. The approval by <@U0BOB> was for that window and has ended with it."`,
  )
  expect(direct(request.id, 'U0ALICE')).toMatchInlineSnapshot(`
    [
      "*Deploy to late · #3.* The window closed before its turn came, so nothing runs and nothing was changed. The approval by <@U0BOB> was for that window and has ended with it.
    [Ask again]
    [Open the request]",
    ]
  `)
  expect(direct(request.id, 'U0BOB')).toMatchInlineSnapshot(`
    [
      "*Deploy to late · #3.* The window closed before its turn came, so nothing runs and nothing was changed. The approval by <@U0BOB> was for that window and has ended with it.
    [Open the request]",
    ]
  `)
  const message = flow.slack.directMessages('U0ALICE').at(-1)
  await clock('2026-12-02 02:30 America/New_York')
  const again = await asked(() => flow.slack.as('U0ALICE').click({ channel: message?.channel ?? '', ts: message?.ts ?? '' }, 'ask_again'))
  expect(again).toMatchObject({ target: 'late', requester: 'U0ALICE', ask: request.ask, notBefore: null })
  await flow.answer(`cancel ${again.id}`)
})

test('a window that is cancelled ends what was queued for it, and each says so', async () => {
  await flow.answer('/maintenance schedule late "2026-12-03 06:00" 2h upgrade --name nightly', 'U0BOB')
  const [window] = await flow.store.query<{ id: number }>('select max(id) as id from lockkeeper.maintenance')
  const request = await flow.ask('deploy late --in-window nightly')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  expect(await flow.answer('/maintenance list late', 'U0BOB')).toContain('(`nightly`)')
  expect(await flow.answer(`/maintenance cancel ${window?.id} not ready`, 'U0BOB')).toContain(
    `#${request.id}, queued for it, ends with it.`,
  )
  await flow.reaches(request.id, 'expired')
  await flow.drawn(request.id)
  expect(flow.thread(request.id).at(-1)).toBe(
    'Its window was cancelled before its turn came, so nothing runs and nothing was changed. The approval by <@U0BOB> was for that window and has ended with it.',
  )
})

test('a freeze that is set meanwhile stops it at its turn, and both are told', async () => {
  const request = await flow.ask('deploy frozen --at "Tue 02:00"')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  expect(await flow.answer('freeze frozen until Tue 12:00 the fair is on', 'U0CAROL')).toMatchInlineSnapshot(
    `"\`frozen\` is frozen until {time} (Tue 1 Dec 2026 12:00 America/New_York, in 1 d): nothing starts, and what runs goes on. *#6 is queued for that time:* what would start then waits for the end of it inside its window, or is refused. To end it earlier: \`/migrate unfreeze frozen\`."`,
  )
  await until('the channel is told', () => flow.slack.state().messages.some(({ text }) => text.startsWith('frozen is frozen')))
  await clock('2026-12-01 02:00:01 America/New_York')
  await flow.reaches(request.id, 'refused')
  await until('both are told', () => direct(request.id, 'U0ALICE').length === 1 && direct(request.id, 'U0BOB').length === 1)
  await flow.drawn(request.id)
  expect(flow.cardInShort(request.id)).toMatchInlineSnapshot(`
    "Deploy to frozen · #6 refused
    *\`frozen\` is frozen until {time} (Tue 1 Dec 12:00 America/New_York) by <@U0CAROL>: “the fair is on”.* Nothing was started. The freeze ends by itself then, or earlier with \`/migrate unfreeze frozen\`. It opens {time} to {time} (Wed 2 Dec 02:00 to 04:00 America/New_York), in 1 d.
    Asked by <@U0ALICE> · 1 migration, \`{commit}\` from \`main\` · plan \`{plan}\`"
  `)
  expect(direct(request.id, 'U0BOB')).toMatchInlineSnapshot(`
    [
      "*Deploy to frozen · #6.* *\`frozen\` is frozen until {time} (Tue 1 Dec 12:00 America/New_York) by <@U0CAROL>: “the fair is on”.* Nothing was started. The freeze ends by itself then, or earlier with \`/migrate unfreeze frozen\`. It opens {time} to {time} (Wed 2 Dec 02:00 to 04:00 America/New_York), in 1 d.
    [Open the request]",
    ]
  `)
  expect(aboveRecord(await flow.answer('status frozen'))).toMatchInlineSnapshot(`
    "*frozen*: 13 applied, 1 pending.
    • Pending: \`20261120084500_index_orders_discount\`. To run them: \`/migrate deploy frozen\`.
    • *Frozen* until {time} (Tue 1 Dec 12:00 America/New_York) by <@U0CAROL>, “the fair is on”. Nothing starts; \`/migrate unfreeze frozen\` ends it.
    • Last: #6, refused {time}"
  `)
  expect(await flow.answer('unfreeze frozen', 'U0CAROL')).toMatchInlineSnapshot(
    `"The freeze of \`frozen\` is lifted: set by <@U0CAROL>, “the fair is on”."`,
  )
})

test('a freeze that ends inside the window puts the run off, and what waits for a window starts when that is opened by hand', async () => {
  expect(await flow.answer('/maintenance schedule early "2026-12-01 06:00" 2h "the new search"', 'U0BOB')).toContain('is scheduled')
  const [window] = await flow.store.query<{ id: number }>('select max(id) as id from lockkeeper.maintenance')
  const id = window?.id ?? 0
  const request = await flow.ask(`deploy early --in-window ${id}`)
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  expect(await flow.answer('status early')).toContain('starts by itself')
  expect(steady(await flow.answer(`/maintenance show ${id}`), flow.directory)).toMatchInlineSnapshot(`
    "*Window #2* of \`early\`: scheduled
    {time} to {time} (Tue 1 Dec 06:00 to 08:00 America/New_York)
    Why: the new search
    Queued for it: #7 on \`early\`
    Owner <@U0BOB>"
  `)
  await clock('2026-12-01 05:00 America/New_York')
  expect(await flow.answer(`/maintenance start ${id}`, 'U0BOB')).toContain(`Window #${id} starts now and ends by`)
  await flow.answer('freeze early until Tue 05:40 stocktaking', 'U0CAROL')
  await happened(request.id, 'finding')
  expect(await flow.reaches(request.id, 'granted')).toMatchObject({ startedAt: null })
  await until('the thread says so', () => flow.thread(request.id).some((post) => post.includes('waits inside its window')))
  expect(flow.thread(request.id).filter((post) => post.includes('window'))).toMatchInlineSnapshot(`
    [
      "Its window has other hours now: {time} to {time} (Tue 1 Dec 05:00 to 07:00 America/New_York). It starts then, and an approval of this plan, also the one given, lasts until that closes.",
      "Its turn has come, and it waits inside its window. \`early\` is frozen until {time} (Tue 1 Dec 05:40 America/New_York) by <@U0CAROL>: “stocktaking”. It starts by itself when that ends.",
    ]
  `)
  await clock('2026-12-01 05:41 America/New_York')
  await flow.reaches(request.id, 'succeeded')
})

test('when the window closes in mid-run the run goes on, says so once, and whoever asked is told', async () => {
  const request = await flow.ask('deploy long --at "Tue 02:00"')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'granted')
  await clock('2026-12-01 02:00:01 America/New_York')
  await flow.reaches(request.id, 'running')
  await clock('2026-12-01 04:00:01 America/New_York')
  await happened(request.id, 'overrun')
  expect(await flow.reaches(request.id, 'running')).toMatchObject({ endedAt: null })
  await writeFile(join(flow.directory, 'go-on'), '')
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.thread(request.id).filter((post) => post.includes('window closed'))).toMatchInlineSnapshot(`
    [
      "The window closed {time} (Tue 1 Dec 04:00 America/New_York), and the run goes on: stopping it half-way would be worse. <@U0ALICE>, people who rely on the end of the window should hear that it takes longer.",
    ]
  `)
})

test('an override runs outside of the hours once it is approved, and is loud', async () => {
  const request = await flow.ask('deploy urgent --override "the index is missing"')
  await flow.drawn(request.id)
  expect(flow.cardInShort(request.id)).toMatchInlineSnapshot(`
    "Deploy to urgent · #9
    <@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`.
    *OVERRIDE.* It may start outside of windows and in a freeze, by the right of <@U0ALICE>. Approvals are needed as usual.
    > the index is missing
    Migration | Class | What it does | Rows
    20261120084500_index_orders_discount | additive | builds an index on orders, concurrently | 50
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Show the discount in the list of orders, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    *Risk*
    1 additive
    *Way back*
    rollback SQL for each migration, and the backup
    *Backup*
    the first of this target; the database has {size}
    *Application*
    Switch and 1 health check, after the migrations
    [Approve]
    [Reject]
    [Read the SQL]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.thread(request.id)[0]).toMatchInlineSnapshot(`
    "*OVERRIDE.* <@U0ALICE> lets #9 start on *urgent* outside of windows and in a freeze, once it has the approvals that it needs.
    > the index is missing"
  `)
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
  expect(flow.thread(request.id).at(-1)).toMatchInlineSnapshot(
    `"Its turn has come, and it waits inside the window: <@U0CAROL> has not confirmed to stand by. It starts when somebody confirms on the window's message (\`/maintenance show 3\`), and ends when the window closes."`,
  )
  expect(await flow.reaches(request.id, 'granted')).toMatchObject({ startedAt: null })
  await flow.store.query(`update lockkeeper.maintenance set standby_confirmed_at = lockkeeper.now()`)
  await clock('2026-12-01 02:02 UTC')
  await flow.reaches(request.id, 'succeeded')
})
