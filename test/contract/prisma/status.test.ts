import { afterAll, beforeAll, describe, test } from 'vitest'
import type { TestDatabase } from '../../helpers/postgres.ts'
import { BASE, deployedTemplate, FIRST, SECOND, THIRD, writeBase } from './base.ts'
import { ask, expectSame, holding, IN_USE, prepareReal, waits, type Side, type Situations } from './sides.ts'

let template: TestDatabase

beforeAll(async () => {
  await prepareReal()
  template = await deployedTemplate()
}, 600_000)
afterAll(() => template.close())

const status = (side: Side) => side.prisma('migrate status')
const deploy = (side: Side) => side.prisma('migrate deploy')

/** A third migration began and failed a while ago. */
const failThird = async (side: Side) => {
  await side.migration(THIRD, 'create table customer (id int);\n')
  await side.sql(
    `insert into _prisma_migrations values ('00000000-0000-4000-8000-000000000009', 'a', null, '${THIRD}', 'words', null, '2026-01-02 09:08:07.654', 0)`,
  )
}
const rollBackThird = (side: Side) =>
  side.sql(`update _prisma_migrations set rolled_back_at = started_at + interval '1 s' where migration_name = '${THIRD}'`)

const EMPTY: Situations = {
  'in a fresh database': async (side) => {
    await status(side)
    await deploy(side)
    await side.record()
    side.note(
      await side.sql(
        `select table_name, column_name, data_type, character_maximum_length, is_nullable, column_default from information_schema.columns where table_schema = 'public' order by 1, ordinal_position`,
      ),
    )
  },

  'when there are tables but no record': async (side) => {
    await side.sql('create table customer (id int)')
    await status(side)
    await deploy(side)
  },

  'when there are views, types, sequences and functions but no table': async (side) => {
    await side.sql(`create view v as select 1; create materialized view m as select 1 as x; create type e as enum ('a');
      create sequence s; create domain d as int; create function f() returns int language sql as $$ select 1 $$`)
    await deploy(side)
    await side.record()
  },

  'when there is a table of an extension alone': async (side) => {
    await side.sql('create table of_extension (id int); alter extension plpgsql add table of_extension')
    await deploy(side)
  },
}

const DEPLOYED: Situations = {
  'when all is up to date': async (side) => {
    await status(side)
    await deploy(side)
  },

  'when one is pending': async (side) => {
    await side.migration(THIRD, 'create table discount (id int);\n')
    await status(side)
  },

  'when one is pending between applied ones': async (side) => {
    await side.migration('20260101_late', 'create table late (id int);\n')
    await status(side)
    await deploy(side)
  },

  'when one fails': async (side) => {
    await side.migration(THIRD, 'create table customer (id int);\n')
    await deploy(side)
    await status(side)
  },

  'when one failed and one is pending': async (side) => {
    await failThird(side)
    await side.migration('20260104_more', 'create table more (id int);\n')
    await status(side)
    await deploy(side)
  },

  // proves resolve: 5.22.0, 6.19.3, 7.10.1
  'when one failed and is marked as rolled back': async (side) => {
    await failThird(side)
    await side.prisma(`migrate resolve --rolled-back ${THIRD}`)
    await status(side)
    await deploy(side)
  },

  // proves resolve: 5.22.0, 6.19.3, 7.10.1
  'when one failed and is resolved as applied': async (side) => {
    await failThird(side)
    await side.prisma(`migrate resolve --applied ${THIRD}`)
    await status(side)
  },

  'when one was rolled back, corrected and is deployed': async (side) => {
    await failThird(side)
    await rollBackThird(side)
    await side.migration(THIRD, 'create table discount (id int);\n')
    await deploy(side)
    await status(side)
  },

  'when one was edited after it was applied': async (side) => {
    await side.migration(SECOND, 'create table "order" (id bigint primary key);\n')
    await status(side)
    await deploy(side)
  },

  'when one is unknown to the checkout': async (side) => {
    await side.remove(`prisma/migrations/${SECOND}`)
    await status(side)
    await deploy(side)
  },

  'when one is unknown to the checkout and one pending': async (side) => {
    await side.remove(`prisma/migrations/${SECOND}`)
    await side.migration(THIRD, 'create table discount (id int);\n')
    await status(side)
  },

  'when all are unknown to the checkout, one twice, and two are pending': async (side) => {
    await failThird(side)
    await rollBackThird(side)
    await side.sql(
      `insert into _prisma_migrations select 'again', checksum, null, migration_name, null, null, started_at, 0 from _prisma_migrations where migration_name = '${THIRD}'`,
    )
    for (const name of [FIRST, SECOND, THIRD]) await side.remove(`prisma/migrations/${name}`)
    await side.migration('20250101_a', 'select 1;\n')
    await side.migration('20250102_b', 'select 1;\n')
    await status(side)
  },

  'when one failed and is unknown to the checkout': async (side) => {
    await failThird(side)
    await side.remove(`prisma/migrations/${THIRD}`)
    await status(side)
  },

  'when two failed': async (side) => {
    await failThird(side)
    await side.sql(
      `insert into _prisma_migrations values ('00000000-0000-4000-8000-000000000008', 'a', null, '${SECOND}', null, null, '2026-01-02 09:08:07', 0)`,
    )
    await status(side)
    await deploy(side)
  },

  'with CRLF after LF, and LF after CRLF': async (side) => {
    await side.migration(SECOND, BASE[SECOND]?.replaceAll('\n', '\r\n') ?? '')
    await side.migration(THIRD, 'create table discount (id int);\r\nselect 1;\r\n')
    await deploy(side)
    await side.migration(THIRD, 'create table discount (id int);\nselect 1;\n')
    await status(side)
  },

  'when there is an empty record beside tables': async (side) => {
    await side.sql('delete from _prisma_migrations; drop table "order", customer; create table other (id int)')
    await status(side)
    await deploy(side)
  },

  'while one is running': async (side) => {
    await side.migration(THIRD, 'lock table gate; create table discount (id int);\n')
    await side.sql('create table gate (id int)')
    await holding(side, 'begin; lock table gate', (letGo) =>
      side.prisma('migrate deploy', undefined, async () => {
        await waits(side, 'lock table gate%')
        await side.record()
        side.note(
          await side.sql(
            `select classid, objid, objsubid, mode from pg_locks where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`,
          ),
        )
        await status(side)
        await letGo()
      }),
    )
  },

  'with names in another order than that of the bytes, and what is no migration beside them': async (side) => {
    for (const name of ['B_upper', 'a_lower', '.hidden', 'with-hyphen', 'with_underscore']) await side.migration(name, 'select 1;\n')
    await side.write('prisma/migrations/zz_file', 'no directory')
    await status(side)
    await deploy(side)
  },
}

const BARE: Situations = {
  'without migrations': async (side) => {
    await status(side)
    await deploy(side)
    await status(side)
  },
}

const IN_SCHEMA: Situations = {
  'in the schema that the URL names, which even its question makes': async (side) => {
    await writeBase(side)
    const inShop = (url: URL) => url.searchParams.set('schema', 'shop')
    await side.prisma('migrate status', inShop)
    side.note(await ask(side.database.url, `select nspname from pg_namespace where nspname = 'shop'`))
    await side.prisma('migrate deploy', inShop)
    await side.record('shop')
    await side.migration(THIRD, 'create table customer (id int);\n')
    await side.prisma('migrate deploy', inShop)
    await side.record('shop')
  },
}

describe.concurrent.each(IN_USE)('the recorded Prisma says and writes what $version does', { timeout: 110_000 }, (prisma) => {
  test.each(Object.entries(EMPTY))('%s', async (title, work) => {
    await expectSame(prisma, { topic: 'status', title }, async (side) => {
      await writeBase(side)
      await work(side)
    })
  })

  test.each(Object.entries(DEPLOYED))('%s', async (title, work) => {
    const inIt = async (side: Side) => {
      await writeBase(side)
      await work(side)
      await side.record()
    }
    await expectSame(prisma, { topic: 'status', title }, inIt, { template: template.name })
  })

  test.each(Object.entries(BARE))('%s', async (title, work) => {
    await expectSame(prisma, { topic: 'status', title }, work)
  })

  test.each(Object.entries(IN_SCHEMA))('%s', async (title, work) => {
    await expectSame(prisma, { topic: 'status', title }, work, { config: 'inSchema' })
  })
})
