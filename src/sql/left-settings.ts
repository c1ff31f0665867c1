import { code } from '../lib/text/code.ts'
import { plainText, quoted } from '../lib/text/quoted.ts'
import { isHarmlessSetting, pathOf, type Changed, type LeftSetting, type SessionState } from './session-state.ts'

/** What approvers are told of settings that outlive a file, and of files that run with those of others; without a full stop, not escaped. */
export function sessionFindings(states: readonly SessionState[], at: number, names: readonly string[], schema: string): readonly string[] {
  const own = (states[at]?.after ?? []).filter(({ file }) => file === names[at])
  const told = own.flatMap((setting) => {
    const followers = names.filter((_name, index) => index > at && states[index]?.before.includes(setting) === true)
    const isTold = !isHarmlessSetting(setting, schema) && (followers.length > 0 || RECORD.has(setting.name))
    return isTold ? [{ setting, means: means(setting, schema, followers) }] : []
  })
  // several that mean the same, as in the head of a dump, are one sentence
  const groups = [...Map.groupBy(told, ({ setting, means: what }) => `${setting.isSure ? 'leaves' : 'may leave'} ${what}`).values()]
  const left = groups.map((group) =>
    leaving(
      group.map(({ setting }) => setting),
      group[0]?.means ?? '',
    ),
  )
  const inherited = (states[at]?.before ?? [])
    .filter((setting) => !isHarmlessSetting(setting, schema) && SERIOUS.has(setting.name))
    .map(
      (setting) =>
        `it ${setting.isSure ? 'begins' : 'may begin'} with ${shown(setting)}, which ${plainText(setting.file, 100)} leaves behind`,
    )
  return [...inherited, ...left]
}

function leaving(settings: readonly LeftSetting[], what: string): string {
  const [first] = settings
  const shownAll = settings.map(shown)
  const list = shownAll.length < 2 ? (shownAll[0] ?? '') : `${shownAll.slice(0, -1).join(', ')} and ${shownAll.at(-1) ?? ''}`
  const mend =
    first === undefined || first.name === '*'
      ? ''
      : settings.length === 1
        ? `; RESET ${first.name} at its end keeps it to the file`
        : '; RESET of each at its end keeps them to the file'
  return `it ${first?.isSure === true ? 'leaves' : 'may leave'} ${list} behind: ${settings.length === 1 ? what : what.replaceAll('with it', 'with them')}${mend}`
}

/** Prisma keeps others out by a lock of the session. */
export const lockFindings = (changes: readonly Changed[]): readonly string[] =>
  changes.some(({ change }) => change.kind === 'unlock' || change.kind === 'discard')
    ? ["it gives up locks of its session, the migrator's own among them, so another migrator may begin meanwhile"]
    : []

/** Why a file would be applied and yet be recorded as failed, or run where nobody can stop it; null when nothing of that is certain. */
export function whyRecordLost(path: string, left: readonly LeftSetting[], schema: string): string | null {
  for (const setting of left) {
    const { name, value, isSure, line } = setting
    if (!isSure || value === null) continue
    const where = `${quoted(path)}, line ${line}`
    if (name === 'search_path' && !pathOf(value).includes(schema))
      return `${where}: it leaves ${code('search_path')} ${value === '' ? 'empty' : `at ${quoted(value)}`}, and in that session Prisma looks for its own record, which is in ${quoted(schema)}. It would not find it (P1014): the file would be applied and yet be recorded as failed. Remove the statement (${code('pg_dump')} writes it), or end the file with ${code('RESET search_path;')}, and ask again.`
    if (name === 'default_transaction_read_only' && !isHarmlessSetting(setting, schema))
      return `${where}: it makes every later transaction of its session read-only, that in which Prisma records the file too (25006): it would be applied and yet be recorded as failed. Remove the statement, or end the file with ${code('RESET default_transaction_read_only;')}, and ask again.`
    if (name === 'application_name')
      return `${where}: it changes ${code('application_name')}, by which the session of the migration is watched and stopped. Remove the statement and ask again.`
  }
  return null
}

const shown = ({ name, value }: LeftSetting): string =>
  name === '*'
    ? 'a setting whose name is computed'
    : `${name} ${value === null ? 'at a computed value' : value === '' ? 'empty' : `at ${plainText(value, 80)}`}`

/** Prisma writes its record in the same session, and is watched there. */
const RECORD: ReadonlySet<string> = new Set([
  '*',
  'search_path',
  'role',
  'session_authorization',
  'default_transaction_read_only',
  'application_name',
  'client_encoding',
])
const SERIOUS: ReadonlySet<string> = new Set([
  'search_path',
  'role',
  'session_authorization',
  'session_replication_role',
  'default_transaction_read_only',
  'default_tablespace',
  'timezone',
])

function means(setting: LeftSetting, schema: string, followers: readonly string[]): string {
  const own = RECORD.has(setting.name) ? `the migrator writes its record ${isRole(setting.name) ? 'as that role' : 'with it'}` : null
  const later =
    followers.length === 0
      ? null
      : `${names(followers)} ${followers.length === 1 ? 'runs' : 'run'} with it${effectOf(setting, schema, followers.length === 1 ? ONE : MORE)}`
  return [own, later].filter((part) => part !== null).join(', and ')
}

const isRole = (name: string): boolean => name === 'role' || name === 'session_authorization'

const ONE = { create: 'it creates', write: 'it writes', functions: 'its functions', statements: 'its statements' }
const MORE = { create: 'they create', write: 'they write', functions: 'their functions', statements: 'their statements' }

function effectOf({ name, value }: LeftSetting, schema: string, words: typeof ONE): string {
  if (name === 'search_path') {
    const [first] = value === null ? [] : pathOf(value)
    if (first === undefined) return value === null ? ', so what names no schema goes where it leads' : ', so what names no schema fails'
    return first === schema ? '' : `, so what names no schema is created in ${plainText(first, 60)} and not in ${plainText(schema, 60)}`
  }
  if (isRole(name)) return `, so what ${words.create} belongs to ${value === null ? 'that role' : plainText(value, 60)}`
  if (name === 'session_replication_role') return `, so foreign keys and triggers do not watch what ${words.write}`
  if (name === 'check_function_bodies') return `, so the bodies of ${words.functions} are not checked`
  if (name === 'row_security') return `, so row-level security makes ${words.statements} fail instead of hiding rows`
  if (name.endsWith('_timeout')) return ' in place of what the run sets'
  return ''
}

const names = (all: readonly string[]): string => {
  const one = all.map((name) => plainText(name, 100))
  if (one.length <= 3) return one.length < 2 ? (one[0] ?? '') : `${one.slice(0, -1).join(', ')} and ${one.at(-1) ?? ''}`
  return `${one.slice(0, 2).join(', ')} and ${one.length - 2} more`
}
