import { createHash, randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { basename } from 'node:path'
import pg from 'pg'
import { installStore } from '../../src/store/install.ts'
import { openStore, type Db } from '../../src/store/pool.ts'
import { storeMigrations } from '../../src/store/schema.ts'
import { serverUrl } from './server.ts'
import { until } from './until.ts'

export type TestDatabase = { readonly url: string; readonly name: string; readonly close: () => Promise<void> }

/** A fresh database, optionally made from a template database. `close` ends its sessions and drops it. */
export async function createDatabase(options: { readonly template?: string; readonly name?: string } = {}): Promise<TestDatabase> {
  const admin = serverUrl()
  const name = options.name ?? `test_${randomBytes(6).toString('hex')}`
  const quoted = pg.escapeIdentifier(name)
  await onServer(
    // a third of the processor time of the default, which writes each page into the log
    `create database ${quoted} strategy file_copy${options.template === undefined ? '' : ` template ${pg.escapeIdentifier(options.template)}`}`,
    `comment on database ${quoted} is ${pg.escapeLiteral(basename(tmpdir()))}`, // the file of tests, should it leave it behind
  )
  const url = new URL(admin)
  url.pathname = `/${encodeURIComponent(name)}`
  return { url: url.href, name, close: () => onServer(`drop database if exists ${quoted} with (force)`) }
}

/** Named for what is installed in it. */
export const STORE_TEMPLATE = `store_${createHash('sha256').update(JSON.stringify(storeMigrations())).digest('hex').slice(0, 12)}`

/** A fresh store with the bot's own tables: a copy of one that was installed for this schema. */
export async function createStore(): Promise<{ readonly db: Db; readonly url: string; readonly close: () => Promise<void> }> {
  await madeOnce(STORE_TEMPLATE, async (url) => {
    const db = openStore(url, () => {})
    await installStore(db)
    await db.close()
  })
  const database = await createDatabase({ template: STORE_TEMPLATE })
  const db = openStore(database.url, () => {})
  return {
    db,
    url: database.url,
    async close() {
      await db.close()
      await database.close()
    },
  }
}

/**
 * A database that others copy. Suites run in parallel processes: the first one makes it under an advisory lock and gives it its name at the end.
 */
export async function madeOnce(name: string, make: (url: string) => Promise<void>): Promise<void> {
  const place = `${serverUrl()} ${name}`
  if (made.has(place)) return
  await makeUnlessMade(name, make)
  made.add(place)
}

/** Those that this process has made or found. */
const made = new Set<string>()

async function makeUnlessMade(name: string, make: (url: string) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() })
  await client.connect()
  try {
    await client.query(`select pg_advisory_lock(hashtext($1))`, [name])
    if ((await client.query('select 1 from pg_database where datname = $1', [name])).rowCount === 1) return
    const making = `${name}_making`
    await client.query(`drop database if exists ${pg.escapeIdentifier(making)} with (force)`)
    const { url } = await createDatabase({ name: making })
    await make(url)
    await until('nobody is connected to it', async () => {
      const { rowCount } = await client.query('select 1 from pg_stat_activity where datname = $1', [making])
      return rowCount === 0
    })
    await client.query(`alter database ${pg.escapeIdentifier(making)} rename to ${pg.escapeIdentifier(name)}`)
    await client.query(`alter database ${pg.escapeIdentifier(name)} is_template true`)
  } finally {
    await client.end()
  }
}

/** Statements on the server's maintenance database, one after another, in a session that may have served before: to begin one takes as long as to drop a database. */
export async function onServer(...statements: readonly string[]): Promise<void> {
  const client = await sessionsOn(serverUrl()).connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    client.release()
  }
}

const sessions = new Map<string, pg.Pool>()

function sessionsOn(url: string): pg.Pool {
  const known = sessions.get(url)
  if (known !== undefined) return known
  const pool = new pg.Pool({ connectionString: url, max: 4, idleTimeoutMillis: 5_000, allowExitOnIdle: true })
  pool.on('error', () => {}) // the server ended, or a test ended its sessions; the next statement opens another
  sessions.set(url, pool)
  return pool
}
