import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { installStore } from '../../src/store/install.ts'
import { openStore, type Db } from '../../src/store/pool.ts'
import { serverUrl } from './server.ts'

export type TestDatabase = { readonly url: string; readonly name: string; readonly close: () => Promise<void> }

/** A fresh database, optionally made from a template database. `close` ends its sessions and drops it. */
export async function createDatabase(options: { readonly template?: string; readonly name?: string } = {}): Promise<TestDatabase> {
  const admin = serverUrl()
  const name = options.name ?? `test_${randomBytes(6).toString('hex')}`
  const quoted = pg.escapeIdentifier(name)
  await onServer(`create database ${quoted}${options.template === undefined ? '' : ` template ${pg.escapeIdentifier(options.template)}`}`)
  const url = new URL(admin)
  url.pathname = `/${encodeURIComponent(name)}`
  return { url: url.href, name, close: () => onServer(`drop database if exists ${quoted} with (force)`) }
}

/** A fresh store with the bot's own tables. */
export async function createStore(): Promise<{ readonly db: Db; readonly url: string; readonly close: () => Promise<void> }> {
  const database = await createDatabase()
  const db = openStore(database.url, () => {})
  await installStore(db)
  return {
    db,
    url: database.url,
    async close() {
      await db.close()
      await database.close()
    },
  }
}

/** One statement on the server's maintenance database. */
export async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
