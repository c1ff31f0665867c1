import { closest, distance } from 'fastest-levenshtein'
import { decodeAll } from './parts.ts'

/** Decoded, in order, each name once. */
export type Parameters = ReadonlyMap<string, string>

/** What follows the question mark, or a part of a sentence: libpq refuses what it does not know, `pg` takes some of it, Prisma drops it. */
export function readParameters(query: string): Parameters | string {
  const read = new Map<string, string>()
  for (const pair of query.split('&').filter((one) => one !== '')) {
    const at = pair.indexOf('=')
    if (at === -1) return 'a parameter has no value; it is written name=value'
    // libpq takes a + as it is, the others for a space
    const isSpaced = /^(options|application_name|fallback_application_name)=/.test(pair)
    const decoded = decodeAll([pair.slice(0, at), pair.slice(at + 1)].map((part) => (isSpaced ? part.replaceAll('+', ' ') : part)))
    if (typeof decoded === 'string') return decoded
    const [name = '', value = ''] = decoded
    const wrong = whyWrong(name, value) ?? (isKnown(name) && !isSpaced && pair.includes('+') ? plus(name) : undefined)
    if (wrong !== undefined) return wrong
    const before = read.get(name)
    if (before !== undefined && before !== value && !isOurs(name, before, value)) return twice(name)
    read.set(name, value)
  }
  return read
}

/** `prismaDialect` writes it so: the native engine knows `require` alone, a driver adapter the last one. */
const isOurs = (name: string, before: string, value: string): boolean =>
  name === 'sslmode' && before === 'require' && /^(verify-ca|verify-full|no-verify)$/.test(value)

const plus = (name: string) => `its parameter ${name} has a +, which not every reader takes for the same; write %2B or %20`

const twice = (name: string) =>
  isKnown(name)
    ? `its parameter ${name} stands there twice, with different values`
    : 'a parameter stands there twice, with different values'

/** Parameters that are another way to write what stands before the question mark. */
export const PLACES = ['host', 'port', 'user', 'password', 'dbname'] as const

/** Numbers of Prisma's, which refuses anything else without saying which. */
const NUMBERS = [
  'connect_timeout',
  'connection_limit',
  'pool_timeout',
  'socket_timeout',
  'statement_cache_size',
  'max_connection_lifetime',
  'max_idle_connection_lifetime',
]

/** Files: each reader would look for a relative one from another directory. */
const FILES = ['sslcert', 'sslkey', 'sslrootcert']

/** Passed to libpq as they are; to the others they mean nothing, and the target is the same. */
export const FOR_LIBPQ = [
  'gssencmode',
  'gsslib',
  'keepalives',
  'keepalives_count',
  'keepalives_idle',
  'keepalives_interval',
  'krbsrvname',
  'sslcompression',
  'sslsni',
  'tcp_user_timeout',
] as const

/** Numbers of libpq's, which refuses anything else, and so ends pg_dump. */
const NUMBERS_OF_LIBPQ = ['keepalives', 'keepalives_count', 'keepalives_idle', 'keepalives_interval', 'tcp_user_timeout']

/** Of `pg` and of Prisma: they would end a migration by the client's clock while the server goes on. Ours are `database.lockTimeout` and its like. */
export const TIMEOUTS: readonly string[] = [
  'socket_timeout',
  'query_timeout',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
]

const OTHERS = [
  'application_name',
  'channel_binding',
  'client_encoding',
  'fallback_application_name',
  'load_balance_hosts',
  'options',
  'pgbouncer',
  'schema',
  'ssl',
  'sslaccept',
  'sslmode',
  'sslnegotiation',
  'target_session_attrs',
  'uselibpqcompat',
]

const libpqAlone = (name: string) => `its parameter ${name} binds libpq alone, and Prisma would connect without it; leave it out`

/** Known, and not to be used, each with why. */
const refused: Readonly<Record<string, string>> = {
  hostaddr: 'its parameter hostaddr is read by libpq alone; write the address as the host',
  service: 'its parameter service names a file that libpq alone reads; write host, user and database into the URL',
  servicefile: 'its parameter servicefile names a file that libpq alone reads; write host, user and database into the URL',
  passfile: 'its parameter passfile names a file that libpq alone reads; write the password into the URL',
  sslidentity: 'its parameter sslidentity names a PKCS#12 file, which pg_dump cannot read; use a role that needs no certificate',
  sslpassword: 'its parameter sslpassword would be seen among the arguments of pg_dump; use a key without a passphrase',
  requiressl: 'its parameter requiressl is no longer read; write sslmode=require',
  replication: 'its parameter replication asks for another kind of session; leave it out',
  currentSchema: "its parameter currentSchema is JDBC's; write schema",
  search_path: 'its parameter search_path is read by nobody; write schema, or options=-c%20search_path%3D…',
  ...Object.fromEntries(
    [
      'sslcrl',
      'sslcrldir',
      'sslcertmode',
      'ssl_min_protocol_version',
      'ssl_max_protocol_version',
      'min_protocol_version',
      'max_protocol_version',
      'require_auth',
      'requirepeer',
      'scram_client_key',
      'scram_server_key',
      'sslkeylogfile',
      'gssdelegation',
      'oauth_issuer',
      'oauth_client_id',
      'oauth_client_secret',
      'oauth_scope',
      'oauth_ca_file',
    ].map((name) => [name, libpqAlone(name)]),
  ),
}

const known: readonly string[] = [...PLACES, ...NUMBERS, ...FILES, ...FOR_LIBPQ, ...TIMEOUTS, ...OTHERS, ...Object.keys(refused)]

const isKnown = (name: string): boolean => known.includes(name)

/** Nothing of what was written is repeated unless it is one of the names above: it may be a piece of a password. */
function whyWrong(name: string, value: string): string | undefined {
  if (refused[name] !== undefined) return refused[name]
  if (!isKnown(name))
    return (
      whyMistyped(name) ??
      (JOINED.test(value) ? 'a parameter stands in the value of another one; between two stands an &, as it is' : undefined)
    )
  if (value === '' && !['options', 'application_name', 'fallback_application_name'].includes(name)) return `its parameter ${name} is empty`
  if (!FREE.has(name)) {
    if (/^(["'`]).*\1$/s.test(value)) return `the value of its parameter ${name} stands in quotation marks; leave them out`
    if (JOINED.test(value)) return `another parameter stands in the value of ${name}; between two stands an &, as it is`
  }
  if (name === 'schema' && Buffer.byteLength(value) > LONGEST_NAME)
    return `the name of its schema has ${Buffer.byteLength(value)} bytes, and ${LONGEST_NAME} is the most that PostgreSQL takes`
  if (name === 'gssencmode' && value === 'require') return libpqAlone('gssencmode=require').replace('its parameter', 'its')
  if ([...NUMBERS, ...NUMBERS_OF_LIBPQ].includes(name) && !/^\d{1,9}$/.test(value)) return `its parameter ${name} is not a whole number`
  if (FILES.includes(name) && !value.startsWith('/') && !(name === 'sslrootcert' && value === 'system'))
    return `its parameter ${name} is not an absolute path, and each reader starts from another directory`
  const allowed = values[name]
  if (allowed !== undefined && !allowed.includes(value)) return `its parameter ${name} is none of ${allowed.join(', ')}`
  return undefined
}

/** Whatever somebody writes there is meant so. */
const FREE: ReadonlySet<string> = new Set(['password', 'options', 'application_name', 'fallback_application_name'])

/** A second question mark, a semicolon or an escaped & would hide what follows it, such as `sslmode`. */
export const JOINED = /[?;&]\s*[a-z_]+=/i

/** NAMEDATALEN less one: what is longer is cut by the server, and then is another name than the one that is looked for. */
const LONGEST_NAME = 63

const values: Readonly<Record<string, readonly string[]>> = {
  channel_binding: ['disable', 'prefer', 'require'],
  gssencmode: ['disable', 'prefer'],
  pgbouncer: ['true', 'false'],
  sslaccept: ['strict', 'accept_invalid_certs'],
  sslnegotiation: ['postgres', 'direct'],
  // a database that is migrated is written to
  target_session_attrs: ['any', 'read-write', 'primary'],
  uselibpqcompat: ['true', 'false'],
}

/** `sslmod=require` would connect without TLS. What resembles nothing is for somebody else's eyes. */
function whyMistyped(name: string): string | undefined {
  const lower = name.toLowerCase()
  const near = closest(lower, known)
  const isNear = lower === near || (near.length >= 4 && distance(lower, near) <= (near.length < 6 ? 1 : 2))
  if (isNear) return `it has a parameter that nobody knows; ${near} is meant, perhaps`
  return /ssl|tls|encrypt|certificate/.test(lower)
    ? 'it has a parameter about TLS that nobody reads; write sslmode, and sslrootcert for an authority'
    : undefined
}
