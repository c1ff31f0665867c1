import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { diagnose, type DiagnosisContext } from '../../../src/migrate/diagnoses/diagnosis.ts'
import { createApplication, prismaEnv, type Application } from '../../helpers/application.ts'
import { createDatabase, onServer, type TestDatabase } from '../../helpers/postgres.ts'
import { until } from '../../helpers/until.ts'

const context: DiagnosisContext = {
  migration: null,
  target: 'Production',
  database: 'shop',
  host: 'db.example',
  port: 5432,
  role: 'migrator',
  lockTimeoutMs: 2_000,
  statementTimeoutMs: 900_000,
}

const INIT = `create table customers (id int primary key, email text);
create table orders (id int primary key, customer_id int, total int);
insert into customers values (1, 'a@example.com'), (2, 'a@example.com');
insert into orders values (1, 9, null), (2, 1, -5);
create type status as enum ('open');
create view totals as select total from orders;
`

let application: Application
let template: TestDatabase
const role = `weak_${randomBytes(4).toString('hex')}`

beforeAll(async () => {
  application = createApplication({ '1_init': INIT })
  template = await createDatabase()
  await onServer(`create role ${role} login password '${role}'`)
  const said = await prisma(template.url, 'migrate', 'deploy')
  if (!said.includes('All migrations have been successfully applied.')) throw new Error(said)
})
afterAll(async () => {
  application.close()
  await template.close()
  await onServer(`drop role ${role}`)
})

describe('what people hit, through Prisma', () => {
  test.each([
    ['already_exists', 'create table orders (id int);', '`2_case` stopped: table or index `orders` already exists.'],
    ['already_exists', 'alter table orders add column total int;', '`2_case` stopped: column `total` of table `orders` already exists.'],
    ['does_not_exist', 'alter table missing add column x int;', '`2_case` stopped: table or index `missing` does not exist.'],
    ['does_not_exist', 'update orders set nothing = 1;', '`2_case` stopped: column `nothing` of table `orders` does not exist.'],
    [
      'foreign_key_fails',
      'alter table orders add constraint orders_customer_fkey foreign key (customer_id) references customers;',
      '`2_case` stopped: rows in `orders` point at rows that do not exist.',
    ],
    [
      'duplicate_rows',
      'create unique index customers_email_key on customers (email);',
      '`2_case` stopped: rows that must be unique are not.',
    ],
    [
      'null_values',
      'alter table orders alter column total set not null;',
      '`2_case` stopped: column `total` would be required, but rows have no value for it.',
    ],
    [
      'null_values',
      'alter table orders add column ref text not null;',
      '`2_case` stopped: column `ref` would be required, but rows have no value for it.',
    ],
    [
      'check_fails',
      'alter table orders add constraint orders_total_check check (total > 0);',
      '`2_case` stopped: rows break the check `orders_total_check`.',
    ],
    ['others_depend', 'alter table orders drop column total;', '`2_case` stopped: the view `totals` depends on what it drops.'],
    [
      'concurrently_in_transaction',
      'create index concurrently i on orders (total); select 1;',
      '`2_case` stopped: a `CONCURRENTLY` statement is not alone in its file.',
    ],
    [
      'enum_value_too_new',
      `alter type status add value 'sent'; create table t (s status default 'sent');`,
      '`2_case` stopped: it uses an enum value that it adds itself.',
    ],
    ['syntax', 'create tabel t (id int);', '`2_case` stopped: PostgreSQL cannot read its SQL.'],
    [
      'statement_timeout',
      `set statement_timeout = '100ms'; select pg_sleep(5);`,
      '`2_case` took too long and was stopped by the database.',
    ],
    ['read_only_file', 'set transaction read only; create table t (id int);', '`2_case` stopped: its transaction is read-only.'],
    [
      'disk_full',
      `do $$ begin raise exception 'could not extend file "base/1/2": No space left on device' using errcode = '53100'; end $$;`,
      "`2_case` stopped: the database server's disk is full.",
    ],
    [
      'deadlock',
      `do $$ begin raise exception 'deadlock detected' using errcode = '40P01'; end $$;`,
      '`2_case` and another session waited for each other, and the database stopped the migration.',
    ],
    ['unknown', 'select 1 / 0;', '`2_case` stopped. PostgreSQL says: `division by zero` (22012).'],
  ])('%s: %s', async (code, sql, headline) => {
    const { output } = await deployed(sql)
    expect(diagnose({ output, context })).toMatchObject({ code, headline })
  })

  test('permission denied and must be owner, for a role that is too weak', async () => {
    const database = await createDatabase({ template: template.name })
    const url = Object.assign(new URL(database.url), { username: role, password: role }).href
    try {
      await withCase('alter table orders add column x int;', async () => {
        expect(diagnose({ output: await prisma(url, 'migrate', 'deploy'), context })).toMatchObject({
          code: 'permission_denied',
          headline: 'Nothing was started: the role `migrator` may not use table `_prisma_migrations`.',
          next: 'Grant the role `migrator` the right that the statement needs, or use a role that may change the schema. Then ask again.',
        })
        await sqlIn(database.url, `grant select, insert, update on _prisma_migrations to ${role}`)
        expect(diagnose({ output: await prisma(url, 'migrate', 'deploy'), context })).toMatchObject({
          code: 'must_be_owner',
          headline: '`2_case` stopped: the role `migrator` does not own table `orders`.',
        })
      })
    } finally {
      await database.close()
    }
  })

  test('no server, no database, no login and no connection left', async () => {
    const at = (change: Partial<Pick<URL, 'port' | 'pathname' | 'username' | 'password'>>) =>
      Object.assign(new URL(template.url), change).href
    expect(diagnose({ output: await prisma(at({ port: '1' }), 'migrate', 'deploy'), context })).toMatchObject({
      code: 'cannot_reach_server',
      headline: 'The database server `db.example:5432` cannot be reached.',
    })
    expect(diagnose({ output: await prisma(at({ pathname: '/nowhere' }), 'migrate', 'deploy'), context })).toMatchObject({
      code: 'no_such_database',
      headline: 'There is no database `shop` on `db.example:5432`.',
    })
    expect(diagnose({ output: await prisma(at({ username: role, password: 'wrong' }), 'migrate', 'deploy'), context })).toMatchObject({
      code: 'login_refused',
      headline: '`db.example` refused the login of `migrator`.',
    })
    await onServer(`alter role ${role} connection limit 0`)
    expect(diagnose({ output: await prisma(at({ username: role, password: role }), 'migrate', 'deploy'), context })).toMatchObject({
      code: 'too_many_connections',
      headline: '`shop` has no connection left for the migrator.',
    })
    await onServer(`alter role ${role} connection limit -1`)
  })

  test('a database that takes no changes', async () => {
    const database = await createDatabase({ template: template.name })
    try {
      await onServer(`alter database ${database.name} set default_transaction_read_only to on`)
      await withCase('create table t (id int);', async () => {
        const found = diagnose({ output: await prisma(database.url, 'migrate', 'deploy'), context })
        expect(found).toMatchObject({
          code: 'read_only',
          headline: '`shop` is read-only, so nothing can be migrated.',
          why: 'PostgreSQL says: `cannot execute INSERT in a read-only transaction`. The URL leads to a standby, or `default_transaction_read_only` is on for the server, the database or the role.',
          next: 'Point `database.url` at the primary server, or switch the setting off, then ask again.',
        })
      })
    } finally {
      await database.close()
    }
  })

  test('an earlier failure, and marking what is not there', async () => {
    const { output, again, applied, marked, strange } = await deployed('create table orders (id int);', async (url) => ({
      again: await prisma(url, 'migrate', 'deploy'),
      applied: await prisma(url, 'migrate', 'resolve', '--applied', '2_case'),
      marked: await prisma(url, 'migrate', 'resolve', '--applied', '2_case'),
      strange: await prisma(url, 'migrate', 'resolve', '--rolled-back', 'nothing'),
    }))
    expect(diagnose({ output, context }).code).toBe('already_exists')
    expect(diagnose({ output: again, context })).toMatchObject({
      code: 'earlier_failure',
      headline: '`2_case` failed before and is not resolved, so nothing was started.',
      next: 'See what of it is in the database. Mark it as applied when all of it is there, as rolled back when nothing is. Then ask again.',
    })
    expect(applied).toContain('marked as applied')
    expect(diagnose({ output: marked, context })).toMatchObject({
      code: 'already_applied',
      headline: '`2_case` is already recorded as applied.',
    })
    expect(diagnose({ output: strange, context })).toMatchObject({ code: 'not_in_record' })
  })

  test('a database with tables and no record', async () => {
    const database = await createDatabase()
    try {
      await sqlIn(database.url, 'create table somebody (id int)')
      expect(diagnose({ output: await prisma(database.url, 'migrate', 'deploy'), context })).toMatchObject({
        code: 'not_baselined',
        headline: '`shop` has tables but no record of migrations, so nothing was started.',
      })
    } finally {
      await database.close()
    }
  })

  test('a statement that somebody cancels, and a session that somebody terminates', async () => {
    for (const [act, code, headline] of [
      ['pg_cancel_backend', 'cancelled', '`2_case` was cancelled while it ran.'],
      ['pg_terminate_backend', 'terminated', 'The connection to the database was ended during `2_case`.'],
    ] as const) {
      const { output } = await deployed('select pg_sleep(30);', undefined, async (url) => {
        await until('the sleep', async () => {
          const [row] = await sqlIn(
            url,
            `select ${act}(pid) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
          )
          return row !== undefined
        })
      })
      expect(diagnose({ output, context: { ...context, migration: '2_case' } })).toMatchObject({ code, headline })
    }
  })

  test.each([
    ["Prisma's lock", 'select pg_advisory_lock(72707369)'],
    ['the record', 'begin; lock table _prisma_migrations'],
  ])('%s in other hands means that nothing was started, and which of them it is is not made up', async (_what, hold) => {
    const database = await createDatabase({ template: template.name })
    const holder = new pg.Client({ connectionString: database.url })
    await holder.connect()
    try {
      await holder.query(hold)
      const url = `${database.url}?options=${encodeURIComponent('-c lock_timeout=300')}`
      expect(diagnose({ output: await prisma(url, 'migrate', 'deploy'), context })).toMatchObject({
        code: 'migrator_lock_held',
        headline: 'Another session holds the migration lock or its record on `shop`, so nothing was started.',
        why: 'Before its first migration Prisma takes an advisory lock and reads `_prisma_migrations`. It waited 2 s for one of them, which somebody else holds.',
        next: 'Wait until that session has ended, or find out whose it is and end it; then ask again. Nothing was changed.',
      })
    } finally {
      await holder.end()
      await database.close()
    }
  })
})

describe('the native engine words it otherwise', () => {
  const native = (state: string, message: string) =>
    `Error: P3018\n\nA migration failed to apply. New migrations cannot be applied before the error is recovered from. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve\n\nMigration name: 20261119_order_discount\n\nDatabase error code: ${state}\n\nDatabase error:\nERROR: ${message}\n`
  test.each([
    [
      native('42P07', 'relation "discounts" already exists'),
      'already_exists',
      '`20261119_order_discount` stopped: table or index `discounts` already exists.',
    ],
    [
      native('25001', 'CREATE INDEX CONCURRENTLY cannot run inside a transaction block'),
      'concurrently_in_transaction',
      '`20261119_order_discount` stopped: a `CONCURRENTLY` statement is not alone in its file.',
    ],
    [native('55P03', 'canceling statement due to lock timeout'), 'lock_timeout', '`20261119_order_discount` could not get its lock.'],
    [
      native('53100', 'could not extend file "base/5/1": No space left on device'),
      'disk_full',
      "`20261119_order_discount` stopped: the database server's disk is full.",
    ],
    [
      "Error: P1001: Can't reach database server at `db.example:5432`",
      'cannot_reach_server',
      'The database server `db.example:5432` cannot be reached.',
    ],
    [
      'Error: P1002\n\nThe database server was reached but timed out.\n\nContext: Timed out trying to acquire a postgres advisory lock (SELECT pg_advisory_lock(72707369)). Elapsed: 10000ms.',
      'migrator_lock_held',
      'Another session holds the migration lock on `shop`, so nothing was started.',
    ],
    [
      'Error: P1002: The database server at `db.example:5432` was reached but timed out.',
      'connection_timeout',
      '`db.example:5432` did not answer in time.',
    ],
    ['Error: P1000: Authentication failed against database server', 'login_refused', '`db.example` refused the login of `migrator`.'],
    ['Error: FATAL: sorry, too many clients already', 'too_many_connections', '`shop` has no connection left for the migrator.'],
  ])('%#', (output, code, headline) => {
    expect(diagnose({ output, context })).toMatchObject({ code, headline })
  })
})

test.each([
  [
    'variable_missing',
    'Error: Prisma schema validation - (get-config wasm)\nError code: P1012\nerror: Environment variable not found: DIRECT_URL.\n',
    'Prisma asks for the variable `DIRECT_URL`, which this run does not give it, so nothing was started.',
    'Add `DIRECT_URL` to `tool.prisma.urls` when it holds the address of the database, to `tool.prisma.env` otherwise. Then ask again.',
  ],
  [
    'variable_missing',
    'Failed to load config file "/srv/app" as a TypeScript/JavaScript module. Error: PrismaConfigEnvError: Cannot resolve environment variable: SHADOW_URL.',
    'Prisma asks for the variable `SHADOW_URL`, which this run does not give it, so nothing was started.',
    'Add `SHADOW_URL` to `tool.prisma.urls` when it holds the address of the database, to `tool.prisma.env` otherwise. Then ask again.',
  ],
  [
    'no_url',
    'Error: The datasource.url property is required in your Prisma config file when using prisma migrate status.',
    "Prisma found no address of a database in the application's configuration, so nothing was started.",
    'Set `datasource.url` in `prisma.config.ts`, and name the variable that it reads in `tool.prisma.urls`. Then ask again.',
  ],
  [
    'config_unreadable',
    'Failed to load config file "/srv/app/prisma.config.ts" as a TypeScript/JavaScript module. Error: Cannot find module \'dotenv\'',
    'Prisma could not load `prisma.config.ts`, so nothing was started.',
    'Correct it in the repository (or the packages that it imports), then ask again.',
  ],
  [
    'config_unreadable',
    'Failed to load config file "/srv/my.config.d/app" as a TypeScript/JavaScript module. Error: Error: no network here',
    "Prisma could not load the application's configuration, so nothing was started.",
    'Correct it in the repository (or the packages that it imports), then ask again.',
  ],
  [
    'schema_invalid',
    'Error: Prisma schema validation - (get-config wasm)\nError code: P1012\nerror: The datasource property `url` is no longer supported in schema files.',
    'Prisma does not accept the schema, so nothing was started.',
    'Correct it until `npx prisma validate` is content, then ask again.',
  ],
  [
    'schema_invalid',
    'Error: P1012\n\nerror: The datasource property `url` is no longer supported in schema files.',
    'Prisma does not accept the schema, so nothing was started.',
    'Correct it until `npx prisma validate` is content, then ask again.',
  ],
  [
    'url_unusable',
    'Error: P1013: The provided database string is invalid.',
    'Prisma cannot read the address of the database, so nothing was started.',
    'Correct the secret that `database.url` refers to (characters such as # / ? @ in a password are percent-encoded), then ask again.',
  ],
  [
    'option_removed',
    '`--from-schema-datamodel` was removed. Please use `--[from/to]-schema` instead.',
    'The Prisma of the application no longer takes a command of this product, so nothing was started.',
    'Pin a version from 5 to 7 in the application, or update this product. Then ask again.',
  ],
  [
    'record_not_found',
    'Error: P1014\n\nThe underlying table for model `_prisma_migrations` does not exist.\n',
    'Prisma does not find its record of migrations in `shop`, so nothing was started.',
    'Take that setting back (`ALTER DATABASE … RESET search_path`, `ALTER ROLE … RESET search_path`), or set the path in the `options` of the URL. Then ask again.',
  ],
  [
    'unknown',
    'Loaded Prisma config\nError: P4002\n\nThe schema of the introspected database was inconsistent\n   0: frame\n             at x.rs:1\n',
    "The migration failed with Prisma's `P4002`, and this product does not know that error.",
    'Read that, see what is applied and what is not, correct the cause and ask again.',
  ],
])('%s, as Prisma words it', (code, output, headline, next) => {
  expect(diagnose({ output, context })).toMatchObject({ code, headline, next })
})

test('of what Prisma says that nobody knows, its own words are shown and not the frames of its engine', () => {
  const output = 'Loaded Prisma config\nError: P4002\n\nThe schema was inconsistent\n   0: frame\n             at x.rs:1\n'
  expect(diagnose({ output, context }).excerpt).toBe('Error: P4002\n\nThe schema was inconsistent')
})

test('words in what a migration raises are not taken for those of a connection', () => {
  for (const message of [
    'the job timed out',
    "Can't reach database server",
    'too many connections',
    'P1001: no server',
    'No space left on device',
  ]) {
    const output = `Error: external connector error\nError querying the database: ERROR: [SQLSTATE P0001] ${message}\n   0: apply_migration::apply_script\n           with migration_name="2_case"\n`
    expect(diagnose({ output, context })).toMatchObject({
      code: 'raised',
      headline: `\`2_case\` stopped with a message of its own: \`${message}\`.`,
    })
  }
})

test('text from the database cannot mention anybody or break out of its code', () => {
  const output =
    'Error querying the database: ERROR: [SQLSTATE 42P07] relation "<!channel>`x`" already exists\n with migration_name="2_case"'
  expect(diagnose({ output, context }).headline).toBe("`2_case` stopped: table or index `&lt;!channel&gt;'x'` already exists.")
})

test('values of rows stay out of the explanation', () => {
  const output =
    'Migration name: 2_case\nDatabase error code: 23505\nDatabase error:\nERROR: could not create unique index "customers_email_key"\nDETAIL: Key (email)=(ann@example.com) is duplicated.'
  const { headline, why, next } = diagnose({ output, context })
  expect(why).toBe('The unique index or constraint `customers_email_key` found two rows with the same values. Columns: `email`.')
  expect(`${headline}${why}${next}`).not.toContain('ann@')
})

/** Deploys one more migration on a copy of the template. */
async function deployed<T extends object = object>(
  sql: string,
  then?: (url: string) => Promise<T>,
  during?: (url: string) => Promise<void>,
): Promise<{ readonly output: string } & T> {
  const database = await createDatabase({ template: template.name })
  try {
    return await withCase(sql, async () => {
      const [output] = await Promise.all([prisma(database.url, 'migrate', 'deploy'), during?.(database.url)])
      return { output, ...((await then?.(database.url)) as T) }
    })
  } finally {
    await database.close()
  }
}

async function withCase<T>(sql: string, work: () => Promise<T>): Promise<T> {
  const directory = join(application.directory, 'prisma/migrations/2_case')
  mkdirSync(directory)
  writeFileSync(join(directory, 'migration.sql'), sql)
  try {
    return await work()
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function prisma(url: string, ...args: string[]): Promise<string> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    ...prismaEnv,
    CHECKPOINT_DISABLE: '1',
    NO_COLOR: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    DATABASE_URL: url,
  }
  return new Promise((resolve) => {
    execFile('node_modules/.bin/prisma', args, { cwd: application.directory, env }, (_error, stdout, stderr) => resolve(stdout + stderr))
  })
}

async function sqlIn(url: string, sql: string): Promise<readonly object[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<object>(sql)).rows
  } finally {
    await client.end()
  }
}
