import { mkdtemp, rm, chmod, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dump } from '../../../src/backup/providers/pg-dump.ts'
import { withTarget } from '../../../src/database/connect.ts'
import { connectionFindings, lockFindings, readCapacity } from '../../../src/run/preflight/capacity.ts'
import { standbyFindings } from '../../../src/run/preflight/readable.ts'
import { startEmbedded, type Embedded } from '../../../src/store/embedded.ts'
import { dumpRequest } from '../../helpers/backup.ts'

/** A server with next to no room. */
let server: Embedded
let directory: string
let admin: pg.Client
let app: string

const SETTINGS = [
  'fsync=off',
  'max_connections=20',
  'max_locks_per_transaction=10',
  'max_worker_processes=0',
  'max_wal_senders=0',
  'autovacuum_max_workers=1',
]

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'small-'))
  await chmod(directory, 0o711)
  server = await startEmbedded({
    directory: join(directory, 'postgres'),
    env: process.env,
    settings: SETTINGS,
  })
  admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  await admin.query(`create role app login password 'canary-one'`)
  await admin.query('create database shop owner app')
  app = server.url.replace(/\/\/.*@(.*)\/postgres$/, '//app:canary-one@$1/shop')
})
afterAll(async () => {
  await admin.end()
  await server.remove()
  await rm(directory, { recursive: true, force: true })
})

const capacity = () => withTarget({ url: app, applicationName: 'test' }, readCapacity)

test('the server, the database or the role sets the limit, whichever has least left', async () => {
  // 20, of which 3 are kept for superusers and 1 is ours
  expect(await capacity()).toMatchObject({ connections: 16, limit: 'server', role: 'app' })
  await admin.query('alter database shop connection limit 9')
  expect(await capacity()).toMatchObject({ connections: 9, limit: 'database' })
  await admin.query('alter role app connection limit 3')
  const left = await capacity()
  expect(left).toMatchObject({ connections: 3, limit: 'role' })
  expect(connectionFindings(left, 4, 6).map(({ level, text }) => ({ level, text }))).toEqual([
    {
      level: 'stop',
      text: 'The role `app` has 3 free connections left, and the run needs at least 4. Raise its CONNECTION LIMIT or end idle sessions.',
    },
  ])
  await admin.query('alter role app connection limit -1')
  await admin.query('alter database shop connection limit -1')
})

test('more tables than there is room for locks stop the run, and pg_dump does fail', async () => {
  expect(lockFindings(await capacity())).toEqual([])
  await withTarget({ url: app, applicationName: 'test' }, async (client) => {
    for (let number = 0; number < 500; number++) await client.query(`create table t${number} (a int)`)
  })
  const { locksNeeded, locksFree } = await capacity()
  expect(locksNeeded).toBe(660)
  expect(lockFindings({ locksNeeded, locksFree })).toEqual([
    {
      level: 'stop',
      code: 'few_locks',
      text: `A backup locks 660 tables, sequences and views at once, and the server promises room for ${locksFree} locks. The backup would fail with "out of shared memory". Raise max_locks_per_transaction and restart the server.`,
    },
  ])
  for (const jobs of [1, 2])
    expect(await dump(await dumpRequest(app, directory, { jobs }))).toMatchObject({
      kind: 'failed',
      reason: 'The server has no room for more locks, and pg_dump locks every table. Raise its max_locks_per_transaction and restart it.',
    })
})

test('a standby, which answers to the identity of its primary, is no place to take a backup from', async () => {
  const request = await dumpRequest(app, directory)
  const { rows } = await admin.query<{ path: string }>(`select current_setting('data_directory') as path`)
  await admin.end()
  await server.stop()
  await writeFile(join(rows[0]?.path ?? '', 'standby.signal'), '')
  server = await startEmbedded({ directory: join(directory, 'postgres'), env: process.env, settings: SETTINGS })
  admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  const url = Object.assign(new URL(app), { port: new URL(server.url).port }).href
  expect(await withTarget({ url, applicationName: 'test' }, standbyFindings)).toEqual([
    {
      level: 'stop',
      code: 'backup_elsewhere',
      text: 'The URL of the backup (`backup.url`) leads to a standby, which may not hold yet what was written last, and ends a backup that holds up its replay. Let it name the primary server.',
    },
  ])
  expect(await dump({ ...request, url })).toEqual({
    kind: 'failed',
    reason:
      "The backup's URL leads to a standby, which may not hold yet what was written last, and ends a backup that holds up its replay. Let it name the primary server.",
  })
})
