import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hasSqlState } from '../../src/lib/sqlstate.ts'
import { whyUnrunnable } from '../../src/sql/unrunnable.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'

/** A file is sent as one script: what PostgreSQL refuses of it for being in a transaction, or in none, is refused while planning. */

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('create table a (id int primary key); create index i on a (id)')
})
afterAll(async () => {
  await client.end()
  await database.close()
})

/** Of an error that is not one of the two: null. */
async function refusedBy(sql: string): Promise<string | null> {
  try {
    await client.query(sql)
    return null
  } catch (error) {
    return ['25001', '25P01'].find((state) => error instanceof Error && hasSqlState(error, state)) ?? null
  } finally {
    await client.query('rollback')
  }
}

test.each([
  ['savepoint s; select 1; release s', '25P01'],
  ['select 1; savepoint s', '25P01'],
  ['select 1; rollback to s', '25P01'],
  ['select 1; commit and chain', '25P01'],
  ['begin; commit; savepoint s', '25P01'],
  ['begin; savepoint s; commit', null],
  ['begin; rollback and chain; savepoint s; commit', null],
  ['select 1; commit', null],
  ['lock table a', '25P01'],
  ['lock table a; select 1', null],
  ['declare c cursor for select 1', '25P01'],
  ['declare c cursor with hold for select 1; close c', null],
  ['reindex (concurrently off) index i; select 1', null],
  ['reindex (concurrently) index i; select 1', '25001'],
  [`alter database "$" set tablespace pg_default; select 1`, '25001'],
  [`alter database "$" connection limit 50; select 1`, null],
  ["select 1; create subscription s connection 'dbname=none' publication p", '25001'],
  [
    "select 1; create subscription s connection 'dbname=none' publication p with (connect = false, slot_name = none); drop subscription s",
    null,
  ],
])('%s: %s', async (template, state) => {
  const sql = template.replace('$', database.name)
  const why = await whyUnrunnable('m', Buffer.from(sql), true)
  expect(await refusedBy(sql)).toBe(state)
  expect(why?.match(/\((25\w+)\)/)?.[1] ?? null).toBe(state)
})
