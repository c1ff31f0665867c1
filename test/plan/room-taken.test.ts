import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { roomTaken } from '../../src/sql/room.ts'
import { tablePages } from '../../src/run/preflight/server-disk.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'

/** What PostgreSQL does is the measure: a table that gets another file on the disk is one that was written anew. */

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(`create table t (id int primary key, n int, s text); insert into t select g, g, repeat('x', 100) from generate_series(1, 2000) g;
    create materialized view v as select g from generate_series(1, 100) g; create table p (id int) partition by range (id); create table p1 partition of p default;
    insert into p select g from generate_series(1, 5000) g`)
  await client.query('vacuum analyze')
})
afterAll(async () => {
  await client.end()
  await database.close()
})

const taken = async (sql: string) =>
  (await roomTaken([{ name: '1_x', content: Buffer.from(sql) }], 'public'))?.map(({ of, table, isSure }) =>
    [isSure ? 'surely' : 'perhaps', of, table?.name].join(' '),
  )

test.each([
  ['alter table t alter n type bigint', ['perhaps table t'], true],
  ['alter table t alter s type varchar', ['perhaps table t'], false],
  ['alter table t add u uuid default gen_random_uuid()', ['surely table t'], true],
  ['alter table t add u serial', ['surely table t'], true],
  ['alter table t add u int default 1', [], false],
  ['alter table t add u timestamptz default now()', [], false],
  ['alter table t add u int generated always as (n * 2) stored', ['surely table t'], true],
  ['alter table t set unlogged', ['surely table t'], true],
  ['alter table t alter n set not null', [], false],
  ['cluster t using t_pkey', ['surely table t'], true],
  ['create index on t (n)', ['surely index t'], false],
  ['alter table t add unique (n)', ['surely index t'], false],
  ['alter table t add check (n > 0)', [], false],
  ['create table c (x int); alter table c alter x type bigint; create index on c (x)', [], false],
  ['refresh materialized view v', ['surely table v'], true],
])('%s', async (sql, expected, isWritten) => {
  const file = async () => {
    const { rows } = await client.query<{ at: string }>(`select pg_relation_filepath($1::text::regclass) as at`, [
      sql.endsWith(' v') ? 'v' : 't',
    ])
    return rows[0]?.at
  }
  await client.query('begin')
  try {
    const before = await file()
    await client.query(sql)
    expect((await file()) !== before).toBe(isWritten)
    expect(await taken(sql)).toEqual(expected)
  } finally {
    await client.query('rollback')
  }
})

test('an UPDATE of every row leaves each of them twice, as the table grows by it', async () => {
  const size = async () =>
    (await client.query<{ bytes: string }>(`select pg_relation_size('t')::text as bytes`)).rows.map((row) => Number(row.bytes))
  const [before = 0] = await size()
  await client.query('begin; update t set n = n')
  const [after = 0] = await size()
  await client.query('rollback')
  expect(after).toBeGreaterThan(before * 1.9)
  expect(await taken('update t set n = n')).toEqual(['surely table t'])
  expect(await taken('update t set n = n where id < 10')).toEqual([])
})

test('VACUUM FULL of everything takes room for one table after another, and what cannot be read is not known', async () => {
  expect(await taken('vacuum full')).toEqual(['surely table '])
  expect(await taken('vacuum (full) t, p')).toEqual(['surely table t', 'surely table p'])
  expect(await taken('selec 1')).toBeUndefined()
})

test('the sizes are those of the server, with indexes and partitions', async () => {
  await client.query('vacuum analyze')
  const { rows } = await client.query<{ name: string; bytes: string }>(
    `select relname as name, (pg_indexes_size(oid) + pg_relation_size(oid))::text as bytes from pg_class where relname in ('t', 'p1', 'v')`,
  )
  const pages = await tablePages(client)
  const sizeOf = (name: string) => pages.find((one) => one.name === name)?.bytes
  for (const { name, bytes } of rows) expect(Math.abs((sizeOf(name) ?? 0) - Number(bytes))).toBeLessThan(3 * 8192)
  expect(sizeOf('p')).toBe(sizeOf('p1'))
})
