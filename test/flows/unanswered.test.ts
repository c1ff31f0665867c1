import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { aboveRecord, readAloud, startFlow, steady, type Flow } from '../helpers/flow.ts'
import { until } from '../helpers/until.ts'
import { announcementOf, setClock, settled, windowText } from '../helpers/windows.ts'

/** Hours pass by the store's clock; a whole run starts a dozen real programs. */
vi.setConfig({ testTimeout: 180_000 })

/** A step of the application that lasts until the file is there. */
const UNTIL_TOLD = `const look = setInterval(() => require('fs').existsSync(process.argv[1]) && clearInterval(look), 50)`
let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    target: () => ({ approvals: { required: 1, from: ['group:S0DBA'], expires: '4h', escalate: ['user:U0DAVE', 'group:S0DBA'] } }),
    pending: 1,
    settings: {
      freezes: [{ name: 'year end', reason: 'The books close', from: '2026-12-20', until: '2027-01-02', targets: ['prod'] }],
    },
    targets: {
      tight: { pending: 1, target: () => ({ windows: { allow: 'Tue 02:00-04:00 America/New_York' }, timezone: 'America/New_York' }) },
      long: {
        pending: 1,
        target: ({ directory }) => ({
          deploy: [{ name: 'Switch', cwd: directory, run: ['node', '-e', UNTIL_TOLD, join(directory, 'go-on')] }],
        }),
      },
    },
  })
})
afterAll(() => flow?.close())
beforeEach(() => setClock(flow.store, '2026-12-01T00:00:00Z'))

const happened = (id: number, kind: string) =>
  until(`#${id} has ${kind}`, async () => {
    const rows = await flow.store.query('select 1 from lockkeeper.event where request_id = $1 and kind = $2', [id, kind])
    return rows.length > 0
  })
const direct = (id: number, person: string) =>
  flow.slack
    .directMessages(person)
    .map((message) => steady(readAloud(message), flow.directory))
    .filter((text) => text.includes(`#${id}`))

test('nobody answers: a reminder at half time, then those above are told, and at the end whoever asked, who asks again by a button', async () => {
  const request = await flow.ask('deploy prod --reason "Before Friday"')
  await setClock(flow.store, '2026-12-01T02:00:30Z')
  await happened(request.id, 'reminded')
  await setClock(flow.store, '2026-12-01T03:00:30Z')
  await happened(request.id, 'escalated')
  await until('the one above is told', () => direct(request.id, 'U0DAVE').length === 1)
  expect(direct(request.id, 'U0DAVE')).toMatchInlineSnapshot(`
    [
      "*Deploy to Production · #1.* Nobody has answered: 0 of 1 approvals. Please see that somebody decides.
    [Open the request]",
    ]
  `)
  await setClock(flow.store, '2026-12-01T04:00:30Z')
  await flow.reaches(request.id, 'expired')
  await until('whoever asked is told', () => direct(request.id, 'U0ALICE').length === 1)
  await flow.drawn(request.id)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 1 migration (request-1-{plan}.sql)",
      "Still waiting: 0 of 1 approvals. <!subteam^S0DBA> can decide; it expires {time}.",
      "Nobody has answered: 0 of 1 approvals. <@U0DAVE> and <!subteam^S0DBA>, please see that somebody decides; it expires {time}.",
      "Nobody decided in time, so this has expired. Nothing was changed.",
    ]
  `)
  expect(direct(request.id, 'U0ALICE')).toMatchInlineSnapshot(`
    [
      "*Deploy to Production · #1.* Nobody decided in time, so it has expired. Nothing was changed.
    [Ask again]
    [Open the request]",
    ]
  `)
  const message = flow.slack.directMessages('U0ALICE').at(-1)
  await flow.slack.as('U0ALICE').click({ channel: message?.channel ?? '', ts: message?.ts ?? '' }, 'ask_again')
  const again = await until('it is asked again', async () => {
    const [newest] = await flow.store.query<{ id: number }>('select max(id) as id from lockkeeper.request')
    return newest !== undefined && newest.id > request.id && flow.reaches(newest.id, 'waiting')
  })
  expect(again).toMatchObject({ target: 'prod', requester: 'U0ALICE', ask: request.ask })
  // a click that comes twice asks once
  await flow.slack.as('U0ALICE').click({ channel: message?.channel ?? '', ts: message?.ts ?? '' }, 'ask_again')
  const answers = () => flow.slack.ephemerals('U0ALICE').map((one) => steady(readAloud(one), flow.directory))
  await until('the second click is answered', () => answers().length === 3)
  expect(answers().at(-1)).toMatchInlineSnapshot(
    `"\`prod\` is taken by #2 (asked by <@U0ALICE>, waiting for approval since {time}). It frees when that ends, or with \`/migrate cancel 2\`."`,
  )
  await flow.answer(`cancel ${again.id}`)
})

test('a run that took longer lately than its window has left says so before it is approved', async () => {
  await flow.store.query(
    `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state, started_at, ended_at)
     select 'r_past' || n, 'tight', 'U0ALICE', 'U0ALICE', 'C0DEPLOYS', '{}', 'succeeded', lockkeeper.now() - n * interval '1 day',
       lockkeeper.now() - n * interval '1 day' + interval '45 minutes' from generate_series(1, 3) n`,
  )
  const request = await flow.ask('deploy tight --at "Tue 03:30"')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id).split('\n').slice(0, 5)).toMatchInlineSnapshot(`
    [
      "Deploy to tight · #7",
      "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`.",
      "*Queued for* {time} to {time} (Tue 1 Dec 03:30 to 04:00 America/New_York). Once approved it starts by itself when its turn comes.",
      "*Mind this.* It may not end before its window closes {time} (Tue 1 Dec 04:00 America/New_York): the last 3 runs took about {duration}, and {duration} are left. A run that has begun goes on.",
      "Migration | Class | What it does | Rows",
    ]
  `)
  await flow.answer(`cancel ${request.id}`)
})

test('when a maintenance window closes in mid-run the run goes on, and its owner is asked to extend it, and can', async () => {
  expect(await flow.answer('/maintenance schedule long "2026-12-01 02:00" 1h "the search moves"', 'U0BOB')).toContain('is scheduled')
  await settled(flow.store)
  const [window] = await flow.store.query<{ id: number }>('select max(id) as id from lockkeeper.maintenance')
  const id = window?.id ?? 0
  const request = await flow.ask(`deploy long --in-window ${id}`)
  await flow.approve(request.id, 'U0CAROL')
  await flow.reaches(request.id, 'granted')
  await setClock(flow.store, '2026-12-01T02:00:01Z')
  await flow.reaches(request.id, 'running')
  await setClock(flow.store, '2026-12-01T03:00:01Z')
  await happened(request.id, 'overrun')
  expect(await flow.reaches(request.id, 'running')).toMatchObject({ endedAt: null })
  await until('the thread says so', () => flow.thread(request.id).some((post) => post.includes('closed')))
  expect(flow.thread(request.id).filter((post) => post.includes('window'))).toMatchInlineSnapshot(`
    [
      "The window closed {time} (Tue 1 Dec 03:00 UTC), and the run goes on: stopping it half-way would be worse. <@U0BOB>, extend the window with \`/maintenance extend 1 30m\`, so that everybody is told.",
    ]
  `)
  expect(await flow.answer(`/maintenance extend ${id} 1h`, 'U0BOB')).toMatchInlineSnapshot(
    `"Window #1 lasts until {time} (Tue 1 Dec 04:00 UTC) now."`,
  )
  await settled(flow.store)
  expect(
    windowText(announcementOf(flow, 'C0DEPLOYS', id))
      .split('\n')
      .slice(0, 4),
  ).toMatchInlineSnapshot(`
    [
      "Maintenance · long · under way",
      "*{time} to {time} (Tue 1 Dec 02:00 to 04:00 UTC)*",
      "the search moves",
      "Announcements",
    ]
  `)
  await writeFile(join(flow.directory, 'go-on'), '')
  await flow.reaches(request.id, 'succeeded')
})

test('a freeze of the configuration stands in the status, refuses with its name and offers what comes after it', async () => {
  await setClock(flow.store, '2026-12-24T12:00:00Z')
  expect(aboveRecord(await flow.answer('status prod'))).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): 13 applied, 1 pending.
    • Pending: \`20261120084500_index_orders_discount\`. To run them: \`/migrate deploy prod\`.
    • *Frozen* until {time} (Sat 2 Jan 00:00 UTC) by lockkeeper.yaml, “year end”: The books close. Nothing starts; it ends by itself.
    • Last: #2, cancelled {time}"
  `)
  expect(aboveRecord(await flow.answer('status tight'))).toMatchInlineSnapshot(`
    "*tight*: 13 applied, 1 pending.
    • Pending: \`20261120084500_index_orders_discount\`. To run them: \`/migrate deploy tight\`.
    • *Closed.* \`tight\` is closed: runs start \`Tue 02:00-04:00 America/New_York\` only. It opens {time} to {time} (Tue 29 Dec 02:00 to 04:00 America/New_York), in 4 d {duration}.
    • Last: #7, cancelled {time}"
  `)
  expect(await flow.answer('deploy prod')).toMatchInlineSnapshot(`
    "\`prod\` is frozen until {time} (Sat 2 Jan 00:00 UTC) by lockkeeper.yaml: “year end”. Nothing was started. The freeze ends by itself then; nobody can lift it here.
    [Queue for Sat 2 Jan 00:00 UTC]"
  `)
  expect(await flow.answer('/maintenance schedule prod "2026-12-28 02:00" 1h upgrade', 'U0BOB')).toMatchInlineSnapshot(
    `"\`prod\` is frozen then, until {time} (Sat 2 Jan 00:00 UTC): “year end” (The books close). Nothing was changed. Take a time outside of it."`,
  )
  expect(await flow.answer('unfreeze prod')).toMatchInlineSnapshot(
    `"No freeze of \`prod\` is in force, so nothing was changed. One of all targets is lifted with \`/migrate unfreeze all\`, and one of lockkeeper.yaml there. \`/migrate status prod\` says what holds it."`,
  )
})
