import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Catalogue } from '../../src/database/catalogue/catalogue.ts'
import { readCatalogue } from '../../src/database/catalogue/read.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'

let database: TestDatabase
let client: pg.Client

beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(`
    create schema shop; create schema other;
    create type shop.mood as enum ('calm', 'busy');
    create domain shop.code as varchar(10) constraint code_there check (value <> '');
    create function shop.twice(integer) returns integer language sql immutable as 'select $1 * 2';
    create table shop.customers (id serial primary key, code shop.code, mood shop.mood not null default 'calm');
    create table shop.orders (id bigint generated always as identity primary key, customer_id integer, total numeric(10,2) check (total > 0),
      tags varchar(5)[], doubled integer generated always as (shop.twice(customer_id)) stored);
    alter table shop.orders add constraint orders_customer foreign key (customer_id) references shop.customers not valid;
    create index orders_paid on shop.orders (lower(total::text)) where customer_id is not null;
    create view shop.totals as select customer_id, total from shop.orders;
    create table shop.events (at date, note text) partition by range (at);
    create table shop.events_2024 partition of shop.events for values from ('2024-01-01') to ('2025-01-01');
    create table shop.events_rest partition of shop.events default;
    create publication feed for table shop.customers;
    alter table shop.customers enable row level security;
    create policy own on shop.customers using (code = current_user);
    insert into shop.customers (code) values ('a');
    analyze shop.customers, shop.orders`)
})

afterAll(async () => {
  await client.end()
  await database.close()
})

const relation = (catalogue: Catalogue, name: string) => {
  const found = catalogue.relations.find((one) => one.name === name)
  if (found === undefined) throw new Error(name)
  return found
}

test('tables, keys, indexes and what depends on them are read in one go', async () => {
  const catalogue = await readCatalogue(client, { schema: 'shop' })
  const orders = relation(catalogue, 'orders')
  expect({ path: catalogue.searchPath, schemas: catalogue.schemas.toSorted(), knows: catalogue.knows }).toEqual({
    path: ['shop', 'public'],
    schemas: ['other', 'public', 'shop'],
    knows: 'everything',
  })
  expect(orders.columns.map(({ name, shown, identity, generated }) => [name, shown, identity ?? generated])).toEqual([
    ['id', 'bigint', 'a'],
    ['customer_id', 'integer', null],
    ['total', 'numeric(10,2)', null],
    ['tags', 'character varying(5)[]', null],
    ['doubled', 'integer', 's'],
  ])
  const key = catalogue.constraints.find(({ kind, table }) => kind === 'f' && table === orders.id)
  expect(key).toMatchObject({ name: 'orders_customer', columns: ['customer_id'], otherColumns: ['id'], isValid: false })
  expect(key?.other).toBe(relation(catalogue, 'customers').id)
  expect(catalogue.indexes.find(({ name }) => name === 'orders_paid')).toMatchObject({ keys: [null], uses: ['customer_id', 'total'] })
  expect(catalogue.dependents.filter(({ on, kind }) => on === orders.id && kind === 'view').map(({ column }) => column)).toEqual(
    expect.arrayContaining(['customer_id', 'total']),
  )
  expect(catalogue.dependents).toContainEqual(
    expect.objectContaining({ on: orders.id, column: 'customer_id', kind: 'generated column', name: 'doubled' }),
  )
  expect(catalogue.uses).toEqual([{ routine: 'twice', table: orders.id, column: 'doubled' }])
  expect(JSON.parse(JSON.stringify(catalogue))).toEqual(catalogue)
})

test('partitions, types, publications and policies are there; whether a table has rows is the word of the statistics', async () => {
  const catalogue = await readCatalogue(client, { schema: 'shop' })
  const [customers, events] = [relation(catalogue, 'customers'), relation(catalogue, 'events')]
  expect(events.partitioning).toEqual({ strategy: 'r', columns: ['at'] })
  expect(catalogue.relations.filter(({ parents }) => parents.includes(events.id)).map(({ name, bound }) => [name, bound])).toEqual([
    ['events_2024', `FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`],
    ['events_rest', 'DEFAULT'],
  ])
  expect(catalogue.types.map(({ name, kind, values, checks }) => [name, kind, values, checks.map((one) => one.name)])).toEqual(
    expect.arrayContaining([
      ['mood', 'e', ['calm', 'busy'], []],
      ['code', 'd', [], ['code_there']],
    ]),
  )
  expect(catalogue.publications).toEqual([
    { name: 'feed', allTables: false, schemas: [], tables: [{ table: customers.id, columns: null, uses: [] }] },
  ])
  expect(catalogue.policies).toEqual([{ name: 'own', table: customers.id, uses: ['code'] }])
  expect(relation(catalogue, 'customers_id_seq').ownedBy).toEqual({ table: customers.id, column: 'id' })
  expect([customers.mayHaveRows, relation(catalogue, 'orders').mayHaveRows, relation(catalogue, 'events_2024').mayHaveRows]).toEqual([
    true,
    false,
    true,
  ])
})

test('a role without rights on anything reads the same, under a table that somebody holds', async () => {
  const mine = await readCatalogue(client, { schema: 'shop' })
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  try {
    await client.query('begin; lock table shop.orders; create role catalogue_reader') // undone below
    await client.query('set local role catalogue_reader')
    const theirs = await readCatalogue(client, { schema: 'shop' })
    expect({ ...theirs, role: mine.role }).toEqual({ ...mine, searchPath: theirs.searchPath })
    await other.query(`set lock_timeout = '2s'`)
    const meanwhile = await readCatalogue(other, { schema: 'shop' })
    expect(meanwhile.relations.map(({ name }) => name)).toEqual(mine.relations.map(({ name }) => name))
    expect(meanwhile.constraints.filter(({ definition }) => definition === '').map(({ name }) => name)).toContain('orders_customer')
  } finally {
    await client.query('rollback')
    await other.end()
  }
})
