import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { startProxy, type Proxy } from './proxy.ts'

let database: TestDatabase
let proxy: Proxy
const clients: pg.Client[] = []

beforeEach(async () => {
  database = await createDatabase()
  proxy = await startProxy(database.url)
})
afterEach(async () => {
  await proxy.close()
  for (const client of clients.splice(0)) await client.end().catch(() => {})
  await database.close()
})

async function open(name: string, url = proxy.through(database.url)): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: name, query_timeout: 1_000, connectionTimeoutMillis: 1_000 })
  client.on('error', () => {})
  clients.push(client)
  await client.connect()
  return client
}

const rows = async (client: pg.Client, sql: string): Promise<unknown[]> => (await client.query<Record<string, unknown>>(sql)).rows

test('it passes everything, large answers and prepared statements too', async () => {
  const client = await open('one')
  expect(await rows(client, 'select 1 as a')).toEqual([{ a: 1 }])
  const { rows: large } = await client.query<{ length: number }>(`select length(repeat('x', $1)) as length, repeat('y', $1)`, [3_000_000])
  expect(large[0]?.length).toBe(3_000_000)
  expect(proxy.open()).toEqual(['one'])
})

test('refusing breaks what is open, nobody listens, and afterwards it is as before', async () => {
  const client = await open('one')
  const heal = await proxy.refuse()
  await expect(client.query('select 1')).rejects.toThrow(/ECONNRESET|terminated/)
  await expect(open('two')).rejects.toThrow(/ECONNREFUSED/)
  await heal()
  expect(await rows(await open('three'), 'select 1 as a')).toEqual([{ a: 1 }])
})

test('cutting takes the named connections alone', async () => {
  const [alive, bot] = [await open('lockkeeper-alive'), await open('bot')]
  expect(proxy.cut(/alive/)).toBe(1)
  await expect(alive.query('select 1')).rejects.toThrow(/ECONNRESET|terminated/)
  expect(await rows(bot, 'select 1 as a')).toEqual([{ a: 1 }])
})

test('a half-open connection answers never again, without an error of its own, and the server keeps its session', async () => {
  const client = await open('one')
  const heal = proxy.halfOpen()
  await expect(client.query('select 1')).rejects.toThrow(/timeout/i)
  await expect(open('two')).rejects.toThrow(/timeout/i)
  await heal()
  await expect(client.query('select 1')).rejects.toThrow(/timeout/i)
  const other = await open('three')
  expect(await rows(other, `select application_name as name from pg_stat_activity where application_name = 'one'`)).toEqual([
    { name: 'one' },
  ])
})

test('a commit whose order is lost did not happen, one whose answer is lost did, and a late one is only late', async () => {
  const read = await open('reader', database.url)
  await read.query('create table noted (what text)')
  const commit = async (what: string) => {
    const client = await open('writer')
    await client.query('begin')
    await client.query('insert into noted values ($1)', [what])
    const began = performance.now()
    const told = await client.query('commit').then(
      () => 'told',
      () => 'not told',
    )
    return [told, performance.now() - began >= 250, (await rows(read, `select what from noted where what = '${what}'`)).length]
  }
  expect(await commit('sound')).toEqual(['told', false, 1])
  const order = proxy.onCommit('lost order')
  expect(await commit('no order')).toEqual(['not told', false, 0])
  const answer = proxy.onCommit('lost answer')
  expect(await commit('no answer')).toEqual(['not told', false, 1])
  const late = proxy.onCommit({ lateByMs: 300 }, { which: /writer/ })
  expect(await commit('late')).toEqual(['told', true, 1])
  expect([order.hits(), answer.hits(), late.hits()]).toEqual([1, 1, 1])
  expect(await commit('sound again')).toEqual(['told', false, 1])
})

test('a delay holds every answer back in its order, and it can point to another server', async () => {
  const client = await open('one')
  const heal = proxy.delay(150)
  const began = performance.now()
  expect(await Promise.all([rows(client, 'select 1 as a'), rows(client, 'select 2 as a')])).toEqual([[{ a: 1 }], [{ a: 2 }]])
  expect(performance.now() - began).toBeGreaterThan(280)
  await heal()
  proxy.pointTo('postgresql://127.0.0.1:1/nowhere')
  await expect(open('two')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|terminated/)
})
