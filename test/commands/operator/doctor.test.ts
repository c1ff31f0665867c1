import { mkdir, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lookAtClocks } from '../../../commands/operator/doctor/clocks.ts'
import { lookAtBackups } from '../../../commands/operator/doctor/disk.ts'
import { openStore, type Db } from '../../../src/store/pool.ts'
import { botsFor, type Bots } from '../../helpers/bots.ts'
import { until } from '../../helpers/until.ts'
import { createFixture, type Fixture } from './fixture.ts'

let fixture: Fixture
let bots: Bots
let store: Db

beforeAll(async () => {
  fixture = await createFixture()
  bots = botsFor({
    configPath: join(fixture.directory, 'lockkeeper.yaml'),
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...fixture.env },
  })
  store = openStore(fixture.storeUrl, () => {})
})

afterAll(async () => {
  await bots.close()
  await store.close()
  await fixture.close()
})

/** What it prints, with what differs from run to run in braces. */
const steady = (text: string) =>
  text
    .replaceAll(fixture.directory, '{here}')
    .replace(/test_[0-9a-f]+/g, '{database}')
    .replace(/127\.0\.0\.1:\d+/g, '{address}')
    .replace(/PostgreSQL [\d.]+/g, 'PostgreSQL {version}')
    .replace(/pg_dump [\d.]+ for a server of version \d+/g, 'pg_dump {version}')
    .replace(/[\d.]+ [kMGT]?B\b/g, '{bytes}')
    .replace(/main is at [0-9a-f]{7}/g, 'main is at {commit}')
    .replace(/[\w.-]+-\d+-[0-9a-f]{8} for \d+ s/g, '{process} for {seconds}')
    .replace(/schema \d+/g, 'schema {number}')
    .replace(/up to row \d+/, 'up to row {row}')

async function doctor(env: Readonly<Record<string, string>> = {}) {
  const { code, out } = await fixture.run(['doctor'], env)
  return { code, out: steady(out) }
}

/** The lines that say that something is not well. */
const amiss = (out: string) => out.split('\n').filter((line) => !line.startsWith('ok') && line !== '')

describe('lockkeeper doctor', () => {
  test('before the first start it says so, and leaves the store as it is', async () => {
    const { code, out } = await doctor()
    expect(amiss(out)).toEqual([
      `warning  store: PostgreSQL {version}, {bytes} in "{database}", without Lockkeeper's tables`,
      '         The first start makes them. If there should be some, STORE_URL names another database.',
      'WRONG    processes: no Lockkeeper runs with this store',
      '         Start it. Requests and runs go on where they were.',
      '1 thing is wrong.',
    ])
    expect(code).toBe(1)
    expect(await store.query(`select 1 from pg_namespace where nspname in ('lockkeeper', 'dbos')`)).toEqual([])
  })

  test('a healthy installation fits on one screen', async () => {
    await bots.start()
    expect(await doctor()).toEqual({
      code: 0,
      out: `ok       store: PostgreSQL {version}, {bytes} in "{database}", schema {number}
ok       requests: 0 under way
ok       messages: everything stands in Slack
ok       processes: 1 alive: {process} for {seconds}
ok       runs: nothing is unfinished
ok       audit: whole up to row {row}; lockkeeper audit verify reads all of it
ok       Slack: connected to the workspace Harbor Goods; 2 channels and groups are well
ok       notices: none overdue, and nothing outside of Slack waits
ok       prod: {database} on {address}, 11 applied, 3 pending; main is at {commit}
ok       prod backup: pg_dump {version}
ok       clocks: the store's, prod's, Slack's agree with this machine's within 30 s
ok       disk: {bytes} free in {here}/var
ok       prod backups: {bytes} free in {here}/var/backups
ok       leftovers: none

Everything is well.
`,
    })
  })

  test('for programs it says the same as JSON', async () => {
    const { code, out } = await fixture.run(['doctor', '--json'])
    const said = JSON.parse(out) as {
      readonly ok: boolean
      readonly findings: readonly { readonly level: string; readonly what: string }[]
    }
    expect([code, said.ok, said.findings.length]).toEqual([0, true, 14])
    expect(said.findings[1]).toEqual({ level: 'ok', what: 'requests', text: '0 under way', mend: null })
  })

  test('a store that is away and wrong tokens are each named, and the rest is looked at all the same', async () => {
    const { code, out } = await doctor({
      STORE_URL: 'postgresql://u:hushhush@127.0.0.1:1/store',
      SLACK_BOT_TOKEN: 'xoxb-wrong',
      SLACK_APP_TOKEN: 'xapp-wrong',
    })
    expect(code).toBe(1)
    expect(out).toContain('ok       prod: {database} on {address}')
    expect(out).not.toContain('hushhush')
    expect(amiss(out)).toEqual([
      'WRONG    store: The store (STORE_URL, or store.url in lockkeeper.yaml) cannot be used. Nothing listens at {address}. Check host and port of the URL, and that PostgreSQL runs. Or leave both out to use the embedded PostgreSQL.',
      '         Until then nothing can be asked, decided or started; a migration in hand goes on.',
      'WRONG    Slack: it refuses the token (invalid_auth). Copy the bot token (xoxb-…) again.',
      'WRONG    Slack: it refuses the app-level token (invalid_auth)',
      '         Make one with connections:write under Basic Information, App-Level Tokens, and put it into SLACK_APP_TOKEN.',
      '3 things are wrong.',
    ])
  })

  test('notices that nobody decides, what does not arrive outside of Slack, and a page that nobody acknowledges', async () => {
    await bots.close()
    await store.query(
      `insert into lockkeeper.maintenance (token, targets, starts_at, ends_at, timezone, reason, owner, owner_human, channels, draw_after)
       values ('w_1', '{prod}', lockkeeper.now() + interval '1 hour', lockkeeper.now() + interval '2 hours', 'UTC', 'r', 'U0ALICE', 'U0ALICE', '{C0DEPLOYS}', 'infinity')`,
    )
    await store.query(
      `insert into lockkeeper.notice (maintenance_id, plan_no, stage, due_at, useful_until)
       select id, 1, 'before:3600000', lockkeeper.now() - interval '10 minutes', starts_at from lockkeeper.maintenance`,
    )
    await store.query(
      `insert into lockkeeper.delivery (key, kind, destination, payload, state, last_error, created_at)
       values ('a', 'mail', 'ops@example.com', '{}', 'pending', 'connect ECONNREFUSED', lockkeeper.now() - interval '20 minutes'),
         ('b', 'webhook', 'env:STATUS_URL', '{}', 'given_up', 'it answered 500', lockkeeper.now() - interval '2 days')`,
    )
    await store.query(
      `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state, draw_after)
       values ('t_page', 'target-page', 'U0ALICE', 'U0ALICE', 'C0DEPLOYS', '{}', 'failed', 'infinity')`,
    )
    await store.query(
      `insert into lockkeeper.page (token, request_id, reason, text, next_at) select 'p_1', id, 'failed', 'x', 'infinity' from lockkeeper.request where token = 't_page'`,
    )
    await fixture.configure({}, { mail: { url: 'env:MAIL_URL', from: 'lockkeeper@example.com' } })
    try {
      const { code, out } = await doctor({ MAIL_URL: 'smtp://127.0.0.1:1' })
      const [{ id } = { id: 0 }] = await store.query<{ id: number }>(`select id from lockkeeper.request where token = 't_page'`)
      expect(amiss(out).filter((line) => !/processes|Start it\. Requests/.test(line))).toEqual([
        'warning  deliveries: 1 message outside of Slack not delivered for 20 min; the last word of ops@example.com: connect ECONNREFUSED',
        '         They are tried again for a day. lockkeeper check says whether the receiver can be reached.',
        'warning  deliveries: 1 message outside of Slack given up in the last 7 days; the last word of env:STATUS_URL: it answered 500',
        '         Mend the receiver; what was given up is not sent any more.',
        `warning  on-call: nobody has acknowledged #${id}`,
        '         Press Acknowledge in Slack, or type /migrate ack with the number.',
        'WRONG    notices: 1 notice of maintenance windows overdue, the oldest for 10 min',
        '         No bot decides about them: start one, or look at its log for "what is due was not all done".',
        'WRONG    mail: the server of env:MAIL_URL takes none: connect ECONNREFUSED {address}. Correct `mail.url`, or start the server.',
        '3 things are wrong.',
      ])
      expect(code).toBe(1)
    } finally {
      await fixture.configure()
      for (const table of ['page', 'delivery', 'notice', 'maintenance']) await store.query(`delete from lockkeeper.${table}`)
      await store.query(`delete from lockkeeper.request where token = 't_page'`)
      await store.query('alter table lockkeeper.request alter column id restart') // the next test counts from 1
    }
  })

  test('runs of another version, runs whose process has died, a request that needs a person, and messages that do not arrive', async () => {
    await bots.close()
    await store.query(
      `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state, draw_after)
       select 't' || n, 'target-' || n, 'U0ALICE', 'U0ALICE', 'C0DEPLOYS', '{}', case n when 1 then 'needs_human' else 'running' end, 'infinity'
       from generate_series(1, 3) n`,
    )
    await store.query(
      `insert into lockkeeper.break_glass (request_id, reason, asked_by, digest, broken_by, broken_at, involved, remind_at)
       values (2, 'checkout is down', 'U0ALICE', 'd', 'U0ALICE', clock_timestamp() - interval '3 hours', '{U0ALICE}', 'infinity')`,
    )
    await store.query(
      `insert into dbos.workflow_status (workflow_uuid, status, name, executor_id, application_version, application_name, created_at, updated_at)
       values ('request-2', 'PENDING', 'request', 'gone-1-00000000', 'PATCHING_ENABLED', 'lockkeeper', 0, 0),
         ('request-3', 'PENDING', 'request', 'gone-2-00000000', 'elder', 'lockkeeper', 0, 0)`,
    )
    await store.query(
      `insert into lockkeeper.message (key, request_id, channel, intent, state, last_error, created_at)
       values ('card:1', 1, 'C0DEPLOYS', 'i1', 'unsure', 'Slack answered 500', clock_timestamp() - interval '10 minutes')`,
    )
    try {
      const { code, out } = await doctor()
      expect(amiss(out)).toEqual([
        'warning  break-glass: #2 ran without the usual votes, and nobody has reviewed it for 3 h',
        '         A reviewer who was not involved presses the button on the card.',
        'warning  runs: #2 has lost the process that carried it',
        '         A start goes on with them.',
        'WRONG    requests: #1 needs a person, and its target is taken until then',
        '         docs/operations.md, "When a run needs a person"; close with lockkeeper cancel 1.',
        'WRONG    messages: 1 message has not reached Slack for 10 min (Slack answered 500)',
        '         Mend what stands under Slack; they are sent by themselves then.',
        'WRONG    processes: no Lockkeeper runs with this store',
        '         Start it. Requests and runs go on where they were.',
        'WRONG    runs: #3 was begun by another version (elder), which no process of this one goes on with',
        '         Start that version until it has ended.',
        '4 things are wrong.',
      ])
      expect(code).toBe(1)
    } finally {
      await store.query(`delete from dbos.workflow_status where workflow_uuid in ('request-2', 'request-3')`)
      await store.query('delete from lockkeeper.message; delete from lockkeeper.break_glass; delete from lockkeeper.request')
    }
  })

  test('an unfinished backup that nobody writes to any more, and a newer store', async () => {
    await bots.start()
    const partial = join(fixture.directory, 'var/backups/prod-20261120T071420Z.partial')
    await mkdir(partial, { recursive: true })
    const old = new Date(Date.now() - 7_200_000)
    await utimes(partial, old, old)
    await store.query(`insert into lockkeeper.schema_version (id, name, sha256) values (9999, 'of tomorrow', '')`)
    try {
      const { code, out } = await doctor()
      expect(amiss(out).filter((line) => !/agree with/.test(line))).toEqual([
        'warning  leftovers: 1 unfinished backup: {here}/var/backups/prod-20261120T071420Z.partial',
        '         No run writes to them any more; delete them.',
        expect.stringMatching(
          /^WRONG {4}store: PostgreSQL \{version\}, \{bytes\} in "\{database\}", used by a newer Lockkeeper \(schema \{number\}, this one knows \d+\)$/,
        ),
        '         Run doctor of that version; this one cannot start with this store.',
        '1 thing is wrong.',
      ])
      expect(code).toBe(1)
    } finally {
      await store.query('delete from lockkeeper.schema_version where id = 9999')
      await rm(partial, { recursive: true })
    }
  })

  test('a killed process is missed as soon as its session ends, and its successor is named', async () => {
    const victim = bots.all().find((bot) => bot.isAlive())
    await victim?.kill()
    await until('nobody is alive', async () => (await doctor()).out.includes('no Lockkeeper runs with this store'))
    const next = await bots.start()
    expect((await fixture.run(['doctor'])).out).toContain(`-${next.pid}-`)
  })
})

describe('what it says of', () => {
  test.each([
    [50e6, 0, 'wrong', '50 MB free in /b: the next one may not fit'],
    [1e9, 900e6, 'wrong', '1.0 GB free in /b, the newest backup has 900 MB: the next one may not fit'],
    [2e9, 900e6, 'warning', '2.0 GB free in /b, the newest backup has 900 MB: room for fewer than three more'],
    [3e9, 900e6, 'ok', '3.0 GB free in /b, the newest backup has 900 MB'],
  ] as const)('%d bytes free beside a backup of %d', (free, newest, level, text) => {
    expect(lookAtBackups('prod', '/b', free, newest)).toMatchObject({ level, what: 'prod backups', text })
  })

  test.each([
    [[4_000, -4_000], 'ok', "the store's, Slack's agree with this machine's within 30 s"],
    [[60_000, 0], 'warning', "The store's clock is 60 s ahead of the others. Times in the record may be that far off. Set it right (NTP)."],
    [
      [0, -86_400_000],
      'wrong',
      "Slack's clock is 24 h behind the others. Times in the record and of approvals cannot be trusted, so nothing runs. Set it right (NTP) and ask again.",
    ],
    [[undefined, undefined], 'warning', 'nobody answered whose clock could be compared'],
  ] as const)('clocks that differ by %j ms', ([one, other], level, text) => {
    const found = lookAtClocks([
      one === undefined ? undefined : { whose: "the store's clock", aheadMs: one, errorMs: 0 },
      other === undefined ? undefined : { whose: "Slack's clock", aheadMs: other, errorMs: 500 },
    ])
    expect(found).toMatchObject({ level, what: 'clocks', text })
  })
})
