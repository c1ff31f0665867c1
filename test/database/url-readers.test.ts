import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { captureChild } from '../../src/process/capture.ts'
import { childEnvironment } from '../../src/process/environment.ts'
import { withTarget } from '../../src/database/connect.ts'
import { libpqDialect, nodeDialect, parseTargetUrl, prismaDialect, type TargetUrl } from '../../src/database/urls.ts'
import { startEmbedded, type Embedded } from '../../src/store/embedded.ts'
import { quiet, systemClients } from '../helpers/backup.ts'
import { selfSigned } from '../helpers/certificate.ts'

/**
 * A server with TLS and a socket, and what each reader makes of a URL: libpq by psql, `pg` as we start it, and `pg` with a URL as a driver
 * adapter of Prisma's and Prisma 8 get it.
 */
let server: Embedded
let directory: string
let sockets: string
let port: string
let psql: string

const USER = 'ma x@d/ö:?#%'
const DATABASE = `sh op@+;,&='é"`
const PASSWORD = `p@ss:w/r?d#%20'"\\ +`
const e = encodeURIComponent

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-'))
  await chmod(directory, 0o711)
  sockets = join(directory, 's')
  await mkdir(sockets)
  await chmod(sockets, 0o777)
  const [own, other] = [selfSigned(), selfSigned()]
  await writeFile(join(directory, 'key.pem'), own.key, { mode: 0o600 })
  await writeFile(join(directory, 'client.pem'), own.key, { mode: 0o600 })
  await writeFile(join(directory, 'own.pem'), own.certificate)
  await writeFile(join(directory, 'other.pem'), other.certificate)
  if (process.getuid?.() === 0) await chown(join(directory, 'key.pem'), 65_534, 65_534)
  server = await startEmbedded({
    directory: join(directory, 'postgres'),
    env: process.env,
    settings: [
      'fsync=off',
      'ssl=on',
      `ssl_cert_file=${join(directory, 'own.pem')}`,
      `ssl_key_file=${join(directory, 'key.pem')}`,
      `ssl_ca_file=${join(directory, 'own.pem')}`,
      `unix_socket_directories=${sockets}`,
    ],
  })
  port = new URL(server.url).port
  psql = join(dirname((await systemClients()).pgDump), 'psql')
  const admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  await admin.query(`create role ${pg.escapeIdentifier(USER)} login password ${pg.escapeLiteral(PASSWORD)}`)
  await admin.query(`create database ${pg.escapeIdentifier(DATABASE)} owner ${pg.escapeIdentifier(USER)}`)
  await admin.end()
})
afterAll(async () => {
  await server.remove()
  await rm(directory, { recursive: true, force: true })
})

const SQL = `select json_build_object('user', session_user, 'database', current_database(), 'tls', s.ssl, 'port', inet_server_port(), 'path', current_setting('search_path'))
  from pg_stat_ssl s where s.pid = pg_backend_pid()`

type Answer = {
  readonly user: string
  readonly database: string
  readonly tls: boolean
  readonly port: number | null
  readonly path: string
}

function parse(text: string): TargetUrl {
  const parsed = parseTargetUrl(text)
  if (parsed.kind === 'bad') throw new Error(parsed.why)
  return parsed.url
}

/** What psql, given these words, reaches; or the last thing that it says. */
async function byLibpq(words: string, password: string | null, sql = SQL): Promise<Answer | string> {
  const end = await captureChild({
    argv: [psql, '--no-psqlrc', '--no-password', '--tuples-only', '--no-align', `--command=${sql}`, `--dbname=${words}`],
    cwd: '/',
    env: childEnvironment({}, '/usr/bin:/bin', { LC_ALL: 'C', ...(password === null ? {} : { PGPASSWORD: password }) }, ['PGPASSWORD']),
    redactor: quiet,
  })
  const answer = end.stdout.toString('utf8').trim()
  if (end.exitCode !== 0) return end.stderr.trim().split('\n').at(-1) ?? ''
  return answer.startsWith('{') ? (JSON.parse(answer) as Answer) : answer
}

const byPg = (url: string): Promise<Answer | string> =>
  withTarget({ url, applicationName: 'test' }, async (client) => {
    const { rows } = await client.query<{ json_build_object: Answer }>(SQL)
    return rows[0]?.json_build_object ?? 'nothing'
  }).catch((error: unknown) => (error instanceof Error ? error.message : String(error)))

async function byAdapter(connectionString: string): Promise<Answer | string> {
  let client: pg.Client | undefined
  try {
    client = new pg.Client({ connectionString })
    await client.connect()
    const { rows } = await client.query<{ json_build_object: Answer }>(SQL)
    return rows[0]?.json_build_object ?? 'nothing'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await client?.end().catch(() => {})
  }
}

async function reachedBy(text: string) {
  const url = parse(text)
  const settings = { applicationName: 'test' }
  return {
    libpq: await byLibpq(libpqDialect(url, settings).conninfo, url.password),
    pg: await byPg(text),
    adapter: await byAdapter(prismaDialect(url, settings)),
    prisma8: await byAdapter(nodeDialect(url, settings)),
  }
}

const login = () => `${e(USER)}:${e(PASSWORD)}`
const name = () => e(DATABASE)

describe('four readers reach the same place, over TLS where the URL asks for it', () => {
  // `raw`: who reaches it too with the URL as it was written; the others refuse that form, or would go elsewhere
  test.each<[title: string, form: () => string, tls: boolean, raw: readonly ('libpq' | 'pg')[], path?: string]>([
    ['no word of TLS', () => `postgresql://${login()}@localhost:${port}/${name()}?sslmode=disable`, false, ['libpq']],
    ['no-verify, a word of pg', () => `postgresql://${login()}@localhost:${port}/${name()}?sslmode=no-verify`, true, []],
    [
      "Prisma's strict with its certificate",
      () => `postgresql://${login()}@localhost:${port}/${name()}?sslmode=require&sslaccept=strict&sslcert=${directory}/own.pem`,
      true,
      [],
    ],
    [
      'verify-full',
      () => `postgresql://${login()}@localhost:${port}/${name()}?sslmode=verify-full&sslrootcert=${directory}/own.pem`,
      true,
      ['libpq'],
    ],
    [
      'require with an authority, which is looked at',
      () => `postgresql://${login()}@localhost:${port}/${name()}?sslmode=require&sslrootcert=${directory}/own.pem`,
      true,
      ['libpq'],
    ],
    [
      'channel binding',
      () =>
        `postgresql://${login()}@localhost:${port}/${name()}?sslmode=verify-full&sslrootcert=${directory}/own.pem&channel_binding=require`,
      true,
      ['libpq'],
    ],
    ['a socket without a host before it', () => `postgresql://${login()}@:${port}/${name()}?host=${sockets}`, false, ['libpq']],
    ['a socket beside localhost', () => `postgresql://${login()}@localhost:${port}/${name()}?host=${e(sockets)}`, false, ['libpq']],
    ['a socket in place of the host', () => `postgresql://${login()}@${e(sockets)}:${port}/${name()}`, false, ['libpq']],
    [
      'everything as parameters',
      () => `postgresql:///?host=${sockets}&port=${port}&user=${e(USER)}&password=${e(PASSWORD)}&dbname=${name()}`,
      false,
      ['libpq'],
    ],
    [
      'options for the session',
      () => `postgresql://${login()}@localhost:${port}/${name()}?sslmode=disable&options=-c%20search_path%3Dshop`,
      false,
      ['libpq'],
      'shop',
    ],
    [
      'options with + for a space',
      () => `postgresql://${login()}@localhost:${port}/${name()}?sslmode=disable&options=-c+search_path=shop`,
      false,
      [],
      'shop',
    ],
    [
      'what Prisma alone reads',
      () => `postgresql://${login()}@localhost:${port}/${name()}?sslmode=disable&schema=shop&connection_limit=5&pgbouncer=false`,
      false,
      [],
    ],
    [
      'what libpq alone reads',
      () =>
        `postgresql://${login()}@localhost:${port}/${name()}?sslmode=disable&gssencmode=disable&keepalives_idle=5&target_session_attrs=read-write&connect_timeout=9`,
      false,
      ['libpq'],
    ],
    ['a line break at its end', () => `postgresql://${login()}@localhost:${port}/${name()}?sslmode=disable\n`, false, []],
    [
      'odd characters as they are',
      () => `postgresql://${e(USER)}:${e(PASSWORD)}@localhost:${port}/sh op@+;,&='é"?sslmode=disable`,
      false,
      ['libpq'],
    ],
  ])('%s', async (_, form, tls, raw, path = '"$user", public') => {
    const text = form()
    const there: Answer = {
      user: USER,
      database: DATABASE,
      tls,
      port: text.includes(encodeURIComponent(sockets)) || text.includes(sockets) ? null : Number(port),
      path,
    }
    expect(await reachedBy(text)).toEqual({ libpq: there, pg: there, adapter: there, prisma8: there })
    const unread: Record<string, Answer | string> = { libpq: await byLibpq(text, null), pg: await byAdapter(text) }
    const isThere = (reader: string) => isDeepStrictEqual(unread[reader], there)
    expect(['libpq', 'pg'].filter(isThere)).toEqual(raw)
  })
})

test('ssl=true is TLS for all, and a driver adapter verifies besides, as it does for the application', async () => {
  const there: Answer = { user: USER, database: DATABASE, tls: true, port: Number(port), path: '"$user", public' }
  expect(await reachedBy(`postgresql://${login()}@localhost:${port}/${name()}?ssl=true`)).toEqual({
    libpq: there,
    pg: there,
    adapter: expect.stringContaining('self-signed certificate'),
    prisma8: there,
  })
})

describe('where TLS cannot be what the URL asks for, no reader connects', () => {
  const said = (word: string) => expect.stringMatching(word)
  test.each<[title: string, parameters: () => string, host: string]>([
    ['the authority is another one', () => `sslmode=verify-full&sslrootcert=${directory}/other.pem`, 'localhost'],
    ['the authority is another one, and require names it', () => `sslmode=require&sslrootcert=${directory}/other.pem`, 'localhost'],
    [
      "the authority is another one, in Prisma's words",
      () => `sslmode=require&sslaccept=strict&sslcert=${directory}/other.pem`,
      'localhost',
    ],
    ['the name is another one', () => `sslmode=verify-full&sslrootcert=${directory}/own.pem`, '127.0.0.1'],
    ['nobody vouches for it', () => 'sslmode=verify-full', 'localhost'],
    ['nobody vouches for it, in the words of libpq 16', () => 'sslrootcert=system', 'localhost'],
  ])('%s', async (_, parameters, host) => {
    const reached = await reachedBy(`postgresql://${login()}@${host}:${port}/${name()}?${parameters()}`)
    expect(reached).toEqual({
      libpq: said('certificate'),
      pg: said(`^TLS to ${host}:\\d+ failed: .*Check sslmode, sslrootcert and the name in the server's certificate\\.$`),
      adapter: said('certificate|altnames|self-signed'),
      prisma8: said('certificate|altnames|self-signed'),
    })
  })
})

test('a certificate of the client is shown by each', async () => {
  const files = `sslrootcert=${directory}/own.pem&sslcert=${directory}/own.pem&sslkey=${directory}/client.pem`
  const text = `postgresql://${login()}@localhost:${port}/${name()}?sslmode=verify-full&${files}`
  const url = parse(text)
  const settings = { applicationName: 'test' }
  const dn = 'select client_dn from pg_stat_ssl where pid = pg_backend_pid()'
  const adapted = new pg.Client({ connectionString: prismaDialect(url, settings) })
  await adapted.connect()
  const { rows } = await adapted.query<{ client_dn: string }>(dn)
  await adapted.end()
  const shown = {
    libpq: await byLibpq(libpqDialect(url, settings).conninfo, url.password, dn),
    pg: await withTarget(
      { url: text, applicationName: 'test' },
      async (client) => (await client.query<{ client_dn: string }>(dn)).rows[0]?.client_dn,
    ),
    adapter: rows[0]?.client_dn,
  }
  expect(shown).toEqual({ libpq: '/CN=localhost', pg: '/CN=localhost', adapter: '/CN=localhost' })
})

test('a password is never taken from somewhere else', async () => {
  const before = process.env['PGPASSWORD']
  process.env['PGPASSWORD'] = PASSWORD
  try {
    expect(await byPg(`postgresql://${e(USER)}@localhost:${port}/${name()}?sslmode=disable`)).toBe(
      `localhost:${port} asks for a password and the URL has none that fits. Check user and password of the URL.`,
    )
  } finally {
    if (before === undefined) delete process.env['PGPASSWORD']
    else process.env['PGPASSWORD'] = before
  }
})

test('whatever the names and the password are, libpq, pg and a driver adapter reach the same place', async () => {
  const admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  const words = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text) && text.isWellFormed() && Buffer.byteLength(text) < 40)
  // the password is prepared by SASLprep on both sides, and its rules are no matter of URLs
  const passwords = fc.string({ minLength: 1, maxLength: 12 })
  try {
    await fc.assert(
      fc.asyncProperty(
        words,
        words.filter((text) => !/[/?#]/.test(text)),
        passwords,
        fc.constantFrom('localhost', '127.0.0.1', 'socket'),
        async (role, base, password, host) => {
          const user = `${role}${randomBytes(4).toString('hex')}`
          const database = `${base}${randomBytes(4).toString('hex')}`
          await admin.query(`create role ${pg.escapeIdentifier(user)} login password ${pg.escapeLiteral(password)}`)
          await admin.query(`create database ${pg.escapeIdentifier(database)} owner ${pg.escapeIdentifier(user)} strategy file_copy`)
          try {
            const place = host === 'socket' ? `:${port}/${e(database)}?host=${sockets}` : `${host}:${port}/${e(database)}?sslmode=require`
            const there = { user, database, tls: host !== 'socket', port: host === 'socket' ? null : Number(port), path: '"$user", public' }
            const text = `postgresql://${e(user)}:${e(password)}@${place}`
            // an adapter verifies where require is said, and this certificate is nobody's
            const adapted = text.replace('sslmode=require', 'sslmode=no-verify')
            expect({
              libpq: await byLibpq(libpqDialect(parse(text), { applicationName: 'x' }).conninfo, password),
              pg: await byPg(text),
            }).toEqual({ libpq: there, pg: there })
            expect(await byAdapter(prismaDialect(parse(adapted), { applicationName: 'x' }))).toEqual(there)
          } finally {
            await admin.query(`drop database ${pg.escapeIdentifier(database)} with (force)`)
            await admin.query(`drop role ${pg.escapeIdentifier(user)}`)
          }
        },
      ),
      { numRuns: 6 },
    )
  } finally {
    await admin.end()
  }
})
