import { afterAll, beforeAll, expect, test } from 'vitest'
import { actOnDue, type Due } from '../../src/store/due.ts'
import { openStore, type Db } from '../../src/store/pool.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'

let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await createDatabase()
  db = openStore(database.url, () => {})
})
afterAll(async () => {
  await db.close()
  await database.close()
})

/** What was acted on, and what was thrown at the end. */
async function look(...dues: readonly (Omit<Due, 'act'> & { readonly act?: Due['act'] })[]) {
  const acted: string[] = []
  const all = dues.map(({ name, isDue, act }) => ({ name, isDue, act: act ?? (() => Promise.resolve(acted.push(name))) }))
  const fault = await actOnDue(db, all).then(
    () => null,
    (error: unknown) => (error as Error).message,
  )
  return { acted, fault }
}

test('only what is due is acted on', async () => {
  expect(await look({ name: 'one', isDue: 'true' }, { name: 'other', isDue: 'false' }, { name: 'third', isDue: 'null' })).toEqual({
    acted: ['one'],
    fault: null,
  })
})

test('an act that fails holds back no other and is told by its name', async () => {
  const fails = { name: 'pages', isDue: 'true', act: () => Promise.reject(new Error('no line')) }
  expect(await look(fails, { name: 'expiry', isDue: 'true' })).toEqual({ acted: ['expiry'], fault: 'pages: no line' })
})

test('a question that the server refuses holds back no other and is told by its name', async () => {
  const broken = { name: 'Home', isDue: '(select n from generate_series(1, 2) n) = 1' }
  expect(await look({ name: 'expiry', isDue: 'true' }, broken, { name: 'pages', isDue: 'true' })).toEqual({
    acted: ['expiry', 'pages'],
    fault: 'Home: more than one row returned by a subquery used as an expression',
  })
})
