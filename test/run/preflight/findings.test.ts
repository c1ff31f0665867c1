import { describe, expect, test } from 'vitest'
import { diskFindings, estimateBackup, estimateFindings } from '../../../src/run/preflight/backup.ts'
import { roomFindings } from '../../../src/run/preflight/server-disk.ts'
import {
  activityFindings,
  guardFindings,
  identityFindings,
  lockedFindings,
  lockTimeoutFindings,
  poolerFindings,
  prismaLockFindings,
  rightsFindings,
  timeLimitFindings,
} from '../../../src/run/preflight/database.ts'
import { connectionFindings, lockFindings } from '../../../src/run/preflight/capacity.ts'
import { info, stop, summary, warn } from '../../../src/run/preflight/finding.ts'
import { healthFindings } from '../../../src/run/preflight/health.ts'
import type { Session } from '../../../src/database/activity.ts'
import type { RoomTaken } from '../../../src/sql/room.ts'
import type { Rights } from '../../../src/database/rights.ts'
import { parseTargetUrl, type TargetUrl } from '../../../src/database/urls.ts'

const identity = { host: 'db', port: 5432, database: 'shop', systemIdentifier: '7', databaseOid: 16_384 }

const free = (bytes: number) => new Map([['', bytes]])
const orders = (bytes: number) => ({ schema: 'public', name: 'orders', bytes, tablespace: '' })
const anew = (name: string): RoomTaken => ({ file: '1_x', of: 'table', table: { schema: null, name }, isSure: true })

const rights: Rights = {
  role: 'shop',
  superuser: false,
  createInDatabase: false,
  createInSchema: true,
  schemaExists: true,
  tablesOfOthers: [],
  migrationsTable: { read: true, write: true },
  readAllStats: true,
  signalBackend: true,
}

const session: Session = { pid: 7, role: 'reports', applicationName: 'nightly', state: 'active', transactionMs: 72_000, query: 'select 1' }

function url(text: string): TargetUrl {
  const parsed = parseTargetUrl(text)
  if (parsed.kind === 'bad') throw new Error(parsed.why)
  return parsed.url
}

describe('nothing is found when', () => {
  test.each([
    ['the URL is direct', poolerFindings(url('postgresql://a:b@db/shop'))],
    ['the database is the planned one', identityFindings(identity, identity)],
    ['the role owns its tables', rightsFindings(rights, 'public')],
    ['the role may see and end sessions', guardFindings(rights)],
    ['no transaction is old', activityFindings([], false)],
    ['nobody migrates', prismaLockFindings(null)],
    ['the lock timeout arrives', lockTimeoutFindings(2000, 2000)],
    ['connections are free', connectionFindings({ connections: 8, limit: 'server', role: 'shop' }, 4, 8)],
    ['there is room for as many locks', lockFindings({ locksNeeded: 8, locksFree: 8 })],
    ['transactions may last', timeLimitFindings(0)],
    ['no table is locked', lockedFindings(null, 300_000)],
    ['what is written anew could stand there twice', roomFindings(free(100), [anew('orders')], [orders(100)], 'public')],
    ['nothing is written anew, though the disk is full', roomFindings(free(0), [], [orders(100)], 'public')],
    ['a table of that name in another schema', roomFindings(free(0), [anew('orders')], [{ ...orders(100), schema: 'audit' }], 'public')],
    [
      'tables that are written anew by files of their own',
      roomFindings(
        free(100),
        [anew('orders'), { ...anew('items'), file: '2_y' }],
        [orders(100), { ...orders(90), name: 'items' }],
        'public',
      ),
    ],
    ['no table is known', roomFindings(free(0), null, [], 'public')],
    ['the disk has room', diskFindings(1000, 1000, { bytes: null, seconds: null }, '/backups')],
    ['the disk has room for another like the last', diskFindings(120, 1000, { bytes: 100, seconds: 1 }, '/backups')],
    ['a superuser asks', rightsFindings({ ...rights, superuser: true, createInSchema: false }, 'public')],
  ])('%s', (_, findings) => {
    expect(findings).toEqual([])
  })
})

describe('the run is stopped by', () => {
  test('a pooler, naming the direct address', () => {
    expect(poolerFindings(url('postgresql://a:b@ep-x-pooler.eu.neon.tech/shop'))).toEqual([
      stop(
        'pooler',
        'The database URL leads to a pooler: its host has -pooler in its name. Use `ep-x.eu.neon.tech:5432/shop` for migrations.',
      ),
    ])
  })

  test('another database under the same name', () => {
    expect(identityFindings(identity, { ...identity, databaseOid: 17_000 })).toEqual([
      stop(
        'identity_changed',
        'This is not the database that was approved: db:5432/shop is another database under the same name (OID 17000 instead of 16384). Ask again if the new one is meant.',
      ),
    ])
  })

  test('a role that may not create tables', () => {
    expect(rightsFindings({ ...rights, createInSchema: false }, 'public')).toEqual([
      stop('rights_missing', 'The role `shop` may not create tables in the schema `public`. Grant it USAGE and CREATE there.'),
    ])
  })

  test('a schema that is not there and may not be made', () => {
    expect(rightsFindings({ ...rights, schemaExists: false, createInSchema: false }, 'sales')).toEqual([
      stop(
        'rights_missing',
        'The schema `sales` does not exist and the role `shop` may not create it. Create it, or grant CREATE on the database.',
      ),
    ])
  })

  test.each([
    [{ read: false, write: false }, 'read'],
    [{ read: true, write: false }, 'write to'],
  ])('a role that may not use _prisma_migrations (%j)', (migrationsTable, verb) => {
    expect(rightsFindings({ ...rights, migrationsTable }, 'public')).toEqual([
      stop('rights_missing', `The role \`shop\` may not ${verb} \`_prisma_migrations\`. Grant it SELECT, INSERT and UPDATE on it.`),
    ])
  })

  test('somebody else who migrates', () => {
    expect(prismaLockFindings({ ...session, applicationName: '<evil> & co' })).toEqual([
      stop(
        'migration_running',
        'Session 7 (&lt;evil&gt; &amp; co) holds the migration lock on this database, as every `prisma migrate` that runs does. Wait until it ends, or end it when nobody migrates.',
      ),
    ])
  })

  test('a lock timeout that got lost on the way', () => {
    expect(lockTimeoutFindings(2000, 0)).toEqual([
      stop(
        'lock_timeout_lost',
        "The server has a lock_timeout of 0 ms where the migration asks for 2000 ms, so something between drops the URL's options. Use a direct connection.",
      ),
    ])
  })

  test('a disk that is too small for another backup like the last', () => {
    expect(diskFindings(119, 1000, { bytes: 100, seconds: 1 }, '/backups')).toEqual([
      stop(
        'disk_space',
        'A backup needs about 120 B, but the backup directory `/backups` has 119 B free. Free space or choose another directory.',
      ),
    ])
  })

  test('a disk with less than half of the database when nothing is known of its backups', () => {
    expect(diskFindings(400e6, 1e9, { bytes: null, seconds: null }, '/backups')).toEqual([
      stop(
        'disk_space',
        'The database has 1.0 GB, but the backup directory `/backups` has 400 MB free. Free space or choose another directory.',
      ),
    ])
  })
})

test('too few connections for a backup of one session stop the run', () => {
  expect(connectionFindings({ connections: 2, limit: 'role', role: 'shop' }, 4, 8)).toEqual([
    stop(
      'few_connections',
      'The role `shop` has 2 free connections left, and the run needs at least 4. Raise its CONNECTION LIMIT or end idle sessions.',
    ),
  ])
})

describe('people are warned of', () => {
  test('tables of other roles', () => {
    expect(rightsFindings({ ...rights, tablesOfOthers: [{ table: 'orders', owner: 'admin' }] }, 'public')).toEqual([
      warn('rights_missing', 'The role `shop` does not own `orders (of admin)`. A migration that alters one of them will fail.'),
    ])
  })

  test("a table that the database's own disk could not hold twice", () => {
    const said = (...taken: readonly RoomTaken[]) =>
      roomFindings(
        free(3e9),
        taken,
        [orders(2e9), { schema: 'audit', name: 'log', bytes: 4e9, tablespace: '' }, { ...orders(1.5e9), name: 'items' }],
        'public',
      )
    const room = 'The disk of the database has 3.0 GB free, and'
    const more = 'more until it has ended. A disk that is full stops the whole server. Free space first.'
    expect(said(anew('orders'), anew('items'))).toEqual([
      warn('disk_space', `${room} \`1_x\` writes \`orders\` and \`items\` anew, which takes about 3.5 GB ${more}`),
    ])
    expect(said({ ...anew('log'), table: { schema: 'audit', name: 'log' }, isSure: false })).toEqual([
      warn('disk_space', `${room} \`1_x\` may write \`audit.log\` anew, which takes about 4.0 GB ${more}`),
    ])
    expect(said({ ...anew('all'), table: null })).toEqual([
      warn('disk_space', `${room} \`1_x\` writes \`audit.log\` anew, which takes about 4.0 GB ${more}`),
    ])
    expect(roomFindings(free(3e9), null, [orders(5e9)], 'public')).toEqual([
      warn(
        'disk_space',
        "The disk of the database has 3.0 GB free, and the largest table `orders` takes at least 5.0 GB. A migration that rewrites it, as a change of a column's type may, would fill the disk, and one of them could not be read. Free space first if it does.",
      ),
    ])
    const apart = { ...orders(2e9), tablespace: '/mnt/fast' }
    expect(roomFindings(new Map([...free(9e9), ['/mnt/fast', 1e9]]), [anew('orders')], [orders(5e9), apart], 'public')).toEqual([
      warn(
        'disk_space',
        `The disk of the tablespace in \`/mnt/fast\` has 1.0 GB free, and \`1_x\` writes \`orders\` anew, which takes about 2.0 GB ${more}`,
      ),
    ])
    // a directory that cannot be looked at says nothing
    expect(roomFindings(free(9e9), [anew('orders')], [apart], 'public')).toEqual([])
  })

  test('old transactions, with what they mean', () => {
    expect(activityFindings([session], false)).toEqual([
      warn(
        'long_transaction',
        '1 transaction open for long, by session `7 (nightly, 1 min 12 s)`. A migration may have to wait for it and then give up.',
      ),
    ])
    expect(activityFindings([{ ...session, applicationName: '', transactionMs: null }], true)).toEqual([
      warn(
        'long_transaction',
        '1 transaction open for long, by session `7 (reports)`. An index that is built CONCURRENTLY waits until it ends.',
      ),
    ])
  })

  test('a disk that holds the database only when it compresses', () => {
    expect(diskFindings(600e6, 1e9, { bytes: null, seconds: null }, '/backups')).toEqual([
      warn(
        'disk_space',
        'The database has 1.0 GB, but the backup directory `/backups` has 600 MB free. It is enough only if the backup compresses to that.',
      ),
    ])
  })

  test.each([
    ['server', 'The server has 5 free connections left, and the run needs up to 8. Raise max_connections or end idle sessions.'],
    ['database', 'The database has 5 free connections left, and the run needs up to 8. Raise its CONNECTION LIMIT or end idle sessions.'],
    ['role', 'The role `shop` has 5 free connections left, and the run needs up to 8. Raise its CONNECTION LIMIT or end idle sessions.'],
  ] as const)('few connections of the %s', (limit, text) => {
    expect(connectionFindings({ connections: 5, limit, role: 'shop' }, 4, 8)).toEqual([
      warn('few_connections', `${text} Until then the backup makes do with fewer sessions.`),
    ])
  })

  test('transactions that the server ends', () => {
    expect(timeLimitFindings(30_000)).toEqual([
      warn(
        'time_limit',
        'The server ends every transaction of this role after 30 s (transaction_timeout), and undoes a migration that takes longer. Set it to 0 for the role of the URL.',
      ),
    ])
  })

  test('more tables than the server promises locks for', () => {
    expect(lockFindings({ locksNeeded: 9_000, locksFree: 6_400 })).toEqual([
      warn(
        'few_locks',
        'A backup locks 9000 tables, sequences and views at once, and the server promises room for 6400 locks. It may fail with "out of shared memory". Raise max_locks_per_transaction and restart the server.',
      ),
    ])
  })

  test('a table that somebody locks, with who and what to do', () => {
    const locked = {
      relation: 'orders',
      kind: 'table',
      isWaiting: false,
      pid: 7,
      role: 'reports',
      applicationName: '<nightly>',
      transactionMs: 72_000,
    } as const
    expect(lockedFindings(locked, 300_000)).toEqual([
      warn(
        'table_locked',
        'The table `orders` is locked by session 7 (&lt;nightly&gt;), whose transaction has been open for 1 min 12 s. The backup waits up to 5 min for it and then fails. End it if it should not be there: `select pg_terminate_backend(7)`.',
      ),
    ])
    expect(lockedFindings({ ...locked, pid: null, role: null, applicationName: null, transactionMs: null }, 2_000)).toEqual([
      warn(
        'table_locked',
        'The table `orders` is locked by a prepared transaction. The backup waits up to 2.0 s for it and then fails. Commit it or roll it back.',
      ),
    ])
  })

  test('a view that somebody waits to lock, since whoever comes later waits too', () => {
    const waited = {
      relation: 'totals',
      kind: 'view',
      isWaiting: true,
      pid: 7,
      role: 'shop',
      applicationName: '',
      transactionMs: 500,
    } as const
    expect(lockedFindings(waited, 300_000)).toEqual([
      warn(
        'table_locked',
        'Session 7 (shop), whose transaction has been open for 0.5 s, waits to lock the view `totals` exclusively, and whoever comes later waits behind it. The backup waits up to 5 min for it and then fails. End it if it should not be there: `select pg_terminate_backend(7)`.',
      ),
    ])
  })

  test('an application that is not well before the change, each by its own sentence', async () => {
    const probes = ['http://shop/health', 'http://shop/ready'].map((http) => ({ http, expect: 200, within: 1000 }))
    const findings = await healthFindings(
      probes,
      async ({ http }) => ({ ok: http.endsWith('ready'), said: 'HTTP 503 instead of 200' }),
      new AbortController().signal,
    )
    expect(findings).toEqual([
      warn('unhealthy_before', 'The application is not well before the change: http://shop/health gave HTTP 503 instead of 200.'),
    ])
  })
})

describe('the log says', () => {
  test('which guards the role cannot use', () => {
    expect(guardFindings({ ...rights, readAllStats: false, signalBackend: false })).toEqual([
      info(
        'guards_unusable',
        'The role `shop` lacks pg_read_all_stats and pg_signal_backend: what blocks a migration is known by its process id only, and sessions of other roles cannot be ended.',
      ),
    ])
  })

  test('what the last backup lets one expect, grown as the database has', () => {
    const estimate = estimateBackup(3e9, [
      { state: 'failed', bytes: 1, rawBytes: 1, seconds: 1 },
      { state: 'verified', bytes: 120e6, rawBytes: 1.5e9, seconds: 7.7 },
    ])
    expect(estimate).toEqual({ bytes: 240e6, seconds: 15.4 })
    expect(estimateFindings(estimate)).toEqual([
      info('backup_estimate', 'The backup should take about 15 s and 240 MB, judged by the last one.'),
    ])
    expect(estimateFindings(estimateBackup(3e9, []))).toEqual([])
  })
})

test.each([
  [14, [], '14 checks, nothing to report'],
  [14, [info('backup_estimate', '')], '14 checks, nothing to report'],
  [14, [warn('same_disk', ''), warn('same_disk', '')], '14 checks, 2 warnings'],
  [1, [warn('same_disk', '')], '1 check, 1 warning'],
  [14, [{ ...warn('same_disk', ''), brief: 'backups are elsewhere' }], '14 checks; backups are elsewhere'],
  [14, [warn('disk_space', ''), { ...warn('same_disk', ''), brief: 'one' }], '14 checks, 1 warning; one'],
  [14, [stop('pooler', ''), warn('same_disk', '')], '14 checks, 1 stops the run, 1 warning'],
  [14, [stop('pooler', ''), stop('pooler', '')], '14 checks, 2 stop the run'],
])('%i checks with these findings are summed up in one line', (checks, findings, line) => {
  expect(summary(checks, findings)).toBe(line)
})
