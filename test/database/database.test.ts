import net from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { longTransactions, prismaLockHolder, sessionsOf } from '../../src/database/activity.ts'
import { connectTarget, explainConnectionError, TargetConnectionError, withTarget } from '../../src/database/connect.ts'
import { identityKey, readIdentity, sameIdentity } from '../../src/database/identity.ts'
import { readRights } from '../../src/database/rights.ts'
import { isTargetLockHeld, targetLockHolder, withTargetLock } from '../../src/database/session-lock.ts'
import { databaseBytes, tableSizes } from '../../src/database/sizes.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

let database: TestDatabase
let as: (applicationName: string) => { readonly url: string; readonly applicationName: string }

beforeAll(async () => {
  database = await createDatabase()
  as = (applicationName) => ({ url: database.url, applicationName })
  await withTarget(as('setup'), (client) =>
    client.query(
      'create table orders (id int primary key); insert into orders select generate_series(1, 1000); analyze orders; create table fresh (id int)',
    ),
  )
})
afterAll(() => database.close())

const problemOf = async (url: string, connectTimeoutMs = 5_000) => {
  const error: unknown = await withTarget({ url, applicationName: 'x', connectTimeoutMs }, async () => 'connected').catch(
    (fault: unknown) => fault,
  )
  if (!(error instanceof TargetConnectionError)) throw new Error(`not a connection error: ${String(error)}`)
  return { problem: error.problem, message: error.message }
}

/** The test server's URL with other parts. */
const changed = (change: (url: URL) => void) => {
  const url = new URL(database.url)
  change(url)
  return url.href
}

describe('what goes wrong with a connection becomes a sentence', () => {
  test('nothing listens', async () => {
    expect(await problemOf('postgresql://u:secret@127.0.0.1:1/d')).toEqual({
      problem: 'unreachable',
      message: 'Nothing listens at 127.0.0.1:1. Check host and port of the URL, and that PostgreSQL runs.',
    })
  })

  test('a name that does not resolve', async () => {
    expect((await problemOf('postgresql://u@no-such-host.invalid/d')).message).toBe(
      'The name no-such-host.invalid could not be resolved. Check the host of the URL and the name service.',
    )
  })

  test('a server that never answers', async () => {
    const silent = net.createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    try {
      expect(await problemOf(`postgresql://u@127.0.0.1:${address.port}/d?sslmode=disable`, 200)).toMatchObject({
        problem: 'unreachable',
        message: `127.0.0.1:${address.port} did not answer in time. Check the network, the firewall and the allowed addresses of the server.`,
      })
    } finally {
      silent.close()
    }
  })

  test('no such socket', async () => {
    expect((await problemOf('postgresql://u@localhost/d?host=/nowhere')).message).toBe(
      'There is no socket of PostgreSQL in /nowhere for port 5432. Check the directory and the port.',
    )
  })

  test.each([
    [
      'postgresql://u:secret@/d?host=/cloudsql/project:region:instance',
      'There is no socket of PostgreSQL in /cloudsql/project:region:instance for port 5432. Check the directory and the port.',
    ],
  ])('not the password, when it is the place that is wrong: %s', async (url, message) => {
    expect(await problemOf(url)).toEqual({ problem: 'unreachable', message })
  })

  test('no such database', async () => {
    const { problem, message } = await problemOf(changed((url) => (url.pathname = '/absent')))
    expect({ problem, message: message.replace(/\S+:\d+/, 'SERVER') }).toEqual({
      problem: 'no_such_database',
      message: 'There is no database "absent" on SERVER. Check the name in the URL.',
    })
  })

  test('TLS that the server does not offer', async () => {
    const { problem, message } = await problemOf(`${database.url}?sslmode=require`)
    expect(problem).toBe('tls')
    expect(message).toContain('offers no TLS, but the URL asks for it.')
  })

  test('too many connections, and a wrong password', async () => {
    const role = `limited_${database.name}`
    await withTarget(as('setup'), (client) => client.query(`create role ${role} login password 'right-one' connection limit 0`))
    try {
      const of = (password: string) => changed((url) => Object.assign(url, { username: role, password }))
      expect(await problemOf(of('right-one'))).toMatchObject({
        problem: 'too_many_connections',
        message: expect.stringMatching(
          /^The role "limited_\w+" has all the connections to \S+ that it may have\. Wait until some end, or raise its CONNECTION LIMIT\.$/,
        ),
      })
      expect(await problemOf(of('wrong-one'))).toMatchObject({
        problem: 'authentication',
        message: expect.not.stringContaining('wrong-one'),
      })
    } finally {
      await withTarget(as('setup'), (client) => client.query(`drop role ${role}`))
    }
  })

  test('a URL that cannot be used', async () => {
    expect(await problemOf('postgresql://u@h')).toEqual({
      problem: 'bad_url',
      message: 'The database URL cannot be used: it names no database.',
    })
  })

  test('a session that an administrator ends in the middle', async () => {
    const error: unknown = await withTarget(as('ended'), async (client) => {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
      await withTarget(as('admin'), (admin) => admin.query('select pg_terminate_backend($1)', [rows[0]?.pid]))
      await client.query('select 1')
    }).catch((fault: unknown) => fault)
    expect(error).toMatchObject({ problem: 'lost' })
  })

  test('an error of the SQL itself passes through', async () => {
    await expect(withTarget(as('x'), (client) => client.query('select * from absent'))).rejects.toMatchObject({ code: '42P01' })
  })

  test('an abort ends a query that runs', async () => {
    const stop = new AbortController()
    const work = withTarget({ ...as('to abort'), signal: stop.signal, statementTimeoutMs: 0 }, async (client) => {
      stop.abort(new Error('stopped'))
      await client.query('select pg_sleep(30)')
    })
    await expect(work).rejects.toThrow('stopped')
  })
})

test('a pooler on a port of its own is called one', () => {
  const refused = Object.assign(new Error('unsupported startup parameter in options: statement_timeout'), { code: '08P01' })
  const { problem, message } = explainConnectionError(refused, { host: 'db', port: 5439, database: 'shop', user: 'app' })
  expect({ problem, message }).toEqual({
    problem: 'pooler',
    message: 'db:5439 is a connection pooler, which takes no settings of a session. Use the direct address of the database.',
  })
})

test('an address of IPv6 is told in brackets', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1:5432'), { code: 'ECONNREFUSED' })
  expect(explainConnectionError(refused, { host: '::1', port: 5432, database: 'shop', user: 'app' }).message).toBe(
    'Nothing listens at [::1]:5432. Check host and port of the URL, and that PostgreSQL runs.',
  )
})

describe('identity', () => {
  test('is the server and the database, and a copy of the database is another', async () => {
    const copy = await createDatabase()
    try {
      const [one, again, other] = await Promise.all(
        [database.url, database.url, copy.url].map((url) => withTarget({ url, applicationName: 'x' }, readIdentity)),
      )
      if (one === undefined || again === undefined || other === undefined) throw new Error('missing')
      expect(sameIdentity(one, again)).toEqual({ same: true })
      expect(one.systemIdentifier).toBe(other.systemIdentifier)
      expect(identityKey(one)).not.toBe(identityKey(other))
      expect(sameIdentity(one, { ...one, databaseOid: 1 })).toEqual({
        same: false,
        why: `${one.host}:${one.port}/${one.database} is another database under the same name (OID 1 instead of ${one.databaseOid})`,
      })
      expect(sameIdentity(one, { ...one, systemIdentifier: '7' })).toMatchObject({
        same: false,
        why: expect.stringContaining('is on another server now'),
      })
      const tenant = new URL(database.url)
      tenant.searchParams.set('schema', 'tenant_2')
      const inTenant = await withTarget({ url: tenant.href, applicationName: 'x' }, readIdentity)
      expect(sameIdentity(one, inTenant)).toEqual({ same: false, why: 'the URL now names the schema tenant_2 instead of public' })
      expect(sameIdentity(inTenant, { ...inTenant })).toEqual({ same: true })
      expect(sameIdentity(one, { ...one, host: 'x' })).toMatchObject({
        same: false,
        why: expect.stringContaining('the URL now leads to x:'),
      })
    } finally {
      await copy.close()
    }
  })
})

describe('rights', () => {
  test('of the owner, and of a role that has next to none', async () => {
    expect(await withTarget(as('x'), (client) => readRights(client, 'public'))).toMatchObject({
      superuser: true,
      createInDatabase: true,
      createInSchema: true,
      schemaExists: true,
      tablesOfOthers: [],
      migrationsTable: null,
      readAllStats: true,
      signalBackend: true,
    })
    const role = `poor_${database.name}`
    await withTarget(as('setup'), (client) =>
      client.query(
        `create role ${role} login password 'poor-one'; create table _prisma_migrations (id int); grant select on _prisma_migrations to ${role}`,
      ),
    )
    try {
      const url = changed((parts) => Object.assign(parts, { username: role, password: 'poor-one' }))
      const rights = await withTarget({ url, applicationName: 'x' }, (client) => readRights(client, 'public'))
      expect(rights).toMatchObject({
        role,
        superuser: false,
        createInDatabase: false,
        createInSchema: false,
        tablesOfOthers: [{ table: '_prisma_migrations' }, { table: 'fresh' }, { table: 'orders' }],
        migrationsTable: { read: true, write: false },
        readAllStats: false,
        signalBackend: false,
      })
      expect(await withTarget({ url, applicationName: 'x' }, (client) => readRights(client, 'absent'))).toMatchObject({
        schemaExists: false,
        createInSchema: false,
      })
    } finally {
      await withTarget(as('setup'), (client) => client.query(`drop table _prisma_migrations; drop role ${role}`))
    }
  })
})

test('sizes: estimated rows, null where nobody has analysed', async () => {
  const [sizes, bytes] = await withTarget(as('x'), async (client) => [await tableSizes(client), await databaseBytes(client)] as const)
  expect(sizes).toEqual([
    { schema: 'public', name: 'orders', rows: 1000, bytes: expect.any(Number) },
    { schema: 'public', name: 'fresh', rows: null, bytes: 0 },
  ])
  expect(bytes).toBeGreaterThan(5_000_000)
})

describe('activity', () => {
  test('a long transaction is found by its age', async () => {
    const holder = await connectTarget({ ...as('holder'), statementTimeoutMs: 0 })
    try {
      await holder.query('begin; select * from orders limit 1')
      await withTarget(as('watch'), async (watch) => {
        const long = await longTransactions(watch, 0)
        expect(long.map((session) => session.applicationName)).toContain('holder')
        expect(long.find((session) => session.applicationName === 'holder')?.transactionMs).toBeGreaterThan(0)
        expect(await longTransactions(watch, 3_600_000)).toEqual([])
      })
    } finally {
      await holder.end()
    }
  })

  test("the holder of Prisma's lock is known in its own database only", async () => {
    const other = await createDatabase()
    try {
      await withTarget(as('prisma'), async (client) => {
        await client.query('select pg_advisory_lock(72707369)')
        expect(await withTarget(as('watch'), prismaLockHolder)).toMatchObject({ applicationName: 'prisma' })
        expect(await withTarget({ ...as('watch'), url: other.url }, prismaLockHolder)).toBeNull()
      })
    } finally {
      await other.close()
    }
  })
})

describe('the lock of a target', () => {
  test('one holds it, another is told who, and it is free afterwards', async () => {
    const outcome = await withTargetLock({ ...as('run 1'), waitMs: 0 }, async () => {
      expect(await withTarget(as('watch'), targetLockHolder)).toMatchObject({ applicationName: 'run 1' })
      return withTargetLock({ ...as('run 2'), waitMs: 0 }, async () => 'never')
    })
    expect(outcome).toMatchObject({ kind: 'held', value: { kind: 'taken', by: { applicationName: 'run 1' } } })
    await until('the lock is free', () => withTarget(as('watch'), async (client) => !(await isTargetLockHeld(client))))
  })

  test('who waits gets it when it is freed, and never waits inside the server', async () => {
    const order: string[] = []
    const first = withTargetLock({ ...as('run 1'), waitMs: 0 }, async () => {
      const second = withTargetLock({ ...as('run 2'), waitMs: 20_000 }, async () => order.push('second'))
      const waiting = await withTarget(as('watch'), async (client) => {
        await until('the second is there', async () => (await sessionsOf(client, 'run 2')).length > 0)
        const { rows } = await client.query(
          "select pid from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())",
        )
        return rows
      })
      expect(waiting).toEqual([])
      order.push('first')
      return { second }
    })
    const outcome = await first
    if (outcome.kind !== 'held') throw new Error('not held')
    expect(await outcome.value.second).toMatchObject({ kind: 'held' })
    expect(order).toEqual(['first', 'second'])
  })

  test('who waits for it and is not wanted any more ends at once, and leaves no session behind', async () => {
    const cancel = new AbortController()
    const outcome = await withTargetLock({ ...as('run 1'), waitMs: 0 }, async () => {
      const second = withTargetLock({ ...as('run 2'), waitMs: 600_000, signal: cancel.signal }, async () => 'never')
      await withTarget(as('watch'), (client) => until('the second is there', async () => (await sessionsOf(client, 'run 2')).length > 0))
      cancel.abort(new Error('cancelled'))
      return second
    })
    expect(outcome).toEqual({ kind: 'held', value: { kind: 'aborted' } })
    await withTarget(as('watch'), (client) => until('its session is gone', async () => (await sessionsOf(client, 'run 2')).length === 0))
  })

  test('a database that cannot be reached is told as that, nothing was begun', async () => {
    const nowhere = { url: changed((url) => (url.port = '1')), applicationName: 'run 1' }
    const outcome = await withTargetLock({ ...nowhere, waitMs: 0 }, async () => 'never')
    expect(outcome).toMatchObject({ kind: 'unreachable', why: { message: expect.stringMatching(/^Nothing listens at 127\.0\.0\.1:1\./) } })
    const cancel = new AbortController()
    const waiting = withTargetLock({ ...nowhere, waitMs: 600_000, signal: cancel.signal }, async () => 'never')
    cancel.abort(new Error('cancelled'))
    expect(await waiting).toEqual({ kind: 'aborted' })
  })

  test('a session that is lost while it waits is made again', async () => {
    const outcome = await withTargetLock({ ...as('run 1'), waitMs: 0 }, async () => {
      const second = withTargetLock({ ...as('run 2'), waitMs: 60_000 }, async () => 'its turn')
      await withTarget(as('admin'), async (client) => {
        await until('the second is there', async () => (await sessionsOf(client, 'run 2')).length > 0)
        await client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'run 2'")
      })
      return { second }
    })
    if (outcome.kind !== 'held') throw new Error('not held')
    expect(await outcome.value.second).toEqual({ kind: 'held', value: 'its turn' })
  })

  test('what will not pass is not tried again', async () => {
    const stranger = { url: changed((url) => (url.pathname = '/no_such_database')), applicationName: 'run 1' }
    expect(await withTargetLock({ ...stranger, waitMs: 600_000 }, async () => 'never')).toMatchObject({
      kind: 'unreachable',
      why: { problem: 'no_such_database' },
    })
  })

  test('when its session is lost, the work is told at once', async () => {
    const outcome = await withTargetLock({ ...as('to lose'), waitMs: 0 }, async ({ signal }) => {
      const told = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      await withTarget(as('admin'), (client) =>
        client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'to lose'"),
      )
      await told
      return String(signal.reason)
    })
    expect(outcome).toEqual({ kind: 'held', value: 'Error: The session that holds the lock of the target was lost' })
  })

  test('a concurrent index is built while it is held', async () => {
    const outcome = await withTargetLock({ ...as('run 1'), waitMs: 0 }, () =>
      withTarget(as('index'), (client) => client.query('create index concurrently on fresh (id)')),
    )
    expect(outcome.kind).toBe('held')
  })

  test('a fault of the work passes through and frees it', async () => {
    await expect(withTargetLock({ ...as('run 1'), waitMs: 0 }, () => Promise.reject(new Error('work failed')))).rejects.toThrow(
      'work failed',
    )
    await until('the lock is free', () => withTarget(as('watch'), async (client) => !(await isTargetLockHeld(client))))
  })
})

// as PostgreSQL 15.18 says them with `lc_messages` of Germany
test.each([
  [
    { code: '53300', routine: 'InitializeSessionUserId', message: 'zu viele Verbindungen von Rolle »app«' },
    'The role "app" has all the connections to db:5432 that it may have. Wait until some end, or raise its CONNECTION LIMIT.',
  ],
  [
    { code: '53300', routine: 'CheckMyDatabase', message: 'zu viele Verbindungen für Datenbank »shop«' },
    'The database db:5432/shop has all the connections that it may have. Wait until some end, or raise its CONNECTION LIMIT.',
  ],
  [
    { code: '53300', routine: 'InitProcess', message: 'tut mir leid, schon zu viele Verbindungen' },
    'db:5432 has no free connection left. Wait until some end, or raise max_connections.',
  ],
])('which limit is reached is known in every language: %j', (said, text) => {
  const error = Object.assign(new Error(said.message), said)
  expect(explainConnectionError(error, { host: 'db', port: 5432, database: 'shop', user: 'app' }).message).toBe(text)
})
