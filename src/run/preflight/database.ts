import { escapeMarkup } from '../../lib/text/escape.ts'
import { hasSqlState, sqlState } from '../../lib/sqlstate.ts'
import { secondsText } from '../../lib/text/units.ts'
import { count, listed, quoted } from '../../lib/text/quoted.ts'
import type { LockedTable, Session } from '../../database/activity.ts'
import type { Queryable } from '../../database/connect.ts'
import { sameIdentity, type Identity } from '../../database/identity.ts'
import { settingText, whyOtherSchema, whyReadOnly, type SessionFacts } from '../../database/session-facts.ts'
import type { Rights } from '../../database/rights.ts'
import { detectPooler, parseTargetUrl, type TargetUrl } from '../../database/urls.ts'
import { info, stop, warn, type Finding } from './finding.ts'

/** A transaction pooler keeps neither advisory locks nor `options`; the run would not be safe behind one. */
export function poolerFindings(url: TargetUrl, whose = 'The database URL', what = 'migrations'): readonly Finding[] {
  const pooler = detectPooler(url)
  if (pooler === null) return []
  const direct = pooler.direct === null ? "the database's direct address" : quoted(pooler.direct)
  return [stop('pooler', `${whose} leads to a pooler: ${escapeMarkup(pooler.why)}. Use ${direct} for ${what}.`)]
}

/** Of `backup.url`; that it cannot be used is told by who connects with it. */
export function backupPoolerFindings(text: string): readonly Finding[] {
  const parsed = parseTargetUrl(text)
  return parsed.kind === 'bad' ? [] : poolerFindings(parsed.url, 'The URL of the backup (`backup.url`)', 'backups')
}

export function identityFindings(planned: Identity, found: Identity): readonly Finding[] {
  const comparison = sameIdentity(planned, found)
  if (comparison.same) return []
  return [
    stop(
      'identity_changed',
      `This is not the database that was approved: ${escapeMarkup(comparison.why)}. Ask again if the new one is meant.`,
    ),
  ]
}

/** B4: what a migration needs; tables are altered by their owner alone. */
export function rightsFindings(rights: Rights, schema: string): readonly Finding[] {
  if (rights.superuser) return []
  const role = quoted(rights.role)
  const findings: Finding[] = []
  if (!rights.schemaExists) {
    if (!rights.createInDatabase)
      findings.push(
        stop(
          'rights_missing',
          `The schema ${quoted(schema)} does not exist and the role ${role} may not create it. Create it, or grant CREATE on the database.`,
        ),
      )
  } else if (!rights.createInSchema)
    findings.push(
      stop('rights_missing', `The role ${role} may not create tables in the schema ${quoted(schema)}. Grant it USAGE and CREATE there.`),
    )
  if (rights.tablesOfOthers.length > 0)
    findings.push(
      warn(
        'rights_missing',
        `The role ${role} does not own ${listed(rights.tablesOfOthers.map(({ table, owner }) => `${table} (of ${owner})`))}. A migration that alters one of them will fail.`,
      ),
    )
  const table = rights.migrationsTable
  if (table !== null && !(table.read && table.write))
    findings.push(
      stop(
        'rights_missing',
        `The role ${role} may not ${table.read ? 'write to' : 'read'} \`_prisma_migrations\`. Grant it SELECT, INSERT and UPDATE on it.`,
      ),
    )
  return findings
}

/** Its own sessions a role may always see and end; those of others need two roles of PostgreSQL's. */
export function guardFindings(rights: Rights): readonly Finding[] {
  const lacking = [...(rights.readAllStats ? [] : ['pg_read_all_stats']), ...(rights.signalBackend ? [] : ['pg_signal_backend'])]
  if (lacking.length === 0) return []
  const effects = [
    ...(rights.readAllStats ? [] : ['what blocks a migration is known by its process id only']),
    ...(rights.signalBackend ? [] : ['sessions of other roles cannot be ended']),
  ]
  return [info('guards_unusable', `The role ${quoted(rights.role)} lacks ${lacking.join(' and ')}: ${effects.join(', and ')}.`)]
}

/** An ALTER waits for every transaction that has read its table, and everybody queues behind the ALTER. */
export function activityFindings(sessions: readonly Session[], blocksIndexes: boolean): readonly Finding[] {
  if (sessions.length === 0) return []
  const who = sessions.map(
    ({ pid, applicationName, role, transactionMs }) =>
      `${pid} (${[applicationName, role].find((name) => name !== null && name !== '') ?? 'unknown'}${transactionMs === null ? '' : `, ${secondsText(transactionMs / 1000)}`})`,
  )
  const means = blocksIndexes
    ? `An index that is built CONCURRENTLY waits until ${sessions.length === 1 ? 'it ends' : 'they end'}.`
    : `A migration may have to wait for ${sessions.length === 1 ? 'it' : 'them'} and then give up.`
  return [warn('long_transaction', `${count(sessions.length, 'transaction')} open for long, by session ${listed(who)}. ${means}`)]
}

export function prismaLockFindings(holder: Session | null, command = 'prisma migrate'): readonly Finding[] {
  if (holder === null) return []
  const name = holder.applicationName === null || holder.applicationName === '' ? '' : ` (${escapeMarkup(holder.applicationName)})`
  return [
    stop(
      'migration_running',
      `Session ${holder.pid}${name} holds the migration lock on this database, as every \`${command}\` that runs does. Wait until it ends, or end it when nobody migrates.`,
    ),
  ]
}

/** Milliseconds as the server read them from the URL that the migrator will get. */
export function lockTimeoutFindings(expectedMs: number, foundMs: number): readonly Finding[] {
  if (foundMs === expectedMs) return []
  return [
    stop(
      'lock_timeout_lost',
      `The server has a lock_timeout of ${foundMs} ms where the migration asks for ${expectedMs} ms, so something between drops the URL's options. Use a direct connection.`,
    ),
  ]
}

/** What the server, the database, the role and the URL make of every session of the migrator. */
export function sessionFindings(facts: SessionFacts, url: TargetUrl, lockTimeoutMs: number): readonly Finding[] {
  const readOnly = whyReadOnly(facts, url)
  const otherSchema = whyOtherSchema(facts, url)
  return [
    ...lockTimeoutFindings(lockTimeoutMs, facts.lockTimeoutMs),
    ...(readOnly === null ? [] : [stop('read_only', readOnly)]),
    ...(otherSchema === null
      ? []
      : [
          warn(
            'other_schema',
            `${otherSchema} Prisma sets the path itself only where its own engine connects; through a driver adapter \`prisma.config.ts\` has to.`,
          ),
        ]),
    ...(facts.replicationRole === 'origin'
      ? []
      : [
          warn(
            'checks_off',
            `Foreign keys and triggers do not watch what a migration writes: ${settingText('session_replication_role', facts.replicationRole, facts.sources.session_replication_role, url)}`,
          ),
        ]),
  ]
}

/** Milliseconds; 0 where there is none, as before PostgreSQL 17. No option of ours lifts it for the migrator, since an older server would refuse that. */
export async function readTimeLimit(client: Queryable): Promise<number> {
  const { rows } = await client.query<{ ms: number }>(
    `select coalesce((select setting::int from pg_settings where name = 'transaction_timeout'), 0) as ms`,
  )
  return rows[0]?.ms ?? 0
}

export const timeLimitFindings = (ms: number): readonly Finding[] =>
  ms === 0
    ? []
    : [
        warn(
          'time_limit',
          `The server ends every transaction of this role after ${secondsText(ms / 1000)} (transaction_timeout), and undoes a migration that takes longer. Set it to 0 for the role of the URL.`,
        ),
      ]

/** A table that somebody holds exclusively just now: the backup waits for it, `waitMs` at most, and so would the migration. */
export function lockedFindings(locked: LockedTable | null, waitMs: number): readonly Finding[] {
  if (locked === null) return []
  const { relation, kind, isWaiting, pid, applicationName, role, transactionMs } = locked
  const name = [applicationName, role].find((one) => one !== null && one !== '')
  const since = transactionMs === null ? '' : `, whose transaction has been open for ${secondsText(transactionMs / 1000)}`
  const who =
    pid === null ? 'a prepared transaction' : `session ${pid}${typeof name === 'string' ? ` (${escapeMarkup(name)})` : ''}${since}`
  const end = pid === null ? 'Commit it or roll it back.' : `End it if it should not be there: \`select pg_terminate_backend(${pid})\`.`
  const what = `the ${kind} ${quoted(relation)}`
  const how = isWaiting
    ? `${capital(who)}, waits to lock ${what} exclusively, and whoever comes later waits behind it`
    : `${capital(what)} is locked by ${who}`
  return [warn('table_locked', `${how}. The backup waits up to ${secondsText(waitMs / 1000)} for it and then fails. ${end}`)]
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** Of a check that the database did not let look; null for any other fault. */
export function notLookedFinding(name: string, error: unknown): Finding | null {
  const states = [sqlState.insufficientPrivilege, sqlState.queryCanceled, sqlState.lockNotAvailable]
  if (!states.some((state) => hasSqlState(error, state))) return null
  const said = error instanceof Error ? error.message : String(error)
  return stop('not_looked', `The database does not let ${name} be looked at: ${escapeMarkup(said)}.`)
}
