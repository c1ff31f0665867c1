import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { withTarget } from '../../src/database/connect.ts'
import { countingNode, type CountingNode } from '../helpers/counting-node.ts'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { createDatabase } from '../helpers/postgres.ts'
import { modulesWithPrisma8 } from '../helpers/prisma8/modules.ts'
import { CONFIG } from '../helpers/prisma8/scene.ts'
import { linkCommand } from '../helpers/sample.ts'
import { createOrigin, type Origin } from '../plan/application/origin.ts'
import { applicationFiles, signedDatabase } from '../plan/prisma8/application.ts'

vi.setConfig({ testTimeout: 180_000 })

let origin: Origin
let flow: Flow
let node: CountingNode

async function signed() {
  const database = await createDatabase()
  await withTarget({ url: database.url, applicationName: 'test' }, (client) => client.query(signedDatabase()))
  return database
}

beforeAll(async () => {
  origin = await createOrigin()
  await origin.commit({ ...applicationFiles(), 'prisma.config.ts': CONFIG }, 'Phones in place of emails')
  flow = await startFlow({
    database: signed,
    target: ({ directory }) => {
      node = countingNode(`${directory}/node`)
      return {
        source: { repository: origin.directory, branch: 'main', path: node.path, install: linkCommand(modulesWithPrisma8()) },
        // what Prisma calls destructive is breaking, and has its own people
        approvals: { required: 1, from: ['group:S0DBA'], breaking: { from: ['user:U0CAROL'] } },
      }
    },
  })
})
afterAll(async () => {
  await flow?.close()
  await origin?.close()
})

const query = (text: string) =>
  withTarget({ url: flow.database.url, applicationName: 'test' }, async (client) => (await client.query(text)).rows)

test('what Prisma calls destructive goes to those who decide about it; an operation that fails takes everything back, and the card says so', async () => {
  await query('create view emails as select email from "Customer"')
  const request = await flow.ask('deploy prod')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1
    <@U0ALICE> asks to run *2 migrations* and deploy \`{commit}\` from \`main\`.
    *What the review found*
    • *20261130T0319_no_email*: Customer.email is dropped with what it holds
    Migration | Class | What it does | Rows
    20261130T0319_phone | additive | adds Customer.phone, nullable | unknown
    20261130T0319_no_email | breaking | drops Customer.email; drops constraint Customer_email_key of Customer | unknown
    *Approvals*
    0 of 1 · open to <@U0CAROL>
    *Commit*
    Phones in place of emails, by Ada Berg
    *Tool*
    Prisma 8.0.0-rc.19, a release candidate; all of it in one transaction, from contract \`{commit}\` to \`{commit}\`
    *Database*
    \`{database}\` on \`{host}\`
    *Risk*
    1 breaking, 1 additive
    *Way back*
    the backup; Prisma 8 knows none of its own
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
  expect(
    flow.slack
      .files()
      .find((file) => file.name.endsWith('.sql'))
      ?.content.replace(/[0-9a-f]{40}/, 'COMMIT'),
  ).toMatchInlineSnapshot(`
    "-- 2 pending migrations of prod at commit COMMIT, for Prisma 8.0.0-rc.19, in one transaction

    -- migration 20261130T0319_phone
    -- from contract d61aaa75cc150c621530a3f5bffe052b6685864e06546b23bf811c61a6f79574
    -- to contract f6d704da0e3034f6ea056a6c328d50de640114f3fca4b833aa9868af226106e8
    -- migrationHash f9f1b71c2fa873cead8209b25daba15df910b444338f0290f999bd9c7ba88db2
    -- SHA-256 of ops.json 038ff123cea0de3b09801ede4b3edf6a3f4f42ead61769435458a22434bb3269
    -- SHA-256 of migration.json e4ef4605521e9895df9043e80e7e8175943ab5aa6a669e2bc6ee561542445286

    -- additive: Add column "phone" to "Customer"
    -- must be true before: ensure column "phone" is missing
    --   SELECT NOT EXISTS (SELECT 1 AS "one" FROM "information_schema"."columns" WHERE ("table_schema" = $1 AND "table_name" = $2 AND "column_name" = $3)) AS "result"
    --   with ["public","Customer","phone"]
    ALTER TABLE "public"."Customer" ADD COLUMN "phone" text;
    -- must be true after: verify column "phone" exists
    --   SELECT EXISTS (SELECT 1 AS "one" FROM "information_schema"."columns" WHERE ("table_schema" = $1 AND "table_name" = $2 AND "column_name" = $3)) AS "result"
    --   with ["public","Customer","phone"]

    -- migration 20261130T0319_no_email
    -- from contract f6d704da0e3034f6ea056a6c328d50de640114f3fca4b833aa9868af226106e8
    -- to contract c3bf7ce541aa7c95f093bcaf9539a0c1b66c2d98530fc8952ccf49202e435597
    -- migrationHash 9c653b452e3b41a5421347a64965a85ed26d250f4a478c870794c38871323bf2
    -- SHA-256 of ops.json f1b75c5aecdda5b2d0889190af5f69367b6e7afe74624c4046fb61627b0b76cd
    -- SHA-256 of migration.json 032dcb4c295f212e9cd849cc410e864fe0fec9e9fdba3257ab0574194c3e9c96
    -- found: Customer.email is dropped with what it holds

    -- destructive: Drop constraint "Customer_email_key" on "Customer"
    -- must be true before: ensure constraint "Customer_email_key" exists
    --   SELECT EXISTS (SELECT 1 AS "one" FROM "pg_constraint" AS "c" INNER JOIN "pg_namespace" AS "n" ON "n"."oid" = "c"."connamespace" WHERE ("c"."conname" = $1 AND "n"."nspname" = $2 AND "c"."conrelid" = to_regclass($3))) AS "result"
    --   with ["Customer_email_key","public","\\"public\\".\\"Customer\\""]
    ALTER TABLE "public"."Customer" DROP CONSTRAINT "Customer_email_key";
    -- must be true after: verify constraint "Customer_email_key" does not exist
    --   SELECT NOT EXISTS (SELECT 1 AS "one" FROM "pg_constraint" AS "c" INNER JOIN "pg_namespace" AS "n" ON "n"."oid" = "c"."connamespace" WHERE ("c"."conname" = $1 AND "n"."nspname" = $2 AND "c"."conrelid" = to_regclass($3))) AS "result"
    --   with ["Customer_email_key","public","\\"public\\".\\"Customer\\""]

    -- destructive: Drop column "email" from "Customer"
    -- must be true before: ensure column "email" exists
    --   SELECT EXISTS (SELECT 1 AS "one" FROM "information_schema"."columns" WHERE ("table_schema" = $1 AND "table_name" = $2 AND "column_name" = $3)) AS "result"
    --   with ["public","Customer","email"]
    ALTER TABLE "public"."Customer" DROP COLUMN "email";
    -- must be true after: verify column "email" does not exist
    --   SELECT NOT EXISTS (SELECT 1 AS "one" FROM "information_schema"."columns" WHERE ("table_schema" = $1 AND "table_name" = $2 AND "column_name" = $3)) AS "result"
    --   with ["public","Customer","email"]
    "
  `)
  expect(await flow.approve(request.id, 'U0BOB')).toMatchInlineSnapshot(
    `"#1 may be decided by <@U0CAROL>, and only by those who were among them when it was asked and still are. You are not. Nothing was changed."`,
  )
  await flow.approve(request.id, 'U0CAROL')
  await flow.reaches(request.id, 'failed')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1 stopped
    *\`20261130T0319_no_email\` stopped: the view \`emails\` depends on what it drops. None of the 2 migrations is applied.* The application was left as it was.
    Stopped after {duration}
    complete | Preflight | 16 checks; backups are on the database's own disk
    complete | Install | {commit}, {duration}
    complete | Back up | {size} in {duration}, {size} on disk
    complete | Verify the backup | read in full in {duration}, 1 migration record
    pending | 20261130T0319_phone | not started
    error | 20261130T0319_no_email | others depend
    pending | Verify the schema | not started
    pending | Switch | not started
    pending | Health | not started
    *Why.* PostgreSQL drops nothing that something else still uses; \`CASCADE\` would drop that as well, with what it holds. Prisma 8 runs all that is pending in one transaction, and the database undid it: nothing of it stayed.
    *Next.* Bring the database to where the migration begins, or correct its \`migration.ts\`, write the package anew (\`node migrations/app/20261130T0319_no_email/migration.ts\`) and commit it. Then ask again.
    MIGRATION.RUNNER_FAILED: Operation dropColumn.Customer.email failed during execution: drop column "email"
    cannot drop column email of table "Customer" because other objects depend on it (2BP01)
    DETAIL: view emails depends on column email of table "Customer"
    ALTER TABLE "public"."Customer" DROP COLUMN "email"
    Backup \`{backup}\` is kept · log in the thread · plan \`{plan}\`"
  `)
})

// proves deploy: 8.0.0-rc.19
// proves drift: 8.0.0-rc.19
test('asked, approved, backed up, migrated in one transaction, verified and deployed, with three starts of Prisma', async () => {
  await query('drop view emails')
  const before = node.prisma().length
  const request = await flow.ask('deploy prod')
  await flow.approve(request.id, 'U0CAROL')
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #2 done
    *2 migrations applied and \`{commit}\` is live.*
    *Took*
    {duration}
    *Backup*
    {size} in {duration}, {size} on disk
    *Asked by*
    <@U0ALICE>
    *Approved by*
    <@U0CAROL>
    \`/migrate show 2\` has the record · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *2 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 2 migrations (request-2-{plan}.sql)",
      "<@U0CAROL> approved, 1 of 1. It may start.",
      "The run has started.",
      "*Preflight* · 16 checks; backups are on the database's own disk",
      "*Install* · {commit}, {duration}",
      "*Back up* · {size} in {duration}, {size} on disk",
      "*Verify the backup* · read in full in {duration}, 1 migration record",
      "\`20261130T0319_phone\` applied, 1 of 2 · in one transaction",
      "\`20261130T0319_no_email\` applied, 2 of 2 · in one transaction",
      "*Migrate* · 2 migrations in one transaction, in {duration}",
      "*Verify the schema* · contract c3bf7ce541aa, live schema as described",
      "*Switch* · {duration}",
      "*Health* · 1 check passed, {duration}",
      "Deploy to Production · #2 done · *2 migrations applied and \`{commit}\` is live.*
    Took {duration} · the log follows",
      "[file] The whole log (request-2-prod.log)",
    ]
  `)
  expect(node.prisma().slice(before)).toMatchInlineSnapshot(`
    [
      "db migrate --show --to c3bf7ce541aa7c95f093bcaf9539a0c1b66c2d98530fc8952ccf49202e435597",
      "db migrate --to c3bf7ce541aa7c95f093bcaf9539a0c1b66c2d98530fc8952ccf49202e435597",
      "db verify",
    ]
  `)
  await flow.answer('export 2', 'U0CAROL')
  const page = flow.slack.files().findLast((file) => file.name.endsWith('.html'))?.content ?? ''
  for (const part of ['8.0.0-rc.19', 'Drop column', 'f9f1b71c2fa8']) expect(page).toContain(part)
  expect((await flow.answer('status prod')).replace(/\w{3} \d+ \w{3} \d{4} [\d:]{8}/g, '{time}')).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): Prisma 8.0.0-rc.19, a release candidate; 3 applied, nothing pending.
    • Contract: \`{commit}\`, in the database and in the commit
    • Live: commit \`{commit}\`, deployed last from here by #2
    • Schema: as #2 left it ({time}).
    • Last: #2, finished {time}
    • \`prisma_contract.ledger\`, 3 rows, times in UTC
        ◦ \`20261130T0319_no_email\` in a run that began {time}
        ◦ \`20261130T0319_phone\` in a run that began {time}
        ◦ \`20261130T0316_customers\` in a run that began {time}"
  `)
})
