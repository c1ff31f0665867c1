import type { VerifyRequest } from '../../src/backup/providers/decode.ts'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { inject } from 'vitest'
import { findClients, type Clients } from '../../src/backup/providers/clients.ts'
import type { DumpRequest } from '../../src/backup/providers/pg-dump.ts'
import { verifyBackup, type VerifyEnd } from '../../src/backup/providers/verify.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { connectTarget, withTarget } from '../../src/database/connect.ts'
import { readIdentity } from '../../src/database/identity.ts'
import { createDatabase, onServer } from './postgres.ts'

const run = promisify(execFile)

export const quiet = createRedactor([])

/** A directory that the test removes, 0700. */
export async function temporaryDirectory(): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'lockkeeper-backup-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

export async function systemClients(): Promise<Clients> {
  const clients = await findClients({ directory: undefined, serverMajor: 15, env: process.env, redactor: quiet })
  if (isRefusal(clients)) throw new Error(clients.text)
  return clients
}

/** A database that a role of its own owns, with a password that only the right one opens. */
export async function createOwnedDatabase(options: { readonly password?: string; readonly name?: string } = {}) {
  const database = await createDatabase(options.name === undefined ? {} : { name: options.name })
  const role = `role_${randomBytes(5).toString('hex')}`
  const password = options.password ?? randomBytes(12).toString('hex')
  await onServer(`create role ${role} login password ${pg.escapeLiteral(password)}`)
  await onServer(`alter database ${pg.escapeIdentifier(database.name)} owner to ${role}`)
  await inDatabase(database.url, `alter schema public owner to ${role}`)
  const url = new URL(inject('postgresUrl'))
  url.username = role
  url.password = encodeURIComponent(password)
  url.pathname = `/${encodeURIComponent(database.name)}`
  return {
    url: url.href,
    role,
    password,
    name: database.name,
    close: async () => {
      await database.close()
      await onServer(`drop role ${role}`)
    },
  }
}

/** Statements in one session; the rows of the last. */
export async function inDatabase(url: string, ...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const client = await connectTarget({ url, applicationName: 'test' })
  try {
    let rows: readonly Record<string, unknown>[] = []
    for (const statement of statements) rows = (await client.query<Record<string, unknown>>(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}

const migrationsTable = `create table "_prisma_migrations" (id varchar(36) primary key, checksum varchar(64) not null,
  finished_at timestamptz, migration_name varchar(255) not null, logs text, rolled_back_at timestamptz,
  started_at timestamptz not null default now(), applied_steps_count int not null default 0)`

/** Rows with line breaks and a line of its own that looks like the end of the data. */
const migrationRows = (count: number): string =>
  `insert into "_prisma_migrations" select i::text, md5(i::text), now(), 'm' || i, E'first\\n\\\\.\\nlast\\t', null, now(), 1 from generate_series(1, ${count}) i`

/** A small shop: some tables, one with a few MB, and nine migrations. */
export async function fillShop(url: string, rows = 20_000): Promise<void> {
  await inDatabase(
    url,
    migrationsTable,
    migrationRows(9),
    `create table orders as select i as id, md5(i::text) || md5((i * 7)::text) as token, now() as at from generate_series(1, ${rows}) i`,
    'create table "odd name; --" (a int)',
    'create table customers (id int primary key, name text)',
  )
}

export async function dumpRequest(url: string, directory: string, over: Partial<DumpRequest> = {}): Promise<DumpRequest> {
  return {
    target: 'prod',
    requestId: 41,
    digest: 'd'.repeat(64),
    identity: await withTarget({ url, applicationName: 'test' }, readIdentity),
    directory: join(directory, 'backups'),
    clients: await systemClients(),
    url,
    migrationsSchema: 'public',
    jobs: 2,
    lockWaitMs: 300_000,
    spool: join(directory, 'spool'),
    env: process.env,
    redactor: quiet,
    signal: new AbortController().signal,
    report: () => {},
    ...over,
  }
}

/** Reads a backup whole, with the system's pg_restore. */
export async function verify(path: string, directory: string, over: Partial<VerifyRequest> = {}): Promise<VerifyEnd> {
  return verifyBackup({
    path,
    clients: await systemClients(),
    spool: join(directory, 'spool'),
    env: process.env,
    redactor: quiet,
    signal: new AbortController().signal,
    report: () => {},
    ...over,
  })
}

/** Makes `directory` a place where only two megabytes fit: a small disk where the system lets us mount one, else a limit on pg_dump's files. */
export async function smallDisk(
  directory: string,
  scratch: string,
  clients: Clients,
): Promise<{ readonly clients: Clients; readonly remove: () => Promise<void> }> {
  await mkdir(directory)
  const isMounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory]).then(
    () => true,
    () => false,
  )
  if (isMounted) return { clients, remove: async () => void (await run('umount', [directory])) }
  const limited = join(scratch, 'limited_pg_dump')
  await script(limited, `#!/bin/sh\ntrap '' XFSZ\nulimit -f 4096\nexec ${clients.pgDump} "$@"\n`)
  return { clients: { ...clients, pgDump: limited }, remove: async () => {} }
}

/** The arguments of every process of this machine, each joined by spaces; PostgreSQL's backends left out, since they rewrite theirs. */
export async function commandLines(): Promise<readonly string[]> {
  const lines =
    process.platform === 'linux'
      ? readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .map(argumentsOf)
      : (await run('ps', ['-A', '-ww', '-o', 'args='])).stdout.split('\n')
  return lines.filter((line) => !line.startsWith('postgres:'))
}

function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return '' // ended meanwhile
  }
}

/** An executable file. */
export async function script(path: string, text: string): Promise<void> {
  await writeFile(path, text)
  await chmod(path, 0o755)
}
