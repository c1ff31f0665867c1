import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { git, installCommand } from '../helpers/sample.ts'

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    
    targets: { empty: { pending: 0 }, bare: {} },
  })
})
afterAll(() => flow?.close())

test('asked, approved, backed up, migrated, deployed, healthy: from the command to the proof in the thread', async () => {
  const request = await flow.ask('deploy prod --reason "Checkout needs discounts"')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1
    <@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`.
    > Checkout needs discounts
    Migration | Class | What it does | Rows
    20261118102000_create_discounts | additive | creates table discounts | new
    20261119093000_add_orders_discount_id | additive | adds orders.discount_id, nullable | 50
    20261120084500_index_orders_discount | additive | builds an index on orders, concurrently | 50
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Show the discount in the list of orders, by Alice Marsh
    *Risk*
    3 additive
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
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 3 migrations (request-1-fe7b194d.sql)",
    ]
  `)
  expect(await flow.press(request.id, 'approve', 'U0BOB')).toMatchInlineSnapshot(`
    "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\` on *Production*.
    • *20261118102000_create_discounts* · additive · creates table discounts
    • *20261119093000_add_orders_discount_id* · additive · adds orders.discount_id, nullable · 50 rows
    • *20261120084500_index_orders_discount* · additive · builds an index on orders, concurrently · 50 rows
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Risk*
    3 additive
    *Commit*
    \`{full commit}\`
    *Plan*
    \`{plan}\`
    Your approval is for plan \`{plan}\` alone. If anything in it changes, it asks again."
  `)
  expect(await flow.approve(request.id)).toMatchInlineSnapshot(`"Your approval of #1 is counted: 1 of 1. The run starts now."`)
  const done = await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1 done
    *3 migrations applied and \`{commit}\` is live.*
    *Took*
    {duration}
    *Backup*
    {size} in {duration}, {size} on disk
    *Asked by*
    <@U0ALICE>
    *Approved by*
    <@U0BOB>
    \`/migrate show 1\` has the record · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 3 migrations (request-1-fe7b194d.sql)",
      "<@U0BOB> approved, 1 of 1. It may start.",
      "The run has started.",
      "The backup directory \`{directory}/backups\` is on the same file system as the database, and is lost together with it. Keep backups on another disk.",
      "*Preflight* · 15 checks, 1 warning",
      "Output · Health
    …

    Prisma config detected, skipping environment variable loading.
    Prisma schema loaded from prisma/schema.prisma
    Datasource "db": PostgreSQL database "{database}", schema "public" using driver adapter "@prisma/adapter-pg"

    WARNING: Your schema specifies the following datasource properties but you are using a Driver Adapter via prisma.config.ts:
    - url

    The values from your schema will NOT be used!

    We recommend you to remove those properties from your schema to avoid confusion if you are only using driver adapters.

    14 migrations found in prisma/migrations
    Following migrations have not yet been applied:
    20261118102000_create_discounts
    20261119093000_add_orders_discount_id
    20261120084500_index_orders_discount

    To apply migrations in development run prisma migrate dev.
    To apply migrations in production run prisma migrate deploy.
    Loaded Prisma config from prisma.config.ts.

    Prisma config detected, skipping environment variable loading.
    Prisma schema loaded from prisma/schema.prisma
    Datasource "db": PostgreSQL database "{database}", schema "public" using driver adapter "@prisma/adapter-pg"

    WARNING: Your schema specifies the following datasource properties but you are using a Driver Adapter via prisma.config.ts:
    - url

    The values from your schema will NOT be used!

    We recommend you to remove those properties from your schema to avoid confusion if you are only using driver adapters.

    13 migrations found in prisma/migrations


    The following migration(s) have been applied:

    migrations/
      └─ 20261118102000_create_discounts/
        └─ migration.sql
      └─ 20261119093000_add_orders_discount_id/
        └─ migration.sql
          
    All migrations have been successfully applied.
    Loaded Prisma config from prisma.config.ts.

    Prisma config detected, skipping environment variable loading.
    Prisma schema loaded from prisma/schema.prisma
    Datasource "db": PostgreSQL database "{database}", schema "public" using driver adapter "@prisma/adapter-pg"

    WARNING: Your schema specifies the following datasource properties but you are using a Driver Adapter via prisma.config.ts:
    - url

    The values from your schema will NOT be used!

    We recommend you to remove those properties from your schema to avoid confusion if you are only using driver adapters.

    14 migrations found in prisma/migrations


    The following migration(s) have been applied:

    migrations/
      └─ 20261120084500_index_orders_discount/
        └─ migration.sql
          
    All migrations have been successfully applied.",
      "*Install* · {commit}, {duration}",
      "*Back up* · {size} in {duration}, {size} on disk",
      "*Verify the backup* · read in full, 11 migrations recorded in {duration}",
      "\`20261118102000_create_discounts\` applied, 1 of 3 · {duration}",
      "\`20261119093000_add_orders_discount_id\` applied, 2 of 3 · {duration}",
      "\`20261120084500_index_orders_discount\` applied, 3 of 3 · {duration}",
      "*Migrate* · 3 migrations in {duration}",
      "*Switch* · {duration}",
      "*Health* · 1 probe healthy, {duration}",
      "Deploy to Production · #1 done · *3 migrations applied and \`{commit}\` is live.*
    Took {duration} · the log follows",
      "[file] The whole log (request-1-prod.log)",
    ]
  `)
  expect(await flow.behind('prod').live()).toBe(done.plan?.commit)
})
