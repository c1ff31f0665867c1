import { afterAll, beforeAll, describe, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../../helpers/postgres.ts'
import { until } from '../../helpers/until.ts'
import { ask, expectSame, holding, IN_USE, prepareReal, waits, type Side, type Situations } from './sides.ts'

let template: TestDatabase

beforeAll(async () => {
  await prepareReal()
  template = await createDatabase()
  await ask(
    template.url,
    `create table orders (id int primary key, total int); insert into orders values (1, 7), (2, 7);
     create table _prisma_migrations (id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
       logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`,
  )
}, 600_000)
afterAll(() => template.close())

const made = (side: Side) =>
  side.sql(
    `select relname, relkind, indisvalid from pg_class left join pg_index on indexrelid = oid where relnamespace = 'public'::regnamespace and relname !~ '_pkey$' order by 1`,
  )

const FILES: Situations = {
  // proves deploy: 5.22.0, 6.19.3, 7.10.1
  'plain ones, of which the second fails: its own work is undone, the third is not begun': async (side) => {
    await side.migration('1_a', 'create table a (id int); create function f() returns int language sql as $$ select 1; $$;')
    await side.migration('2_b', 'create table b (id int); create table a (id int);')
    await side.migration('3_c', 'create table c (id int);')
    await side.prisma('migrate deploy --schema prisma/schema.prisma')
  },

  'CONCURRENTLY alone in its file; one that fails leaves an invalid index': async (side) => {
    await side.migration('1_a', 'create index concurrently orders_total_idx on orders (total);')
    await side.migration('2_b', 'create unique index concurrently orders_total_key on orders (total);')
    await side.prisma('migrate deploy')
  },

  'a transaction inside the file: what was committed stays': async (side) => {
    await side.migration(
      '1_a',
      'begin; create table a (id int); commit; create table b (id int); begin; create table orders (id int); commit;',
    )
    await side.prisma('migrate deploy')
  },

  'a transaction that is left open: it says applied, and nothing stays': async (side) => {
    await side.migration('1_a', 'begin; create table a (id int);')
    await side.migration('2_b', 'create table b (id int);')
    await side.prisma('migrate deploy')
  },

  'a search path that is left without the schema of the record: what ran is not recorded': async (side) => {
    await side.migration('1_a', `select pg_catalog.set_config('search_path', '', false); create table public.a (id int);`)
    await side.migration('2_b', 'create table b (id int);')
    await side.prisma('migrate deploy')
  },

  'a search path that is left with another schema before it: the next file goes there': async (side) => {
    await side.sql('create schema audit')
    await side.migration('1_a', 'set search_path to audit, public;')
    await side.migration('2_b', 'create table b (id int);')
    await side.prisma('migrate deploy')
    side.note(await side.sql(`select to_regclass('audit.b')::text as there, to_regclass('public.b')::text as here`))
  },

  'a session that is left read-only, and one that is left in another role': async (side) => {
    await side.migration('1_a', 'set default_transaction_read_only = on;')
    await side.prisma('migrate deploy')
    await side.sql('delete from _prisma_migrations')
    await side.migration('1_a', 'set role pg_monitor;')
    await side.prisma('migrate deploy')
  },

  'an empty file, and one of comments': async (side) => {
    await side.migration('1_a', '')
    await side.migration('2_b', '-- nothing\n')
    await side.prisma('migrate deploy')
  },

  'with the timeouts and the name that the URL gives': async (side) => {
    await side.migration(
      '1_a',
      `create table said as select current_setting('lock_timeout') as lock, current_setting('application_name') as name, current_setting('search_path') as path;`,
    )
    await side.prisma('migrate deploy', (url) => {
      url.searchParams.set('options', '-c lock_timeout=2s -c statement_timeout=9s')
      url.searchParams.set('application_name', 'lockkeeper-41')
    })
    side.note(await side.sql('select * from said'))
  },

  'while a table that it needs is held: its lock timeout counts': async (side) => {
    await side.migration('1_a', 'alter table orders add column x int;')
    await holding(side, 'begin; select from orders', () =>
      side.prisma('migrate deploy', (url) => url.searchParams.set('options', '-c lock_timeout=300')),
    )
  },

  // proves crash: 5.22.0, 6.19.3, 7.10.1
  'when it is killed: its session goes on and commits, and the row has no end': async (side) => {
    await side.migration('1_a', 'select pg_sleep(3); create table a (id int);')
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await side.prisma('migrate deploy', undefined, async (kill) => {
        await waits(side, 'select pg_sleep(3)%')
        kill(signal)
      })
      await until(
        'its session has ended',
        async () =>
          (
            await side.sql(
              `select from pg_stat_activity where query like 'select pg_sleep(3)%' and datname = current_database() and pid <> pg_backend_pid()`,
            )
          ).length === 0,
      )
      side.note(await made(side))
      await side.record()
      await side.sql('drop table if exists a; update _prisma_migrations set rolled_back_at = now()')
    }
  },
}

describe.concurrent.each(IN_USE)('the recorded Prisma applies files as $version does', { timeout: 110_000 }, (prisma) => {
  test.each(Object.entries(FILES))('%s', async (title, work) => {
    const inIt = async (side: Side) => {
      await work(side)
      await side.record()
      side.note(await made(side))
    }
    await expectSame(prisma, { topic: 'groups', title }, inIt, { template: template.name })
  })
})
