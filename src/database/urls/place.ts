import { isIP } from 'node:net'
import { JOINED, type Parameters } from './parameters.ts'
import { portOf, SEVERAL_HOSTS, type Parts } from './parts.ts'

/** Where the URL leads, and as whom. */
export type Place = {
  /** A host name or address, or the directory of a socket. */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string | null
  readonly database: string
}

/** Joins what stands before the question mark with the parameters that say the same, as libpq lets one write; a part of a sentence where that is no place. */
export function readPlace(parts: Parts, parameters: Parameters): Place | string {
  const port = portOf(parameters.get('port') ?? '')
  if (typeof port === 'string') return parameters.get('port')?.includes(',') === true ? SEVERAL_HOSTS : port
  const socket = parameters.get('host')?.startsWith('/') === true ? (parameters.get('host') ?? null) : null
  // a socket's URL needs a host before the question mark for Prisma, and no reader looks at it
  const host = socket ?? one(parts.host?.replace(/^\[(.*)\]$/, '$1') ?? null, parameters.get('host') ?? null)
  const user = one(parts.user, parameters.get('user') ?? null)
  const password = one(parts.password, parameters.get('password') ?? null)
  const database = one(parts.database, parameters.get('dbname') ?? null)
  const ports = one(parts.port, port)
  if (host === TWO) return 'it names two hosts, before the question mark and as its parameter host; name one'
  if (ports === TWO) return 'it names two ports, before the question mark and as its parameter port; name one'
  if (user === TWO) return 'it names two users, before the question mark and as its parameter user; name one'
  if (password === TWO) return 'it has two passwords, before the question mark and as its parameter password; leave one'
  if (database === TWO) return 'it names two databases, before the question mark and as its parameter dbname; name one'
  if (host === null) return 'it names no host'
  const wrongHost = whyNoHost(host, ports ?? 5432, parts.host)
  if (wrongHost !== undefined) return wrongHost
  if (user === null) return 'it names no user'
  if (database === null) return 'it names no database'
  if (JOINED.test(database)) return 'a parameter stands in the name of its database; before the first one stands a ?, as it is'
  // pg-connection-string leaves these three encoded, and the native engine of Prisma all that are
  if (/[/?#]/.test(database)) return 'the name of its database has a /, ? or #, which not every reader takes for the same'
  if (database === '.' || database === '..') return 'the name of its database is taken for a step of a path'
  if (password !== null && /^[[<{(]?your[-_ ]?password[\]>})]?$/i.test(password))
    return 'its password is still the placeholder of a template'
  return { host, port: ports ?? 5432, user, password, database }
}

const TWO = Symbol('two that differ')

/** Whichever is there. */
const one = <T>(first: T | null, second: T | null): T | null | typeof TWO =>
  first !== null && second !== null && first !== second ? TWO : (first ?? second)

function whyNoHost(host: string, port: number, written: string | null): string | undefined {
  if (host.includes(',')) return SEVERAL_HOSTS
  if (host.startsWith('/')) return whyNoSocket(host, port)
  if (host.startsWith('@')) return 'its host is an abstract socket, which libpq alone opens; name the directory of a socket'
  if (host.includes('/')) return 'its host is neither a name, an address nor the absolute directory of a socket'
  const isBracketed = written?.startsWith('[') === true
  if (host.includes('%')) return 'its address names a network interface (%), which not every reader takes'
  if (isBracketed && isIP(host) !== 6) return 'what stands in its [ ] is no address of IPv6'
  if (!isBracketed && isIP(host) === 6 && written !== null) return 'an address of IPv6 has to stand in [ ]'
  // oxlint-disable-next-line no-control-regex -- everything outside of ASCII
  if (/[^\x00-\x7f]/.test(host)) return 'its host has letters outside of ASCII; write it as its xn-- name'
  if (isIP(host) === 0 && !/^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$/.test(host)) return 'its host is neither a name nor an address'
  return undefined
}

/** Of the name of a socket, on Linux; the system cuts nothing, it refuses. */
const LONGEST_SOCKET = 107

function whyNoSocket(directory: string, port: number): string | undefined {
  if (/\/\.s\.PGSQL\.\d+$/.test(directory)) return 'its host is a socket itself; name the directory that it is in'
  const length = Buffer.byteLength(`${directory}/.s.PGSQL.${port}`)
  return length > LONGEST_SOCKET
    ? `the name of its socket has ${length} bytes, and ${LONGEST_SOCKET} is the most that a system takes`
    : undefined
}
