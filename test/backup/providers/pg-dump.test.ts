import { execFile } from 'node:child_process'
import { lstatSync, readdirSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { dump, type DumpEnd } from '../../../src/backup/providers/pg-dump.ts'
import { readManifest, type Manifest } from '../../../src/backup/manifest.ts'
import { connectTarget } from '../../../src/database/connect.ts'
import { createRedactor, secretsOfUrl } from '../../../src/redact/redact.ts'
import {
  commandLines,
  createOwnedDatabase,
  dumpRequest,
  fillShop,
  inDatabase,
  script,
  smallDisk,
  temporaryDirectory,
  verify,
} from '../../helpers/backup.ts'
import { until } from '../../helpers/until.ts'

const run = promisify(execFile)
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function shop(options: Parameters<typeof createOwnedDatabase>[0] = {}, rows?: number) {
  const database = await createOwnedDatabase(options)
  closing.push(database.close)
  await fillShop(database.url, rows)
  const { path, remove } = await temporaryDirectory()
  closing.push(remove)
  return { database, directory: path }
}

function whole(end: DumpEnd): { readonly path: string; readonly manifest: Manifest } {
  if (end.kind !== 'done') throw new Error(JSON.stringify(end))
  return end
}

const sessionsOf = (url: string) =>
  inDatabase(url, `select pid from pg_stat_activity where datname = current_database() and application_name like 'lockkeeper-backup%'`)

/** Holds an ACCESS EXCLUSIVE lock until released, so that pg_dump waits. */
async function lockTable(url: string, table: string) {
  const client = await connectTarget({ url, applicationName: 'someone-else' })
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  let isOpen = true
  const release = async () => {
    if (!isOpen) return
    isOpen = false
    await client.end()
  }
  closing.push(release)
  return release
}

const waiting = (url: string) =>
  until('pg_dump waits for the lock', async () => {
    const rows = await inDatabase(
      url,
      `select pid from pg_stat_activity where datname = current_database() and application_name = 'lockkeeper-backup-41' and wait_event_type = 'Lock'`,
    )
    return rows.length > 0
  })

describe('a backup', () => {
  test('stands under its final name, readable by its owner alone, with a manifest of what it holds', async () => {
    const { database, directory } = await shop()
    const { path, manifest } = whole(await dump(await dumpRequest(database.url, directory)))
    expect(readdirSync(join(directory, 'backups'))).toEqual([manifest.name])
    expect(path).toBe(join(directory, 'backups', manifest.name))
    expect(manifest.name).toMatch(/^prod-\d{8}T\d{6}Z$/)
    expect(lstatSync(join(directory, 'backups')).mode & 0o777).toBe(0o700)
    expect(lstatSync(path).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(path)) expect(lstatSync(join(path, file)).mode & 0o777).toBe(0o600)
    expect(await readManifest(path)).toEqual({ kind: 'manifest', manifest })
    expect(manifest).toMatchObject({ target: 'prod', requestId: 41, digest: 'd'.repeat(64), migrations: 9, tables: 4 })
    expect(manifest.serverVersion).toMatch(/^15\./)
    expect(manifest.files.map((file) => file.path)).toContain('toc.dat')
    expect(manifest.bytes).toBe(manifest.files.reduce((sum, file) => sum + file.bytes, 0))
    expect(manifest.rawBytes).toBeGreaterThan(manifest.bytes)
    expect(await sessionsOf(database.url)).toEqual([])
    expect((await verify(path, directory)).kind).toBe('verified')
  })

  test('restores to the same rows', async () => {
    const { database, directory } = await shop()
    const request = await dumpRequest(database.url, directory)
    const { path } = whole(await dump(request))
    const copy = await createOwnedDatabase()
    closing.push(copy.close)
    await run(request.clients.pgRestore, ['--no-owner', '--no-password', `--dbname=${copy.url}`, path])
    const sums = "select count(*)::int as count, md5(string_agg(token, ',' order by id)) as sum from orders"
    expect(await inDatabase(copy.url, sums)).toEqual(await inDatabase(database.url, sums))
    expect(await inDatabase(copy.url, 'select * from "_prisma_migrations" order by id')).toEqual(
      await inDatabase(database.url, 'select * from "_prisma_migrations" order by id'),
    )
  })

  test('of a database without _prisma_migrations says so and is verified', async () => {
    const database = await createOwnedDatabase()
    closing.push(database.close)
    const { path: directory, remove } = await temporaryDirectory()
    closing.push(remove)
    const { path, manifest } = whole(await dump(await dumpRequest(database.url, directory)))
    expect(manifest.migrations).toBeNull()
    expect((await verify(path, directory)).kind).toBe('verified')
  })

  test('counts the migrations of another schema, and only those', async () => {
    const { database, directory } = await shop()
    await inDatabase(
      database.url,
      'create schema "Odd schema"',
      'create table "Odd schema"."_prisma_migrations" as select * from "_prisma_migrations" limit 3',
    )
    const { path, manifest } = whole(await dump(await dumpRequest(database.url, directory, { migrationsSchema: 'Odd schema' })))
    expect(manifest.migrations).toBe(3)
    expect((await verify(path, directory)).kind).toBe('verified')
  })

  test('of the same second gets a name of its own', async () => {
    const { database, directory } = await shop()
    const request = await dumpRequest(database.url, directory)
    const names: string[] = []
    for (let count = 0; count < 3; count++) names.push(whole(await dump(request)).manifest.name)
    expect(new Set(names).size).toBe(3)
    expect(readdirSync(request.directory).sort()).toEqual(names.sort())
  })

  test('holds what was committed before its snapshot, though rows and migrations arrive while it is written', async () => {
    const { database, directory } = await shop()
    const release = await lockTable(database.url, 'customers')
    const dumping = dump(await dumpRequest(database.url, directory))
    await waiting(database.url)
    await inDatabase(database.url, `insert into "_prisma_migrations" (id, checksum, migration_name) values ('late', '', 'late')`)
    await release()
    const { path, manifest } = whole(await dumping)
    expect(manifest.migrations).toBe(9)
    expect((await verify(path, directory)).kind).toBe('verified')
  })
})

describe('odd names and passwords', () => {
  test.each([`p@ss:w/rd%20'"`, 'back\\slash and space', 'ünïcödé ${HOME} `id`'])('the password %s opens the database', async (password) => {
    const { database, directory } = await shop({ password }, 10)
    expect((await dump(await dumpRequest(database.url, directory))).kind).toBe('done')
  })

  test('a wrong password fails with the sentence about passwords and leaves nothing', async () => {
    const { database, directory } = await shop({}, 10)
    const request = await dumpRequest(database.url, directory)
    const url = new URL(database.url)
    url.password = 'wrong'
    const end = await dump({ ...request, url: url.href })
    expect(end).toEqual({
      kind: 'failed',
      reason: `${url.hostname}:${url.port} refused the password of the role "${database.role}". Check user and password of the URL, and whether the role's password has expired (VALID UNTIL).`,
    })
  })

  test.each([`shop "it's" prod`, 'host=evil dbname=x', 'a=b c', 'back\\slash', '--help'])('the database %s is dumped', async (start) => {
    const { database, directory } = await shop({ name: `${start} ${crypto.randomUUID().slice(0, 8)}` }, 10)
    const { manifest } = whole(await dump(await dumpRequest(database.url, directory)))
    expect(manifest.identity.database).toBe(database.name)
    expect(manifest.migrations).toBe(9)
  })

  test('the password is in no argument, spool, manifest or backup file', async () => {
    const secret = 'canary-5f2e9c1d7a'
    const { database, directory } = await shop({ password: secret })
    const release = await lockTable(database.url, 'orders')
    const dumping = dump(await dumpRequest(database.url, directory, { redactor: createRedactor(secretsOfUrl(database.url)) }))
    await waiting(database.url)
    const argumentsOfAll = await commandLines()
    await release()
    const { path } = whole(await dumping)
    expect(argumentsOfAll.filter((line) => line.includes('pg_dump') && line.includes(database.name))).not.toEqual([])
    expect(argumentsOfAll.filter((line) => line.includes(secret))).toEqual([])
    for (const file of [join(directory, 'spool'), ...readdirSync(path).map((name) => join(path, name))])
      expect((await readFile(file)).includes(secret)).toBe(false)
  })
})

describe('a backup that does not succeed', () => {
  test('aborted while it waits leaves no name, no session and no process', async () => {
    const { database, directory } = await shop()
    await lockTable(database.url, 'orders')
    const abort = new AbortController()
    const request = await dumpRequest(database.url, directory, { signal: abort.signal })
    const dumping = dump(request)
    await waiting(database.url)
    abort.abort()
    expect(await dumping).toEqual({ kind: 'aborted' })
    expect(readdirSync(request.directory)).toEqual([])
    expect(await sessionsOf(database.url)).toEqual([])
    expect((await commandLines()).filter((line) => line.includes(database.name))).toEqual([])
  })

  test('aborted while it writes leaves no name and no session', async () => {
    const { database, directory } = await shop({}, 400_000)
    const abort = new AbortController()
    const request = await dumpRequest(database.url, directory, { signal: abort.signal })
    const dumping = dump(request)
    await until('data is written', async () =>
      readdirSync(directory).includes('backups') ? partialFiles(request.directory).some((name) => name.endsWith('.dat.gz')) : undefined,
    )
    abort.abort()
    expect(await dumping).toEqual({ kind: 'aborted' })
    expect(readdirSync(request.directory)).toEqual([])
    expect(await sessionsOf(database.url)).toEqual([])
  })

  test('aborted while it is written through to the disk leaves no name', async () => {
    const { database, directory } = await shop()
    const abort = new AbortController()
    const report = (details: string) => {
      if (details === 'writing through to the disk') abort.abort()
    }
    const request = await dumpRequest(database.url, directory, { signal: abort.signal, report })
    expect(await dump(request)).toEqual({ kind: 'aborted' })
    expect(readdirSync(request.directory)).toEqual([])
  })

  test('aborted before it begins does nothing', async () => {
    const { database, directory } = await shop({}, 10)
    const request = await dumpRequest(database.url, directory, { signal: AbortSignal.abort() })
    expect(await dump(request)).toEqual({ kind: 'aborted' })
    expect(await sessionsOf(database.url)).toEqual([])
  })

  test('goes on, watched without its size, while its directory cannot be read', async () => {
    const { database, directory } = await shop()
    const release = await lockTable(database.url, 'orders')
    const reports: string[] = []
    const dumping = dump(await dumpRequest(database.url, directory, { report: (details) => reports.push(details) }))
    await until('a report', () => reports.length > 0)
    const [partial = ''] = readdirSync(join(directory, 'backups')).map((name) => join(directory, 'backups', name))
    await rename(partial, `${partial}.away`)
    await writeFile(partial, '') // no directory
    await until('a report without a size', () => reports.some((report) => report.startsWith('0 of 4 tables; waiting for a lock on orders')))
    await rm(partial)
    await rename(`${partial}.away`, partial)
    await release()
    const [end] = await Promise.allSettled([dumping])
    // where whoever writes it through met that too, it is not called whole
    expect(end.status === 'fulfilled' ? end.value.kind : String(end.reason)).toMatch(
      /^(done|Error: (ENOTDIR: not a directory|ENOENT: no such file or directory), scandir .*)$/,
    )
  })

  test('says what it waits for', async () => {
    const { database, directory } = await shop()
    const release = await lockTable(database.url, 'orders')
    const reports: string[] = []
    const dumping = dump(await dumpRequest(database.url, directory, { report: (details) => reports.push(details) }))
    await until('a report', async () => reports.length > 0)
    await release()
    whole(await dumping)
    expect(reports[0]).toMatch(/^0 of 4 tables, 0 B written; waiting for a lock on orders, held by session \d+ \(someone-else\)$/)
  })

  test('on a full disk it says so and leaves nothing', async () => {
    const { database, directory } = await shop({}, 400_000)
    const request = await dumpRequest(database.url, directory)
    const { clients, remove } = await smallDisk(request.directory, directory, request.clients)
    closing.push(remove)
    const end = await dump({ ...request, clients })
    expect(end).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^The disk of the backup directory .*\/backups is full\. 2\.\d MB had been written\.$/),
      excerpt: expect.stringMatching(/No space left on device|File too large/),
    })
    expect(readdirSync(request.directory)).toEqual([])
    expect(await sessionsOf(database.url)).toEqual([])
  })

  test('when a session of it is ended by an administrator it fails and leaves nothing', async () => {
    const { database, directory } = await shop()
    await lockTable(database.url, 'orders')
    const request = await dumpRequest(database.url, directory)
    const dumping = dump(request)
    await waiting(database.url)
    await inDatabase(
      database.url,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'lockkeeper-backup-41'`,
    )
    expect(await dumping).toMatchObject({
      kind: 'failed',
      reason: 'pg_dump ended with exit code 1: terminating connection due to administrator command.',
      excerpt: expect.stringContaining('terminating connection due to administrator command'),
    })
    expect(readdirSync(request.directory)).toEqual([])
    expect(await sessionsOf(database.url)).toEqual([])
  })

  test('when the role may not read a table it fails with the reason', async () => {
    const { database, directory } = await shop({}, 10)
    const other = await createOwnedDatabase()
    closing.push(other.close)
    const url = new URL(database.url)
    url.username = other.role
    url.password = other.password
    const request = await dumpRequest(database.url, directory)
    await inDatabase(database.url, `grant usage on schema public to ${other.role}`, `grant select on "_prisma_migrations" to ${other.role}`)
    closing.push(() =>
      inDatabase(database.url, `drop owned by ${other.role}`).catch(() =>
        inDatabase(
          database.url,
          `revoke all on schema public from ${other.role}`,
          `revoke all on all tables in schema public from ${other.role}`,
        ),
      ),
    )
    expect(await dump({ ...request, url: url.href })).toMatchObject({
      kind: 'failed',
      excerpt: expect.stringContaining('permission denied for table'),
    })
    expect(readdirSync(request.directory)).toEqual([])
  })

  test('of another database than the approved one is refused before anything is written', async () => {
    const { database, directory } = await shop({}, 10)
    const request = await dumpRequest(database.url, directory)
    const identity = { ...request.identity, databaseOid: request.identity.databaseOid + 1 }
    expect(await dump({ ...request, identity })).toEqual({
      kind: 'failed',
      reason: `The backup's URL leads to another database than the one that was approved (${database.name} on ${identity.host}).`,
    })
    expect(readdirSync(directory)).toEqual([])
  })

  test('with an exit code of 0 but an empty file it is no backup', async () => {
    const { database, directory } = await shop({}, 10)
    const request = await dumpRequest(database.url, directory)
    const liar = join(directory, 'pg_dump')
    await script(liar, '#!/bin/sh\nfor a in "$@"; do case "$a" in --file=*) : > "${a#--file=}/3350.dat.gz";; esac; done\n')
    expect(await dump({ ...request, clients: { ...request.clients, pgDump: liar } })).toEqual({
      kind: 'failed',
      reason: 'pg_dump said that it succeeded, but left 3350.dat.gz empty.',
    })
    expect(readdirSync(request.directory)).toEqual([])
  })
})

const partialFiles = (directory: string): string[] => readdirSync(directory).flatMap((entry) => readdirSync(join(directory, entry)))
