import { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holdLiveness, LIVENESS_LOCK, type Liveness } from '../../src/engine/liveness.ts'
import { createLog } from '../../src/lib/log.ts'
import { lookAtLiveness } from '../../src/observability/parts.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { openStore, type Db } from '../../src/store/pool.ts'
import { openSession, type Session } from '../../src/store/session.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

let database: TestDatabase
let db: Db
let other: Session
let liveness: Liveness
let lines: string[]

beforeEach(async () => {
  database = await createDatabase()
  db = openStore(database.url, () => {})
  other = await openSession(database.url, 'another session', () => {})
  lines = []
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk))
      done()
    },
  })
  liveness = await holdLiveness({ storeUrl: database.url, log: createLog(createRedactor([]), 'debug', stream) })
})

afterEach(async () => {
  await liveness.close()
  await other.close()
  await db.close()
  await database.close()
})

const readiness = () => lookAtLiveness(liveness)()
const isHeld = { ok: true, text: 'The lock that proves this process alive is held.' }
const isLost = {
  ok: false,
  text: 'The lock that proves this process alive was lost, so no step starts here until the store gives it back.',
}

test('while the lock is refused it is not said to be held, and nobody else is judged; when it is given it is', async () => {
  expect(await readiness()).toEqual(isHeld)
  expect(liveness.isSettled()).toBe(true)
  // stands in line before the session ends, so that whoever comes back is refused
  const taken = other.query('select pg_advisory_lock($1::int, hashtext($2))', [LIVENESS_LOCK, liveness.executorId])
  await until('it waits', async () => (await db.query('select 1 from pg_locks where locktype = $1 and not granted', ['advisory']))[0])
  await db.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lockkeeper-alive' and datname = current_database()`,
  )
  await taken
  const lost = liveness.signal()
  const heldAgain = liveness.held()
  for (let tries = 0; tries < 3; tries++) {
    const before = refusals()
    await until('it was refused again', async () => refusals() > before)
    expect(await readiness()).toEqual(isLost)
    expect([liveness.isHeld(), liveness.isSettled(), lost.aborted]).toEqual([false, false, true])
  }
  await other.query('select pg_advisory_unlock($1::int, hashtext($2))', [LIVENESS_LOCK, liveness.executorId])
  await heldAgain
  expect(await readiness()).toEqual(isHeld)
  expect([liveness.isSettled(), liveness.signal().aborted]).toEqual([false, false])
})

const refusals = (): number => lines.filter((line) => line.includes('the lock of the lost session is still held')).length
