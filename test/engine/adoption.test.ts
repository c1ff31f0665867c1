import { fork, type ChildProcess } from 'node:child_process'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { openStore, type Db } from '../../src/store/pool.ts'
import { startClientEngine } from '../../src/engine/engine.ts'
import { readExecutors } from '../../src/engine/executors.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

let database: TestDatabase
let db: Db
const replicas: ChildProcess[] = []

beforeEach(async () => {
  database = await createDatabase()
  db = openStore(database.url, () => {})
  await db.query('create table noted (id int generated always as identity, pid int, what text, at timestamptz default clock_timestamp())')
})

afterEach(async () => {
  for (const replica of replicas.splice(0)) replica.kill('SIGKILL')
  await db.close()
  await database.close()
})

// the contract with the engine's internal recovery: when that library changes, this fails
test('work of a killed process goes on in another one within 5 s, ended steps are not repeated, and a signal counts once', async () => {
  const [first, second] = [replica(), replica()]
  await until('both are up', async () => (await noted('up')).length === 2)
  first.send({ start: 7 })
  const victimPid = await until('the middle step runs', async () => (await noted('7 second starts'))[0]?.pid)
  const victim = victimPid === first.pid ? first : second
  const survivor = victim === first ? second : first
  victim.kill('SIGKILL')
  const killed = performance.now()
  await until('the other one runs it', async () => (await noted('7 second starts')).some(({ pid }) => pid === survivor.pid))
  expect(performance.now() - killed).toBeLessThan(5_000)
  survivor.send({ signal: 7 })
  await until('it ends', async () => (await noted('7 third')).length > 0)
  expect(await noted('7 first')).toHaveLength(1)
  expect(await noted('7 second ends')).toEqual([{ pid: survivor.pid }])
  expect(await noted('7 third')).toEqual([{ pid: survivor.pid }])
})

// the contract with the engine's private look into its queue: the rounds by themselves come every 5 s
test('what a process starts is begun at once', async () => {
  const first = replica()
  await until('it is up', async () => (await noted('up')).length === 1)
  for (const id of [21, 22, 23]) {
    const before = await clock()
    first.send({ start: id })
    await until('its first step ran', async () => (await noted(`${id} first`)).length > 0)
    const [row] = await db.query<{ at: Date }>('select at from noted where what = $1', [`${id} first`])
    expect((row?.at.getTime() ?? 0) - before).toBeLessThan(1_000)
  }
})

test('what a command line starts is begun at once by a process that lives', async () => {
  const first = replica()
  await until('it is up', async () => (await noted('up')).length === 1)
  const client = await startClientEngine(db)
  onTestFinished(client.close)
  for (const id of [31, 32, 33]) {
    const before = await clock()
    await db.transaction((tx) => client.start(tx, id))
    await until('its first step ran', async () => (await noted(`${id} first`)).length > 0)
    const [row] = await db.query<{ at: Date; pid: number }>('select at, pid from noted where what = $1', [`${id} first`])
    expect([row?.pid, (row?.at.getTime() ?? 0) - before < 1_000]).toEqual([first.pid, true])
  }
})

test('a living process is known by its machine and process id, however long it lives', async () => {
  const only = replica()
  await until('it is up', async () => (await noted('up')).length === 1)
  const beaten = await until(
    'its session has said again that it lives',
    async () =>
      (
        await db.query<{ query: string }>(
          `select query from pg_stat_activity where application_name = 'lockkeeper-alive' and datname = current_database() and query like '%select 1'`,
        )
      )[0],
  )
  expect(beaten.query).toContain(`-${only.pid}-`)
  expect((await readExecutors(db)).map(({ id }) => id)).toEqual([expect.stringContaining(`-${only.pid}-`)])
})

test('a process that lives keeps its work, however long a step takes', async () => {
  const [first] = [replica(), replica()]
  await until('both are up', async () => (await noted('up')).length === 2)
  first?.send({ start: 8 })
  await until('the middle step ends', async () => (await noted('8 second ends')).length > 0)
  expect(await noted('8 second starts')).toHaveLength(1)
})

const clock = async () => (await db.query<{ now: Date }>('select clock_timestamp() as now'))[0]?.now.getTime() ?? 0

const noted = (what: string) => db.query<{ pid: number }>('select pid from noted where what = $1 order by id', [what])

function replica(): ChildProcess {
  const child = fork(new URL('replica.ts', import.meta.url), {
    env: { ...process.env, STORE_URL: database.url }, // its password must not stand in an argument list
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  replicas.push(child)
  return child
}
