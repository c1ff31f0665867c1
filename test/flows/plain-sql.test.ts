import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { createDatabase } from '../helpers/postgres.ts'
import { commitTo } from '../helpers/sample.ts'
import { query } from '../helpers/target.ts'

/** A whole run starts a dozen real programs; on a busy machine that takes longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    database: createDatabase,
    target: () => ({ tool: { sql: { directory: 'db' } } }),
    prepare: async ({ repository }) => {
      await commitTo(repository, {
        subject: 'Keep orders in plain SQL',
        files: {
          'db/001_orders.sql': 'CREATE TABLE orders (id serial PRIMARY KEY, total int NOT NULL);\n',
          'db/002_note.sql': 'ALTER TABLE orders ADD COLUMN note text;\n',
          'db/002_note.down.sql': 'ALTER TABLE orders DROP COLUMN note;\n',
        },
      })
    },
  })
})
afterAll(() => flow?.close())

test('a team without Prisma has plan, votes, backup, guard and record', async () => {
  const request = await flow.ask('deploy prod')
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1
    <@U0ALICE> asks to run *2 migrations* and deploy \`{commit}\` from \`main\`.
    Migration | Class | What it does | Rows
    001_orders | additive | creates table orders | new
    002_note | additive | adds orders.note, nullable | new
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Keep orders in plain SQL, by Alice Marsh
    *Tool*
    plain SQL, each file in one transaction
    *Database*
    \`{database}\` on \`{host}\`
    *Risk*
    2 additive
    *Way back*
    rollback SQL for 1 of 2, and the backup
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
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *2 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 2 migrations (request-1-{plan}.sql)",
      "<@U0BOB> approved, 1 of 1. It may start.",
      "The run has started.",
      "*Preflight* · 16 checks; backups are on the database's own disk",
      "*Install* · {commit}, {duration}",
      "*Back up* · {size} in {duration}, {size} on disk",
      "*Verify the backup* · read in full in {duration}, no migration table yet",
      "\`001_orders\` applied, 1 of 2 · {duration}",
      "\`002_note\` applied, 2 of 2 · {duration}",
      "*Migrate* · 2 migrations in {duration}",
      "*Verify the schema* · 2 applied by the record, schema not compared",
      "*Switch* · {duration}",
      "*Health* · 1 check passed, {duration}",
      "Deploy to Production · #1 done · *2 migrations applied and \`{commit}\` is live.*
    Took {duration} · the log follows",
      "[file] The whole log (request-1-prod.log)",
    ]
  `)
  expect(await query(flow.database.url, 'select migration_name from lockkeeper_migrations order by id')).toEqual([
    { migration_name: '001_orders' },
    { migration_name: '002_note' },
  ])
  expect(await flow.answer('status prod')).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): 2 applied, nothing pending.
    • Live: commit \`{commit}\`, deployed last from here by #1
    • Last: #1, finished {time}
    • \`lockkeeper_migrations\`, all 2 rows, times in UTC
        ◦ \`002_note\` applied {time}, took {duration}
        ◦ \`001_orders\` applied {time}, took {duration}"
  `)
  expect(await flow.answer('plan prod')).toMatchInlineSnapshot(`
    "Plan for *Production* (\`prod\`): \`{commit}\` from \`main\`, “Keep orders in plain SQL” by Alice Marsh
    Nothing is pending, so the database stays as it is.
    • Steps: Switch, 1 health check
    • Approvals: 1 of <!subteam^S0DBA>, never the one who asks
    Plan \`{plan}\`. To ask for it: \`/migrate deploy prod\`"
  `)
})
