import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { commitTo, git } from '../helpers/sample.ts'
import { query } from '../helpers/target.ts'
import { until } from '../helpers/until.ts'

/** Where no approval is asked for, everything else that holds a run up still does. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const free = { protected: false, approvals: { required: 0 }, timezone: 'UTC' }
let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    pending: 0,
    targets: {
      nightly: { pending: 1, target: () => free },
      moving: { pending: 1, target: () => free },
      drifted: {
        pending: 1,
        target: () => free,
        prepare: ({ database }) => query(database.url, 'alter table orders add column by_hand text').then(() => {}),
      },
      adopted: {
        pending: 1,
        target: () => free,
        prepare: ({ database }) => query(database.url, 'drop table _prisma_migrations').then(() => {}),
      },
    },
  })
})
afterAll(() => flow?.close())
beforeEach(() => clock('2026-11-30 12:00 UTC')) // a Monday

const clock = (at: string) => flow.store.query(`update lockkeeper.store set clock_offset = $1::timestamptz - clock_timestamp()`, [at])

const happened = (id: number, kind: string) =>
  until(`#${id} has ${kind}`, async () => {
    const rows = await flow.store.query('select 1 from lockkeeper.event where request_id = $1 and kind = $2', [id, kind])
    return rows.length > 0
  })

/** The words below the card, without files and steps. */
const told = (id: number) => flow.thread(id).filter((post) => !post.startsWith('[file]'))

test('it is queued for a time without a vote, compared before its turn, held by a freeze inside of its slot, and then runs', async () => {
  const { id } = await flow.ask('deploy nightly --at "Tue 02:00"', 'U0ALICE', ['granted'])
  expect(await flow.answer('deploy nightly')).toMatchInlineSnapshot(
    `"\`nightly\` is taken by #1 (asked by <@U0ALICE>, approved {time}, starts by itself {time}). It frees when that ends, or with \`/migrate cancel 1\`."`,
  )
  await flow.drawn(id)
  expect(flow.cardInShort(id)).toMatchInlineSnapshot(`
    "Deploy to nightly · #1
    *No approval is needed* · queued for {time} to {time} (Tue 1 Dec 02:00 to 06:00 UTC) · asked by <@U0ALICE>
    Migration | Class | What it does | Rows
    20261120084500_index_orders_discount | additive | builds an index on orders, concurrently | 50
    [Cancel]
    Plan \`{plan}\` · it ends {time}, when its window closes"
  `)
  await clock('2026-11-30 18:00 UTC')
  await happened(id, 'checked')
  expect(await flow.answer('freeze nightly until "2026-12-01 02:30" --reason "a release"')).toMatchInlineSnapshot(
    `"\`nightly\` is frozen until {time} (Tue 1 Dec 2026 02:30 UTC, in {duration}): nothing starts, and what runs goes on. *#1 is queued for that time:* what would start then waits for the end of it inside its window, or is refused. To end it earlier: \`/migrate unfreeze nightly\`."`,
  )
  await clock('2026-12-01 02:00:01 UTC')
  await until('its thread says why it waits', () => told(id).some((post) => post.includes('waits inside its window')))
  expect(await flow.reaches(id, 'granted')).toMatchObject({ startedAt: null })
  await clock('2026-12-01 02:30:01 UTC')
  await flow.reaches(id, 'succeeded')
  await flow.drawn(id)
  expect(told(id).slice(0, 5)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "This target asks for no approval (\`approvals.required: 0\`), so it starts by itself; it is backed up and recorded all the same.",
      "Compared again before its turn: the plan is still the one on the card, so nobody is asked.",
      "Its turn has come, and it waits inside its window. \`nightly\` is frozen until {time} (Tue 1 Dec 02:30 UTC) by <@U0ALICE>: “a release”. It starts by itself when that ends.",
      "The run has started.",
    ]
  `)
})

test('what changed before its turn is planned anew, said, and runs without a vote too', async () => {
  const { repository } = flow.behind('moving')
  const { id, plan } = await flow.ask('deploy moving --at "Tue 02:00"', 'U0ALICE', ['granted'])
  await git(repository, ['update-ref', 'refs/heads/main', `${plan?.commit}~1`])
  await commitTo(repository, { files: { 'README.md': 'another\n' }, subject: 'Say it otherwise' })
  await clock('2026-11-30 18:00:01 UTC')
  await happened(id, 'asked_anew')
  await flow.reaches(id, 'granted')
  await clock('2026-12-01 02:00:01 UTC')
  await flow.reaches(id, 'succeeded')
  await flow.drawn(id)
  expect(told(id).slice(0, 6)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "This target asks for no approval (\`approvals.required: 0\`), so it starts by itself; it is backed up and recorded all the same.",
      "Its plan was made anew. Commit \`{commit}\` is no longer part of \`main\`.",
      "This target asks for no approval (\`approvals.required: 0\`), so it starts by itself; it is backed up and recorded all the same.",
      "The run has started.",
      "*Preflight* · 16 checks; backups are on the database's own disk",
    ]
  `)
})

test('a database that somebody changed by hand runs, and the difference is said', async () => {
  const { id } = await flow.ask('deploy drifted', 'U0ALICE', ['succeeded', 'failed'])
  await flow.drawn(id)
  expect(told(id).filter((post) => post.includes('differs'))).toMatchInlineSnapshot(`
    [
      "The live schema differs from the one that the commit describes. To make it equal, this would have to change:
    • \`[*] Changed the 'orders' table\`
    • \`[-] Removed column 'by_hand'\`",
      "*Verify the schema* · 14 applied, Prisma agrees, live schema differs, see the thread",
    ]
  `)
  expect((await flow.reaches(id, 'succeeded')).state).toBe('succeeded')
})

test('a database without a record is not adopted by itself', async () => {
  await flow.ask('deploy adopted', 'U0ALICE', ['refused'])
  const [row] = await flow.store.query<{ id: number; headline: string }>(
    `select id, outcome ->> 'headline' as headline from lockkeeper.request where target = 'adopted'`,
  )
  expect(row?.headline).toMatchInlineSnapshot(
    `"*\`adopted\` has tables but no record of migrations, so Prisma refuses to deploy (P3005).* If its schema already equals the first migrations, record each by hand (\`npx prisma migrate resolve --applied &lt;migration&gt;\`) and ask again."`,
  )
  expect(await query(flow.behind('adopted').database.url, `select to_regclass('_prisma_migrations') as record`)).toEqual([{ record: null }])
})
