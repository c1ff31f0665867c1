import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findingLines } from '../../approvals/cards/findings.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { makePlan } from '../../src/plan/make.ts'
import { startServer } from '../faults/server.ts'
import { query } from '../helpers/target.ts'
import { createDatabase, onServer, type TestDatabase } from '../helpers/postgres.ts'
import { createOrigin, type Origin } from './application/origin.ts'

let database: TestDatabase
let origin: Origin

beforeEach(async () => {
  database = await createDatabase()
  origin = await createOrigin(database.url)
})
afterEach(async () => {
  await database.close()
  await origin.close()
})

async function planned(migrations: Readonly<Record<string, string>>, url = database.url, files: Readonly<Record<string, string>> = {}) {
  await origin.commit({
    'package.json': JSON.stringify({ name: 'shop', devDependencies: { prisma: '6.19.3' } }),
    'prisma/schema.prisma': 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n',
    'prisma/migrations/migration_lock.toml': 'provider = "postgresql"\n',
    ...files,
    ...Object.fromEntries(Object.entries(migrations).map(([name, sql]) => [`prisma/migrations/${name}/migration.sql`, sql])),
  })
  const deps = { ...origin.deps, secret: () => url }
  const plan = await makePlan(deps, { target: origin.target(), ref: null, steps: [], policy: 'p'.repeat(64) })
  return isRefusal(plan) ? `${plan.code}: ${plan.text}` : findingLines({ ...plan.evidence, findings: [] }, { most: 8, room: 2_000 }).lines
}

const FIT = { '1_a': 'create table a (id int);\n' }

describe('tables that Prisma does not count when it looks whether a database is new', () => {
  const config = (tables: string) => ({
    'prisma.config.ts': `import { defineConfig } from 'prisma/config'\nexport default defineConfig({ experimental: { externalTables: true }, tables: { ${tables} } })\n`,
  })
  const P3005 = /^target_unfit: `prod` has tables but no record of migrations, so Prisma refuses to deploy \(P3005\)/

  test.each([
    ['with single quotes', "external: ['public.users', 'auth.sessions']"],
    ['with others, a comment between them', 'external: [\n  // of the auth service\n  "public.users",\n]'],
  ])('those that the configuration calls external, %s', async (_how, tables) => {
    await query(database.url, 'create table users (id int); create table spatial_ref_sys (srid int)')
    expect(await planned(FIT, database.url, config(tables))).toEqual([])
  })

  test.each([
    ['without their schema, as Prisma does not know them either', "external: ['users']"],
    ['of another name', "external: ['public.others']"],
    ['in a comment', "external: [/* 'public.users' */]"],
  ])('and not those %s', async (_how, tables) => {
    await query(database.url, 'create table users (id int)')
    expect(await planned(FIT, database.url, config(tables))).toMatch(P3005)
  })
})

describe('a setting that outlives its file', () => {
  test('is refused where Prisma would lose its record by it', async () => {
    expect(
      await planned({
        '1_dump':
          "-- PostgreSQL database dump\n\nSET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\n\nCREATE TABLE public.a (id int);\n",
      }),
    ).toBe(
      'repository_unfit: `prisma/migrations/1_dump/migration.sql`, line 4: it leaves `search_path` empty, and in that session Prisma looks for its own record, which is in `public`. It would not find it (P1014): the file would be applied and yet be recorded as failed. Remove the statement (`pg_dump` writes it), or end the file with `RESET search_path;`, and ask again.',
    )
  })

  test('is told to those who approve, with the files that it leads elsewhere', async () => {
    expect(
      await planned({
        '1_path': 'SET search_path TO audit, public;\nCREATE TABLE log (id int);\n',
        '2_orders': 'CREATE TABLE orders (id int);\n',
        '3_index': 'CREATE INDEX CONCURRENTLY i ON orders (id);\n',
        '4_more': 'CREATE TABLE more (id int);\n',
      }),
    ).toEqual([
      '• *1_path*: it leaves search_path at audit, public behind: the migrator writes its record with it, and 2_orders runs with it, so what names no schema is created in audit and not in public; RESET search_path at its end keeps it to the file',
      '• *2_orders*: it begins with search_path at audit, public, which 1_path leaves behind',
    ])
  })
})

test('a setting made by way of pg_settings, or of a name that is put together, is told as any', async () => {
  const left = 'leave a setting whose name is computed behind: the migrator writes its record with it'
  expect(await planned({ '1_rule': "UPDATE pg_settings SET setting = 'audit' WHERE name = 'search_path';\n" })).toContain(
    `• *1_rule*: it ${left.replace('leave', 'leaves')}`,
  )
  expect(await planned({ '2_block': "DO $$ BEGIN EXECUTE format('SET %I = audit', 'search_path'); END $$;\n" })).toContain(
    `• *2_block*: it may ${left}`,
  )
})

describe('a temporary table that outlives its file', () => {
  const writes = 'UPDATE "Orders" SET paid = true;\n'
  const LEFT =
    '• *1_copy*: it leaves the temporary table Orders behind: what 2_paid does to Orders goes there and not to a table of that name that stays; DROP TABLE pg_temp."Orders" at its end keeps it to the file'

  test('hides the table of its name from later files of its session, which is told to those who approve', async () => {
    const copies = 'CREATE TEMPORARY TABLE "Orders" AS SELECT false AS paid;\n'
    await query(database.url, `create table "Orders" (paid boolean); insert into "Orders" values (false); ${copies} ${writes}`)
    expect(await query(database.url, 'select paid from "Orders"')).toEqual([{ paid: false }])
    await query(database.url, 'drop table "Orders"')
    expect(await planned({ '1_copy': copies, '2_paid': writes })).toEqual([LEFT])
  })

  test.each([
    ['dropped with its transaction', 'CREATE TEMP TABLE "Orders" (paid boolean) ON COMMIT DROP;\n', writes],
    ['dropped in its file', 'CREATE TEMP TABLE "Orders" (paid boolean);\nDROP TABLE "Orders";\n', writes],
    ['named by nobody else', 'CREATE TEMP TABLE "Orders" (paid boolean);\n', 'CREATE TABLE customers (id int);\n'],
    ['named with the schema of another', 'CREATE TEMP TABLE "Orders" (paid boolean);\n', 'CREATE TABLE public."Orders" (paid boolean);\n'],
  ])('is not told when it is %s', async (_how, first, second) => {
    const told = await planned({ '1_copy': first, '2_paid': second })
    expect(typeof told === 'string' ? told : told.filter((line) => line.includes('temporary table'))).toEqual([])
  })
})

describe('a database that takes no changes is refused before anybody approves', () => {
  const next = 'Then ask again; nothing was changed.'

  test('by a setting of the database', async () => {
    await onServer(`alter database ${database.name} set default_transaction_read_only to on`)
    const user = new URL(database.url).username
    expect(await planned(FIT)).toBe(
      `target_unfit: \`${database.name}\` is read-only for the role \`${user}\`: \`default_transaction_read_only\` is \`on\` by \`ALTER DATABASE "${database.name}" SET\`. \`ALTER DATABASE "${database.name}" RESET default_transaction_read_only\` takes that back. ${next}`,
    )
  })

  test('and what takes that back can be run as it stands there, whatever the name', async () => {
    const odd = await createDatabase({ name: `odd "${randomBytes(4).toString('hex')}"` })
    try {
      const quotedName = `"${odd.name.replaceAll('"', '""')}"`
      await onServer(`alter database ${quotedName} set default_transaction_read_only to on`)
      const command = `ALTER DATABASE ${quotedName} RESET default_transaction_read_only`
      expect(await planned(FIT, odd.url)).toContain(`\`${command}\` takes that back.`)
      await onServer(command)
      expect(await planned(FIT, odd.url)).toEqual([])
    } finally {
      await odd.close()
    }
  })

  test('by a setting of the role, everywhere and here alone', async () => {
    const role = `still_${randomBytes(4).toString('hex')}`
    await onServer(`create role ${role} login superuser password '${role}'`)
    const url = Object.assign(new URL(database.url), { username: role, password: role }).href
    try {
      await onServer(`alter role ${role} set default_transaction_read_only to on`)
      expect(await planned(FIT, url)).toBe(
        `target_unfit: \`${database.name}\` is read-only for the role \`${role}\`: \`default_transaction_read_only\` is \`on\` by \`ALTER ROLE "${role}" SET\`. \`ALTER ROLE "${role}" RESET default_transaction_read_only\` takes that back. ${next}`,
      )
      await onServer(
        `alter role ${role} reset default_transaction_read_only`,
        `alter role ${role} in database ${database.name} set default_transaction_read_only to on`,
      )
      expect(await planned(FIT, url)).toBe(
        `target_unfit: \`${database.name}\` is read-only for the role \`${role}\`: \`default_transaction_read_only\` is \`on\` by \`ALTER ROLE "${role}" IN DATABASE "${database.name}" SET\`. \`ALTER ROLE "${role}" IN DATABASE "${database.name}" RESET default_transaction_read_only\` takes that back. ${next}`,
      )
    } finally {
      await database.close()
      await onServer(`drop role ${role}`)
    }
  })

  test('since the server follows another one, although its identity is that of its primary', async () => {
    const server = await startServer()
    const role = `reader_${randomBytes(4).toString('hex')}`
    try {
      await server.sql(`create role ${role} login superuser password '${role}'`)
      const [row] = await query<{ directory: string }>(server.url, `select current_setting('data_directory') as directory`)
      await server.stop()
      await writeFile(join(row?.directory ?? '', 'standby.signal'), '')
      await server.start()
      const { host } = new URL(server.url)
      expect(await planned(FIT, Object.assign(new URL(server.url), { username: role, password: role }).href)).toBe(
        `target_unfit: \`${host}\` is a standby (it follows another server and takes no changes), so nothing can be migrated there. Its databases answer to the same identity as those of its primary. Let \`database.url\` name the primary server. ${next}`,
      )
    } finally {
      await server.close()
    }
  })

  test('by the options of the URL', async () => {
    const url = `${database.url}?options=${encodeURIComponent('-c default_transaction_read_only=on')}`
    const user = new URL(database.url).username
    expect(await planned(FIT, url)).toBe(
      `target_unfit: \`${database.name}\` is read-only for the role \`${user}\`: \`default_transaction_read_only\` is \`on\` by the \`options\` of the URL. Take it out there. ${next}`,
    )
  })
})

describe('a file is read by the server of the database, which runs nothing of it', () => {
  const said = async (files: Readonly<Record<string, string>>) => String(await planned(files)).replace(/(PostgreSQL 15)\.\d+/, '$1')
  const refused = (place: string, words: string) =>
    `repository_unfit: \`prisma/migrations/1_x/migration.sql\`, ${place}: the server (PostgreSQL 15) cannot read the file: ${words} and ask again.`

  test.each([
    [
      'of a newer PostgreSQL',
      'CREATE TABLE a (id int);\nCREATE TABLE b (x int, y int GENERATED ALWAYS AS (x * 2) VIRTUAL);\n',
      refused(
        'line 2, column 58',
        '`syntax error at or near "VIRTUAL"` (42601). A newer PostgreSQL reads it. Write it as this one does, or upgrade the server,',
      ),
    ],
    [
      'of none',
      "CREATE TABLE a (name text DEFAULT 'é');\nCREATE TABEL b (id int);\n",
      refused('line 2, column 8', '`syntax error at or near "TABEL"` (42601). Correct it'),
    ],
    ['that breaks off', 'CREATE TABLE a (\n  id int\n', refused('line 3, column 1', '`syntax error at end of input` (42601). Correct it')],
    [
      'with a quote that does not end',
      "SELECT 1;\nSELECT 'it;\n",
      refused('line 2, column 8', '`unterminated quoted string at or near "\'it;"` (42601). Correct it'),
    ],
  ])('and refused: one %s', async (_what, sql, text) => {
    expect(await said({ '1_x': sql })).toBe(text)
    expect(await query(database.url, "select relname from pg_class where relname in ('a', 'b')")).toEqual([])
  })

  test('and told as such where the review cannot read it', async () => {
    const sql = 'CREATE TABLE a (system_user text);\n' // a name until PostgreSQL 16
    expect(await said({ '1_x': sql })).toBe(
      '• *1_x*: the server (PostgreSQL 15) reads it, but the review, which knows the language of PostgreSQL 18, does not, so nobody knows what it does before somebody reads it',
    )
    await query(database.url, sql)
  })

  test('each by itself, so that one does not end what another left open', async () => {
    expect(await said({ '1_x': "SELECT 'it;\n", '2_y': "SELECT ' is';\n" })).toBe(
      refused('line 1, column 8', '`unterminated quoted string at or near "\'it;"` (42601). Correct it'),
    )
    expect(await said({ '1_x': 'SELECT 1;\n', '2_y': 'DO $$ BEGIN END $$', '3_z': '-- nothing' })).toBe('')
  })
})

describe('a record of migrations of which row-level security hides rows', () => {
  const outsider = async (work: (url: string, role: string) => Promise<void>) => {
    const role = `looks_${randomBytes(4).toString('hex')}`
    await onServer(`create role ${role} login password '${role}'`)
    await query(
      database.url,
      `create table _prisma_migrations (id varchar(36) primary key, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
        logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count int not null default 0);
       alter table _prisma_migrations enable row level security; grant all on _prisma_migrations to ${role}`,
    )
    try {
      await work(Object.assign(new URL(database.url), { username: role, password: role }).href, role)
    } finally {
      await database.close()
      await onServer(`drop role ${role}`)
    }
  }

  test('is refused, since Prisma would apply everything again', () =>
    outsider(async (url, role) => {
      expect(await planned(FIT, url)).toBe(
        `target_unfit: Row-level security hides rows of \`public._prisma_migrations\` from the role \`${role}\`, so neither Lockkeeper nor Prisma sees what was applied, and it would be applied again. Take it off that table (\`alter table "public"."_prisma_migrations" disable row level security\`), or let the URL name the owner of the table or a role with BYPASSRLS. Then ask again; nothing was changed.`,
      )
      // its owner, and whoever may go past it, sees them all
      expect(await planned(FIT)).toEqual([])
      await query(database.url, 'alter table "public"."_prisma_migrations" disable row level security')
      expect(await planned(FIT, url)).toEqual([])
    }))

  test('is none when a policy lets the role see all of them', () =>
    outsider(async (url, role) => {
      await query(database.url, `create policy all_of_them on _prisma_migrations to ${role} using (true) with check (true)`)
      expect(await planned(FIT, url)).toEqual([])
      await query(database.url, `create policy but_these on _prisma_migrations as restrictive using (migration_name <> '1_a')`)
      expect(await planned(FIT, url)).toMatch(/^target_unfit: Row-level security hides rows/)
    }))
})
