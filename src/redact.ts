/**
 * The only place that hides secrets. It works on values, not on key names: each known secret is replaced wherever it stands,
 * raw, percent-encoded, base64 (at each of the three byte offsets) or escaped for JSON.
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
  const forms = [...new Set([...secrets].filter((secret) => secret.length >= SHORTEST_SECRET).flatMap(formsOf))].sort(
    (a, b) => b.length - a.length,
  )
  if (forms.length === 0) return { text: (text) => text, stream: () => ({ write: (chunk) => chunk, end: () => '' }) }
  const pattern = new RegExp(forms.map(escapeForRegExp).join('|'), 'g')
  const text = (input: string) => input.replace(pattern, REDACTED)
  return { text, stream: () => streamOf(text, forms) }
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

/** The secrets inside a connection URL: the URL itself and its password, decoded and as written. */
export function secretsOfUrl(url: string): string[] {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (!parsed) return [url]
  const written = [parsed.password, parsed.searchParams.get('password') ?? ''].filter((part) => part !== '')
  return [url, ...written, ...written.map(decodeSafely)]
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  const json = inJson(secret)
  return [
    secret,
    ...percentForms(secret),
    json,
    inJson(json), // JSON inside JSON: a log line about a row
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'), // escaped for Slack before it comes here
    secret.replaceAll("'", "''"), // quoted by SQL, by a shell, by libpq
    secret.replaceAll("'", `'\\''`),
    secret.replace(/['\\]/g, '\\$&'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64Forms(bytes),
  ].filter((form) => form.length >= SHORTEST_SECRET)
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

/** As JavaScript's functions write it, as a strict one does (also ' ( ) * !), each with capital and small digits, and with + for a space. */
function percentForms(secret: string): string[] {
  const component = encodeURIComponent(secret.toWellFormed())
  const strict = component.replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const written = [component, strict, strict.replaceAll('%20', '+'), encodeURI(secret.toWellFormed())]
  return written.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())])
}

/** Base64 of a longer text that contains the secret: only the characters that the secret alone decides, for each alignment. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    const from = offset === 0 ? 0 : offset + 1
    const remainder = (offset + bytes.length) % 3
    const to = remainder === 0 ? whole.length : whole.length - (remainder === 1 ? 3 : 2)
    const sure = whole.slice(from, Math.max(from, to))
    return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

function streamOf(text: (input: string) => string, forms: readonly string[]) {
  let held = ''
  return {
    write(chunk: string) {
      held = text(held + chunk)
      const keep = longestOpenPrefix(held, forms)
      const out = held.slice(0, held.length - keep)
      held = held.slice(held.length - keep)
      return out
    },
    end() {
      const out = text(held)
      held = ''
      return out
    },
  }
}

/** How many characters at the end may be the beginning of a secret. */
function longestOpenPrefix(input: string, forms: readonly string[]): number {
  let longest = 0
  for (const form of forms)
    for (let length = Math.min(form.length - 1, input.length); length > longest; length--)
      if (input.endsWith(form.slice(0, length))) {
        longest = length
        break
      }
  return longest
}

const escapeForRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a lone % is not an encoding: the written form is the value
  }
}
