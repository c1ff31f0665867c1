import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { whyDumpFailed } from '../../../src/backup/providers/dump-failure.ts'
import { dump } from '../../../src/backup/providers/pg-dump.ts'
import type { ChildEnd } from '../../../src/process/child.ts'
import { connectTarget } from '../../../src/database/connect.ts'
import { createOwnedDatabase, dumpRequest, fillShop, inDatabase, script, temporaryDirectory } from '../../helpers/backup.ts'
import { onServer } from '../../helpers/postgres.ts'
import { serverUrl } from '../../helpers/server.ts'
import { until } from '../../helpers/until.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function shop() {
  const database = await createOwnedDatabase()
  closing.push(database.close)
  await fillShop(database.url, 10)
  const { path, remove } = await temporaryDirectory()
  closing.push(remove)
  return { database, directory: path }
}

/** Holds an ACCESS EXCLUSIVE lock until the test ends; gives the session. */
async function locked(url: string, table: string): Promise<number> {
  const client = await connectTarget({ url, applicationName: 'someone-else' })
  closing.push(() => client.end())
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return rows[0]?.pid ?? 0
}

const kept = (directory: string) => (existsSync(join(directory, 'backups')) ? readdirSync(join(directory, 'backups')) : [])

describe('a backup that waits for a lock', () => {
  test('gives up after the time that it is given, and names the table, the holder and the way out', async () => {
    const { database, directory } = await shop()
    const pid = await locked(database.url, 'orders')
    expect(await dump(await dumpRequest(database.url, directory, { lockWaitMs: 1_500 }))).toEqual({
      kind: 'failed',
      reason: `The backup waited 1.5 s for a lock on orders, held by session ${pid} (someone-else), and gave up. Wait until that ends, or end it: \`select pg_terminate_backend(${pid})\`.`,
      excerpt: expect.stringContaining('canceling statement due to statement timeout'),
    })
    expect(kept(directory)).toEqual([])
  })

  test('names the holder also when it gives up before it was looked at', async () => {
    const { database, directory } = await shop()
    const pid = await locked(database.url, 'customers')
    expect(await dump(await dumpRequest(database.url, directory, { lockWaitMs: 100 }))).toMatchObject({
      reason: `The backup waited 0.1 s for a lock on customers, held by session ${pid} (someone-else), and gave up. Wait until that ends, or end it: \`select pg_terminate_backend(${pid})\`.`,
    })
  })

  test('says so of the record of migrations too, which is counted first', async () => {
    const { database, directory } = await shop()
    const request = await dumpRequest(database.url, directory)
    const pid = await locked(database.url, '_prisma_migrations')
    expect(await dump(request)).toEqual({
      kind: 'failed',
      reason: `The backup waited 2.0 s for a lock on _prisma_migrations, held by session ${pid} (someone-else), and gave up. Wait until that ends, or end it: \`select pg_terminate_backend(${pid})\`.`,
    })
  })
})

// for these pg_dump has no limit of its own
describe('a backup that waits for what is no table', () => {
  test.each([['a sequence', 'create sequence s', 'drop sequence s', 's']])('gives up as well: %s', async (_, made, gone, named) => {
    const { database, directory } = await shop()
    await inDatabase(database.url, made)
    const client = await connectTarget({ url: database.url, applicationName: 'someone-else' })
    closing.push(() => client.end())
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    await client.query(`begin; ${gone}`)
    expect(await dump(await dumpRequest(database.url, directory, { lockWaitMs: 500 }))).toEqual({
      kind: 'failed',
      reason: `The backup waited 0.5 s for a lock on ${named}, held by session ${rows[0]?.pid} (someone-else), and gave up. Wait until that ends, or end it: \`select pg_terminate_backend(${rows[0]?.pid})\`.`,
    })
    expect(kept(directory)).toEqual([])
    expect(
      await inDatabase(
        database.url,
        `select from pg_stat_activity where application_name = 'lockkeeper-backup-41' and datname = current_database()`,
      ),
    ).toEqual([])
  })

  test('and the catalogue', async () => {
    const { database, directory } = await shop()
    const client = await connectTarget({ url: serverUrl().replace(/\/[^/]*$/, `/${database.name}`), applicationName: 'someone-else' })
    closing.push(() => client.end())
    await client.query('begin; lock table pg_publication in access exclusive mode')
    expect(await dump(await dumpRequest(database.url, directory, { lockWaitMs: 500 }))).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(
        /^The backup waited 0\.5 s for a lock on pg_publication, held by session \d+ \(someone-else\), and gave up\. /,
      ),
    })
  })
})

describe("an administrator's limits", () => {
  test('of the role and the database do not end a backup that waits longer than they allow', async () => {
    const { database, directory } = await shop()
    for (const [name, value] of [
      ['idle_in_transaction_session_timeout', '300ms'],
      ['statement_timeout', '300ms'],
      ['lock_timeout', '200ms'],
      ['idle_session_timeout', '300ms'],
    ] as const) {
      await onServer(`alter role ${database.role} set ${name} = '${value}'`, `alter database ${database.name} set ${name} = '${value}'`)
    }
    const holder = await connectTarget({
      url: serverUrl().replace(/\/[^/]*$/, `/${database.name}`),
      applicationName: 'someone-else',
      statementTimeoutMs: 0,
    })
    await holder.query('begin; set local idle_in_transaction_session_timeout = 0; lock table orders in access exclusive mode')
    const looks: string[] = []
    const dumping = dump(await dumpRequest(database.url, directory, { report: (details) => looks.push(details) }))
    await until('it has waited for two seconds', () => looks.filter((look) => look.includes('waiting for a lock on orders')).length > 1)
    await holder.end()
    expect(await dumping).toMatchObject({ kind: 'done' })
  })
})

test('of a role that takes on another one as it comes ends what a dead attempt left, and reads times as they are written', async () => {
  const { database, directory } = await shop()
  const other = `group_${database.name}`
  await onServer(`create role ${other}`, `grant ${other} to ${database.role}`, `grant pg_read_all_data to ${other}`)
  closing.splice(-2, 0, () => onServer(`drop role ${other}`))
  await onServer(`alter role ${database.role} set role to ${other}`, `alter role ${database.role} set datestyle to 'German'`)
  const dead = await connectTarget({ url: database.url, applicationName: 'lockkeeper-backup-41' })
  const ended = new Promise((resolve) => dead.once('end', resolve))
  expect(await dump(await dumpRequest(database.url, directory))).toMatchObject({ kind: 'done' })
  await ended
})

test('whoever may be idle for a moment only is named as well when the wait is over', async () => {
  const { database, directory } = await shop()
  const request = await dumpRequest(database.url, directory, { lockWaitMs: 1_500 })
  await onServer(`alter role ${database.role} set idle_session_timeout = '200ms'`)
  const holder = await connectTarget({ url: serverUrl().replace(/\/[^/]*$/, `/${database.name}`), applicationName: '' })
  closing.push(() => holder.end())
  await holder.query('begin; lock table orders in access exclusive mode')
  expect(await dump(request)).toMatchObject({
    kind: 'failed',
    reason: expect.stringMatching(/^The backup waited 1\.5 s for a lock on orders, held by session \d+ \(lockkeeper\), and gave up\. /),
  })
})

describe('a backup that pg_dump cannot make', () => {
  test('leaves nothing, though pg_dump leaves a directory with a table of contents', async () => {
    const { database, directory } = await shop()
    await inDatabase(database.url, 'alter table orders enable row level security, force row level security')
    expect(await dump(await dumpRequest(database.url, directory))).toMatchObject({
      kind: 'failed',
      reason: 'pg_dump ended with exit code 1: query would be affected by row-level security policy for table "orders".',
    })
    expect(kept(directory)).toEqual([])
  })

  test('is none also when it says only by its exit code that something is missing', async () => {
    const { database, directory } = await shop()
    const request = await dumpRequest(database.url, directory)
    const pgDump = join(directory, 'pg_dump')
    await script(pgDump, `#!/bin/sh\n${request.clients.pgDump} "$@" || exit $?\nexit 1\n`)
    expect(await dump({ ...request, clients: { ...request.clients, pgDump } })).toMatchObject({
      kind: 'failed',
      reason: 'pg_dump ended with exit code 1.',
    })
    expect(kept(directory)).toEqual([])
  })

  test('since another session asks for a table that no worker has reached says so', async () => {
    const { database, directory } = await shop()
    await inDatabase(
      database.url,
      `create table big as select i, md5(i::text) as a, md5((i * 7)::text) as b from generate_series(1, 500000) i`,
      'create table big_too as table big',
      'create table zz (a int)',
    )
    const dumping = dump(await dumpRequest(database.url, directory))
    await until('pg_dump has locked it', async () => {
      const held = `select from pg_locks l join pg_stat_activity a using (pid) where a.application_name = 'lockkeeper-backup-41' and l.relation = 'zz'::regclass`
      return (await inDatabase(database.url, held)).length > 0
    })
    const other = await connectTarget({ url: database.url, applicationName: 'someone-else', lockTimeoutMs: 0, statementTimeoutMs: 0 })
    closing.push(() => other.end())
    const altering = other.query('alter table zz add column b int')
    expect(await dumping).toMatchObject({
      kind: 'failed',
      reason:
        'While the backup ran another session asked for an exclusive lock on public.zz, as ALTER TABLE does, and pg_dump gives up then. Ask again when that is over.',
    })
    await altering
    expect(kept(directory)).toEqual([])
  })

  test('for want of connections names whose they are', async () => {
    const { database, directory } = await shop()
    const request = await dumpRequest(database.url, directory)
    await onServer(`alter role ${database.role} connection limit 2`) // the watcher and the snapshot have them
    const end = await dump(request)
    expect(end).toMatchObject({
      kind: 'failed',
      reason: `pg_dump ended with exit code 1: too many connections for role "${database.role}".`,
    })
  })

  test('for want of rights on the record of migrations is no fault', async () => {
    const { database, directory } = await shop()
    const request = await dumpRequest(database.url, directory)
    await inDatabase(database.url, `revoke all on "_prisma_migrations" from ${database.role}`)
    expect(await dump(request)).toEqual({
      kind: 'failed',
      reason: 'The backup may not read everything: permission denied for table _prisma_migrations.',
    })
  })
})

const ended = (tail: string, over: Partial<ChildEnd> = {}): ChildEnd =>
  ({ ended: 'exited', exitCode: 1, signal: null, tail, ...over }) as ChildEnd

test.each([
  [
    'pg_dump: error: could not obtain lock on relation "public.zz"\npg_dump: error: a worker process died unexpectedly',
    'While the backup ran another session asked for an exclusive lock on public.zz, as ALTER TABLE does, and pg_dump gives up then. Ask again when that is over.',
  ],
  [
    'pg_dump: error: query failed: ERROR:  out of shared memory\nHINT:  You might need to increase max_locks_per_transaction.',
    'The server has no room for more locks, and pg_dump locks every table. Raise its max_locks_per_transaction and restart it.',
  ],
  [
    'pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout',
    'The backup waited 5 min for a table that another session locks, and gave up.',
  ],
  [
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: ERROR:  invalid page in block 0 of relation base/1/2\n',
    'pg_dump ended with exit code 1: invalid page in block 0 of relation base/1/2.',
  ],
  [
    'pg_dump: error: connection to server at "db" (10.0.0.1), port 5432 failed: FATAL:  sorry, too many clients already',
    'pg_dump ended with exit code 1: sorry, too many clients already.',
  ],
  // a server with German messages; pg_dump's own stay English
  [
    'pg_dump: error: Dumping the contents of table "t" failed: PQgetResult() failed.\npg_dump: detail: Error message from server: FEHLER:  ungültige Seite in Block 0 von Relation base/1/2\n',
    'pg_dump ended with exit code 1: ungültige Seite in Block 0 von Relation base/1/2.',
  ],
])('what pg_dump says becomes a sentence: %s', (tail, reason) => {
  expect(whyDumpFailed(ended(tail), 300_000, undefined).reason).toBe(reason)
})

test('a lock that was not to be had is known by what pg_dump did, whatever language the server speaks', () => {
  const tail =
    'pg_dump: error: query failed: FEHLER:  storniere Anfrage wegen Zeitüberschreitung der Anfrage\npg_dump: detail: Query was: LOCK TABLE public.orders IN ACCESS SHARE MODE'
  const wait = { relation: 'orders', pid: 4711, name: 'night job' }
  expect(whyDumpFailed(ended(tail), 1_500, wait).reason).toBe(
    'The backup waited 1.5 s for a lock on orders, held by session 4711 (night job), and gave up. Wait until that ends, or end it: `select pg_terminate_backend(4711)`.',
  )
  // nobody was seen to hold it: it may have been refused for another reason
  expect(whyDumpFailed(ended(tail), 1_500, undefined).reason).toBe(
    'pg_dump ended with exit code 1: storniere Anfrage wegen Zeitüberschreitung der Anfrage.',
  )
})
