import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { createDatabase, onServer, type TestDatabase } from '../../helpers/postgres.ts'
import { ask, expectSame, holding, IN_USE, prepareReal, waits, type Situations } from './sides.ts'

const INIT = `create table customers (id int primary key, email text);
create table orders (id int primary key, customer_id int, total int);
insert into customers values (1, 'a@example.com'), (2, 'a@example.com');
insert into orders values (1, 9, null), (2, 1, -5);
create type status as enum ('open');
create view totals as select total from orders;
`

/** One file for each thing that people hit, in the order of the catalogue of diagnoses. */
const FAILING: Readonly<Record<string, string>> = {
  already_exists: 'create table orders (id int);',
  does_not_exist: 'update orders set nothing = 1;',
  foreign_key_fails: 'alter table orders add constraint orders_customer_fkey foreign key (customer_id) references customers;',
  duplicate_rows: 'create unique index customers_email_key on customers (email);',
  null_values: 'alter table orders alter column total set not null;',
  check_fails: 'alter table orders add constraint orders_total_check check (total > 0);',
  others_depend: 'alter table orders drop column total;',
  concurrently_in_transaction: 'create index concurrently i on orders (total); select 1;',
  enum_value_too_new: `alter type status add value 'sent'; create table t (s status default 'sent');`,
  syntax: 'create tabel t (id int);',
  statement_timeout: `set statement_timeout = '100ms'; select pg_sleep(5);`,
  read_only: 'set transaction read only; create table t (id int);',
  disk_full: `do $$ begin raise exception 'could not extend file "base/1/2": No space left on device' using errcode = '53100'; end $$;`,
  deadlock: `do $$ begin raise exception 'deadlock detected' using errcode = '40P01', hint = 'a hint', column = 'c'; end $$;`,
  unknown: `do $$ begin raise exception E'two "lines"\\nand a \\\\' using detail = 'a detail'; end $$;`,
}

const role = `contract_${randomBytes(4).toString('hex')}`
let template: TestDatabase

beforeAll(async () => {
  await prepareReal()
  template = await createDatabase()
  await onServer(`create role ${role} login password '${role}'; create role ${role}_none login password '${role}' connection limit 0`)
  await ask(
    template.url,
    `${INIT} create table _prisma_migrations (id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
       logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0)`,
  )
}, 600_000)
afterAll(async () => {
  await template.close()
  await onServer(`drop role ${role}; drop role ${role}_none`)
})

const weak = (url: URL) => void Object.assign(url, { username: role, password: role })
const LOCK = 'SELECT pg_advisory_lock%'

const FAULTS: Situations = {
  'of a role that is too weak, one right after the other': async (side) => {
    await side.migration('2_case', 'alter table orders add column x int;')
    await side.prisma('migrate status', weak)
    for (const right of ['select', 'insert', 'update (logs)', 'update']) {
      await side.prisma('migrate deploy', weak)
      await side.sql(`delete from _prisma_migrations; grant ${right} on _prisma_migrations to ${role}`)
    }
    await side.prisma('migrate deploy', weak)
    await side.record()
  },

  'of a place: no server, no host, no database, no login, no connection left': async (side) => {
    await side.prisma('migrate deploy', (url) => void (url.port = '1'))
    await side.prisma('migrate status', (url) => void (url.hostname = 'nowhere.invalid'))
    await side.prisma('migrate status', (url) => void (url.pathname = '/nowhere'))
    await side.prisma('migrate resolve --rolled-back 2_case', (url) => void Object.assign(url, { username: role, password: 'wrong' }))
    await side.prisma('migrate status', (url) => void Object.assign(url, { username: `${role}_none`, password: role }))
  },

  'of marking what cannot be marked': async (side) => {
    await side.migration('2_case', 'create table orders (id int);')
    await side.prisma('migrate resolve --rolled-back 2_case')
    await side.prisma('migrate deploy')
    await side.prisma('migrate deploy')
    await side.prisma('migrate resolve --applied 2_case --schema prisma/schema.prisma')
    await side.prisma('migrate resolve --applied 2_case')
    await side.prisma('migrate resolve --applied nothing')
    await side.prisma('migrate resolve --rolled-back 2_case')
    await side.record()
  },

  // proves cancel: 5.22.0, 6.19.3, 7.10.1
  'of a statement that somebody cancels, and a session that somebody terminates': async (side) => {
    await side.migration('2_case', 'select pg_sleep(60);')
    for (const act of ['pg_cancel_backend', 'pg_terminate_backend']) {
      await side.prisma('migrate deploy', undefined, async () => {
        await waits(side, 'select pg_sleep(60)%')
        await side.sql(
          `select ${act}(pid) from pg_stat_activity where query like 'select pg_sleep(60)%' and datname = current_database() and pid <> pg_backend_pid()`,
        )
      })
      await side.record()
      await side.sql('update _prisma_migrations set rolled_back_at = now()')
    }
  },

  // proves lock: 5.22.0, 6.19.3, 7.10.1
  "of Prisma's lock in other hands: a timeout of ours, one of its own whose session stays, a cancel": async (side) => {
    await side.migration('2_case', 'select 1;')
    await holding(side, 'select pg_advisory_lock(72707369)', async () => {
      const briefly = (url: URL) => url.searchParams.set('options', '-c lock_timeout=300')
      await side.prisma('migrate deploy', briefly)
      await side.prisma('migrate resolve --rolled-back 2_case', briefly)
      await side.prisma('migrate deploy', undefined, async () => {
        await waits(side, LOCK)
        await side.sql(
          `select pg_cancel_backend(pid) from pg_stat_activity where query like '${LOCK}' and datname = current_database() and pid <> pg_backend_pid() and state = 'active'`,
        )
      })
      await side.prisma('migrate deploy', (url) => url.searchParams.set('application_name', 'waits'))
      side.note(
        await side.sql(`select state, query from pg_stat_activity where application_name = 'waits' and datname = current_database()`),
      )
    })
    await side.record()
  },

  'of a record that others hold': async (side) => {
    await side.migration('2_case', 'select 1;')
    await holding(side, 'begin; lock table _prisma_migrations', async () => {
      const briefly = (url: URL) => url.searchParams.set('options', '-c lock_timeout=300')
      await side.prisma('migrate status', briefly)
      await side.prisma('migrate deploy', briefly)
    })
    await side.record()
  },
}

/** In an empty database. */
const FIRST_FAULTS: Situations = {
  'of a role that may make nothing': async (side) => {
    await side.migration('2_case', 'select 1;')
    await side.prisma('migrate deploy', weak)
  },

  'of tables that Prisma does not count: those of PostGIS, one that is only divided, views': async (side) => {
    await side.migration('2_case', 'select 1;')
    await side.sql(
      `create table spatial_ref_sys (srid int); create table "Geometry_Columns" (id int); create table geography_columns (id int);
       create table raster_columns (id int); create table raster_overviews (id int); create table divided (id int) partition by range (id);
       create view v as select 1; create materialized view m as select 1 as x`,
    )
    await side.prisma('migrate deploy')
    await side.record()
  },

  'of tables that Prisma counts: a partition, one of an extension': async (side) => {
    await side.migration('2_case', 'select 1;')
    await side.sql('create table divided (id int) partition by range (id); create table part partition of divided default')
    await side.prisma('migrate deploy')
    await side.sql('drop table divided; create table of_extension (id int); alter extension plpgsql add table of_extension')
    await side.prisma('migrate deploy')
  },

  'of marking in a database without a record': async (side) => {
    await side.migration('2_case', 'select 1;')
    await side.prisma('migrate resolve --rolled-back 2_case')
    await side.prisma('migrate resolve --applied 2_case')
    await side.record()
  },
}

describe.concurrent.each(IN_USE)('the recorded Prisma words faults as $version does', { timeout: 110_000 }, (prisma) => {
  test.each(Object.entries(FAILING))('of a file: %s', async (title, sql) => {
    const fails: Situations[string] = async (side) => {
      await side.migration('2_case', sql)
      await side.prisma('migrate deploy')
      await side.record()
    }
    await expectSame(prisma, { topic: 'diagnoses', title }, fails, { template: template.name })
  })

  test.each(Object.entries(FAULTS))('%s', async (title, work) => {
    await expectSame(prisma, { topic: 'diagnoses', title }, work, { template: template.name })
  })

  test.each(Object.entries(FIRST_FAULTS))('%s', async (title, work) => {
    await expectSame(prisma, { topic: 'diagnoses', title }, work)
  })
})
