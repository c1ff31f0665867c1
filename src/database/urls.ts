import { isIP } from 'node:net'

/**
 * One configured URL, three dialects. Prisma reads `schema` and `connection_limit`, which libpq refuses; `sslmode=require` encrypts
 * without verifying in Prisma and libpq but verifies in full in `pg`. The URL is parsed here once, and each reader gets its own words.
 */
export type TargetUrl = {
  /** A host name or address, or the directory of a socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | null
  readonly database: string
  /** Prisma's `schema`, where `_prisma_migrations` lives. */
  readonly schema: string
  readonly tls: Tls
  /** The value of `options` as written, decoded. */
  readonly options: string | null
  readonly applicationName: string | null
  /** Milliseconds; null where the URL does not say. */
  readonly connectTimeoutMs: number | null
  readonly pgbouncer: boolean
  /** Everything after `?`, decoded, in order. Prisma gets it back. */
  readonly parameters: readonly (readonly [string, string])[]
}

export type Tls = {
  readonly mode: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'
  /** Files; a certificate authority, and a client's certificate with its key. */
  readonly ca: string | null
  readonly certificate: string | null
  readonly key: string | null
}

export type ParsedUrl = { readonly kind: 'url'; readonly url: TargetUrl } | { readonly kind: 'bad'; readonly why: string }

/** What is added to a connection: names it, and bounds how long it waits for locks and runs. 0 switches a timeout off. */
export type SessionSettings = {
  readonly applicationName: string
  readonly lockTimeoutMs?: number
  readonly statementTimeoutMs?: number
}

/** `why` never holds a part of the URL beyond the names of its parameters, since any part may be a mistyped password. */
export function parseTargetUrl(text: string): ParsedUrl {
  if (!/^postgres(ql)?:\/\//.test(text)) return bad('it does not start with postgresql://')
  if (!URL.canParse(text)) return bad('it is not a URL; characters such as # / ? @ in the password must be percent-encoded')
  const parsed = new URL(text)
  if (parsed.hash !== '') return bad('it holds a #; in a password write %23')
  const parts = [parsed.username, parsed.password, parsed.hostname, parsed.pathname.slice(1)].map(decode)
  const [user, password, hostname, database] = parts
  if (user === undefined || password === undefined || hostname === undefined || database === undefined)
    return bad('it has a % that is not followed by two hexadecimal digits')
  const parameters = readParameters(parsed.search.slice(1))
  if (parameters === undefined) return bad('a parameter has a % that is not followed by two hexadecimal digits')
  if ([...parts, ...parameters.flat()].some((part) => /[\0-\x1f\x7f]/.test(part ?? ''))) return bad('it holds a control character')
  const value = (name: string) => parameters.findLast(([key]) => key === name)?.[1]
  const misplaced = ['hostaddr', 'port', 'dbname', 'user', 'password', 'service', 'servicefile'].find((name) => value(name) !== undefined)
  if (misplaced !== undefined) return bad(`its parameter ${misplaced} would override the part before the question mark; write it there`)
  const override = value('host')
  const host = override ?? hostname.replace(/^\[(.*)\]$/, '$1')
  if (host === '') return bad('it names no host')
  if (override !== undefined && !override.startsWith('/')) return bad('its parameter host is not the directory of a socket')
  if (host.includes(',')) return bad('it names several hosts; name the one that is written to')
  if (!host.startsWith('/') && !isHost(host)) return bad('its host is neither a name nor an address')
  if (user === '') return bad('it names no user')
  if (database === '') return bad('it names no database')
  if (database.includes('/')) return bad('its path has more than one part; the path is the name of the database')
  const tls = readTls(value, host)
  if (typeof tls === 'string') return bad(tls)
  const schema = value('schema') ?? 'public'
  if (schema === '') return bad('its parameter schema is empty')
  const seconds = Number(value('connect_timeout') ?? Number.NaN)
  return {
    kind: 'url',
    url: {
      host,
      port: parsed.port === '' ? 5432 : Number(parsed.port),
      user,
      password: password === '' ? null : password,
      database,
      schema,
      tls,
      options: value('options') ?? null,
      applicationName: value('application_name') ?? null,
      connectTimeoutMs: seconds > 0 && Number.isFinite(seconds) ? seconds * 1000 : null,
      pgbouncer: value('pgbouncer') === 'true',
      parameters,
    },
  }
}

/** For `DATABASE_URL` and its like. Spaces are %20, since not every reader takes a + for one. */
export function prismaDialect(url: TargetUrl, settings: SessionSettings): string {
  const socket = url.host.startsWith('/')
  const host = socket ? 'localhost' : isIP(url.host) === 6 ? `[${url.host}]` : url.host
  const password = url.password === null ? '' : `:${encode(url.password)}`
  const options = optionsFor(url, settings)
  const own = new Set(['application_name', 'options', 'host'])
  const parameters = [
    ...url.parameters.filter(([name]) => !own.has(name)),
    ...(socket ? [['host', url.host] as const] : []),
    ['application_name', settings.applicationName] as const,
    ...(options === '' ? [] : [['options', options] as const]),
  ]
  const query = parameters.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  return `postgresql://${encode(url.user)}${password}@${host}:${url.port}/${encode(url.database)}?${query}`
}

export type LibpqConnection = {
  /** For `--dbname=`; without the password. */
  readonly conninfo: string
  /** Content of a file (0600) for `PGPASSFILE`; null when the URL has no password. */
  readonly passfile: string | null
}

/** For `pg_dump`, `pg_restore` and `psql`. `systemCa` is a bundle to verify with where the URL demands verification and names none. */
export function libpqDialect(url: TargetUrl, settings: SessionSettings, systemCa?: string): LibpqConnection {
  const { mode, certificate, key } = url.tls
  const ca = url.tls.ca ?? (mode === 'verify-full' || mode === 'verify-ca' ? (systemCa ?? null) : null)
  const options = optionsFor(url, settings)
  const words: readonly (readonly [string, string | null])[] = [
    ['host', url.host],
    ['port', String(url.port)],
    ['user', url.user],
    ['dbname', url.database],
    ['sslmode', mode],
    ['sslrootcert', ca],
    ['sslcert', certificate],
    ['sslkey', key],
    ['connect_timeout', url.connectTimeoutMs === null ? null : String(Math.ceil(url.connectTimeoutMs / 1000))],
    ['application_name', settings.applicationName],
    ['options', options === '' ? null : options],
  ]
  const quote = (value: string) => `'${value.replace(/['\\]/g, '\\$&')}'`
  return {
    conninfo: words.flatMap(([name, value]) => (value === null ? [] : [`${name}=${quote(value)}`])).join(' '),
    passfile: url.password === null ? null : `*:*:*:*:${url.password.replace(/[:\\]/g, '\\$&')}\n`,
  }
}

export type PgConnection = {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password?: string
  readonly database: string
  readonly application_name: string
  readonly options?: string
  readonly tls: Tls
}

/** Fields for `pg`; `connect.ts` turns `tls` into its `ssl`, since certificates are read from files. */
export function pgDialect(url: TargetUrl, settings: SessionSettings): PgConnection {
  const options = optionsFor(url, settings)
  return {
    host: url.host,
    port: url.port,
    user: url.user,
    ...(url.password === null ? {} : { password: url.password }),
    database: url.database,
    application_name: settings.applicationName,
    ...(options === '' ? {} : { options }),
    tls: url.tls,
  }
}

/** `host:port/database`, which is all of a URL that people are shown. */
export const describeUrl = (url: Pick<TargetUrl, 'host' | 'port' | 'database'>): string => `${url.host}:${url.port}/${url.database}`

export type Pooler = { readonly why: string; readonly direct: string | null }

/**
 * A transaction pooler gives each transaction another session: advisory locks and `options` do not hold there. Recognised by what
 * Neon, Supabase and PgBouncer use. `direct` is the likely direct address without credentials, null when nothing can be guessed.
 */
export function detectPooler(url: TargetUrl): Pooler | null {
  const neon = url.host.includes('-pooler.') ? url.host.replace('-pooler.', '.') : null
  if (neon !== null) return { why: 'its host has -pooler in its name', direct: describeUrl({ ...url, host: neon }) }
  const port = { 6543: "port 6543 is Supabase's transaction pooler", 6432: "port 6432 is PgBouncer's" }[url.port]
  if (port !== undefined) return { why: port, direct: describeUrl({ ...url, host: supabaseDirectHost(url) ?? url.host, port: 5432 }) }
  if (url.pgbouncer) return { why: 'it says pgbouncer=true', direct: null }
  return null
}

/** Supabase's pooler takes `postgres.<project>` as the user and leads to `db.<project>.supabase.co`. */
function supabaseDirectHost(url: TargetUrl): string | null {
  const project = /^[^.]+\.([a-z0-9]+)$/.exec(url.user)?.[1]
  return url.host.endsWith('.pooler.supabase.com') && project !== undefined ? `db.${project}.supabase.co` : null
}

/** Ours last: PostgreSQL lets the last setting of a name win. */
function optionsFor(url: TargetUrl, settings: SessionSettings): string {
  const own = [
    settings.lockTimeoutMs === undefined ? [] : [`-c lock_timeout=${settings.lockTimeoutMs}`],
    settings.statementTimeoutMs === undefined ? [] : [`-c statement_timeout=${settings.statementTimeoutMs}`],
  ].flat()
  return [...(url.options === null || url.options === '' ? [] : [url.options]), ...own].join(' ')
}

function readTls(value: (name: string) => string | undefined, host: string): Tls | string {
  const written = value('sslmode') ?? 'prefer'
  const mode = (['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const).find((known) => known === written)
  if (mode === undefined) return 'its sslmode is none of disable, prefer, require, verify-ca and verify-full'
  const key = value('sslkey') ?? null
  // Prisma's sslcert is the authority's certificate; libpq's is the client's, and comes with a key
  const ca = value('sslrootcert') ?? (key === null ? value('sslcert') : undefined) ?? null
  const strict = value('sslaccept') === 'strict' && mode !== 'disable'
  if (host.startsWith('/')) return { mode: 'disable', ca: null, certificate: null, key: null }
  return { mode: strict ? 'verify-full' : mode, ca, certificate: key === null ? null : (value('sslcert') ?? null), key }
}

function readParameters(query: string): (readonly [string, string])[] | undefined {
  const pairs = query.split('&').filter((pair) => pair !== '')
  const decoded = pairs.map((pair) => {
    const at = pair.indexOf('=')
    const name = decode((at === -1 ? pair : pair.slice(0, at)).replaceAll('+', ' '))
    const value = decode((at === -1 ? '' : pair.slice(at + 1)).replaceAll('+', ' '))
    return name === undefined || value === undefined ? undefined : ([name, value] as const)
  })
  const whole = decoded.filter((pair) => pair !== undefined)
  return whole.length === decoded.length ? whole : undefined
}

const isHost = (host: string) => isIP(host) !== 0 || /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$/.test(host)

const bad = (why: string): ParsedUrl => ({ kind: 'bad', why })

/** encodeURIComponent leaves ' ( ) * ! alone, which some readers do not take in a password. */
const encode = (text: string) => encodeURIComponent(text).replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
