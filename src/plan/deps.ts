import type { Clock } from '../lib/clock.ts'
import type { Config } from '../config/config.ts'
import type { Redactor } from '../redact/redact.ts'

/** What the functions of this folder are given. */
export type PlanDeps = Pick<Config, 'home' | 'varDirectory' | 'secret'> & {
  readonly redactor: Redactor
  readonly clock: Clock
  /** The operator's environment. */
  readonly env: Readonly<Record<string, string | undefined>>
}

export type GitDeps = Pick<PlanDeps, 'home' | 'varDirectory' | 'redactor' | 'env'>
