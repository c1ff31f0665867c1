import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { freeDisk } from '../../src/guard/disk.ts'
import { withObserver } from '../../src/guard/observer.ts'
import { takeSample, type Sample } from '../../src/guard/sample.ts'
import { cancelStatement, endSession, whyNotEnd } from '../../src/guard/sessions.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

/** A role that may see and do next to nothing, as on a managed service. */
const poor = `poor_${randomBytes(4).toString('hex')}`
let database: TestDatabase
let open: pg.Client[] = []

beforeAll(async () => {
  database = await createDatabase()
  const admin = await connect('setup')
  await admin.query(`create role ${poor} login password 'poor-one'`)
})
afterAll(async () => {
  const admin = await connect('setup')
  await admin.query(`drop owned by ${poor}; drop role ${poor}`)
  await Promise.all(open.map((one) => one.end()))
  await database.close()
})
beforeEach(async () => {
  const admin = await connect('setup')
  await admin.query(`drop table if exists orders; create table orders (id int); grant all on orders to ${poor}`)
})
afterEach(async () => {
  await Promise.all(open.map((one) => one.end().catch(() => {})))
  open = []
})

async function connect(name: string, role?: string): Promise<pg.Client> {
  const url = new URL(database.url)
  if (role !== undefined) Object.assign(url, { username: role, password: 'poor-one' })
  const client = new pg.Client({ connectionString: url.href, application_name: name })
  client.on('error', () => {}) // some are ended on purpose
  await client.connect()
  open.push(client)
  return client
}

/** The line of a sentence that people copy. */
function advised(text: string | null, word: string): string {
  const found = text?.match(new RegExp(`\`(${word} [^\`]+)\``))?.[1]
  if (found === undefined) throw new Error(`no ${word} is advised: ${text}`)
  return found
}

const quietly = (query: Promise<unknown>) => query.catch(() => {}) // it is ended, or goes through when the test is over

/** A report, an ALTER that waits for it, and a query of the shop behind that, seen by `watcher`. */
async function blocked(
  watcher: pg.Client,
): Promise<{ readonly sample: Sample; readonly reader: pg.Client; readonly ended: Promise<unknown> }> {
  const reader = await connect('reporting')
  await reader.query('begin; select * from orders')
  const ended = quietly((await connect('migrator')).query('alter table orders add column note text'))
  await until('the ALTER waits', async () => (await takeSample(watcher, 'migrator')).waiting !== null)
  void quietly((await connect('shop-web')).query('select * from orders'))
  const sample = await until('the shop waits', async () => {
    const found = await takeSample(watcher, 'migrator')
    return found.queue.count === 1 && found
  })
  return { sample, reader, ended }
}

test('one statement sees who is in the way, who waits behind, and what the server bears', async () => {
  const { sample } = await blocked(await connect('watch'))
  expect(sample).toMatchObject({
    worker: { applicationName: 'migrator', state: 'active', query: 'alter table orders add column note text' },
    waiting: { relation: 'orders', prismaLock: false, blocker: { applicationName: 'reporting', state: 'idle in transaction' } },
    queue: { count: 1, applications: ['shop-web'], relation: 'orders' },
    connections: { used: expect.any(Number), most: expect.any(Number) },
    walBytes: expect.any(Number),
    index: null,
    rewrite: null,
  })
  expect(sample.queue.longestMs).toBeLessThan(sample.waiting?.ms ?? 0)
})

test('another migrator that waits for its turn is no query of the application', async () => {
  const watcher = await connect('watch')
  const migrator = await connect('migrator')
  await migrator.query('begin; select pg_advisory_xact_lock(72707369); lock table orders')
  void quietly((await connect('prisma')).query('select pg_advisory_lock(72707369)'))
  void quietly((await connect('lockkeeper-41-probe')).query('select * from orders'))
  void quietly((await connect('shop-web')).query('select * from orders'))
  const { queue } = await until('all of them wait', async () => {
    const { rowCount } = await watcher.query(
      'select from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()',
    )
    const sample = await takeSample(watcher, 'migrator')
    return rowCount === 3 && sample.queue.count > 0 && sample
  })
  expect(queue).toMatchObject({ count: 1, applications: ['shop-web'], relation: 'orders' })
})

test('what some services do not let a client ask is left out, and the queue is seen all the same', async () => {
  const watcher = await connect('watch')
  await blocked(watcher)
  expect(await takeSample(watcher, 'migrator', 'bare')).toMatchObject({
    waiting: { blocker: { applicationName: 'reporting' } },
    queue: { count: 1 },
    connections: null,
    walBytes: null,
  })
})

test('exactly the statement that was seen is cancelled, and nothing that came after it', async () => {
  const watcher = await connect('watch')
  const { sample, ended } = await blocked(watcher)
  const worker = sample.worker
  if (worker === undefined) throw new Error('nobody works')
  expect(await cancelStatement(watcher, 'migrator', { ...worker, statement: '1' })).toBe(false)
  expect(await cancelStatement(watcher, 'somebody else', worker)).toBe(false)
  expect(await cancelStatement(watcher, 'migrator', worker)).toBe(true)
  await ended
  expect(await cancelStatement(watcher, 'migrator', worker)).toBe(false)
})

test('a session is ended in the transaction in which it was seen, and in no other', async () => {
  const watcher = await connect('watch')
  const { sample, reader } = await blocked(watcher)
  const blocker = sample.waiting?.blocker
  if (blocker == null) throw new Error('nobody is in the way')
  await reader.query('rollback; begin; select 1')
  expect(await endSession(watcher, blocker)).toBe('other')
  expect((await reader.query('select 1 as alive')).rows).toEqual([{ alive: 1 }])
  const now = await until('its new transaction is seen', async () => {
    const { rows } = await watcher.query<{ transaction: string }>(
      `select (extract(epoch from xact_start) * 1000000)::bigint::text as transaction from pg_stat_activity where pid = $1`,
      [blocker.pid],
    )
    return rows[0]
  })
  expect(await endSession(watcher, { ...blocker, ...now })).toBe('ended')
})

test('a role without rights sees the queue, ends nobody, and says what it lacks and who can', async () => {
  const watcher = await connect('watch', poor)
  const admin = await connect('admin')
  const { rows } = await admin.query<{ me: string }>('select current_user as me')
  const { sample } = await blocked(watcher)
  const blocker = sample.waiting?.blocker
  if (blocker == null) throw new Error('nobody is in the way')
  expect(blocker).toMatchObject({ applicationName: 'reporting', role: rows[0]?.me, backend: null, state: null })
  expect(await endSession(watcher, blocker)).toBe('not_allowed')
  expect(await endSession(watcher, { pid: blocker.pid, backend: '1', transaction: '1' })).toBe('other')
  expect(await whyNotEnd(watcher, blocker)).toBe(
    `Its role is a superuser, whose sessions only another superuser may end. Somebody with the right can run \`SELECT pg_terminate_backend(${blocker.pid});\`.`,
  )
  const colleague = `${poor}_2`
  await admin.query(`create role ${colleague} login password 'poor-one'`)
  const theirs = await connect('colleague', colleague)
  const { rows: pids } = await theirs.query<{ pid: number }>('select pg_backend_pid() as pid')
  const other = { ...blocker, pid: pids[0]?.pid ?? 0, applicationName: 'colleague' }
  expect(await whyNotEnd(watcher, other)).toBe(
    `Lockkeeper's role \`${poor}\` may not end sessions of others: \`GRANT pg_signal_backend TO ${poor};\` lets it. Somebody with the right can run \`SELECT pg_terminate_backend(${other.pid});\`.`,
  )
  await admin.query(advised(await whyNotEnd(watcher, other), 'GRANT'))
  expect(await whyNotEnd(watcher, other)).toBe(
    `Lockkeeper's role \`${poor}\` cannot see when that session began, so it might end another one: \`GRANT pg_read_all_stats TO ${poor};\` lets it. Somebody with the right can run \`SELECT pg_terminate_backend(${other.pid});\`.`,
  )
  const prepared = await whyNotEnd(watcher, { ...other, pid: 0 })
  expect((await admin.query(advised(prepared, 'SELECT'))).rows).toEqual([])
  const unseen = await whyNotEnd(watcher, other)
  await admin.query(advised(unseen, 'GRANT'))
  expect(await whyNotEnd(watcher, { ...other, backend: '1' })).toBeNull()
  expect((await admin.query(advised(unseen, 'SELECT'))).rows).toEqual([{ pg_terminate_backend: true }])
  await admin.query(`drop role ${colleague}`)
})

test('the free disk is known for a server on this machine, and not for another', async () => {
  await withObserver({ url: database.url, applicationName: 'watch' }, async (observer) => {
    expect(await freeDisk(observer, 'db.example.com')()).toBeNull()
    expect(await freeDisk(observer, '127.0.0.1')()).toBeGreaterThan(0)
  })
})
