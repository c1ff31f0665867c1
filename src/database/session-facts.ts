import { code } from '../lib/text/code.ts'
import { truncate } from '../lib/text/text.ts'
import type { Queryable } from './connect.ts'
import type { TargetUrl } from './urls.ts'

/** What a session is given by the server, the database, the role and the URL before it says anything. */
export type SessionFacts = {
  readonly lockTimeoutMs: number
  /** The server follows another one. */
  readonly inRecovery: boolean
  readonly readOnly: boolean
  readonly searchPath: string
  /** The schemas of it that are there, in order. */
  readonly schemas: readonly string[]
  /** `replica` and `local` pass foreign keys and triggers by. */
  readonly replicationRole: string
  /** Of each setting, where it comes from; PostgreSQL's words. */
  readonly sources: Readonly<Record<SourcedSetting, string>>
}

type SourcedSetting = 'default_transaction_read_only' | 'search_path' | 'session_replication_role'

export async function readSessionFacts(client: Queryable): Promise<SessionFacts> {
  const { rows } = await client.query<SessionFacts>(
    `select (select setting::int from pg_settings where name = 'lock_timeout') as "lockTimeoutMs",
        pg_is_in_recovery() as "inRecovery", current_setting('transaction_read_only') = 'on' as "readOnly",
        current_setting('search_path') as "searchPath", current_schemas(false)::text[] as schemas,
        current_setting('session_replication_role') as "replicationRole",
        (select json_object_agg(name, source) from pg_settings
          where name in ('default_transaction_read_only', 'search_path', 'session_replication_role')) as sources`,
  )
  if (rows[0] === undefined) throw new Error('The server gave no answer about the session')
  return rows[0]
}

type Place = Pick<TargetUrl, 'host' | 'port' | 'database' | 'user'>

/** Why nothing can be changed there, with what to do; mrkdwn, null when something can. */
export function whyReadOnly({ inRecovery, readOnly, sources }: SessionFacts, url: Place): string | null {
  if (inRecovery)
    return `${code(`${url.host}:${url.port}`)} is a standby (it follows another server and takes no changes), so nothing can be migrated there. Its databases answer to the same identity as those of its primary. Let \`database.url\` name the primary server.`
  if (!readOnly) return null
  return `${code(url.database)} is read-only for the role ${code(url.user)}: ${settingText('default_transaction_read_only', 'on', sources.default_transaction_read_only, url)}`
}

/** Why names without a schema lead elsewhere than to the one of the URL; mrkdwn, null when they lead there. */
export function whyOtherSchema({ schemas, searchPath, sources }: SessionFacts, url: Place & Pick<TargetUrl, 'schema'>): string | null {
  if (schemas[0] === url.schema) return null
  // for another schema an adapter may set it from the URL; by default it begins with the schema of the role's name
  if (sources.search_path === 'default' && (url.schema !== 'public' || schemas[0] !== url.user)) return null
  const first = schemas[0] === undefined ? 'to no schema that is there' : `to the schema ${code(schemas[0])}`
  return `In ${code(url.database)} names without a schema lead ${first} and not to ${code(url.schema)}: ${settingText('search_path', searchPath, sources.search_path, url)}`
}

/** A name as it is written in a statement. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A search path of hundreds of schemas would bury what is said of it. */
const MOST_OF_A_VALUE = 120

/** Who set it, and how that is taken back. */
export function settingText(name: string, value: string, source: string, { database, user }: Pick<Place, 'database' | 'user'>): string {
  const is = `${code(name)} is ${code(truncate(value, MOST_OF_A_VALUE))}`
  const [db, role] = [identifier(database), identifier(user)]
  switch (source) {
    case 'database':
      return `${is} by ${code(`ALTER DATABASE ${db} SET`)}. ${code(`ALTER DATABASE ${db} RESET ${name}`)} takes that back.`
    case 'user':
      return `${is} by ${code(`ALTER ROLE ${role} SET`)}. ${code(`ALTER ROLE ${role} RESET ${name}`)} takes that back.`
    case 'database user':
      return `${is} by ${code(`ALTER ROLE ${role} IN DATABASE ${db} SET`)}. ${code(`ALTER ROLE ${role} IN DATABASE ${db} RESET ${name}`)} takes that back.`
    case 'global':
      return `${is} by ${code('ALTER ROLE ALL SET')}. ${code(`ALTER ROLE ALL RESET ${name}`)} takes that back.`
    case 'default':
      return `${is} as PostgreSQL has it, and the role has a schema of its name. ${code(`ALTER ROLE ${role} SET ${name} TO public`)} leads it to the other.`
    case 'client':
      return `${is} by the ${code('options')} of the URL. Take it out there.`
    default:
      return `${is} by the configuration of the server (${source}). Change it there.`
  }
}
