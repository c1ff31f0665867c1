import { expect, test } from 'vitest'
import { askOne, told } from './ask.ts'

test('subcommands run in the order of PostgreSQL, not in that in which they are written', async () => {
  const { parts } = await askOne(
    `alter table proofs add constraint bare_there check (bare is not null), alter bare set not null, add column extra integer, drop column counted`,
  )
  expect(parts.map(({ rule, scans }) => `${rule}${scans.length > 0 ? ', reads all' : ''}`)).toEqual([
    'drop column',
    'add column',
    'set not null, reads all', // the check of the same statement proves nothing yet
    'add check, reads all',
  ])
})

test('a valid check of an earlier statement proves that there are no nulls; what it does not say by itself proves nothing', async () => {
  const scans = async (column: string) =>
    (await told(`alter table proofs alter ${column} set not null`)).some((line) => line.includes('reads'))
  expect({
    proven: await scans('proven'),
    both: await scans('both_a'),
    positive: await scans('positive'),
    counted: await scans('counted'),
    either: await scans('either'),
    'not valid': await scans('pending'),
  }).toEqual({ proven: false, both: false, positive: true, counted: true, either: true, 'not valid': true })
})

test('a foreign key locks both ends, and reads both unless it is NOT VALID', async () => {
  expect(await told('alter table orders add constraint c foreign key (customer_id) references customers')).toEqual([
    'ShareRowExclusive on orders, customers',
    'add foreign key; reads orders, customers; old may fail: it may store rows in orders that refer to none in customers',
  ])
  expect(await told('alter table orders add constraint c foreign key (customer_id) references customers not valid')).toEqual([
    'ShareRowExclusive on orders, customers',
    'add foreign key; old may fail: it may store rows in orders that refer to none in customers',
  ])
})

test('the strongest lock of several subcommands is taken on the table only', async () => {
  expect(await told('alter table loose validate constraint loose_customer, alter quantity set default 1')).toEqual([
    'AccessExclusive on loose',
    'RowShare on customers',
    'set default',
    'validate constraint; reads loose, customers',
  ])
})

test('a column that is dropped takes along what it holds, and stands under what uses it', async () => {
  expect(await told('alter table plain drop column note')).toEqual([
    'AccessExclusive on plain',
    'drop column; loses plain.note with what it holds; old fails: it still reads and writes plain.note',
  ])
  expect(await told('alter table shown drop column name')).toContain('2BP01: the view shown_names uses shown.name')
  expect(await told('alter table shown drop column name cascade')).toEqual([
    'AccessExclusive on shown, shown_names, shown_twice',
    'drop column; loses shown.name with what it holds; loses view shown_names; loses view shown_twice; old fails: it still reads and writes shown.name',
  ])
})

test('a column that is added is free, filled row by row, or asked of each row', async () => {
  const kinds = async (definition: string) => {
    const { parts, fails } = await askOne(`alter table plain add column extra ${definition}`)
    return `${fails?.sqlstate ?? parts[0]?.rule}${(parts[0]?.rewrites.length ?? 0) > 0 ? ', rewrites' : ''}`
  }
  expect({
    constant: await kinds('integer default 1 not null'),
    now: await kinds('timestamptz default now()'),
    required: await kinds('integer not null'),
    uuid: await kinds('uuid default gen_random_uuid()'),
    serial: await kinds('serial'),
    'checked domain': await kinds('positive'),
    'domain with a default': await kinds('named'),
    stored: await kinds('integer generated always as (a * 2) stored'),
    virtual: await kinds('integer generated always as (a * 2) virtual'),
    'function that nobody knows': await kinds('integer default whatever()'),
  }).toEqual({
    constant: 'add column',
    now: 'add column',
    required: '23502',
    uuid: 'add column that is filled row by row, rewrites',
    serial: 'add column that is filled row by row, rewrites',
    'checked domain': 'add column that is filled row by row, rewrites',
    'domain with a default': 'add column',
    stored: 'add column that is filled row by row, rewrites',
    virtual: 'add column',
    'function that nobody knows': 'add column that is filled row by row, rewrites',
  })
})

test('a partition is attached without a look at its rows where a valid check says the same', async () => {
  const reads = async (bound: string, table: string) =>
    (await askOne(`alter table logs attach partition ${table} for values from ('${bound}-01-01') to ('${Number(bound) + 1}-01-01')`))
      .parts[0]?.scans
  expect(await reads('2026', 'logs_2026')).toEqual([])
  expect(await reads('2025', 'logs_2025')).toEqual([{ schema: 'public', name: 'logs_2025' }])
  expect(await reads('2027', 'logs_2027')).toEqual([{ schema: 'public', name: 'logs_2027' }]) // the check lets nulls pass
})
