/** The parts of a URL, decoded; null where it has none. What libpq lets one write as parameters as well is not yet joined with them. */
export type Parts = {
  readonly user: string | null
  readonly password: string | null
  readonly host: string | null
  readonly port: number | null
  readonly database: string | null
  /** What follows the question mark, as written. */
  readonly query: string
}

/**
 * Takes a URL apart, or says in a part of a sentence why it may not be taken: by hand, since readers of URLs disagree about an @, #, / or ?
 * that was not escaped, and the disagreement would be about where the password ends.
 */
export function takeApart(text: string): Parts | string {
  const written = text.trim() // a secret that is kept in a file ends in a line break
  if (INVISIBLE.test(written)) return 'it holds an invisible character, as copies from a chat or a page bring along; type it anew'
  const foreign = whyForeign(written)
  if (foreign !== undefined) return foreign
  if (CONTROL.test(written)) return 'it holds a line break, a tab or another control character'
  const rest = written.slice(written.indexOf('://') + 3)
  const end = rest.search(/[/?#]|$/)
  const authority = rest.slice(0, end)
  const after = rest.slice(end)
  const unescaped = whyUnescaped(authority, after)
  if (unescaped !== undefined) return unescaped
  const [path, query] = cut(after, '?')
  if (path.slice(1).includes('/')) return 'its path has more than one part; the path is the name of the database'
  const [login, place] = authority.includes('@') ? cut(authority, '@') : ['', authority]
  const [user, password] = cut(login, ':')
  const address = addressIn(place)
  if (typeof address === 'string') return address
  const decoded = decodeAll([user, password, address.host, path.slice(1)])
  if (typeof decoded === 'string') return decoded
  const [ownUser, ownPassword, host, database] = decoded.map((part) => (part === '' ? null : part))
  return { user: ownUser ?? null, password: ownPassword ?? null, host: host ?? null, port: address.port, database: database ?? null, query }
}

/** Decodes percent-encoding; a part of a sentence where that cannot be done. */
export function decodeAll(parts: readonly string[]): readonly string[] | string {
  if (parts.some((part) => /%(?![0-9a-f]{2})/i.test(part)))
    return 'it has a % that is not followed by two hexadecimal digits; a % in a password is written %25'
  try {
    const decoded = parts.map((part) => decodeURIComponent(part))
    return decoded.some((part) => CONTROL.test(part)) ? 'it holds a line break, a tab or another control character' : decoded
  } catch {
    return 'its percent-encoding does not give UTF-8'
  }
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\0-\x1f\x7f]/

/** Spaces that look like others, and what takes no place at all. Who means one writes it percent-encoded. */
const INVISIBLE = /[\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]/

/** What people put where a URL of PostgreSQL belongs. */
function whyForeign(text: string): string | undefined {
  if (/^postgres(ql)?:\/\//.test(text)) return undefined
  return foreign.find(([form]) => form.test(text))?.[1] ?? 'it does not start with postgresql://'
}

const foreign: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'it is empty'],
  [/^["'`“”‘’]/, 'it stands in quotation marks; leave them out'],
  [/^(export\s+)?\w+\s*=\s*["']?\w+(\+\w+)*:\/\//i, 'it begins with the name of a variable; only what follows the = belongs there'],
  [/^(\$\{?\w+\}?|%\w+%)$/, 'it is the name of a variable instead of its value'],
  [/^psql\s/, 'it is a command line of psql; only the URL in it belongs there'],
  [/^\w+\s*=/, 'it is a list of words such as host=…; write it as postgresql://user:password@host:5432/database'],
  [/^jdbc:/i, 'it is a URL of JDBC; write it as postgresql://user:password@host:5432/database'],
  [
    /^prisma(\+postgres)?:/i,
    "it leads to Prisma's proxy, through which nothing can be backed up; use the direct URL, which begins with postgres://",
  ],
  [/^postgres(ql)?\+\w+:/i, 'its scheme names a driver; write postgresql://'],
  [/^postgres(ql)?:\/\//i, 'its scheme is in capital letters; write postgresql://'],
  [/^postgres(ql)?:/i, 'its scheme is not followed by two slashes; write postgresql://'],
  [/^(mysql|mariadb):/i, 'it leads to MySQL; only PostgreSQL can be migrated'],
  [/^(file|sqlite):/i, 'it leads to SQLite; only PostgreSQL can be migrated'],
  [/^(sqlserver|mongodb|mongodb\+srv|cockroachdb):/i, 'it leads to another kind of database; only PostgreSQL can be migrated'],
]

/** `authority` ends at the first `/`, `?` or `#`; what is escaped is none. */
function whyUnescaped(authority: string, after: string): string | undefined {
  const [first = ''] = after
  const escaped = { '/': '%2F', '?': '%3F', '#': '%23' }[first]
  if (!authority.includes('@') && after.includes('@') && !isWithoutLogin(authority, after))
    return `a ${first} stands before the @; in a user or password it is written ${escaped}`
  if (after.includes('#')) return 'it holds a #, which not every reader takes for the same; it is written %23'
  if (authority.split('@').length > 2) return 'it has two @ before its host; in a user or password an @ is written %40'
  return undefined
}

/** `postgresql:///shop?host=/tmp&user=me@corp`: the @ belongs to the value of a parameter. */
function isWithoutLogin(authority: string, after: string): boolean {
  const [path, query] = cut(after, '?')
  const isAddress = authority === '' || typeof addressIn(authority) !== 'string'
  return isAddress && !path.includes('@') && query.split('&').every((pair) => /^[a-z_]+=/.test(pair))
}

function addressIn(place: string): { readonly host: string; readonly port: number | null } | string {
  if (place.startsWith('[')) {
    const inside = /^(\[[^\]]*\])(?::(.*))?$/.exec(place)
    return inside === null ? 'its host has a [ without its ]' : withPort(inside[1] ?? '', inside[2] ?? '')
  }
  if (place.includes(',')) return SEVERAL_HOSTS
  const colons = place.split(':').length - 1
  if (colons > 1 && /^[0-9a-f:.]+$/i.test(place)) return 'an address of IPv6 has to stand in [ ]'
  const [host, port] = cut(place, ':')
  return withPort(host, port)
}

export const SEVERAL_HOSTS = 'it names several hosts; name the one that is written to'

function withPort(host: string, written: string) {
  const port = portOf(written)
  return typeof port === 'string' ? port : { host, port }
}

/** Null for none; a part of a sentence for what is no port. */
export function portOf(written: string): number | null | string {
  if (written === '') return null
  if (!/^\d+$/.test(written)) return 'its port is not a number'
  const port = Number(written)
  return port >= 1 && port <= 65_535 ? port : 'its port is not between 1 and 65535'
}

/** Before and after the first `mark`; without one, all of it before. */
function cut(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
