import { readdir, readFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { lockkeeper } from '../commands/operator/lockkeeper.ts'
import { createDatabase } from '../helpers/postgres.ts'
import { commitTo } from '../helpers/sample.ts'
import { query } from '../helpers/target.ts'

/** A whole run starts a dozen real programs; on a busy machine that takes longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    people: { [`os:${userInfo().username}`]: 'U0CAROL' },
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
  expect(await flow.answer('plan prod')).toContain('\n• Way back: a file .down.sql beside 1 of 2 migrations, and the backup for the rest\n')
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
    • Schema: as #1 left it ({time}).
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
    • Commits: none: this is the live \`{commit}\` itself
    Plan \`{plan}\`. To ask for it: \`/migrate deploy prod\`"
  `)
})

test('its evidence verifies, and no page of it speaks of Prisma', async () => {
  const cli = (...words: string[]) => lockkeeper(['--config', flow.configPath, ...words], { cwd: flow.directory, env: flow.env })
  const out = join(flow.directory, 'bundles')
  expect(await cli('export', '1', '--out', out)).toMatchObject({ code: 0, err: '' })
  const names = await readdir(out)
  expect(names).toHaveLength(2)
  for (const name of names) {
    expect(await cli('evidence', 'verify', join(out, name))).toMatchObject({ code: 0, out: expect.stringMatching(/^WHOLE: /) })
    expect((await readFile(join(out, name), 'utf8')).match(/.{0,40}Prisma.{0,40}/g)).toBeNull()
  }
})

test('a request that was approved while its tool was another one asks again', async () => {
  await commitTo(flow.repository, { subject: 'More', files: { 'db/003_more.sql': 'CREATE TABLE more (id int);\n' } })
  const { id, digest } = await flow.ask('deploy prod')
  await flow.stop()
  await flow.configure('prod', { tool: { sql: { directory: 'db', baseline: '001_orders' } } })
  await flow.start()
  await flow.approve(id)
  await flow.reachesPlan(id, digest)
  await flow.drawn(id)
  expect(flow.thread(id)).toContain(
    'It asks again, and votes for the earlier plan no longer count. The rules, the guards, the source or the tool of this target were configured otherwise since.',
  )
})
