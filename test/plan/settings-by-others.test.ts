import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readReactions } from '../../src/database/reactions.ts'
import { reviewMigrations } from '../../src/sql/review.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'

/** What PostgreSQL does is the measure: where the search path is another one afterwards, the review said that it may be. */

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('create table a (id int); create schema audit')
})
afterAll(async () => {
  await client.end()
  await database.close()
})

const SETS = "set_config('search_path', 'audit', false)"
const FUNCTION = `create function leads() returns void language plpgsql as $$ begin perform ${SETS}; end $$`
const MAY =
  'it may leave search_path at audit behind: the migrator writes its record with it; RESET search_path at its end keeps it to the file'

test.each([
  ['a function of the database', FUNCTION, 'select leads()'],
  ['one that a function calls', `${FUNCTION}; create function twice() returns void language sql as 'select leads()'`, 'select twice()'],
  ['a view of the database', `create view v as select ${SETS}`, 'select * from v'],
  [
    'a view behind a view',
    `create view w as select ${SETS} as path; create view v as select path from w`,
    'create table c as select * from v',
  ],
  ['a view that calls a function', `${FUNCTION}; create view v as select leads()::text`, 'select * from v'],
  ['a view of the file', 'select 1', `create view v as select ${SETS}; select * from v`],
  [
    'a view of the file that reads one of the database',
    `create view w as select ${SETS} as path`,
    'create view v as select path from w; select * from v',
  ],
  [
    'a trigger',
    `${FUNCTION.replace('void', 'trigger').replace('; end', '; return new; end')}; create trigger t before insert on a for each row execute function leads()`,
    'insert into a values (1)',
  ],
  [
    'a default',
    `${FUNCTION.replace('void', 'int').replace('; end', '; return 1; end')}; alter table a alter id set default leads()`,
    'insert into a default values',
  ],
  ['a procedure', FUNCTION.replace('function', 'procedure').replace('returns void', ''), 'call leads()'],
])('%s sets the search path', async (_what, before, sql) => {
  try {
    await client.query(`begin; ${before}`)
    const reactions = await readReactions(client)
    const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], { sizes: [], schema: 'public', reactions })
    await client.query(sql)
    expect((await client.query('show search_path')).rows).toEqual([{ search_path: 'audit' }])
    expect(review?.findings).toContain(MAY)
  } finally {
    await client.query('rollback')
  }
})

test.each([
  ['a view that only is there', `create view v as select ${SETS}`, 'create view w as select 1'],
  ['a view that the file creates and does not read', 'select 1', `create view v as select ${SETS}`],
  [
    'a function that sets it back by itself',
    'create function stays() returns void language plpgsql set search_path = audit as $$ begin perform 1; end $$',
    'select stays()',
  ],
])('%s does not', async (_what, before, sql) => {
  try {
    await client.query(`begin; ${before}`)
    const reactions = await readReactions(client)
    const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], { sizes: [], schema: 'public', reactions })
    await client.query(sql)
    expect((await client.query('show search_path')).rows).toEqual([{ search_path: '"$user", public' }])
    expect(review?.findings).toEqual([])
  } finally {
    await client.query('rollback')
  }
})

/** As one script, and statement by statement, as PostgreSQL takes it. */
test.each([
  ['SET search_path TO audit; ROLLBACK;', '"$user", public', 'audit'],
  ['BEGIN; SET search_path TO audit; ROLLBACK;', '"$user", public', '"$user", public'],
  ['SET search_path TO audit; COMMIT; ROLLBACK;', 'audit', 'audit'],
  ['SET search_path TO audit; BEGIN; SELECT 1; ROLLBACK;', '"$user", public', 'audit'],
])('%s leaves the search path at %s as one script and at %s statement by statement, and both are judged', async (sql, script, single) => {
  const said = async (isOneScript: boolean) =>
    (await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], { sizes: [], schema: 'public', isOneScript }))[0]
  try {
    await client.query(sql)
    expect((await client.query('show search_path')).rows).toEqual([{ search_path: script }])
    expect((await said(true))?.leaves.map(({ value }) => value)).toEqual(script === 'audit' ? ['audit'] : [])
    await client.query('reset search_path')
    for (const statement of sql.split(';')) await client.query(statement)
    expect((await client.query('show search_path')).rows).toEqual([{ search_path: single }])
    expect((await said(false))?.leaves.map(({ value }) => value)).toEqual(single === 'audit' ? ['audit'] : [])
  } finally {
    await client.query('rollback; reset search_path')
  }
})

test('a ROLLBACK without BEGIN is told where nobody knows what it undoes', async () => {
  const said = async (sql: string, isOneScript: boolean) =>
    (await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], { sizes: [], schema: 'public', isOneScript }))[0]?.findings
  const UNSURE =
    'it has a ROLLBACK without BEGIN: sent as one script that undoes what stands before it, sent statement by statement it undoes nothing, and which of the two the migrator does is not certain'
  const PART = 'it has BEGIN or COMMIT inside, so a failure may leave a part of it applied'
  expect(await said('create table c (); rollback', false)).toEqual([PART, UNSURE])
  expect(await said('create table c (); rollback', true)).toEqual([PART])
  expect(await said('begin; create table c (); rollback', false)).toEqual([PART])
})
