import { sqlState as state } from '../../lib/sqlstate.ts'

/** What the migrator's output says, as far as it can be read without guessing. */
export type Fault = {
  readonly output: string
  /** Five characters: `42P07`. */
  readonly sqlState: string | null
  /** Prisma's own code: `P3009`. */
  readonly prismaCode: string | null
  /** The database's message without its prefix: `relation "Customer" already exists`. */
  readonly message: string | null
  /** The server speaks another language (`lc_messages`): what it means shows in `sqlState` alone. */
  readonly isForeign: boolean
  /** Beside the message, as the database words them; each may have several lines. */
  readonly detail: string | null
  readonly hint: string | null
  /** Which character of what was sent the database means, from 1, and the last line that the tool shows of that place. The native engine tells it. */
  readonly position: { readonly at: number; readonly shown: string | null } | null
  /** The migration that the output names. */
  readonly migration: string | null
}

export function readFault(output: string, sqlState?: string): Fault {
  const { severity, hint, ...told } = reportIn(output)
  const isForeign = isOtherLanguage(severity, told.message)
  const state =
    sqlState ??
    first(output, /\[SQLSTATE ([0-9A-Z]{5})\]/) ??
    first(output, /Database error code: ([0-9A-Z]{5})/) ??
    first(output, /^\s+code: '([0-9A-Z]{5})',?$/m) ?? // as Node prints an error of its client
    first(output, /^Error: pq: .+ \(([0-9A-Z]{5})\)$/m) ?? // and Go
    impliedState(told.message)
  const hidden = (text: string | null) => (text !== null && isForeign && /^2[23]/.test(state ?? '22') ? withoutGuessedValues(text) : text)
  const message = hidden(told.message)
  return {
    output,
    sqlState: state,
    prismaCode: first(output, /^Error(?: code)?: (P\d{4})\b/m) ?? (message === null ? first(output, /^(P\d{4})\b/m) : null),
    message,
    isForeign,
    detail: hidden(told.detail),
    hint,
    position: positionIn(output),
    migration:
      first(output, /migration_name="([^"]+)"/) ??
      first(output, /^Migration name: (\S+)/m) ??
      first(output, /^Migration failed: (.+)$/m) ??
      first(output, /^The `([^`]+)` migration started/m) ??
      first(output, /^The migration `([^`]+)`/m),
  }
}

/** `"orders"` in `relation "orders" already exists`: the first quoted name after the word, or null. */
export const named = ({ message }: Pick<Fault, 'message'>, word: string): string | null =>
  message === null ? null : first(message, new RegExp(`\\b${word} "([^"]+)"`))

/** Rows may be personal: `Key (email)=(…) is duplicated.` */
export const withoutValues = (text: string): string => VALUES.reduce((shown, [pattern, instead]) => shown.replace(pattern, instead), text)

const VALUES: readonly (readonly [RegExp, string])[] = [
  [/^(Key \(.*?\))=\(.*\)( conflicts with (?:existing )?key \(.*?\))=\(.*\)/gm, '$1=(…)$2=(…)'],
  [/^(Key \(.*?\))=\((?!…).*\)/gm, '$1=(…)'],
  [/(key of the failing row contains \(.*?\)) = \(.*\)/gi, '$1 = (…)'],
  [/(^failing row contains )\(.*\)/gim, '$1(…)'],
  [/^((?:invalid input|malformed|date\/time field value|interval field value)[^"]*(?:"[^"]*"[^"]*)?: )".*"/gm, '$1"…"'],
  [/^(value )".*"( is out of range for type )/gm, '$1"…"$2'],
  [/^(Token )".*"( is invalid)/gm, '$1"…"$2'],
]

/** In a language whose words nobody knows here, a value stands in brackets or is quoted at the end. */
const withoutGuessedValues = (text: string): string => text.replaceAll(/\([^()]*\)/g, '(…)').replaceAll(/(:\s*)["'»«„“「『].*$/gm, '$1"…"')

/** `ERROR: …`, and the lines behind it that belong to it. */
function reportIn(output: string): Pick<Fault, 'message' | 'detail' | 'hint'> & { readonly severity: string } {
  const lines = output.split(/\r?\n/)
  const found = lines.map((line, at) => START.exec(line) ?? (lines[at - 1] === 'Database error:' ? AFTER.exec(line) : null))
  const start = found.findIndex((one) => one !== null)
  const { severity = 'ERROR', text = '' } = found[start]?.groups ?? {}
  if (start === -1) return { severity, message: otherMessage(output), detail: detailIn(output, 'detail'), hint: detailIn(output, 'hint') }
  const parts = { message: [text], detail: [] as string[], hint: [] as string[] }
  let part: keyof typeof parts = 'message'
  for (const line of lines.slice(start + 1)) {
    if (END.test(line)) break
    const [, word, text] = /^(DETAIL|HINT): +(.*)$/i.exec(line) ?? []
    if (word !== undefined) part = word.toUpperCase() === 'DETAIL' ? 'detail' : 'hint'
    parts[part].push(text ?? line)
  }
  const joined = (part: readonly string[]) => (part.length === 0 ? null : part.join('\n').trim())
  return {
    severity,
    message: joined(parts.message),
    detail: joined(parts.detail) ?? detailIn(output, 'detail'),
    hint: joined(parts.hint) ?? detailIn(output, 'hint'),
  }
}

/** The word before it is in the language of the server, and so is the message. */
const START =
  /^(?:Error: |Error querying the database: |db error: |psql:[^:]*:\d+: )*(?<severity>ERROR|FATAL|[^\s:]{1,40}(?=: \[SQLSTATE )|(?<=^psql:[^:]*:\d+: )[^\s:]{1,40}): +(?:\[SQLSTATE [0-9A-Z]{5}\] )?(?<text>.+)$/
const AFTER = /^(?<severity>[^\s:]{1,40}): (?<text>.+)$/

/** English has no other letters outside of the names that it quotes. */
const isOtherLanguage = (severity: string, message: string | null): boolean =>
  !/^(ERROR|FATAL|PANIC)$/.test(severity) || /[^\p{ASCII}]/u.test(message?.replaceAll(/"[^"]*"/g, '') ?? '')
/** An empty line, the frames of the engine, or its own rendering of the error. */
const END = /^\s*$|^\s+\d+: \S|^\s+(?:with|at) \S|^Position:|^DbError \{/

const otherMessage = (output: string): string | null =>
  first(output, /^error: (.+)$/m) ??
  first(output, /^Error: pq: (.+?)(?: \([0-9A-Z]{5}\))?$/m) ??
  first(output, /^Error: (too many .+|sorry, too many .+|remaining connection slots .+|terminating connection .+)$/m)

/** As Rust prints it: `detail: Some("Key (a)=(1) is duplicated.")`. */
const detailIn = (output: string, name: 'detail' | 'hint'): string | null =>
  first(output, new RegExp(`\\b${name}: Some\\("((?:[^"\\\\]|\\\\.)*)"\\)`))
    ?.replaceAll('\\n', '\n')
    .replaceAll(/\\(.)/g, '$1') ?? null

function positionIn(output: string): Fault['position'] {
  const at = first(output, /\bposition: Some\(Original\((\d+)\)\)/) ?? first(output, /^Position: character (\d+) of: /m)
  if (at === null) return null
  const own = /^Position: character \d+ of: (.*)$/m.exec(output)?.[1]
  if (own !== undefined) return { at: Number(at), shown: own }
  const block = /^Position:\n((?:.*\n)*?)\s*\n/m.exec(withoutColours(output))?.[1]?.trimEnd().split('\n').at(-1)
  return { at: Number(at), shown: block === undefined ? null : block.replace(/^\s*\d+ ?/, '') }
}

// oxlint-disable-next-line no-control-regex -- the native engine marks the line in colour
const withoutColours = (text: string): string => text.replaceAll(/\u001b\[[0-9;]*m/g, '')

/** Outside a migration file the WebAssembly engine leaves the SQLSTATE out; these English texts have only one. */
function impliedState(message: string | null): string | null {
  if (message === null) return null
  return IMPLIED.find(([pattern]) => pattern.test(message))?.[1] ?? null
}

const IMPLIED: readonly (readonly [RegExp, string])[] = [
  [/^canceling statement due to lock timeout/, state.lockNotAvailable],
  [/^canceling statement due to (statement timeout|user request)/, state.queryCanceled],
  [/^terminating connection due to administrator command/, state.adminShutdown],
  [/^(permission denied|must be owner of)/, state.insufficientPrivilege],
  [/^(too many connections|sorry, too many clients|remaining connection slots)/, state.tooManyConnections],
  [/^cannot execute .+ in a read-only transaction/, state.readOnlySqlTransaction],
  [/^cannot execute .+ during recovery/, state.readOnlySqlTransaction],
  [/No space left on device/, state.diskFull],
]

const first = (text: string, pattern: RegExp): string | null => pattern.exec(text)?.[1]?.trim() ?? null
