import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Queryable } from '../../src/database/connect.ts'
import { withLooks } from '../../src/database/looks.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { query } from '../helpers/target.ts'

let database: TestDatabase

beforeEach(async () => void (database = await createDatabase()))
afterEach(() => database.close())

const connection = (url = database.url, signal?: AbortSignal) => ({
  url,
  applicationName: 'looks',
  ...(signal === undefined ? {} : { signal }),
})
const pidOf = async (client: Queryable) => (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid

test('looks in turn share a session, also after a statement that failed', async () => {
  const pids = await withLooks(connection(), async (look) => {
    const first = await look(pidOf)
    await expect(look((client) => client.query('select from nowhere'))).rejects.toThrow('relation "nowhere" does not exist')
    return [first, await look(pidOf)]
  })
  expect(pids[0]).toBe(pids[1])
})

test('the look after a loss opens the session anew', async () => {
  await withLooks(connection(), async (look) => {
    const first = await look(pidOf)
    const lost = look((client) => client.query('select pg_sleep(60)')).catch((error: unknown) => error)
    await query(database.url, 'select pg_terminate_backend($1)', [first])
    expect(await lost).toMatchObject({ message: expect.stringMatching(/^The connection to .* was lost/) })
    expect(await look(pidOf)).not.toBe(first)
  })
})

test('a server that lets nobody in is asked once', async () => {
  const errors = await withLooks(connection('postgresql://shop@127.0.0.1:1/shop'), async (look) => [
    await look(pidOf).catch((error: unknown) => error),
    await look(pidOf).catch((error: unknown) => error),
  ])
  expect(errors[0]).toMatchObject({ message: 'Nothing listens at 127.0.0.1:1. Check host and port of the URL, and that PostgreSQL runs.' })
  expect(errors[1]).toBe(errors[0])
})

test('an abort ends the look under way', async () => {
  const stop = new AbortController()
  const looking = withLooks(connection(database.url, stop.signal), async (look) => {
    await look(pidOf)
    const slow = look((client) => client.query('select pg_sleep(60)'))
    stop.abort(new Error('cancelled'))
    return slow
  })
  await expect(looking).rejects.toThrow('cancelled')
})
