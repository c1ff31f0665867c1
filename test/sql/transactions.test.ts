import { expect, test } from 'vitest'
import { readScript } from '../../src/sql/parse.ts'
import { concurrentIndexOf, isConcurrent, isOneTransaction, standsAlone } from '../../src/sql/transactions.ts'

const read = (sql: string | Buffer) => readScript(Buffer.from(sql))
const undoneAsOne = async (sql: string | Buffer) => isOneTransaction(await read(sql))

test.each([
  'create table t (id int); insert into t values (1);',
  'create function f() returns int language sql begin atomic select 1; end;',
  'do $$ begin update t set a = 1; end $$',
  'reindex table t',
  '',
])('a file whose statements all belong to one transaction is undone as one: %s', async (sql) => {
  expect(await undoneAsOne(sql)).toBe(true)
})

test.each([
  'begin; select 1; commit;',
  'select 1; commit;',
  'do $$ begin update t set a = 1; commit; perform 1 / 0; end $$',
  'do $$ begin call p(); end $$',
  'call p()',
  'create index concurrently i on t (x)',
  'drop index concurrently i',
  'reindex index concurrently i',
  'reindex table concurrently t',
  'reindex schema s',
  'reindex database d',
  'alter table t detach partition u concurrently',
  'vacuum t',
  'cluster',
  'create database d',
  "alter system set work_mem = '1GB'",
  'creat table t',
  Buffer.from('select 1;\0commit;'),
  Buffer.from([0xff]),
  '\ufeffselect 1',
])('one that ends a transaction, runs outside of one or cannot be read is not: %s', async (sql) => {
  expect(await undoneAsOne(sql)).toBe(false)
})

test('the index that a file builds concurrently has its name, unless the server chooses it', async () => {
  const own = async (sql: string) => concurrentIndexOf(await read(sql))
  expect(await own('-- why\ncreate unique index concurrently if not exists "Orders_idx" on orders (x);')).toBe('Orders_idx')
  expect(await own('create index i on orders (x)')).toBeNull()
  expect(await own('create index concurrently on orders (x)')).toBeNull()
  expect(await own('creat')).toBeNull()
})

test('whatever is concurrent stands alone', async () => {
  for (const sql of ['create index concurrently i on t (x)', 'drop index concurrently i', 'reindex table concurrently t']) {
    const script = await read(sql)
    if (script.kind === 'unreadable') throw new Error(script.why)
    expect(script.statements.map((node) => [isConcurrent(node), standsAlone(node)])).toEqual([[true, true]])
  }
})
