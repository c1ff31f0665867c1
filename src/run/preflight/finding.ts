/** What the checks before a run can find. `stop` ends the run before anything is touched; `warn` is told in the thread; `info` stands in the log. */
type FindingCode =
  | 'url_unusable'
  | 'pooler'
  | 'unreachable'
  | 'identity_changed'
  | 'rights_missing'
  | 'guards_unusable'
  | 'long_transaction'
  | 'migration_running'
  | 'lock_timeout_lost'
  | 'read_only'
  | 'other_schema'
  | 'checks_off'
  | 'few_connections'
  | 'few_locks'
  | 'time_limit'
  | 'table_locked'
  | 'backup_clients'
  | 'backup_unreadable'
  | 'backup_incomplete'
  | 'backup_elsewhere'
  | 'backup_directory'
  | 'disk_space'
  | 'same_disk'
  | 'commit_gone'
  | 'tree_changed'
  | 'live_checkout'
  | 'unhealthy_before'
  | 'backup_estimate'
  | 'clocks_apart'
  | 'not_looked'

/** `text` is one or two sentences of mrkdwn, outside text escaped: what is so, what it means, what to do. */
export type Finding = {
  readonly level: 'stop' | 'warn' | 'info'
  readonly code: FindingCode
  readonly text: string
  /** Of a warning that would be the same at every run: these words in the card's line, and no post. */
  readonly brief?: string
}

export const stop = (code: FindingCode, text: string): Finding => ({ level: 'stop', code, text })
export const warn = (code: FindingCode, text: string): Finding => ({ level: 'warn', code, text })
export const info = (code: FindingCode, text: string): Finding => ({ level: 'info', code, text })

/** One check and what it looks at, for the card while it runs. */
export type Check = { readonly name: string; readonly find: () => Promise<readonly Finding[]> }

/** `14 checks, nothing to report` / `14 checks, 1 stops the run, 2 warnings` / `14 checks; backups share the database's disk`. */
export function summary(checks: number, findings: readonly Finding[]): string {
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level && finding.brief === undefined).length
  const [stops, warnings] = [count('stop'), count('warn')]
  const briefs = findings.flatMap(({ brief }) => (brief === undefined ? [] : [brief]))
  const parts = [
    stops === 0 ? '' : `${stops} ${stops === 1 ? 'stops' : 'stop'} the run`,
    warnings === 0 ? '' : `${warnings} warning${warnings === 1 ? '' : 's'}`,
  ].filter((part) => part !== '')
  const found = parts.length === 0 && briefs.length === 0 ? ['nothing to report'] : parts
  return [[`${checks} check${checks === 1 ? '' : 's'}`, ...found].join(', '), ...briefs].join('; ')
}
