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
  /** The migration that the output names. */
  readonly migration: string | null
}

export function readFault(output: string, sqlState?: string): Fault {
  const message = messageIn(output)
  return {
    output,
    sqlState:
      sqlState ??
      first(output, /\[SQLSTATE ([0-9A-Z]{5})\]/) ??
      first(output, /Database error code: ([0-9A-Z]{5})/) ??
      impliedState(message),
    prismaCode: first(output, /^(?:Error: )?(P\d{4})\b/m),
    message,
    migration:
      first(output, /migration_name="([^"]+)"/) ??
      first(output, /^Migration name: (\S+)/m) ??
      first(output, /^The `([^`]+)` migration started/m) ??
      first(output, /^The migration `([^`]+)`/m),
  }
}

/** `"orders"` in `relation "orders" already exists`: the first quoted name after the word, or null. */
export const named = (fault: Fault, word: string): string | null =>
  fault.message === null ? null : first(fault.message, new RegExp(`\\b${word} "([^"]+)"`))

/** The DETAIL line of the native engine; the WebAssembly one leaves it out. */
export const detailOf = (fault: Fault): string | null =>
  first(fault.output, /^(?:DETAIL|Detail): (.+)$/m) ?? first(fault.output, /detail: Some\("((?:[^"\\]|\\.)*)"\)/)

const messageIn = (output: string): string | null =>
  first(output, /ERROR: \[SQLSTATE [0-9A-Z]{5}\] (.+)/) ??
  first(output, /^(?:Error: )?(?:ERROR|FATAL): (.+)$/m) ??
  first(output, /^Error: (too many .+|sorry, too many .+|remaining connection slots .+|terminating connection .+)$/m)

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
  [/No space left on device/, state.diskFull],
]

const first = (text: string, pattern: RegExp): string | null => pattern.exec(text)?.[1]?.trim() ?? null
