import { readFileSync } from 'node:fs'
import { sqlState } from '../lib/sqlstate.ts'
import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'
import { describeServer, describeUrl, parseTargetUrl, pgDialect, type PgConnection, type TargetUrl } from './urls.ts'
import type { Tls } from './urls/tls.ts'

/** What readers of a target need of a client. */
export type Queryable = Pick<pg.ClientBase, 'query'>

export type TargetConnection = {
  /** The configured URL, resolved. */
  readonly url: string
  readonly applicationName: string
  readonly connectTimeoutMs?: number
  /** 0 switches it off. */
  readonly statementTimeoutMs?: number
  /** Null leaves what the URL says, to read it back. */
  readonly lockTimeoutMs?: number | null
  readonly signal?: AbortSignal
}

/** Long enough for a far server and a cold one, short enough for a person who waits. */
const CONNECT_TIMEOUT_MS = 10_000
const STATEMENT_TIMEOUT_MS = 15_000
/** Of a session of ours, unless it says another. */
export const LOCK_TIMEOUT_MS = 2_000

export type ConnectionProblem =
  | 'bad_url'
  | 'unreachable'
  | 'no_such_database'
  | 'authentication'
  | 'too_many_connections'
  | 'tls'
  | 'rights'
  | 'starting'
  | 'pooler'
  | 'lost'
  | 'other'

/** `message` is a sentence for people, without credentials. */
export class TargetConnectionError extends Error {
  readonly problem: ConnectionProblem
  constructor(problem: ConnectionProblem, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'TargetConnectionError'
    this.problem = problem
  }
}

/** Runs `work` on one short-lived session of the target and ends it. Throws TargetConnectionError when there is none or it is lost; other faults pass through. */
export async function withTarget<T>(connection: TargetConnection, work: (client: Queryable, url: TargetUrl) => Promise<T>): Promise<T> {
  const url = readUrl(connection.url)
  const client = await connectTarget(connection)
  let lost: unknown
  client.on('error', (error) => (lost = error))
  const abort = () => void client.end().catch(() => {}) // the work below sees its query fail
  connection.signal?.addEventListener('abort', abort, { once: true })
  try {
    return await work(client, url)
  } catch (error) {
    connection.signal?.throwIfAborted()
    if (lost !== undefined || isConnectionLoss(error)) throw explainConnectionError(error, url)
    throw error
  } finally {
    connection.signal?.removeEventListener('abort', abort)
    await client.end().catch(() => {}) // a session that is gone has ended already
  }
}

/** A session that the caller ends. Throws TargetConnectionError. */
export async function connectTarget(connection: TargetConnection): Promise<pg.Client> {
  const url = readUrl(connection.url)
  const settings = pgDialect(url, {
    applicationName: connection.applicationName,
    ...(connection.lockTimeoutMs === null ? {} : { lockTimeoutMs: connection.lockTimeoutMs ?? LOCK_TIMEOUT_MS }),
    statementTimeoutMs: connection.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
  })
  const timeoutMs = connection.connectTimeoutMs ?? url.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
  try {
    return await firstThatConnects(settings, timeoutMs, connection.signal)
  } catch (error) {
    connection.signal?.throwIfAborted()
    throw explainConnectionError(error, url)
  }
}

/** Turns what `pg`, the socket or the server said into what a person can act on. */
export function explainConnectionError(error: unknown, url: Pick<TargetUrl, 'host' | 'port' | 'database' | 'user'>): TargetConnectionError {
  if (error instanceof TargetConnectionError) return error
  const { code, message, routine } = partsOf(error)
  const where = describeUrl(url)
  const server = describeServer(url)
  const say = (problem: ConnectionProblem, text: string) => new TargetConnectionError(problem, text, error)
  switch (code) {
    case 'ECONNREFUSED':
      return say('unreachable', `Nothing listens at ${server}. Check host and port of the URL, and that PostgreSQL runs.`)
    case 'ENOENT':
      return say('unreachable', `There is no socket of PostgreSQL in ${url.host} for port ${url.port}. Check the directory and the port.`)
    case 'EACCES':
      return say('unreachable', `The socket of PostgreSQL in ${url.host} may not be opened by this user. Check its permissions.`)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return say('unreachable', `The name ${url.host} could not be resolved. Check the host of the URL and the name service.`)
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return say('unreachable', `${server} did not answer. Check the network, the firewall and the allowed addresses of the server.`)
    case sqlState.invalidCatalogName:
      return say('no_such_database', `There is no database "${url.database}" on ${server}. Check the name in the URL.`)
    case sqlState.invalidPassword:
      return say(
        'authentication',
        `${server} refused the password of the role "${url.user}". Check user and password of the URL, and whether the role's password has expired (VALID UNTIL).`,
      )
    case sqlState.invalidAuthorization:
      return say('authentication', `${server} does not let the role "${url.user}" in (${message}). Check the role and pg_hba.conf.`)
    case sqlState.tooManyConnections:
      if (routine === 'InitializeSessionUserId' || /for role/.test(message))
        return say(
          'too_many_connections',
          `The role "${url.user}" has all the connections to ${server} that it may have. Wait until some end, or raise its CONNECTION LIMIT.`,
        )
      if (routine === 'CheckMyDatabase' || /for database/.test(message))
        return say(
          'too_many_connections',
          `The database ${where} has all the connections that it may have. Wait until some end, or raise its CONNECTION LIMIT.`,
        )
      return say('too_many_connections', `${server} has no free connection left. Wait until some end, or raise max_connections.`)
    case sqlState.insufficientPrivilege:
      return say('rights', `The role "${url.user}" may not connect to ${where} (${message}). Grant CONNECT to it.`)
    case sqlState.cannotConnectNow:
      return say('starting', `${server} is starting up or recovering and takes no connections yet. Try again in a minute.`)
    case sqlState.adminShutdown:
    case sqlState.crashShutdown:
    case 'ECONNRESET':
    case 'EPIPE':
      return say('lost', `The connection to ${where} was lost. The server may have restarted, or an administrator ended the session.`)
  }
  // PgBouncer, by the code of a broken protocol
  if (/unsupported startup parameter/i.test(message))
    return say('pooler', `${server} is a connection pooler, which takes no settings of a session. Use the direct address of the database.`)
  if (/timeout expired|timed out|ETIMEDOUT/i.test(message))
    return say('unreachable', `${server} did not answer in time. Check the network, the firewall and the allowed addresses of the server.`)
  if (/does not support SSL/i.test(message))
    return say('tls', `${server} offers no TLS, but the URL asks for it. Use sslmode=prefer or disable if that is intended.`)
  if (/certificate|self.signed|altname|SSL|TLS/i.test(`${code} ${message}`))
    return say('tls', `TLS to ${server} failed: ${message}. Check sslmode, sslrootcert and the name in the server's certificate.`)
  if (/SASL|password must be a string/i.test(message))
    return say('authentication', `${server} asks for a password and the URL has none that fits. Check user and password of the URL.`)
  if (isConnectionLoss(error)) return say('lost', `The connection to ${where} was lost. The server may have restarted.`)
  return say('other', `No connection to ${where}: ${message}`)
}

/** A fault of a session that was lost, explained; any other fault as it is. */
export const explainLoss = (error: unknown, url: string): unknown =>
  isConnectionLoss(error) ? explainConnectionError(error, readUrl(url)) : error

export function readUrl(text: string): TargetUrl {
  const parsed = parseTargetUrl(text)
  if (parsed.kind === 'bad') throw new TargetConnectionError('bad_url', `The database URL cannot be used: ${parsed.why}.`)
  return parsed.url
}

/** `prefer` means TLS where the server has it; `pg` knows only with and without. */
async function firstThatConnects(settings: PgConnection, timeoutMs: number, signal: AbortSignal | undefined): Promise<pg.Client> {
  const { tls, ...fields } = settings
  const attempt = async (ssl: boolean | ConnectionOptions) => {
    signal?.throwIfAborted()
    const client = new pg.Client({
      ...fields,
      password: fields.password ?? (() => ''), // else PGPASSWORD or ~/.pgpass would be asked, which Prisma does not
      ssl,
      connectionTimeoutMillis: timeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
    })
    client.on('error', () => {}) // each caller adds its own; without one, a lost idle session would end the process
    const abort = () => void client.end().catch(() => {})
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }
  if (tls.mode !== 'prefer') return attempt(sslOf(tls))
  try {
    return await attempt(sslOf(tls))
  } catch (error) {
    if (!/does not support SSL/i.test(partsOf(error).message)) throw error
    return attempt(false)
  }
}

function sslOf(tls: Tls): boolean | ConnectionOptions {
  if (tls.mode === 'disable') return false
  const verify = tls.mode === 'verify-ca' || tls.mode === 'verify-full'
  return {
    rejectUnauthorized: verify,
    ...(tls.ca === null || !verify ? {} : { ca: readCertificate(tls.ca) }),
    ...(tls.certificate === null ? {} : { cert: readCertificate(tls.certificate) }),
    ...(tls.key === null ? {} : { key: readCertificate(tls.key) }),
    ...(tls.mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new TargetConnectionError('tls', `The certificate file ${path} that the database URL names cannot be read.`, error)
  }
}

function isConnectionLoss(error: unknown): boolean {
  const { code, message } = partsOf(error)
  return /^(57P0[12]|ECONNRESET|EPIPE|08...)$/.test(code) || /Connection terminated|not queryable|Client was closed/i.test(message)
}

/** Node wraps failures of several addresses in one AggregateError whose message is empty. */
/** `routine`: where in PostgreSQL's source it was raised, which no language changes. */
function partsOf(error: unknown): { readonly code: string; readonly message: string; readonly routine: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return partsOf(error.errors[0])
  if (!(error instanceof Error)) return { code: '', message: String(error), routine: '' }
  const textAt = (name: 'code' | 'routine') => {
    const value: unknown = name in error ? error[name as keyof typeof error] : undefined
    return typeof value === 'string' ? value : ''
  }
  return { code: textAt('code'), message: error.message, routine: textAt('routine') }
}
