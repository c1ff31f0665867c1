import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { startEmbedded, type Embedded } from '../../src/db/embedded.ts'
import type { TestDatabase } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'
import { startProxy } from './proxy.ts'

/** A PostgreSQL of the test's own, which may crash without hurting others. It has another port after each start, which a proxy hides. */
export type OwnServer = {
  /** Of its maintenance database; stays the same. */
  readonly url: string
  readonly create: (options?: { readonly copyOf?: string; readonly name?: string }) => Promise<TestDatabase>
  /** Everything ends at once, without a checkpoint, as after a power cut; it recovers from its log at the next start. */
  readonly crash: () => Promise<void>
  /** Sessions are ended and it stops in order. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
  readonly sql: (text: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** What is committed stays committed when it crashes; only a crash of the machine itself could lose it. */
const SETTINGS = ['fsync=off', 'full_page_writes=off', 'max_connections=300']

export async function startServer(): Promise<OwnServer> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-own-postgres-'))
  const launch = () => startEmbedded({ directory, env: process.env, settings: SETTINGS })
  let server: Embedded = await launch()
  const door = await startProxy(server.url)
  const url = door.through(server.url)
  const end = async (signal: NodeJS.Signals) => {
    const pid = await postmasterOf(url)
    process.kill(pid, signal)
    await until('the server has ended', () => !exists(pid))
  }
  const sql = (text: string) => on(url, (client) => client.query(text)).then(() => {})
  return {
    url,
    sql,
    async create({ copyOf, name = `test_${randomBytes(6).toString('hex')}` } = {}) {
      await sql(`create database ${pg.escapeIdentifier(name)}`)
      const own = new URL(url)
      own.pathname = `/${name}`
      if (copyOf !== undefined) await copyDatabase(copyOf, own.href)
      return {
        name,
        url: own.href,
        close: () => sql(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`),
      }
    },
    crash: () => end('SIGQUIT'),
    stop: () => end('SIGINT'),
    async start() {
      server = await launch()
      door.pointTo(server.url)
    },
    async close() {
      await door.close()
      await server.remove()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function on<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // the server may be made to crash
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const postmasterOf = (url: string): Promise<number> =>
  on(url, async (client) => {
    const { rows } = await client.query<{ text: string }>(`select pg_read_file('postmaster.pid') as text`)
    return Number(rows[0]?.text.split('\n')[0])
  })

/** By PostgreSQL's own programs; passwords go through the environment. */
async function copyDatabase(from: string, to: string): Promise<void> {
  const [source, target] = [new URL(from), new URL(to)]
  const dump = await promisify(execFile)('pg_dump', ['--no-owner', '--format=plain'], {
    env: environmentOf(source),
    maxBuffer: 100_000_000,
  })
  const psql = execFile('psql', ['--quiet', '--set=ON_ERROR_STOP=1'], { env: environmentOf(target) })
  const ended = new Promise<void>((done, failed) => {
    psql.once('exit', (code) => (code === 0 ? done() : failed(new Error(`psql ended with ${code}`))))
    psql.once('error', failed)
  })
  psql.stdin?.end(dump.stdout)
  await ended
}

const environmentOf = (url: URL): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  PGHOST: url.hostname,
  PGPORT: url.port,
  PGUSER: decodeURIComponent(url.username),
  PGPASSWORD: decodeURIComponent(url.password),
  PGDATABASE: url.pathname.slice(1),
})

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
