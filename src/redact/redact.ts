import { formsOf } from './secret-forms.ts'
import { createSearch, type Search } from './secret-search.ts'
import { createSplits, type Splits } from './secret-splits.ts'

/**
 * The only place that hides secrets. It works on values, not on key names: each known secret is replaced wherever it stands, in each
 * way of writing it that `secret-forms.ts` knows, whole or over several lines.
 */
export type Redactor = {
  readonly text: (text: string) => string
  /** For output that arrives in pieces: a secret split across two pieces is still found. `end` gives the rest. */
  readonly stream: () => { readonly write: (chunk: string) => string; readonly end: () => string }
}

export const REDACTED = '[redacted]'

/** Secrets shorter than this would blank out ordinary words; `check` warns about them instead. */
export const SHORTEST_SECRET = 6

export function createRedactor(secrets: Iterable<string>): Redactor {
  const known = [...secrets].filter((secret) => secret.length >= SHORTEST_SECRET)
  const forms = [...new Set(known.flatMap((secret) => formsOf(secret, SHORTEST_SECRET)))]
  if (forms.length === 0) return { text: (text) => text, stream: () => ({ write: (chunk) => chunk, end: () => '' }) }
  const search = createSearch(forms)
  const splits = createSplits(forms)
  const hide = (input: string, known: number) => {
    const joined = hideRanges(input, splits.ranges(input, '\n'), known)
    // a line break inside JSON is written as \n
    return hideWhole(search, hideRanges(joined, splits.ranges(joined, '\\n'), 0))
  }
  return { text: (input) => hide(input, 0), stream: () => streamOf(hide, search, splits) }
}

/** Every text inside a JSON value, names of keys included. What has no secret in it stays as it is, to the byte. */
export function redactedDeep<T>(redactor: Redactor, value: T): T
export function redactedDeep(redactor: Redactor, value: unknown): unknown {
  if (typeof value === 'string') return redactor.text(value)
  if (Array.isArray(value)) return value.map((part: unknown) => redactedDeep(redactor, part))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, part]: [string, unknown]) => [redactor.text(key), redactedDeep(redactor, part)]),
  )
}

/** The login inside a URL of a repository: its password, or its user where that alone is the token. None in a path or `git@host:path`. */
export function secretsOfRepository(repository: string): string[] {
  const parsed = /^https?:/i.test(repository) && URL.canParse(repository) ? new URL(repository) : undefined
  if (parsed === undefined) return []
  const { username, password } = parsed
  const written = [password, password === '' || password === 'x-oauth-basic' ? username : ''].filter((part) => part !== '')
  return [...written, ...written.map(decodeSafely)]
}

/** The values in `OTEL_EXPORTER_OTLP_HEADERS` (`name=value,name=value`), as written and as meant, and without the word before a token. */
export function secretsOfHeaders(headers: string): string[] {
  const written = headers.split(',').map((header) => header.slice(header.indexOf('=') + 1).trim())
  return [...written, ...written.map(decodeSafely)]
    .flatMap((value) => [value, value.slice(value.lastIndexOf(' ') + 1)])
    .filter((one) => one !== '')
}

/**
 * The secrets inside a connection URL: the URL itself and its password, decoded and as written. By hand, since what is no URL to a parser
 * (`postgres://app:pw@/shop`, a password with an @ or a # in it) is nevertheless what somebody keeps secret.
 */
export function secretsOfUrl(url: string): string[] {
  const [, login = ''] = /^[^:]*:\/\/(.*)@/su.exec(url) ?? []
  const afterColon = login.includes(':') ? login.slice(login.indexOf(':') + 1) : ''
  const parameters = [...url.matchAll(/(?:^|[?&\s])(?:\w*(?:password|passwd|secret|token)|pwd|api_?key)\s*=\s*'?([^&#\s']*)/g)].map(
    ([, value = '']) => value,
  )
  const written = [afterColon, afterColon.replace(/@.*$/su, ''), ...parameters].filter((part) => part !== '')
  return [...new Set([url, url.trim(), ...written, ...written.map(decodeSafely)])]
}

function hideWhole(search: Search, input: string): string {
  let out = ''
  let done = 0
  for (let found = search.next(input, 0); found !== null; found = search.next(input, done)) {
    out += input.slice(done, found.at) + REDACTED
    done = found.at + found.length
  }
  return done === 0 ? input : out + input.slice(done)
}

/** From the place on that is given; what stands before it has been shown already. */
function hideRanges(input: string, ranges: readonly { readonly from: number; readonly to: number }[], start: number): string {
  let out = ''
  let done = start
  for (const { from, to } of ranges) {
    if (to <= done) continue
    out += input.slice(done, Math.max(from, done)) + REDACTED
    done = to
  }
  return done === 0 ? input : out + input.slice(done)
}

function streamOf(hide: (input: string, start: number) => string, search: Search, splits: Splits) {
  /** The end of what was given already: a secret may have begun in it, and its lines tell what is a prefix in the lines to come. */
  let shown = ''
  let held = ''
  return {
    write(chunk: string) {
      held = hide(shown + held + chunk, shown.length)
      const from = Math.max(0, Math.min(search.openFrom(held), splits.openFrom(shown + held) - shown.length))
      const out = held.slice(0, from)
      held = held.slice(from)
      shown = splits.lastLines(shown + out)
      return out
    },
    end() {
      const out = hide(shown + held, shown.length)
      shown = ''
      held = ''
      return out
    },
  }
}

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a lone % is not an encoding: the written form is the value
  }
}
