import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { differences } from '../../src/live-schema/differences.ts'
import { keepSchema, keptSchema } from '../../src/live-schema/kept.ts'
import { readSchemaLines, type SchemaLine } from '../../src/live-schema/lines.ts'
import { lookAtSchema } from '../../src/live-schema/look.ts'
import { daysOf, dropSql, isDue, readSetAside } from '../../src/live-schema/set-aside.ts'
import { differenceText, liveSchemaText } from '../../src/live-schema/words.ts'
import { createDatabase, createStore, type TestDatabase } from '../helpers/postgres.ts'

let database: TestDatabase
let store: Awaited<ReturnType<typeof createStore>>
let client: pg.Client

const SHOP = `
  create type state as enum ('new', 'paid');
  create domain cents as int check (value >= 0);
  create table orders (id bigint generated always as identity primary key, state state not null default 'new', total cents, note text default 's3cret',
    doubled int generated always as (id * 2) stored);
  create index orders_total on orders (total) where note <> 's3cret';
  create view totals as select sum(total) from orders;
  create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
  create trigger touched before update on orders for each row execute function touch();
  create schema billing;
  create table billing.bill (order_id bigint references orders, day date) partition by range (day);
  create table billing.bill_1 partition of billing.bill default;
  create table _prisma_migrations (id text);`

beforeAll(async () => {
  ;[database, store] = await Promise.all([createDatabase(), createStore()])
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(SHOP)
})

afterAll(async () => {
  await client.end()
  await Promise.all([database.close(), store.close()])
})

/** What the change makes of the schema, which is put back. */
async function changedBy(sql: string): Promise<{ readonly before: readonly SchemaLine[]; readonly now: readonly SchemaLine[] }> {
  const before = await readSchemaLines(client)
  await client.query('begin')
  try {
    await client.query(sql)
    return { before, now: await readSchemaLines(client) }
  } finally {
    await client.query('rollback')
  }
}

describe('the schema in lines', () => {
  test('has every object of people, and no value that may be a secret', async () => {
    const lines = await readSchemaLines(client)
    expect(JSON.stringify(lines)).not.toContain('s3cret')
    expect(lines.map(({ key, text }) => `${key} = ${text.replaceAll(/[0-9a-f]{32}/g, '{hash}').replaceAll(/\b[0-9a-f]{8}\b/g, '{hash}')}`))
      .toMatchInlineSnapshot(`
        [
          "column billing.bill.day = date",
          "column billing.bill.order_id = bigint",
          "column public.orders.doubled = integer, computed {hash}",
          "column public.orders.id = bigint, required, identity",
          "column public.orders.note = text, default {hash}",
          "column public.orders.state = public.state, required, default {hash}",
          "column public.orders.total = public.cents",
          "constraint bill_order_id_fkey on billing.bill = {hash}",
          "constraint orders_pkey on public.orders = {hash}",
          "function public.touch() = {hash}",
          "index orders_total on public.orders = {hash}",
          "sequence public.orders_id_seq = bigint from 1 by 1 between 1 and 9223372036854775807",
          "table billing.bill = partitioned by RANGE (day)",
          "table public.orders = as usual",
          "trigger touched on public.orders = O {hash}",
          "type public.cents = integer, {hash}",
          "type public.state = new, paid",
          "view public.totals = {hash}",
        ]
      `)
  })

  test.each<readonly [string, string, readonly string[]]>([
    ['nothing', 'select 1', []],
    ['rows', 'insert into orders (total) values (1)', []],
    ['a new column', 'alter table orders add column vat int', ['the column `orders.vat` is new']],
    [
      'another type',
      'alter table billing.bill alter column order_id type int',
      ['the column `billing.bill.order_id` is `integer` and was `bigint`'],
    ],
    [
      'another default, of which no value is told',
      `alter table orders alter column note set default 'other'`,
      ['the column `orders.note` is another'],
    ],
    [
      'a required column',
      'alter table orders alter column total set not null',
      ['the column `orders.total` is `cents, required` and was `cents`'],
    ],
    [
      'a table with all that belongs to it',
      'create table parcel (id int primary key, w int); create index on parcel (w)',
      ['the table `parcel` is new'],
    ],
    ['a table that is gone', 'drop table billing.bill', ['the table `billing.bill` is gone']],
    ['a new partition', "create table billing.bill_2 partition of billing.bill for values from ('2026-01-01') to ('2026-02-01')", []],
    ['an index', 'drop index orders_total', ['the index `orders_total` on `orders` is gone']],
    [
      'a foreign key that is not validated',
      'alter table orders add constraint f foreign key (id) references orders not valid',
      ['the constraint `f` on `orders` is new'],
    ],
    ['a value of an enum', `alter type state add value 'sent'`, ['the type `state` is `new, paid, sent` and was `new, paid`']],
    ['a view', 'create or replace view totals as select sum(total + 1) from orders', ['the view `totals` is another']],
    [
      'a function',
      'create or replace function touch() returns trigger language plpgsql as $$ begin return null; end $$',
      ['the function `touch()` is another'],
    ],
    ['a trigger that is switched off', 'alter table orders disable trigger touched', ['the trigger `touched` on `orders` is another']],
    [
      'row security',
      'alter table orders enable row level security',
      ['the table `orders` is `as usual, with row security` and was `as usual`'],
    ],
    ['a policy', 'create policy p on orders', ['the policy `p` on `orders` is new']],
  ])('%s', async (_, sql, expected) => {
    const { before, now } = await changedBy(sql)
    expect(differences(before, now).map(differenceText)).toEqual(expected)
  })
})

describe('what is kept of a run', () => {
  const at = () => '{time}'
  const of = { target: 'prod', identity: '7/1' }

  test('is compared with what is there, in this database alone, until a later run changes it', async () => {
    const look = async (from = of) => lookAtSchema(store.db, client, from)
    expect(await look()).toEqual({ kind: 'not known', why: 'no run' })
    expect(liveSchemaText(await look(), at)).toBeNull()

    const first = await addRequest('succeeded')
    await keepSchema(store.db, of, { requestId: first, commit: 'c'.repeat(40), lines: await readSchemaLines(client) })
    expect(liveSchemaText(await look(), at)).toBe(`Schema: as #${first} left it ({time})`)
    expect(await keptSchema(store.db, { ...of, identity: '8/1' })).toBeNull()

    await client.query('alter table orders add column by_hand int')
    expect(liveSchemaText(await look(), at)).toBe(
      `*The schema is not as #${first} left it ({time})*: the column \`orders.by_hand\` is new. Nothing that ran through Lockkeeper did that. Put it into a migration or undo it, so that what is tested is what is live`,
    )

    await addRequest('failed', 'pending')
    expect((await look()).kind).toBe('differs')
    await addRequest('failed', 'failed')
    expect(liveSchemaText(await look(), at)).toBe(
      'Schema: not compared, since a later run in this database was not verified. The next run that is compares again',
    )
  })

  /** With its migrate step in that state. */
  async function addRequest(state: string, migrate = 'done'): Promise<number> {
    const [row] = await store.db.query<{ id: number }>(
      `insert into lockkeeper.request (target, channel, requester, requester_human, state, token, ask, identity_key, plan)
       values ('prod', 'C1', 'U1', 'U1', $1, gen_random_uuid()::text, '{}', '7/1', '{"list": [{}]}') returning id::int as id`,
      [state],
    )
    await store.db.query(`insert into lockkeeper.step (request_id, ordinal, name, title, state) values ($1, 1, 'migrate', 'Migrate', $2)`, [
      row?.id,
      migrate,
    ])
    return row?.id ?? 0
  }
})

describe('what was set aside to be dropped', () => {
  test('is found by its name, with the days of its comment', async () => {
    await client.query(`create table set_aside_test (a int, "_deprecated_b" int, "_deprecated_C d" int)`)
    await client.query(`create table billing._deprecated_old (a int)`)
    await client.query(`comment on column set_aside_test._deprecated_b is 'Not used since 2026-11-30. Drop it after 2026-12-30.'`)
    await client.query(`comment on table billing._deprecated_old is 'gone by 2027-01-15'`)
    const found = await readSetAside(client)
    expect(found.map((one) => [one.kind, one.name, one.since, one.until, dropSql(one)])).toEqual([
      ['table', 'billing._deprecated_old', null, '2027-01-15', 'DROP TABLE billing._deprecated_old;'],
      ['column', 'set_aside_test._deprecated_C d', null, null, 'ALTER TABLE public.set_aside_test DROP COLUMN "_deprecated_C d";'],
      [
        'column',
        'set_aside_test._deprecated_b',
        '2026-11-30',
        '2026-12-30',
        'ALTER TABLE public.set_aside_test DROP COLUMN _deprecated_b;',
      ],
    ])
  })

  test.each([
    ['no comment', null, null, null],
    ['one without a day', 'old, ask Ann', null, null],
    ['what is no day', 'build 2026-13-45 of 1.2.2026', null, null],
    ['one day', 'drop after 2026-12-30', null, '2026-12-30'],
  ])('%s', (_, comment, since, until) => {
    expect(daysOf(comment)).toEqual({ since, until })
  })

  test('is due on the day after its last', () => {
    expect(isDue({ until: '2026-12-30' }, '2026-12-30')).toBe(false)
    expect(isDue({ until: '2026-12-30' }, '2026-12-31')).toBe(true)
    expect(isDue({ until: null }, '2026-12-31')).toBe(false)
  })
})
