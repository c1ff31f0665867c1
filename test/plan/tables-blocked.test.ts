import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reviewMigrations } from '../../src/sql/review.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'

/** What PostgreSQL does is the measure: where the rows of `a` are written into a new file, or an index of it is built, the review says so. */

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(`create table a (id int not null, n int); insert into a select g, g from generate_series(1, 5) g; create unique index made on a (n);
    create function mine() returns int language plpgsql volatile as 'begin return 1; end'`)
})
afterAll(async () => {
  await client.end()
  await database.close()
})

const NEW_FILE = 'adding a.x writes every row of a anew, which blocks reads and writes meanwhile'
const index = (what: string) => `the index for ${what} is built under a lock that blocks reads and writes of a`

test.each([
  ['add column x serial', NEW_FILE],
  ['add column x int generated always as identity', NEW_FILE],
  ['add column x int generated always as (n + 1) stored', NEW_FILE],
  ['add column x uuid default gen_random_uuid()', NEW_FILE],
  ['add column x timestamptz not null default clock_timestamp()', NEW_FILE],
  ['add column x float default random() + 1', NEW_FILE],
  ['add column x int default mine()', NEW_FILE.replace('writes', 'may write')],
  ['add column x int', null],
  ["add column x text not null default 'none'", null],
  ['add column x timestamptz not null default now()', null],
  ['add column x timestamptz default current_timestamp', null],
  ["add column x text default lower('X')", null],
  ['add column x int unique', index('a.x')],
  ['add unique (id)', index('the unique constraint')],
  ['add primary key (id)', index('the primary key')],
  ['add exclude using btree (id with =)', index('the exclusion constraint')],
  ['add unique using index made', null],
  ['add check (n > 0)', 'the check reads every row of a under a lock that blocks reads and writes'],
  ['add check (n > 0) not valid', null],
])('alter table a %s', async (command, finding) => {
  const state = async () => {
    const { rows } = await client.query<{ file: string; indexes: string }>(
      `select pg_relation_filenode('a')::text as file, (select count(*)::text from pg_index where indrelid = 'a'::regclass) as indexes`,
    )
    return rows[0]
  }
  const sql = `alter table a ${command}`
  const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], { sizes: [], schema: 'public' })
  await client.query('begin')
  try {
    const before = await state()
    await client.query(sql)
    const after = await state()
    expect(after?.file !== before?.file).toBe(finding?.startsWith('adding') === true)
    expect(after?.indexes !== before?.indexes).toBe(finding?.startsWith('the index') === true)
    expect(review?.findings).toEqual(finding === null ? [] : [finding])
  } finally {
    await client.query('rollback')
  }
})
