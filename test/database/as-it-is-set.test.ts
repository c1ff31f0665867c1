import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockedTable } from '../../src/database/activity.ts'
import { connectTarget, withTarget } from '../../src/database/connect.ts'
import { readRights } from '../../src/database/rights.ts'
import { createOwnedDatabase, inDatabase } from '../helpers/backup.ts'
import { onServer } from '../helpers/postgres.ts'
import { serverUrl } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'

let own: Awaited<ReturnType<typeof createOwnedDatabase>>
const closing: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  own = await createOwnedDatabase()
  closing.push(own.close)
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const asOwn = <T>(work: Parameters<typeof withTarget<T>>[1]) => withTarget({ url: own.url, applicationName: 'test' }, work)
const asAdmin = (...statements: readonly string[]) =>
  inDatabase(Object.assign(new URL(serverUrl()), { pathname: new URL(own.url).pathname }).href, ...statements)

test('times and numbers arrive whole, however the role is set to write them', async () => {
  for (const setting of [`datestyle to 'German, DMY'`, 'extra_float_digits to -15', 'standard_conforming_strings to off'])
    await onServer(`alter role ${own.role} set ${setting}`)
  const read = await asOwn((client) =>
    client.query(String.raw`select timestamptz '2026-11-30 02:00Z' as at, 1234.5678::float8 as number, 'a\s' as text`),
  )
  expect(read.rows).toEqual([{ at: new Date('2026-11-30T02:00:00Z'), number: 1234.5678, text: String.raw`a\s` }])
})

test('what a role may only take on by SET ROLE it does not have', async () => {
  await onServer(`alter role ${own.role} noinherit`, `create role owner_${own.name}`)
  closing.push(() => onServer(`drop role owner_${own.name}`))
  const roles = `owner_${own.name}, pg_read_all_stats, pg_signal_backend`
  await asAdmin(`grant ${roles} to ${own.role}`, 'create table t (a int)', `alter table t owner to owner_${own.name}`)
  closing.push(() => asAdmin('drop table t'))
  await expect(inDatabase(own.url, 'alter table t add b int')).rejects.toThrow('must be owner of table t')
  expect(await asOwn((client) => readRights(client, 'public'))).toMatchObject({
    tablesOfOthers: [{ table: 't', owner: `owner_${own.name}` }],
    readAllStats: false,
    signalBackend: false,
  })
})

test.each([
  ['a table', 'table', 'create table t (a int)', 'alter table t add b int'],
  ['a sequence', 'sequence', 'create sequence t', 'alter sequence t rename to u'],
  ['a view', 'view', 'create view t as select 1 as a', 'create or replace view t as select 2 as a'],
  ['a materialized view', 'materialized view', 'create materialized view t as select 1 as a', 'refresh materialized view t'],
])('who locks %s exclusively is named', async (_, kind, made, locks) => {
  await inDatabase(own.url, made)
  const holder = await connectTarget({ url: own.url, applicationName: 'holder' })
  closing.push(() => holder.end())
  await holder.query(`begin; ${locks}`)
  expect(await asOwn(lockedTable)).toMatchObject({ relation: 't', kind, isWaiting: false, applicationName: 'holder' })
})

test('whoever waits for such a lock is named too, since everybody who comes later waits behind', async () => {
  await inDatabase(own.url, 'create table t (a int)')
  const [reader, waiter] = await Promise.all(
    ['reader', 'waiter'].map((applicationName) => connectTarget({ url: own.url, applicationName, statementTimeoutMs: 0 })),
  )
  closing.push(async () => await Promise.all([reader?.end(), waiter?.end()]))
  await reader?.query('begin; select from t')
  await waiter?.query('set lock_timeout = 0')
  const altering = waiter?.query('alter table t add b int')
  const seen = await until('it waits', () => asOwn(lockedTable).then((found) => found ?? undefined))
  expect(seen).toMatchObject({ relation: 't', kind: 'table', isWaiting: true, applicationName: 'waiter' })
  await reader?.query('rollback')
  await altering
})

test("a temporary table of another session is in nobody's way", async () => {
  const holder = await connectTarget({ url: own.url, applicationName: 'holder' })
  closing.push(() => holder.end())
  await holder.query('create temporary table t (a int)')
  await holder.query('begin; alter table t add b int')
  expect(await asOwn(lockedTable)).toBeNull()
})
