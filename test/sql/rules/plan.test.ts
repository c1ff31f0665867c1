import { expect, test } from 'vitest'
import { casesOf } from '../../contract/forecast/cases.ts'
import { ask, askFiles, askOne, assumed, told } from './ask.ts'

test('what the plan itself creates is new, in later files too', async () => {
  const [, later = []] = await askFiles([
    'create table refunds (id serial primary key, order_id integer references orders)',
    'create index refunds_order on refunds (order_id); alter table refunds alter order_id set not null; drop table refunds',
  ])
  expect(later.flatMap(({ locks }) => locks.filter(({ isNew }) => !isNew).map(({ on }) => on.name))).toEqual(
    ['orders', 'orders_pkey'].slice(0, 1),
  )
  expect(later.every(({ parts }) => parts.every(({ isNew, loses }) => isNew && loses.length === 0))).toBe(true)
})

test('names are looked for as the statements before left them', async () => {
  const found = await ask(`alter table plain rename column note to remark;
alter table plain rename to simple;
alter table simple drop column note;
alter table simple drop column remark;`)
  expect(found.map(({ fails }) => fails?.sqlstate ?? 'ok')).toEqual(['ok', 'ok', '42703', 'ok'])
  expect(found.map(({ line }) => line)).toEqual([1, 2, 3, 4])
})

test('what is rolled back is not there for the statements after it', async () => {
  const found = await ask(`begin;
savepoint here;
alter table plain add column extra integer;
rollback to here;
alter table plain drop column extra;
rollback;
alter table plain drop column note;`)
  expect(found.map(({ fails }) => fails?.sqlstate ?? 'ok')).toEqual(['ok', 'ok', 'ok', 'ok', '42703', 'ok', 'ok'])
})

test('a search path that is set leads names elsewhere', async () => {
  expect(await told('set search_path to sales; drop table invoices')).toContain(
    'AccessExclusive on sales.invoices, orders, sales.invoices_pkey',
  )
  expect(await told(`select set_config('search_path', 'sales', false); drop table absent`)).toContain('42P01: there is no table absent')
})

test('a session time zone that a file sets counts', async () => {
  const rewrites = async (sql: string) => (await ask(sql)).flatMap(({ parts }) => parts.flatMap((part) => part.rewrites)).length
  expect(await rewrites('alter table times alter ts type timestamptz')).toBe(0)
  expect(await rewrites(`set time zone 'Europe/Berlin'; alter table times alter ts type timestamptz`)).toBe(1)
})

test('an enum value cannot be used in the transaction that adds it, but after it', async () => {
  const [first = [], second = []] = await askFiles([
    `alter type mood add value 'new'; alter table tickets alter state set default 'new'`,
    `alter table tickets alter state set default 'new'`,
  ])
  expect(first.map(({ fails }) => fails?.sqlstate ?? 'ok')).toEqual(['ok', '55P04'])
  expect(second.map(({ fails }) => fails?.sqlstate ?? 'ok')).toEqual(['ok'])
})

test('a code block and a function are judged by their statements; what is put together is not known', async () => {
  expect(await told(`do $$ begin alter table plain add column extra integer; end $$`)).toEqual([
    'AccessExclusive on plain',
    'add column; new fails: it uses plain.extra, which is not there before',
  ])
  expect(await told(`do $$ begin execute 'truncate plain'; end $$`)).toContain('AccessExclusive on plain, plain_pkey, plain_a, plain_b')
  expect(await told(`do $$ begin execute 'truncate ' || current_user; end $$`)).toEqual([
    'unknown: nobody can read what SQL that a code block puts together does',
  ])
  expect(await told('select whatever(1)')).toEqual(['unknown: it calls whatever, of which nobody here knows what it does'])
})

test('no failure is certain inside of a code block, which may take another way', async () => {
  const { fails } = await askOne(`do $$ begin create type mood as enum ('a'); exception when duplicate_object then null; end $$`)
  expect(fails).toBeNull()
})

test('a write reaches what foreign keys and triggers lead to', async () => {
  expect(await told('delete from orders where id = 1')).toEqual([
    'RowExclusive on orders, order_lines',
    'RowShare on sales.invoices',
    'delete; reads orders, order_lines, sales.invoices; loses some rows of public.orders',
  ])
})

test('without a database every table that is named is there, with rows and all that makes it worse', async () => {
  expect(
    await told('alter table shop.orders alter note type varchar(50), add foreign key (a) references b', { catalogue: assumed }),
  ).toEqual([
    'AccessExclusive on shop.orders',
    'ShareRowExclusive on b',
    'change type; rewrites shop.orders; reads shop.orders; old may fail: it takes shop.orders.note for what it was; new may fail: it takes shop.orders.note for character varying(50)',
    'add foreign key; reads shop.orders, b; old may fail: it may store rows in shop.orders that refer to none in b',
  ])
})

test('whatever is written is forecast without a crash, with a database and without', async () => {
  const readable = casesOf(18).filter(({ sql }) => !/nonsense|^-- /.test(sql))
  const all = readable.map(({ sql }) => `${sql.replace(/;?\s*$/, '')};`).join('\n')
  const [known, guessed] = [await ask(all), await ask(all, { catalogue: assumed })]
  expect(known.length).toBeGreaterThan(readable.length)
  expect(guessed.length).toBe(known.length)
})
