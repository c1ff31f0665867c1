import type { RangeVar } from 'libpg-query'
import type { SessionChange } from './session.ts'
import { relationName, tableOf, type Table } from './names.ts'

/** How much a change asks of those who approve it. `unclear`: nobody could read it. */
export type MigrationClass = 'additive' | 'transformative' | 'breaking' | 'unclear'

/** What one statement does, in words. Effects with equal `verb` are joined: `creates tables a and b`. */
export type Effect = {
  readonly class: MigrationClass
  /** `creates table %`, with `%` where the subject goes. */
  readonly verb: string
  readonly subject: string
  /** Existing or new tables it locks or writes; the first one is what it is about. */
  readonly tables: readonly Table[]
  /** `unless there`: with IF NOT EXISTS, so it may be an old one with rows. */
  readonly createsTable?: 'surely' | 'unless there'
  /** Harmless for a table that the same plan creates, whatever `class` says about one with rows. */
  readonly onTable?: true
  /** What is written to `table` from now on reaches the rows of `through` as well: a partition, an heir, a cascade. */
  readonly ties?: readonly { readonly table: Table; readonly through: Table }[]
  readonly finding?: string
  /** What it writes beside what is there, which is freed when its file has ended, or stays. */
  readonly room?: Room
  /** What it does to the session that runs it; nothing else is told of such an effect. */
  readonly session?: SessionChange
}

/** `table`: every row of it with its indexes, `index`: a new one. `table` null: of every table, one after another. */
export type Room = { readonly of: 'table' | 'index'; readonly table: Table | null; readonly isSure: boolean }

export const plain = (kind: MigrationClass, verb: string, subject: string): Effect => ({ class: kind, verb, subject, tables: [] })

export const onSession = (session: SessionChange): Effect => ({ class: 'additive', verb: '', subject: '', tables: [], session })

export const onRows = (kind: MigrationClass, verb: string, relation: RangeVar | undefined): Effect => ({
  class: kind,
  verb,
  subject: relationName(relation),
  tables: [tableOf(relation)],
  onTable: true,
})
