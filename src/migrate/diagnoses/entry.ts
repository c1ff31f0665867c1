import { code } from '../../lib/text/code.ts'
import { withoutValues, type Fault } from './fault.ts'

/** `headline`, `why` and `next` are mrkdwn with outside text escaped; `excerpt` is raw. */
export type Diagnosis = {
  readonly code: string
  readonly headline: string
  readonly why: string
  readonly next: string
  readonly excerpt: string
}

/** What the catalogue needs to know beyond the output to speak plainly. */
export type DiagnosisContext = {
  /** The migration that was being applied; null when none had begun. */
  readonly migration: string | null
  /** The title of the target: `Production`. */
  readonly target: string
  readonly database: string
  readonly host: string
  readonly port: number
  readonly role: string
  readonly lockTimeoutMs: number
  readonly statementTimeoutMs: number
  /** Who was seen to hold what the migration waited for, as `sentences.ts` words it: `` `reporting` (pid 4711, running for 38 min) ``. */
  readonly blocker?: { readonly name: string; readonly relation: string | null }
  /** `5 tries in 18 s` */
  readonly tries?: string
  /** The SQL of an approved migration, without secrets; null for a name that is not among them. */
  readonly sqlOf?: (migration: string) => string | null
  /** The command that marks a migration, as code. */
  readonly resolve?: (as: 'applied' | 'rolled-back', migration: string) => string
  /** How its file is called, where that is not `migration.sql`. */
  readonly fileOf?: (migration: string) => string | undefined
}

export type Entry = {
  readonly code: string
  readonly matches: (fault: Fault, context: DiagnosisContext) => boolean
  readonly explain: (fault: Fault, context: DiagnosisContext) => Omit<Diagnosis, 'code' | 'excerpt'>
}

/** Whether the migration itself says so. */
export const fileSays = (context: DiagnosisContext, fault: Fault, pattern: RegExp): boolean => {
  const name = fault.migration ?? context.migration
  return name !== null && pattern.test(context.sqlOf?.(name) ?? '')
}

/** The subject of a headline: the migration's name, or the migrator when none had begun. */
export const subject = (context: DiagnosisContext, fault: Fault): string => {
  const name = fault.migration ?? context.migration
  return name === null ? 'The migration' : code(name)
}

/** ` (…)` with the command that marks this migration, where there is one to mark. */
export const marking = (context: DiagnosisContext, fault: Pick<Fault, 'migration'>, as: 'applied' | 'rolled-back'): string => {
  const name = fault.migration ?? context.migration
  return name === null || context.resolve === undefined ? '' : ` (${context.resolve(as, name)})`
}

/** The database's own words as code: `` `division by zero` ``. Values of rows are left out. */
export const ownWords = ({ message }: Pick<Fault, 'message'>): string => code(shortened(withoutValues(message ?? '')))

/** ` PostgreSQL adds: …` with its DETAIL or HINT, or empty. */
export const adds = (text: string | null): string => (text === null ? '' : ` PostgreSQL adds: ${code(shortened(withoutValues(text)))}.`)

const shortened = (text: string): string => (text.length > 300 ? `${text.slice(0, 299)}…` : text.replace(/\.$/, '').replaceAll('\n', '; '))
