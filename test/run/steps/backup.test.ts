import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { backupStore, type BackupStore } from '../../../src/backup/catalogue.ts'
import type { DumpRequest } from '../../../src/backup/providers/pg-dump.ts'
import { readManifest, type Manifest } from '../../../src/backup/manifest.ts'
import { prune } from '../../../src/backup/prune.ts'
import type { Ahead } from '../../../src/migrate/ahead.ts'
import type { Plan } from '../../../src/plan/plan.ts'
import type { RunContext } from '../../../src/request/step.ts'
import { backupData, backupStep, jobsWithin, type BackupData } from '../../../src/run/steps/backup.ts'
import { verifyBackupStep } from '../../../src/run/steps/verify-backup.ts'
import { connectTarget } from '../../../src/database/connect.ts'
import {
  commandLines,
  createOwnedDatabase,
  dumpRequest,
  fillShop,
  inDatabase,
  script,
  smallDisk,
  systemClients,
  temporaryDirectory,
} from '../../helpers/backup.ts'
import { createStore, onServer } from '../../helpers/postgres.ts'
import { contextFor, planFor, targetFor } from '../../helpers/run-context.ts'
import { until } from '../../helpers/until.ts'

const closing: (() => Promise<unknown>)[] = []
let url: string
let directory: string
let store: BackupStore
let db: Awaited<ReturnType<typeof createStore>>['db']
let request: DumpRequest

beforeEach(async () => {
  const [database, own] = await Promise.all([createOwnedDatabase(), createStore()])
  closing.push(
    () => database.close(),
    () => own.close(),
  )
  await fillShop(database.url)
  const temporary = await temporaryDirectory()
  closing.push(() => temporary.remove())
  url = database.url
  directory = temporary.path
  db = own.db
  store = backupStore(db)
  await addRequest(41, 'running')
  request = await dumpRequest(url, directory)
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A row for the backup to belong to. */
async function addRequest(id: number, state: string) {
  await db.query(
    `insert into lockkeeper.request (id, token, target, requester, requester_human, channel, ask, state)
     overriding system value values ($1::bigint, 'token' || $1::text, 'prod', 'U1', 'U1', 'C1', '{}', $2)`,
    [id, state],
  )
}

const context = (over: Partial<RunContext> = {}, change: Record<string, unknown> = {}) =>
  contextFor({
    directory,
    plan: planFor(request.identity),
    secrets: { 'env:PROD_DATABASE_URL': url },
    target: targetFor(directory, change),
    over,
  }).context

const step = () => backupStep({ store, jobs: 2 })
const notAsked = { ask: async () => {} }
const verifyStep = (ahead: Pick<Ahead, 'ask'> = notAsked) => verifyBackupStep({ store, ahead })

async function backUp(over: Partial<RunContext> = {}): Promise<BackupData> {
  const end = await step().act(context(over))
  if (end.kind !== 'done') throw new Error(JSON.stringify(end))
  return backupData.parse(end.data)
}

/** Another process that makes the backup of this run, to be killed. */
function startDumper() {
  const { env, redactor: _, signal: __, report: ___, ...rest } = request
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../helpers/dumper.ts', import.meta.url))], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  closing.push(async () => void child.kill('SIGKILL'))
  child.stdin.end(JSON.stringify({ ...rest, env: { PATH: env['PATH'] } }))
  return child
}

const holdsData = (entry: string): boolean =>
  readdirSync(join(request.directory, entry)).some(
    (name) => name.endsWith('.dat.gz') && statSync(join(request.directory, entry, name)).size > 100_000,
  )

const backups = () => readdirSync(join(directory, 'backups'))

describe('the backup step', () => {
  test('makes a backup, records it and tells its size and time', async () => {
    const end = await step().act(context())
    expect(end).toMatchObject({ kind: 'done', output: expect.stringMatching(/^\d+(\.\d)? MB in \d+\.\d s, (\d+ kB|\d\.\d MB) on disk$/) })
    const data = backupData.parse(end.kind === 'done' ? end.data : undefined)
    expect(data).toEqual({ name: backups()[0], path: join(directory, 'backups', data.name), bytes: expect.any(Number) })
    expect(await store.find(data.name)).toMatchObject({
      state: 'written',
      requestId: 41,
      target: 'prod',
      path: data.path,
      bytes: data.bytes,
    })
  })

  test('finds its finished backup after an adoption', async () => {
    const data = await backUp()
    expect(await step().inspect(context())).toMatchObject({ kind: 'done', data })
  })

  test('does not take the backup of another run, of an older plan, or one that lost a file', async () => {
    const { path } = await backUp()
    expect(await step().inspect(context({ requestId: 42 }))).toEqual({ kind: 'todo' })
    expect(await step().inspect(context({ digest: 'e'.repeat(64) }))).toEqual({ kind: 'todo' })
    truncateSync(join(path, 'toc.dat'), 10)
    expect(await step().inspect(context())).toEqual({ kind: 'todo' })
  })

  test('killed in the middle leaves a partial name, no process and no session; its successor removes it and makes a whole one', async () => {
    const locker = await connectTarget({ url, applicationName: 'someone-else' })
    await locker.query('begin; lock table orders in access exclusive mode')
    const child = startDumper()
    const mine = `select pid from pg_stat_activity where datname = current_database() and application_name like 'lockkeeper-backup%'`
    await until('pg_dump waits for the lock', async () => (await inDatabase(url, `${mine} and wait_event_type = 'Lock'`)).length > 0)
    const [partial] = backups()
    expect(partial).toMatch(/^prod-\d{8}T\d{6}Z\.run41\.partial$/)
    child.kill('SIGKILL')
    // elsewhere nothing kills a child with its parent, and the successor ends its sessions
    if (process.platform === 'linux')
      await until('every session of the dead is gone', async () => (await inDatabase(url, mine)).length === 0)
    await locker.end()
    expect(backups()).toEqual([partial])
    expect(await step().inspect(context())).toEqual({ kind: 'todo' })
    const data = await backUp({ attempt: 2 })
    expect(backups()).toEqual([data.name])
    expect(await step().inspect(context())).toMatchObject({ kind: 'done', data })
  })

  test('killed while it writes data is not outlived by its workers once a successor begins', async () => {
    await inDatabase(url, `insert into orders select i, md5(i::text) || md5((i * 3)::text), now() from generate_series(1, 600000) i`)
    const child = startDumper()
    const partial = await until('data is written', () => (existsSync(request.directory) ? backups().find(holdsData) : undefined))
    child.kill('SIGKILL')
    const data = await backUp({ attempt: 2 })
    expect(backups()).toEqual([data.name])
    await until('no process of the dead is left', async () => !(await commandLines()).some((line) => line.includes(partial)))
    expect((await verifyStep().act(context({ dataOf: () => data }))).kind).toBe('done')
  })

  test('dead between the final name and its row is recorded when it is verified', async () => {
    const data = await backUp()
    await db.query('delete from lockkeeper.backup')
    const found = await step().inspect(context())
    expect(found).toMatchObject({ kind: 'done', data })
    expect((await verifyStep().act(context({ dataOf: () => data }))).kind).toBe('done')
    expect(await store.find(data.name)).toMatchObject({ state: 'verified', requestId: 41 })
  })

  test('cancelled says that nothing was changed', async () => {
    expect(await step().act(context({ signal: AbortSignal.abort() }))).toEqual({
      kind: 'cancelled',
      output: 'stopped, nothing kept',
      outcome: { headline: '*Cancelled during the backup.* Nothing was changed, and what had been written was removed.' },
    })
  })

  test('on a full disk fails with the reason and the next step', async () => {
    await inDatabase(url, `insert into orders select i, md5(i::text) || md5((i * 3)::text), now() from generate_series(1, 300000) i`)
    const target = targetFor(directory)
    const { clients, remove } = await smallDisk(target.backup.directory, directory, await systemClients())
    closing.push(() => remove())
    const own = join(directory, 'clients')
    await mkdir(own)
    await script(join(own, 'pg_dump'), `#!/bin/sh\nexec ${clients.pgDump} "$@"\n`)
    await script(join(own, 'pg_restore'), `#!/bin/sh\nexec ${clients.pgRestore} "$@"\n`)
    const end = await step().act(context({}, { backup: { directory: target.backup.directory, clients: own } }))
    expect(end).toMatchObject({
      kind: 'failed',
      output: 'no backup was made',
      outcome: {
        headline: '*The backup failed.* Nothing was changed, and the application runs as before.',
        why: expect.stringMatching(/^The disk of the backup directory .* is full\./),
        next: 'No migration runs without a backup. Mend that and ask again.',
      },
    })
    expect(backups()).toEqual([])
  })

  test('makes do with fewer sessions where its role may have no more, rather than fail', async () => {
    const role = new URL(url).username
    await onServer(`alter role ${role} connection limit 3`)
    expect(await step().act(context())).toMatchObject({ kind: 'done' })
    expect([jobsWithin(3, 4), jobsWithin(5, 4), jobsWithin(100, 4)]).toEqual([1, 2, 4])
  })

  test('with an older pg_dump fails with the package to install', async () => {
    const own = join(directory, 'old')
    await mkdir(own)
    for (const name of ['pg_dump', 'pg_restore']) await script(join(own, name), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.1"\n')
    const end = await step().act(context({}, { backup: { directory: join(directory, 'backups'), clients: own } }))
    expect(end).toMatchObject({
      kind: 'failed',
      outcome: {
        why: `pg_dump 9.6.1 in ${own} cannot dump a PostgreSQL 15 server, since it is older. Install it with \`apt-get install postgresql-client-15\` and correct \`backup.clients\`.`,
      },
    })
  })
})

describe('the verification step', () => {
  test('reads the backup in full, marks it and is found done afterwards', async () => {
    const data = await backUp()
    const mine = context({ dataOf: (name) => (name === 'backup' ? data : undefined) })
    expect(await verifyStep().inspect(mine)).toEqual({ kind: 'todo' })
    expect(await verifyStep().act(mine)).toEqual({
      kind: 'done',
      output: expect.stringMatching(/^read in full in \d\.\d s, 9 migration records$/),
      data,
    })
    expect(await store.find(data.name)).toMatchObject({ state: 'verified', verifiedAt: expect.any(Date) })
    expect(await verifyStep().inspect(mine)).toEqual({ kind: 'done', output: 'read in full, 9 migration records', data })
  })

  test('ends when Prisma has answered, which it is asked meanwhile', async () => {
    const data = await backUp()
    const answered = Promise.withResolvers<void>()
    let isAborted: boolean | undefined
    const ahead = {
      async ask(_context: RunContext, signal: AbortSignal) {
        await answered.promise
        isAborted = signal.aborted
      },
    }
    const verifying = verifyStep(ahead).act(
      context({ dataOf: () => data, report: (text) => text.startsWith('counting') && answered.resolve() }),
    )
    expect((await verifying).kind).toBe('done')
    expect(isAborted).toBe(false)
  })

  test.each<[string, Partial<Plan>, number]>([
    ['maintenance mode is switched on in between', { steps: [{ phase: 'maintenance-on', name: 'on', settings: { run: ['true'] } }] }, 1],
    ['reading it back takes longer than an answer is good for', {}, 31],
  ])('asks Prisma nothing where %s', async (_where, more, seconds) => {
    const data = await backUp()
    const manifest = JSON.parse(readFileSync(join(data.path, 'manifest.json'), 'utf8')) as Manifest
    writeFileSync(join(data.path, 'manifest.json'), JSON.stringify({ ...manifest, seconds }))
    await db.query(`update lockkeeper.backup set manifest = jsonb_set(manifest, '{seconds}', to_jsonb($1::float8))`, [seconds])
    let isAsked = false
    const ahead = { ask: async () => void (isAsked = true) }
    const list = [{ name: '1_init', sha256: 's', bytes: 1, rollbackSha256: null, concurrently: false }]
    const plan = planFor(request.identity, { list, ...more })
    expect((await verifyStep(ahead).act(context({ dataOf: () => data, plan }))).kind).toBe('done')
    expect(isAsked).toBe(false)
  })

  test('that fails on damage ends the question, marks the backup and names the file', async () => {
    const data = await backUp()
    const file = readdirSync(data.path).find((name) => name.endsWith('.dat.gz')) ?? ''
    rmSync(join(data.path, file))
    const ahead = {
      ask: (_context: RunContext, signal: AbortSignal) => new Promise<void>((end) => signal.addEventListener('abort', () => end())),
    }
    expect(await verifyStep(ahead).act(context({ dataOf: () => data }))).toEqual({
      kind: 'failed',
      output: 'not verified',
      outcome: {
        headline: `*The backup \`${data.name}\` could not be verified.* Nothing was changed, and the application runs as before.`,
        why: `The file ${file} is missing.`,
        next: 'No migration runs without a verified backup. Look at the disk of the backup directory, then ask again; a new backup is made.',
      },
    })
    expect(await store.find(data.name)).toMatchObject({ state: 'failed', verifiedAt: null })
  })

  test('cancelled says that nothing was changed and marks nothing', async () => {
    const data = await backUp()
    expect(await verifyStep().act(context({ dataOf: () => data, signal: AbortSignal.abort() }))).toEqual({
      kind: 'cancelled',
      output: 'stopped',
      outcome: { headline: '*Cancelled while the backup was verified.* Nothing was changed; the backup is kept.' },
    })
    expect(await store.find(data.name)).toMatchObject({ state: 'written' })
  })
})

describe('pruning', () => {
  test('removes what retention does not keep, but neither the newest verified nor that of an unsettled run', async () => {
    await addRequest(40, 'failed')
    const unsettled = await backUp()
    const old = await backUp({ requestId: 40 })
    const verified = await backUp({ requestId: 40 })
    await store.mark(verified.name, 'verified')
    const newest = await backUp({ requestId: 40 })
    expect(await prune(store, 'prod', join(directory, 'backups'), 1)).toEqual([old.name])
    expect(backups().sort()).toEqual([unsettled.name, verified.name, newest.name].sort())
    expect((await store.list('prod')).map(({ name }) => name)).toEqual([newest.name, verified.name, unsettled.name])
    expect(await store.find(old.name)).toMatchObject({ state: 'pruned' })
  })

  test('touches nothing outside the backup directory', async () => {
    await addRequest(40, 'failed')
    const first = await backUp({ requestId: 40 })
    await backUp({ requestId: 40 })
    const elsewhere = join(directory, 'precious')
    await mkdir(elsewhere)
    writeFileSync(join(elsewhere, 'file'), 'x')
    await db.query('update lockkeeper.backup set path = $2 where name = $1', [first.name, elsewhere])
    expect(await prune(store, 'prod', join(directory, 'backups'), 1)).toEqual([])
    expect(existsSync(join(elsewhere, 'file'))).toBe(true)
  })

  test('finishes a removal that a dead process began', async () => {
    await backUp()
    await mkdir(join(directory, 'backups', '.removing-prod-20261120T071420Z'))
    await prune(store, 'prod', join(directory, 'backups'), 10)
    expect(backups()).toHaveLength(1)
  })

  test('the manifest of a recorded backup reads the same from the row and from the disk', async () => {
    const data = await backUp()
    const reading = await readManifest(data.path)
    expect(reading).toEqual({ kind: 'manifest', manifest: (await store.find(data.name))?.manifest })
  })
})
