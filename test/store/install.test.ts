import { afterEach, expect, test } from 'vitest'
import { installStore } from '../../src/store/install.ts'
import { openStore, type Db } from '../../src/store/pool.ts'
import { newestMigration, storeMigrations } from '../../src/store/schema.ts'
import { openSession } from '../../src/store/session.ts'
import { createDatabase, onServer, type TestDatabase } from '../helpers/postgres.ts'

const opened: { database?: TestDatabase; pools: Db[] } = { pools: [] }

afterEach(async () => {
  for (const pool of opened.pools.splice(0)) await pool.close()
  await opened.database?.close()
})

test('four processes that start at once on an empty store install its tables once', async () => {
  const url = await emptyStore()
  const pools = [1, 2, 3, 4].map(() => open(url))
  await Promise.all(pools.map(installStore))
  const rows = await pools[0]!.query<{ id: number }>('select id from lockkeeper.schema_version')
  expect(rows).toEqual(storeMigrations().map(({ id }) => ({ id })))
})

test('a store that a newer version has used is refused by name', async () => {
  const db = open(await emptyStore())
  await installStore(db)
  await db.query(`insert into lockkeeper.schema_version (id, name, sha256) values (999, 'later', 'x')`)
  await expect(installStore(db)).rejects.toThrow(
    `The store was used by a newer Lockkeeper (schema 999, this one knows ${newestMigration()}). Start that version or a newer one.`,
  )
})

test('times are read on a server that is set to write them its own way', async () => {
  const url = await emptyStore()
  await onServer(`alter database ${opened.database!.name} set datestyle to 'German'`)
  const at = new Date('2026-11-30T02:00:00Z')
  const read = [await open(url).query('select $1::timestamptz as at', [at])]
  const session = await openSession(url, 'test', () => {})
  read.push(await session.query('select $1::timestamptz as at', [at]))
  await session.close()
  expect(read).toEqual([[{ at }], [{ at }]])
})

async function emptyStore() {
  opened.database = await createDatabase()
  return opened.database.url
}

function open(url: string) {
  const db = openStore(url, () => {})
  opened.pools.push(db)
  return db
}
