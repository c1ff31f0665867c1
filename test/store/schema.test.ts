import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { installStore } from '../../src/store/install.ts'
import { openStore, type Db } from '../../src/store/pool.ts'
import { storeMigrations } from '../../src/store/schema.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { schemaLines } from './schema-lines.ts'

// Both were written by the last build that kept its schema in a module: what it noted of each migration, and what it made of a store.
const before = (file: string): string => readFileSync(join(import.meta.dirname, 'before', file), 'utf8')
const versionsBefore = JSON.parse(before('versions.json')) as readonly {
  readonly id: number
  readonly name: string
  readonly sha256: string
}[]
const schemaBefore = before('schema.txt').trimEnd().split('\n')

let db: Db
let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase()
  db = openStore(database.url, () => {})
})
afterAll(async () => {
  await db.close()
  await database.close()
})

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

describe('the schema as files', () => {
  test('each file is what the build before had applied under its number', () => {
    const ofThen = storeMigrations().slice(0, versionsBefore.length)
    expect(ofThen.map(({ id, sha256 }) => ({ id, sha256 }))).toEqual(versionsBefore.map(({ id, sha256 }) => ({ id, sha256 })))
  })

  test('line ends of another system change nothing', () => {
    const lines = directoryOf({ '000001-first.sql': 'create table a (id int);\n-- more\n' })
    const other = directoryOf({ '000001-first.sql': 'create table a (id int);\r\n-- more\r\n' })
    expect(storeMigrations(other)).toEqual(storeMigrations(lines))
  })

  test('two files with one number, and a file that says not what it brings, are refused by name', () => {
    const twice = directoryOf({ '000001-first.sql': '', '000021-one.sql': '', '000021-other.sql': '' })
    expect(() => storeMigrations(twice)).toThrow('Two migrations of the store have the number 21: give the newer one the next free number.')
    const nameless = directoryOf({ '21.sql': '' })
    expect(() => storeMigrations(nameless)).toThrow(
      '21.sql is no name for a migration of the store: six digits, a hyphen and what it brings, as in 000021-what-it-brings.sql.',
    )
  })
})

describe('a store of an earlier version', () => {
  let schemaOfToday: readonly string[]
  beforeAll(async () => {
    await emptyStore()
    await installStore(db)
    schemaOfToday = await schemaLines(db)
  })

  test('the same files make what the build before made', async () => {
    await emptyStore()
    await asInstalledBefore(versionsBefore.map(({ id }) => id))
    expect(await schemaLines(db)).toEqual(schemaBefore)
  })

  const all = versionsBefore.map(({ id }) => id)
  // every version that there was, and two from the time when branches were joined out of order
  const versions = [...all.map((_, at) => all.slice(0, at + 1)), [1, 2, 4], [1, 2, 4, 5]]
  test.each(versions.map((version) => [version.join(' '), version] as const))(
    'of migrations %s is brought up to date',
    async (_, version) => {
      await emptyStore()
      await asInstalledBefore(version)
      await installStore(db)
      expect(await schemaLines(db)).toEqual(schemaOfToday)
      expect(await db.query('select id, sha256 from lockkeeper.schema_version order by id')).toEqual(
        storeMigrations().map(({ id, sha256 }) => ({ id, sha256 })),
      )
    },
  )

  test('what was in it stays, and its audit log becomes a chain', async () => {
    await emptyStore()
    await asInstalledBefore([1, 2])
    await db.query(
      `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state)
       values ('t1', 'prod', 'U0ANNA', 'U0ANNA', 'C0DEPLOYS', '{}', 'waiting')`,
    )
    await db.query(
      `insert into lockkeeper.audit (actor, act, result) values ('U0ANNA', 'deploy', 'allowed'), ('U0BEN', 'approve', 'allowed')`,
    )
    await installStore(db)
    expect(await db.query('select id, token, state, not_before, draw_owner from lockkeeper.request')).toEqual([
      { id: 1, token: 't1', state: 'waiting', not_before: null, draw_owner: null },
    ])
    expect(await db.query('select seq, actor, hash is not null as chained from lockkeeper.audit order by id')).toEqual([
      { seq: 1, actor: 'U0ANNA', chained: true },
      { seq: 2, actor: 'U0BEN', chained: true },
    ])
  })

  test('one whose migration is another than the released one is refused by its number, and nothing is changed', async () => {
    await emptyStore()
    await asInstalledBefore([1, 2])
    await db.query(`update lockkeeper.schema_version set sha256 = 'of a branch' where id = 2`)
    await expect(installStore(db)).rejects.toThrow(
      `The store's schema 2 (who draws a request) is not the one that this version knows. It may come from an unreleased build.`,
    )
    expect(await db.query('select id from lockkeeper.schema_version order by id')).toEqual([{ id: 1 }, { id: 2 }])
  })
})

/** As the build before did it, migration by migration. */
async function asInstalledBefore(ids: readonly number[]): Promise<void> {
  await db.query('create schema lockkeeper')
  await db.query(
    'create table lockkeeper.schema_version (id int primary key, name text not null, sha256 text not null, at timestamptz not null default clock_timestamp())',
  )
  for (const { id, name, sha256 } of versionsBefore.filter((one) => ids.includes(one.id))) {
    await db.query(storeMigrations().find((one) => one.id === id)?.sql ?? '')
    await db.query('insert into lockkeeper.schema_version (id, name, sha256) values ($1, $2, $3)', [id, name, sha256])
  }
}

async function emptyStore(): Promise<void> {
  await db.query('drop schema if exists lockkeeper cascade')
}

function directoryOf(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-migrations-'))
  directories.push(directory)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return directory
}
