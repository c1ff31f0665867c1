import type { ReviewSettings } from '../../config/keys/review.ts'
import type { Catalogue } from '../../database/catalogue/catalogue.ts'
import type { Live } from '../../database/live/live.ts'
import type { Parser } from '../effects/parser.ts'
import type { Relation } from '../rules/forecast.ts'
import type { Finding } from './finding.ts'
import type { Sized } from './size.ts'

/** Before it is known whose it is and whether somebody waived it. */
export type Draft = Omit<Finding, 'migration' | 'waived'>

/** What things are weighed by. */
export type Weighing = {
  /** Null where there is no database to ask: each table is taken for large then, and the findings say so. */
  readonly live: Live | null
  /** As the plan finds it; null where there is none. */
  readonly catalogue: Catalogue | null
  /** Which version of the application meets which schema: `migrate-first` is the old one on the new schema. */
  readonly order: 'migrate-first' | 'app-first'
  readonly thresholds: ReviewSettings
  /** The schema of names without one. */
  readonly schema: string
  /** `2026-11-30`: what is put aside is dated by it. */
  readonly today: string
  readonly parser: Parser
  /** What else was found in a file, by its name. */
  readonly further?: ReadonlyMap<string, readonly Draft[]>
}

export type Weighed = Weighing & { readonly sizeOf: (relation: Relation) => Sized }
