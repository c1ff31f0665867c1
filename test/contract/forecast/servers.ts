import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbedded } from '../../../src/store/embedded.ts'
import { installedPostgres, type Major } from '../../helpers/postgres-versions/installed.ts'
import { serverUrl } from '../../helpers/server.ts'

/** The address of a PostgreSQL of this major while `work` is done: for 15 the one that all tests share, otherwise one of its own. */
export async function withServer<T>(major: Major, work: (url: string) => Promise<T>): Promise<T> {
  const binaries = await installedPostgres(major)
  if (binaries === undefined) return work(serverUrl())
  const directory = await mkdtemp(join(tmpdir(), 'lk-'))
  await chmod(directory, 0o711)
  const server = await startEmbedded({
    directory: join(directory, 'postgres'),
    binaries,
    env: process.env,
    settings: ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'autovacuum=off'],
  })
  try {
    return await work(server.url)
  } finally {
    await server.remove()
    await rm(directory, { recursive: true, force: true })
  }
}

/** A database of its own while `work` is done. */
export async function withDatabase<T>(server: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `forecast_${randomBytes(6).toString('hex')}`
  await onDatabase(server, (client) => client.query(`create database ${name}`))
  const url = new URL(server)
  url.pathname = `/${name}`
  try {
    return await work(url.href)
  } finally {
    await onDatabase(server, (client) => client.query(`drop database ${name} with (force)`))
  }
}

/** Makes what the statements run on. */
export async function createSchema(client: pg.Client, major: Major): Promise<void> {
  for (const name of ['schema.sql', ...(major >= 18 ? ['schema-18.sql'] : [])])
    await client.query(readFileSync(join(import.meta.dirname, name), 'utf8'))
  await client.query('analyze')
}

export async function onDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
