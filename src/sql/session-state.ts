import type { SessionChange } from './effects/session.ts'

/** A setting that a session still has when the file has ended. */
export type LeftSetting = {
  /** The migration that set it. */
  readonly file: string
  /** `search_path`; `*` when it may be any. */
  readonly name: string
  /** Null when it is computed. */
  readonly value: string | null
  /** False when it stands in a block that may take another way. */
  readonly isSure: boolean
  /** Of the statement in the file, from 1. */
  readonly line: number
}

/** Of one file: what its session had before it, and what it has after it. */
export type SessionState = { readonly before: readonly LeftSetting[]; readonly after: readonly LeftSetting[] }

/** One start of Prisma is one session for all its files; a file that runs alone has a session of its own. */
export function sessionStates(
  files: readonly { readonly name: string; readonly concurrently: boolean; readonly changes: readonly Changed[] }[],
  isOneScript: boolean,
): readonly SessionState[] {
  let held: readonly LeftSetting[] = []
  return files.map(({ name, concurrently, changes }) => {
    const before = concurrently ? [] : held
    const after = leftBehind(name, changes, before, isOneScript)
    held = concurrently ? [] : after
    return { before, after }
  })
}

/** A change and the line of the statement that makes it. */
export type Changed = { readonly change: SessionChange; readonly line: number }

/**
 * What the session has when a file has ended, given what it had before. The file is sent as one script, so it is one transaction up to each COMMIT or ROLLBACK of its
 * own: what is rolled back is not left, and neither is what was set LOCAL. Where it may also be sent statement by statement, a ROLLBACK without
 * BEGIN may undo nothing.
 */
function leftBehind(
  file: string,
  changes: readonly Changed[],
  before: readonly LeftSetting[],
  isOneScript: boolean,
): readonly LeftSetting[] {
  let now = new Map(before.map((setting) => [setting.name, setting]))
  let atBegin = new Map(now)
  let isInBlock = false
  let savepoints: { readonly name: string; readonly held: ReadonlyMap<string, LeftSetting> }[] = []
  for (const { change, line } of changes) {
    switch (change.kind) {
      case 'set':
        if (change.isLocal) break
        if (change.value === 'none' && change.name === 'role' && change.isSure) now.delete('role')
        else now.set(change.name, { file, name: change.name, value: change.value, isSure: change.isSure, line })
        break
      case 'any':
        now.set('*', { file, name: '*', value: null, isSure: change.isSure, line })
        break
      case 'reset':
        if (change.isLocal || !change.isSure) break
        for (const name of change.name === null ? [...now.keys()].filter((one) => !KEPT.has(one)) : [change.name]) now.delete(name)
        if (change.name === 'session_authorization') now.delete('role')
        break
      case 'discard':
        now.clear()
        break
      case 'begin':
        if (!isOneScript && !isInBlock) atBegin = new Map(now)
        isInBlock = true
        break
      case 'commit':
        isInBlock = false
        atBegin = new Map(now)
        savepoints = []
        break
      case 'rollback':
        now = isOneScript || isInBlock ? new Map(atBegin) : either(atBegin, now)
        isInBlock = false
        savepoints = []
        break
      case 'savepoint':
        savepoints.push({ name: change.name, held: new Map(now) })
        break
      case 'rollback_to': {
        const at = savepoints.findLastIndex(({ name }) => name === change.name)
        const held = savepoints[at]?.held
        if (held !== undefined) now = new Map(held)
        savepoints = savepoints.slice(0, at + 1)
        break
      }
      default:
    }
  }
  return [...now.values()]
}

/** Of two that differ it is not sure which one is left. */
function either(some: ReadonlyMap<string, LeftSetting>, others: ReadonlyMap<string, LeftSetting>): Map<string, LeftSetting> {
  const sure = (name: string) => some.get(name) === others.get(name)
  return new Map([...some, ...others].map(([name, setting]) => [name, sure(name) ? setting : { ...setting, isSure: false }]))
}

/** RESET ALL leaves them as they are. */
const KEPT: ReadonlySet<string> = new Set(['role', 'session_authorization'])

/** Whether the session is with it as it is without: it names what holds anyway, or nothing that a migration does depends on it. */
export function isHarmlessSetting({ name, value }: Pick<LeftSetting, 'name' | 'value'>, schema: string): boolean {
  if (FOR_OUTPUT.has(name)) return true
  if (value === null) return false
  if (name === 'search_path') {
    const path = pathOf(value)
      .join()
      .replace(/,pg_catalog$/, '') // it is searched anyway
    return path === schema || (schema === 'public' && path === '$user,public')
  }
  const usual = USUAL[name]
  return usual !== undefined && usual.test(value.trim())
}

/** The schemas of a search path, in order. */
export const pathOf = (value: string): readonly string[] =>
  value
    .split(',')
    .map((part) => part.trim().replace(/^"(.*)"$/, '$1'))
    .filter((part) => part !== '')

const FOR_OUTPUT: ReadonlySet<string> = new Set([
  'client_min_messages',
  'log_min_messages',
  'xmloption',
  'extra_float_digits',
  'bytea_output',
  'log_statement',
  'log_min_duration_statement',
  'escape_string_warning',
])

/** What a session has when nobody sets it. */
const ON = /^(on|true|yes|1|t)$/i
const USUAL: Readonly<Record<string, RegExp>> = {
  client_encoding: /^(utf-?8|unicode)$/i,
  standard_conforming_strings: ON,
  check_function_bodies: ON,
  row_security: ON,
  session_replication_role: /^origin$/i,
  default_tablespace: /^$/,
  default_table_access_method: /^heap$/i,
  default_transaction_read_only: /^(off|false|no|0|f)$/i,
  default_transaction_isolation: /^read committed$/i,
  default_transaction_deferrable: /^(off|false|no|0|f)$/i,
}
