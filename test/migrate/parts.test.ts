import fc from 'fast-check'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { PlannedMigration } from '../../src/plan/plan.ts'
import { groupsOf } from '../../src/migrate/attempts/groups.ts'
import { readDeploy, readPulled, readStatus, readVersion } from '../../src/migrate/prisma/output.ts'
import { sentenceOf } from '../../src/migrate/observe/activity-snapshot.ts'
import { stateOf, startAttempt } from '../../src/migrate/attempts/attempt.ts'
import { writeFirstSync } from '../../src/lib/durable-file.ts'
import { until } from '../helpers/until.ts'
import { list, roughly, seconds } from '../../src/lib/text/sentences.ts'

const session = {
  pid: 4711,
  role: 'reports',
  applicationName: 'reporting',
  state: 'active',
  backend: '1',
  transaction: '2',
  statement: '3',
  transactionMs: 38 * 60_000,
  statementMs: 1_000,
  query: null,
}

test('groups keep the order, and a concurrent file is always alone', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean()), (kinds) => {
      const all = kinds.map((concurrently, at): PlannedMigration => ({
        name: String(at),
        sha256: '',
        bytes: 0,
        rollbackSha256: null,
        concurrently,
      }))
      const groups = groupsOf(all)
      expect(groups.flatMap(({ migrations }) => migrations)).toEqual(all)
      for (const [at, group] of groups.entries()) {
        expect(group.migrations.length).toBeGreaterThan(0)
        expect(group.migrations.every(({ concurrently }) => concurrently === group.concurrently)).toBe(true)
        // alone when concurrent; otherwise whatever follows is concurrent, since it would have joined this group
        expect(group.concurrently ? group.migrations.length === 1 : (groups[at + 1]?.concurrently ?? true)).toBe(true)
      }
    }),
  )
})

test('what the migrator waits for is one plain sentence', () => {
  expect(
    sentenceOf({ waiting: { ms: 1_200, relation: 'orders', prismaLock: false, blocker: session }, index: null, rewrite: null, queued: 3 }),
  ).toBe('Waiting 1.2 s for a lock on orders that reporting (pid 4711, running for 38 min) holds; 3 sessions wait behind us.')
  const index = {
    phase: 'building index: scanning table',
    blocksDone: 97_682,
    blocksTotal: 114_755,
    tuplesDone: 0,
    tuplesTotal: 0,
    lockersDone: 0,
    lockersTotal: 0,
    waitsFor: null,
  }
  expect(sentenceOf({ waiting: null, index, rewrite: null, queued: 0 })).toBe(
    'Index, scan 1 of 2: 97,682 of 114,755 blocks. Nobody is waiting behind it.',
  )
  expect(sentenceOf({ waiting: null, index: { ...index, phase: 'index validation: scanning table' }, rewrite: null, queued: 1 })).toBe(
    'Index, scan 2 of 2: 97,682 of 114,755 blocks. 1 session is waiting behind it.',
  )
  expect(
    sentenceOf({ waiting: null, index: { ...index, phase: 'index validation: scanning index', blocksTotal: 0 }, rewrite: null, queued: 0 }),
  ).toBe('Index, scan 2 of 2. Nobody is waiting behind it.')
  expect(
    sentenceOf({
      waiting: null,
      index: { ...index, phase: 'waiting for writers before build', lockersTotal: 2, lockersDone: 1, waitsFor: session },
      rewrite: null,
      queued: 0,
    }),
  ).toBe(
    'Index, waiting for older transactions to end, 1 of 2 gone. It waits for reporting (pid 4711, running for 38 min). Nobody is waiting behind it.',
  )
  const rewrite = { phase: 'seq scanning heap', blocksDone: 1_200, blocksTotal: 9_000 }
  expect(sentenceOf({ waiting: null, index: null, rewrite, queued: 0 })).toBe(
    'The table is written anew (seq scanning heap): 1,200 of 9,000 blocks read. Nobody is waiting behind it.',
  )
  expect(sentenceOf({ waiting: null, index: null, rewrite: null, queued: 0 })).toBeNull()
})

test('durations are short and never zero', () => {
  expect([0, 130, 999, 2_000, 9_949, 9_951, 59_700, 69_000, 3_600_000, 7_500_000].map(seconds)).toEqual([
    '0.1 s',
    '0.1 s',
    '1 s',
    '2 s',
    '9.9 s',
    '10 s',
    '1 min',
    '1 min 9 s',
    '1 h',
    '2 h 5 min',
  ])
  expect([400, 38 * 60_000, 3 * 3_600_000].map(roughly)).toEqual(['1 s', '38 min', '3 h'])
  expect([[], ['a'], ['a', 'b'], ['a', 'b', 'c']].map(list)).toEqual(['', 'a', 'a and b', 'a, b and c'])
})

test('the version decides whether a file is one script', () => {
  const said = (version: string) => readVersion(`prisma                : ${version}\n@prisma/client        : 1.0.0\nNode.js : v24.1.0\n`)
  expect(said('6.19.3')).toEqual({ version: '6.19.3', major: 6, atomic: true })
  expect(said('5.22.0')).toMatchObject({ major: 5, atomic: true })
  expect(said('7.3.0')).toMatchObject({ major: 7, atomic: true })
  expect(said('7.4.0-dev.12')).toMatchObject({ major: 7, atomic: false })
  expect(said('7.10.1')).toMatchObject({ atomic: false })
  expect(said('8.0.0')).toMatchObject({ major: 8, atomic: false })
  expect(readVersion('Error: Cannot find module')).toBeNull()
})

test('the Datasource line names database, schema and host, in both engines', () => {
  const native =
    'Datasource "db": PostgreSQL database "shop", schema "public" at "db.example:5432"\n\n2 migrations found in prisma/migrations\n\nFollowing migrations have not yet been applied:\n1_a\n2_b\n\nTo apply'
  expect(readStatus(native)).toEqual({
    datasource: { database: 'shop', schema: 'public', host: 'db.example:5432', adapter: false },
    found: 2,
    pending: ['1_a', '2_b'],
    failed: [],
  })
  const adapter =
    'Datasource "db": PostgreSQL database "shop", schema "public" using driver adapter "@prisma/adapter-pg"\n\n1 migration found in prisma/migrations\n\nDatabase schema is up to date!\n'
  expect(readStatus(adapter)).toEqual({
    datasource: { database: 'shop', schema: 'public', host: null, adapter: true },
    found: 1,
    pending: [],
    failed: [],
  })
  const removed = adapter.replace(
    'Database schema is up to date!',
    `Your local migration history and the migrations table from your database are different:

The last common migration is: 1_init

The migration have not yet been applied:
2_note

The migration from the database are not found locally in prisma/migrations:
2_gone`,
  )
  expect(readStatus(removed)).toMatchObject({ pending: ['2_note'], failed: [] })
  expect(readStatus("Error: Can't reach database server")).toEqual({ datasource: null, found: null, pending: null, failed: [] })
  expect(readPulled('\nWARNING: x\n- url\n\ndatasource db {\n}\n')).toBe('datasource db {\n}\n')
  expect(readPulled('WARNING: x\n- url\n\n// prisma/a.prisma\nmodel A {\n}\n\n// prisma/b.prisma\ndatasource db {\n}\n')).toBe(
    '// prisma/a.prisma\nmodel A {\n}\n\n// prisma/b.prisma\ndatasource db {\n}\n',
  )
  expect(readPulled('Error')).toBeNull()
})

test('a deploy is complete when it says so at its end, whatever it applied', () => {
  const head =
    'Datasource "db": PostgreSQL database "shop", schema "public" at "db.example:5432"\n\n2 migrations found in prisma/migrations\n\n'
  const datasource = { database: 'shop', schema: 'public', host: 'db.example:5432', adapter: false }
  expect(
    readDeploy(`${head}The following migration(s) have been applied:\n\n…\n\nAll migrations have been successfully applied.\n`),
  ).toEqual({
    datasource,
    complete: true,
  })
  expect(readDeploy(`${head}\nNo pending migrations to apply.\n`)).toEqual({ datasource, complete: true })
  expect(readDeploy(`${head}Applying migration \`2_b\`\nError: P3018\n`)).toEqual({ datasource, complete: false })
  expect(readDeploy('')).toEqual({ datasource: null, complete: false })
})

test('an attempt that a successor has voided starts nothing, however late its wrapper comes', async () => {
  const base = mkdtempSync(join(tmpdir(), 'lockkeeper-attempt-'))
  try {
    const intent = { migrations: ['1_a'], concurrently: false, sinceXid: '1', startedAt: 0, atomic: true }
    const mark = join(base, 'ran')
    const child = { argv: ['/bin/sh', '-c', `echo > ${mark}`], cwd: base, env: { PATH: '/usr/bin:/bin' } }
    mkdirSync(join(base, '0001'))
    writeFirstSync(join(base, '0001', 'attempt.json'), JSON.stringify(intent))
    writeFirstSync(join(base, '0001', 'claim.json'), JSON.stringify({ void: true }))
    expect(await stateOf({ number: 1, directory: join(base, '0001'), intent })).toEqual({ kind: 'void' })
    expect(writeFirstSync(join(base, '0001', 'claim.json'), '{}')).toBe(false)
    const attempt = startAttempt(base, intent, child)
    expect(attempt.number).toBe(2)
    expect(await until('the end', async () => ((await stateOf(attempt)).kind === 'living' ? undefined : stateOf(attempt)))).toEqual({
      kind: 'ended',
      exit: { exitCode: 0, signal: null },
    })
  } finally {
    rmSync(base, { recursive: true })
  }
})
