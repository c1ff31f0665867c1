import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import { adds, ownWords, subject, type Entry } from './entry.ts'
import { named, type Fault } from './fault.ts'

/** Values and the types that they should get. */
export const valueDiagnoses: readonly Entry[] = [
  {
    code: 'no_automatic_cast',
    matches: ({ message }) => /cannot be cast automatically to type/.test(message ?? ''),
    explain: (fault, context) => {
      const type = /to type (.+)$/m.exec(fault.message ?? '')?.[1] ?? 'the new type'
      const isDefault = fault.message?.startsWith('default for') === true
      return {
        headline: `${subject(context, fault)} stopped: ${isDefault ? 'the default of ' : ''}column ${code(named(fault, 'column') ?? '?')} does not become ${code(type)} by itself.`,
        why: 'PostgreSQL converts only between types that it knows to be alike; for others the migration says how.',
        next: isDefault
          ? 'Drop the default before the change of type and set it again after it, in the migration. Then ask again.'
          : `Write how each value is converted (${code(`ALTER COLUMN … TYPE ${type} USING …::${type}`)}), after a look at the values that are there. Then ask again.`,
      }
    },
  },
  {
    code: 'foreign_key_types',
    matches: ({ message }) => /^foreign key constraint "[^"]+" cannot be implemented/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: the columns of the foreign key ${code(named(fault, 'constraint') ?? '?')} have other types than those that they point at.`,
      why: `A foreign key compares both.${adds(fault.detail)}`,
      next: 'Give both the same type in the migration before the key is added, then ask again.',
    }),
  },
  {
    code: 'types_differ',
    matches: ({ sqlState }) => sqlState === state.datatypeMismatch || sqlState === state.cannotCoerce,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: two types in it do not fit together.`,
      why: `PostgreSQL says: ${ownWords(fault)}.${adds(fault.detail)}${adds(fault.hint)}`,
      next: 'Give both the same type, or write the cast. Then ask again.',
    }),
  },
  {
    code: 'value_does_not_fit',
    matches: ({ sqlState }) =>
      sqlState !== null &&
      (
        [
          state.stringDataRightTruncation,
          state.numericValueOutOfRange,
          state.invalidDatetimeFormat,
          state.datetimeFieldOverflow,
          state.invalidTextRepresentation,
        ] as readonly string[]
      ).includes(sqlState),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: a value does not fit the type that it should get.`,
      why: `PostgreSQL says: ${ownWords(fault)}. Such a value stands in the migration or in a row that it converts.`,
      next: 'Find these rows (their number and their values), repair them in a migration of their own or widen the type, then ask again.',
    }),
  },
  {
    code: 'rows_exclude_each_other',
    matches: ({ sqlState }) => sqlState === state.exclusionViolation,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: rows break ${constraintOf(fault)}.`,
      why: 'Two rows have values that the constraint does not let stand side by side.',
      next: 'Find the rows that collide, decide which one stays, clean them up in a migration of their own, then ask again.',
    }),
  },
  {
    code: 'partition_missing',
    matches: ({ message }) => /^no partition of relation "[^"]+" found for row/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: no partition of ${code(named(fault, 'relation') ?? '?')} takes one of its rows.`,
      why: 'A row goes into the partition whose bounds hold its key; there is none for this one and no default partition.',
      next: 'Create the partition in an earlier migration or before the rows are written, then ask again.',
    }),
  },
]

const constraintOf = (fault: Fault): string => {
  const name = named(fault, 'constraint')
  return name === null ? 'an exclusion constraint' : `the exclusion constraint ${code(name)}`
}
