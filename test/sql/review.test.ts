import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { migrationFile } from '../../src/plan/files.ts'
import { reviewMigrations } from '../../src/sql/review.ts'
import { pendingSql } from '../../src/plan/pending-sql.ts'

const sizes = [
  { schema: 'public', name: 'orders', rows: 41_000, bytes: 1 },
  { schema: 'public', name: 'customer', rows: 900, bytes: 1 },
  { schema: 'shop', name: 'orders', rows: 7, bytes: 1 },
]

async function review(...contents: readonly (string | Buffer)[]) {
  const files = contents.map((content, at) => migrationFile(`m${at}`, Buffer.from(content), null))
  return reviewMigrations(files, { sizes, schema: 'public' })
}

async function one(content: string | Buffer) {
  const [first] = await review(content)
  if (first === undefined) throw new Error('no review')
  return first
}

describe('class and summary', () => {
  test.each([
    ['create table a (id int)', 'additive', 'creates table a'],
    [
      'create table a (id int); create table b (id int references a); create table c (); create index on a (id)',
      'additive',
      'creates tables a, b and 1 more',
    ],
    ['alter table orders add column discount_id int', 'additive', 'adds orders.discount_id, nullable'],
    ['alter table orders add column a int not null default 0', 'additive', 'adds orders.a, required, with a default'],
    ['alter table orders add column a serial', 'transformative', 'adds orders.a, required, with a default'],
    ['alter table orders add column a int not null', 'breaking', 'adds orders.a, required, without a default'],
    ['alter table "public"."orders" drop column a, drop column b', 'breaking', 'drops orders.a and orders.b'],
    ['drop table orders', 'breaking', 'drops table orders'],
    ['drop table shop.orders, customer', 'breaking', 'drops tables shop.orders and customer'],
    ['create index on orders (id)', 'transformative', 'builds an index on orders'],
    ['create unique index concurrently on orders (id)', 'transformative', 'builds a unique index on orders, concurrently'],
    ['drop index concurrently x', 'transformative', 'drops index x, concurrently'],
    ['alter table orders alter column a type text using a::text', 'transformative', 'changes the type of orders.a to text'],
    ['alter table orders alter column a set not null', 'transformative', 'makes orders.a required'],
    ['alter table orders alter column a drop not null', 'additive', 'makes orders.a nullable'],
    ['alter table orders alter column a set default 1', 'additive', 'changes the default of orders.a'],
    ['alter table orders add foreign key (c) references customer (id)', 'transformative', 'adds a foreign key from orders to customer'],
    ['alter table orders add check (a > 0) not valid', 'transformative', 'adds a check to orders, not yet validated'],
    ['alter table orders rename column a to b', 'breaking', 'renames orders.a to b'],
    ['alter table orders rename to b', 'breaking', 'renames table orders to b'],
    ['alter index a rename to b', 'additive', 'renames index a to b'],
    ['update orders set a = 1', 'transformative', 'backfills orders'],
    ['delete from orders', 'breaking', 'deletes rows of orders'],
    ['truncate orders', 'breaking', 'empties orders'],
    ["create type e as enum ('a')", 'additive', 'creates type e'],
    ["alter type e add value 'x'", 'additive', 'adds value x to type e'],
    ['drop type e', 'breaking', 'drops type e'],
    ['create index concurrently on orders (id)', 'additive', 'builds an index on orders, concurrently'],
    ['reindex table orders', 'transformative', 'rebuilds index orders'],
    ['reindex table concurrently orders', 'additive', 'rebuilds index orders, concurrently'],
    ['do $$ begin end $$', 'additive', 'changes nothing'],
    ['select setval($$s$$, 1)', 'transformative', 'sets the next number of s'],
    ['drop database shop', 'breaking', 'drops database shop'],
    ['-- This is an empty migration.', 'additive', 'changes nothing'],
    ['', 'additive', 'changes nothing'],
    ['set lock_timeout = 0; select 1', 'additive', 'changes nothing'],
    [
      'alter table orders add a int; alter table orders drop b; update customer set c = 1; create view v as select 1',
      'breaking',
      'drops orders.b; backfills customer; adds orders.a, nullable; and 1 more change',
    ],
  ])('%s', async (sql, kind, summary) => expect(await one(sql)).toMatchObject({ class: kind, summary }))

  test('what cannot be parsed is unclear and says so with the line', async () => {
    expect(await one('select 1;\ncreat table x ();')).toMatchObject({
      class: 'unclear',
      summary: 'could not be read as SQL (syntax error at or near "creat" in line 2); read it yourself',
    })
  })

  test('SQL cannot hide behind a NUL, a byte order mark or bytes that are not UTF-8', async () => {
    expect(await one('select 1;\0drop table orders')).toMatchObject({
      class: 'unclear',
      summary: 'could not be read as SQL (it holds a NUL character); read it yourself',
    })
    expect(await one('\ufeffselect 1')).toMatchObject({ class: 'unclear', summary: expect.stringContaining('byte order mark') })
    expect(await one(Buffer.from([0x2d, 0x2d, 0xff]))).toMatchObject({ class: 'unclear', summary: expect.stringContaining('not UTF-8') })
  })
})

describe('tables and rows', () => {
  test('the largest existing table that is touched counts, new ones do not', async () => {
    expect(await one('create table a (id int references customer); alter table orders add column x int')).toMatchObject({
      tables: ['customer', 'orders'],
      rows: 41_000,
    })
    expect(await one('create table a (id int)')).toMatchObject({ tables: [], rows: null })
    expect(await one('update shop.orders set a = 1')).toMatchObject({ tables: ['shop.orders'], rows: 7 })
  })

  test('what an earlier file of the plan creates is new in a later one', async () => {
    const [, second] = await review('create table a (id int)', 'create unique index on a (id); alter table a add column b int not null')
    expect(second).toMatchObject({
      class: 'additive',
      summary: 'adds a.b, required, without a default; builds a unique index on a',
      tables: [],
      findings: [],
    })
  })
})

describe('concurrently', () => {
  test.each([
    ['create index concurrently on orders (id)', true],
    ['drop index concurrently i', true],
    ['reindex index concurrently i', true],
    ['alter table orders detach partition p concurrently', true],
    ['create index on orders (id)', false],
    ['create index concurrently on orders (id); select 1', false],
    ['-- create index concurrently', false],
  ])('%s: %s', async (sql, concurrently) => expect(await one(sql)).toMatchObject({ concurrently }))
})

describe('findings', () => {
  test.each([
    ['create index on orders (id)', 'building an index on orders blocks writes to it until it is built'],
    [
      'create index concurrently on orders (id); select 1',
      'a statement that cannot run in a transaction (CONCURRENTLY, VACUUM) must be alone in its file; here it fails (25001)',
    ],
    [
      'do $$ begin update orders set a = 1; commit; end $$',
      'what it runs may commit by itself, so a failure may leave a part of it applied',
    ],
    ['call archive()', 'what it runs may commit by itself, so a failure may leave a part of it applied'],
    [
      "select setval('orders_id_seq', 7)",
      'setval acts outside of its transaction, so what that did stays when the rest is undone',
      'orders_id_seq goes on from another number: below what rows have already, its next ones exist and their inserts fail',
    ],
    [
      'alter table orders rename column note to remark',
      'orders.note becomes remark: whatever still uses the old name fails, the running application too',
    ],
    [
      "alter table orders rename to purchase; drop type mood; do $$ begin execute 'dr' || 'op table x'; end $$",
      'orders becomes purchase: whatever still uses the old name fails, the running application too',
      'drops type mood',
      'runs SQL that a code block puts together',
    ],
    ['begin; update orders set a = 1; commit', 'it has BEGIN or COMMIT inside, so a failure may leave a part of it applied'],
    [
      "alter type e add value 'x'; update orders set s = 'x'",
      'the new enum value x seems to be used in the file that adds it, which PostgreSQL refuses (55P04)',
    ],
    [
      'alter table orders add foreign key (c) references customer (id)',
      'the foreign key blocks writes to orders and customer while every row is checked',
    ],
    ['drop database shop', 'it drops a whole database'],
    ['set statement_timeout = 0', 'it sets a timeout itself, which overrides the one of the run'],
  ])('%s', async (sql, ...told) => expect((await one(sql)).findings).toEqual(told))
})

test('a prepared transaction is told before that it may leave a part', async () => {
  expect((await one("begin; update orders set a = 1; prepare transaction 'a'")).findings).toEqual([
    'it leaves a prepared transaction, which keeps its locks and takes effect only when somebody commits it',
    'it has BEGIN or COMMIT inside, so a failure may leave a part of it applied',
  ])
})

test('the pending SQL is one text in which nothing is hidden', () => {
  const files = [
    migrationFile('1_a', Buffer.from('select 1;\r\n-- \u202eevil\n'), null),
    migrationFile('2_b', Buffer.from('x'.repeat(2048)), Buffer.from('y')),
  ]
  expect(pendingSql(files, { target: 'prod', commit: 'abc' })).toBe(
    `-- 2 pending migrations of prod at commit abc, 2.0 kB in all

-- migration 1_a
-- 22 bytes, no rollback SQL
-- SHA-256 ${files[0]?.sha256}

select 1;
-- <U+202E>evil


-- migration 2_b
-- 2.0 kB, rollback SQL of 1 byte
-- SHA-256 ${files[1]?.sha256}

${'x'.repeat(2048)}
`,
  )
})

test('what the review found stands above the SQL that it is about, a line each', async () => {
  const files = [migrationFile('1_a', Buffer.from('delete from orders; create index on customer (id)'), null)]
  const evidence = await reviewMigrations(files, { sizes, schema: 'public' })
  const text = pendingSql(files, { target: 'prod', commit: 'abc', evidence })
  expect(text.split('\n').slice(5, 8)).toEqual([
    '-- found: rows of orders are deleted',
    '-- found: building an index on customer blocks writes to it until it is built',
    '',
  ])
})

test('every migration of the sample shop is understood', async () => {
  const directory = join(import.meta.dirname, '../../examples/shop/prisma/migrations')
  const names = (await readdir(directory)).filter((name) => !name.endsWith('.toml')).sort()
  const files = await Promise.all(
    names.map(async (name) => migrationFile(name, await readFile(join(directory, name, 'migration.sql')), null)),
  )
  const reviews = await reviewMigrations(files, { sizes: [], schema: 'public' })
  expect(names.length).toBeGreaterThanOrEqual(8)
  expect(reviews.filter((review) => review.class === 'unclear')).toEqual([])
})
