import { isIP } from 'node:net'
import { FOR_LIBPQ, PLACES, readParameters, TIMEOUTS, type Parameters } from './urls/parameters.ts'
import { takeApart } from './urls/parts.ts'
import { readPlace, type Place } from './urls/place.ts'
import { readTls, TLS_PARAMETERS, tlsForNode, tlsForPrisma, type Tls } from './urls/tls.ts'

/**
 * One configured URL, three dialects. Prisma reads `schema` and `connection_limit`, which libpq refuses; `sslmode=require` encrypts
 * without verifying in Prisma and libpq but verifies in full in `pg`. The URL is parsed here once, and each reader gets its own words.
 */
export type TargetUrl = Place & {
  /** Prisma's `schema`, where `_prisma_migrations` lives. */
  readonly schema: string
  readonly tls: Tls
  /** The value of `options` as written, decoded. */
  readonly options: string | null
  readonly applicationName: string | null
  /** Milliseconds; null where the URL does not say. */
  readonly connectTimeoutMs: number | null
  readonly pgbouncer: boolean
  /** Everything after `?`. Prisma gets back what is meant for it. */
  readonly parameters: Parameters
}

export type ParsedUrl = { readonly kind: 'url'; readonly url: TargetUrl } | { readonly kind: 'bad'; readonly why: string }

/** What is added to a connection: names it, and bounds how long it waits for locks and runs. 0 switches a timeout off. */
export type SessionSettings = {
  readonly applicationName: string
  readonly lockTimeoutMs?: number
  readonly statementTimeoutMs?: number
}

/**
 * Takes what libpq, `pg` and Prisma would all take for the same, and refuses the rest. `why` is a part of a sentence and never holds a
 * part of the URL beyond the known names of its parameters, since any part may be a mistyped password.
 */
export function parseTargetUrl(text: string): ParsedUrl {
  const parts = takeApart(text)
  if (typeof parts === 'string') return bad(parts)
  const parameters = readParameters(parts.query)
  if (typeof parameters === 'string') return bad(parameters)
  const place = readPlace(parts, parameters)
  if (typeof place === 'string') return bad(place)
  const tls = readTls(parameters, place.host)
  if (typeof tls === 'string') return bad(tls)
  const seconds = Number(parameters.get('connect_timeout') ?? 0)
  return {
    kind: 'url',
    url: {
      ...place,
      schema: parameters.get('schema') ?? 'public',
      tls,
      options: parameters.get('options') ?? null,
      applicationName: parameters.get('application_name') ?? null,
      connectTimeoutMs: seconds > 0 ? Math.min(seconds * 1000, LONGEST_TIMER_MS) : null,
      pgbouncer: parameters.get('pgbouncer') === 'true',
      parameters,
    },
  }
}

/** Of Node; a longer one ends at once. */
const LONGEST_TIMER_MS = 2_147_483_647

/** For `DATABASE_URL` and its like, as Prisma 5 to 7 read it. */
export function prismaDialect(url: TargetUrl, settings: SessionSettings): string {
  const own = new Set<string>(['application_name', 'options', ...PLACES, ...TLS_PARAMETERS, ...TIMEOUTS])
  return written(url, settings, [...[...url.parameters].filter(([name]) => !own.has(name)), ...tlsForPrisma(url.tls, url.parameters)])
}

/** For a program that hands the URL to `pg`, as Prisma 8 does: what Prisma alone knew is left out. */
export const nodeDialect = (url: TargetUrl, settings: SessionSettings): string => written(url, settings, tlsForNode(url.tls))

/** Spaces are %20, since not every reader takes a + for one. */
function written(url: TargetUrl, settings: SessionSettings, others: readonly (readonly [string, string])[]): string {
  const socket = url.host.startsWith('/')
  const host = socket ? 'localhost' : isIP(url.host) === 6 ? `[${url.host}]` : url.host
  const password = url.password === null ? '' : `:${encode(url.password)}`
  const options = optionsFor(url, settings)
  const parameters = [
    ...others,
    ...(socket ? [['host', url.host] as const] : []),
    ['application_name', settings.applicationName] as const,
    ...(options === '' ? [] : [['options', options] as const]),
  ]
  const query = parameters.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')
  return `postgresql://${encode(url.user)}${password}@${host}:${url.port}/${encodePath(url.database)}?${query}`
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
  // with a file it would verify also where that is not asked for
  const ca = mode === 'verify-full' || mode === 'verify-ca' ? (url.tls.ca ?? systemCa ?? null) : null
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
    ['channel_binding', url.parameters.get('channel_binding') ?? null],
    ...FOR_LIBPQ.map((name) => [name, url.parameters.get(name) ?? null] as const),
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
  readonly options: string
  readonly enableChannelBinding?: true
  readonly tls: Tls
}

/** A role, a database or a server may be set to write times as `30.11.2026`, which `pg` takes for none, or to cut numbers short. */
const READABLE = ['-c datestyle=ISO', '-c extra_float_digits=1', '-c standard_conforming_strings=on']

/** Fields for `pg`; `connect.ts` turns `tls` into its `ssl`, since certificates are read from files. */
export function pgDialect(url: TargetUrl, settings: SessionSettings): PgConnection {
  const options = [optionsFor(url, settings), ...READABLE].filter((one) => one !== '').join(' ')
  return {
    host: url.host,
    port: url.port,
    user: url.user,
    ...(url.password === null ? {} : { password: url.password }),
    database: url.database,
    application_name: settings.applicationName,
    options,
    ...(url.parameters.get('channel_binding') === 'require' ? { enableChannelBinding: true } : {}),
    tls: url.tls,
  }
}

/** `host:port/database`, which is all of a URL that people are shown. */
export const describeUrl = (url: Pick<TargetUrl, 'host' | 'port' | 'database'>): string => `${describeServer(url)}/${url.database}`

/** `host:port`; an address of IPv6 in brackets. */
export const describeServer = ({ host, port }: Pick<TargetUrl, 'host' | 'port'>): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`

export type Pooler = { readonly why: string; readonly direct: string | null }

/**
 * A transaction pooler gives each transaction another session: advisory locks and `options` do not hold there. Recognised by what
 * Neon, Supabase, Prisma Postgres, RDS Proxy and PgBouncer use. `direct` is the likely direct address without credentials, null when nothing can be guessed.
 */
export function detectPooler(url: TargetUrl): Pooler | null {
  const neon = url.host.includes('-pooler.') ? url.host.replace('-pooler.', '.') : null
  if (neon !== null) return { why: 'its host has -pooler in its name', direct: describeUrl({ ...url, host: neon }) }
  if (url.host.endsWith('pooled.db.prisma.io'))
    return { why: 'its host is the pooler of Prisma Postgres', direct: describeUrl({ ...url, host: url.host.replace('pooled.', '') }) }
  if (/\.proxy-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\./.test(url.host)) return { why: 'its host is an RDS Proxy', direct: null }
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

const bad = (why: string): ParsedUrl => ({ kind: 'bad', why })

/** encodeURIComponent leaves ' ( ) * ! alone, which some readers do not take in a password. */
const encode = (text: string) => encodeURIComponent(text).replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** As little as a URL allows: of what is encoded here, not every reader of the path decodes everything. */
const encodePath = (text: string) =>
  encode(text).replace(/%(24|26|2[789ABC]|3A|3B|3D|40|21|5B|5C|5D|5E|7C)/g, (written) => decodeURIComponent(written))
