import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { startEmbedded, type Embedded } from '../../src/store/embedded.ts'
import type { TestDatabase } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'
import { moveToSmallDisk, SMALL_SETTINGS, type DataDisk } from './data-disk.ts'
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
  /** What holds its data, if it was asked for and could be mounted. */
  readonly disk: ServerDisk | undefined
  readonly close: () => Promise<void>
}

export type ServerDisk = {
  /** Nothing more fits on it: what needs another page is refused by PostgreSQL itself. */
  readonly fill: () => Promise<void>
  /** On a full disk: writes on until the log needs another file, which PostgreSQL does not survive. It cannot recover either. */
  readonly exhaustLog: () => Promise<void>
  /** How often PostgreSQL said so far that there is no space. */
  readonly refusals: () => number
  /** There is space again. Resolves when the server answers; one that has ended is started, as a service manager does. */
  readonly empty: () => Promise<void>
}

/** What is committed stays committed when it crashes; only a crash of the machine itself could lose it. */
const SETTINGS = ['fsync=off', 'full_page_writes=off', 'max_connections=300']

export async function startServer(options: { readonly onSmallDisk?: boolean } = {}): Promise<OwnServer> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-own-postgres-'))
  const settings = [...SETTINGS, ...(options.onSmallDisk === true ? SMALL_SETTINGS : [])]
  const launch = () => startEmbedded({ directory, env: process.env, settings })
  let server: Embedded = await launch()
  const door = await startProxy(server.url)
  const url = door.through(server.url)
  const end = async (signal: NodeJS.Signals) => {
    const pid = await postmasterOf(url)
    process.kill(pid, signal)
    await until('the server has ended', () => !exists(pid))
  }
  const start = async () => {
    server = await launch()
    door.pointTo(server.url)
  }
  const sql = (text: string) => on(url, (client) => client.query(text)).then(() => {})
  const data = await dataOf(url)
  let small: DataDisk | undefined
  if (options.onSmallDisk === true) {
    await end('SIGINT')
    small = moveToSmallDisk(data)
    await start()
  }
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
    start,
    disk: small === undefined ? undefined : diskOf(small, { url, data, start }),
    async close() {
      if (small !== undefined) {
        await end('SIGINT')
        small.remove()
        await rm(dirname(data), { recursive: true })
      } else await server.remove()
      await door.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function diskOf(
  { fill, empty }: DataDisk,
  { url, data, start }: { readonly url: string; readonly data: string; readonly start: () => Promise<void> },
): ServerDisk {
  const log = join(dirname(data), 'postgres.log')
  const isAlive = () => {
    const file = join(data, 'postmaster.pid')
    return existsSync(file) && exists(Number(readFileSync(file, 'utf8').split('\n')[0]))
  }
  const answers = () =>
    on(url, (client) => client.query('select')).then(
      () => true,
      () => false,
    )
  return {
    async fill() {
      await on(url, (client) => client.query('checkpoint')) // what it frees is free before
      fill()
    },
    async exhaustLog() {
      await on(url, async (client) => {
        for (let file = 0; file < 20; file++) await client.query(`select pg_logical_emit_message(false, 'test', 'more'), pg_switch_wal()`)
      }).then(
        () => Promise.reject(new Error('the log found space for 20 files more')),
        () => {}, // that was its end
      )
    },
    refusals: () => readFileSync(log, 'utf8').split('No space left on device').length - 1,
    async empty() {
      empty()
      await until('the server answers, or has ended', async () => (await answers()) || !isAlive())
      if (!isAlive()) await start()
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

const dataOf = (url: string): Promise<string> =>
  on(url, async (client) => {
    const { rows } = await client.query<{ data_directory: string }>('show data_directory')
    return rows[0]?.data_directory ?? ''
  })

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
