import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withTarget } from '../../src/database/connect.ts'
import type { Live } from '../../src/database/live/live.ts'
import { readLive } from '../../src/database/live/read.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { createDatabase, onServer, type TestDatabase } from '../helpers/postgres.ts'
import { holding, query } from '../helpers/target.ts'

const role = `looker_${randomBytes(4).toString('hex')}`
const wanted = ['orders', 'events', 'fresh', 'gone'].map((name) => ({ schema: 'public', name }))
let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase()
  await query(
    database.url,
    `create table orders (id int primary key, note text); insert into orders select g, 'x' from generate_series(1, 3000) g;
     create table events (at int) partition by range (at); create table e1 partition of events for values from (0) to (100);
     create table e2 partition of events for values from (100) to (200); insert into events select generate_series(0, 149); analyze orders, events, e1, e2;
     create table fresh (a int); alter table fresh set (autovacuum_enabled = off); insert into fresh values (1)`,
  )
  await onServer(`create role ${role} login password 'looker-secret'`)
})
afterAll(async () => {
  await onServer(`drop role ${role}`)
  await database.close()
})

const read = (url = database.url, going: readonly string[] = []): Promise<Live> =>
  withTarget({ url, applicationName: 'test', lockTimeoutMs: 50 }, (client) =>
    readLive(client, { tables: wanted, going, host: 'db.example', redactor: createRedactor(['looker-secret']) }),
  )

describe('the live numbers', () => {
  test('rows and sizes of tables: a partitioned one has the sum, one that was never analysed no count, one that is gone is left out', async () => {
    const { tables, notSeen } = await read()
    expect(
      tables.map(({ name, rows, isPartitioned }) => ({ name, rows, isPartitioned })).toSorted((a, b) => a.name.localeCompare(b.name)),
    ).toEqual([
      { name: 'events', rows: 150, isPartitioned: true },
      { name: 'fresh', rows: null, isPartitioned: false },
      { name: 'orders', rows: 3_000, isPartitioned: false },
    ])
    const orders = tables.find(({ name }) => name === 'orders')
    expect(orders?.bytes).toBeGreaterThan(50_000)
    expect(orders?.indexBytes).toBeGreaterThan(50_000)
    expect(orders?.writesPerSecond).toBeNull()
    expect(notSeen).toEqual([])
  })

  test('how often a large table is written is counted for a second', async () => {
    const url = database.url
    await query(url, `create table large (note text); insert into large select repeat('x', 1200) from generate_series(1, 10000)`)
    const { tables } = await withTarget({ url, applicationName: 'test' }, (client) =>
      readLive(client, { tables: [{ schema: 'public', name: 'large' }], going: [], host: 'db.example', redactor: createRedactor([]) }),
    )
    expect(tables[0]?.writesPerSecond).toEqual(expect.any(Number))
  })

  test('an open transaction is told with what it holds; texts and secrets in its statement are not', async () => {
    const held = await holding(database.url, `select note, 'looker-secret', 'Ada Berg' from orders limit 1`, 'reporting')
    try {
      const { open } = await read()
      expect(open).toEqual([
        {
          ageMs: expect.any(Number),
          application: 'reporting',
          role: expect.any(String),
          query: expect.stringMatching(/^select note, '…', '…' from orders limit 1/),
          holds: [{ schema: 'public', name: 'orders' }],
        },
      ])
    } finally {
      await held.release()
    }
  })

  test('where statements are not counted, it says so, but only when something goes', async () => {
    expect((await read(database.url, ['note'])).notSeen).toEqual([
      'whether statements still use what goes could not be seen: the extension pg_stat_statements, which counts them, is not installed',
    ])
  })

  test('a role without rights on statistics sees sizes, and says what it does not see', async () => {
    const held = await holding(database.url, 'select 1 from orders limit 1', 'reporting')
    try {
      const { tables, open, notSeen } = await read(Object.assign(new URL(database.url), { username: role, password: 'looker-secret' }).href)
      expect(tables.map(({ rows }) => rows)).toContain(3_000)
      expect(open).toEqual([])
      expect(notSeen).toEqual([
        `for how long other users' transactions have been open, and how far replicas are behind, could not be seen: the role ${role} lacks pg_read_all_stats (GRANT pg_read_all_stats TO "${role}")`,
      ])
    } finally {
      await held.release()
    }
  })

  test('a table that somebody locks keeps nobody from planning', async () => {
    const held = await holding(database.url, 'lock table orders in access exclusive mode', 'other-migration')
    try {
      const { tables, open, notSeen } = await read()
      expect(tables).toEqual([])
      expect(open.map(({ application }) => application)).toEqual(['other-migration'])
      expect(notSeen).toEqual(['how large and busy the tables are could not be seen: somebody locks a table of the plan at the moment'])
    } finally {
      await held.release()
    }
  })
})
