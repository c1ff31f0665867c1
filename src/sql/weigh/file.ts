import type { Forecast, Part } from '../rules/forecast.ts'
import { validateApart } from './advice/constraints.ts'
import type { Draft, Weighed } from './draft.ts'
import type { Held } from './held.ts'
import { gradeOf, inCode, keyOf, nameOf, rowsText } from './size.ts'

/** More than that at once is more than luck should be asked for. */
const MANY_SHUT = 5
/** Of `max_locks_per_transaction` times the connections, which is 6,400 as PostgreSQL comes. */
const MANY_LOCKS = 1_000

/** Where one statement of a transaction makes another one worse: long work while an earlier statement keeps a table locked. */
export function behindLock({ line, parts }: Forecast, held: Held, weighed: Weighed): readonly Draft[] {
  const first = held.first()
  if (first === null) return []
  // what works on the same table under its own lock is told there
  const work = parts.flatMap((part) =>
    workOn(part)
      .filter((on) => !part.isNew && keyOf(on) !== keyOf(first.on))
      .map((on) => ({ part, on })),
  )[0]
  if (work === undefined) return []
  const size = weighed.sizeOf(work.on)
  const weight = gradeOf(size, weighed.thresholds)
  if (weight === 'note') return []
  const table = nameOf(first.on, weighed.schema)
  return [
    {
      code: 'wide-lock',
      weight,
      line,
      table: first.on.name,
      text: `works through ${rowsText(size, nameOf(work.on, weighed.schema))} while line ${first.line} keeps ${table} locked: nobody can ${first.mode === 'AccessExclusive' ? 'read or write' : 'write to'} ${table} until the file has ended`,
      advice: validateOf(work.part, weighed) ?? {
        text: `Put this statement, or that of line ${first.line}, into a migration of its own: locks end with their file`,
        files: [],
      },
    },
  ]
}

/** A constraint that is added without being validated, and validated while the lock of that is still held. */
export function validatedAtOnce(forecast: Forecast, added: ReadonlyMap<string, number>, weighed: Weighed): readonly Draft[] {
  return forecast.parts.flatMap((part) => {
    const { table, name } = part
    if (part.rule !== 'validate constraint' || part.isNew || table === null || name === undefined) return []
    const from = added.get(constraintKey(part))
    if (from === undefined) return []
    const size = weighed.sizeOf(table)
    return [
      {
        code: 'validate-in-one-transaction' as const,
        weight: gradeOf(size, weighed.thresholds),
        line: forecast.line,
        table: table.name,
        text: `validates ${inCode(name)} in the file that adds it (line ${from}), so the lock of that is held while ${rowsText(size, nameOf(table, weighed.schema))} are read, and NOT VALID gained nothing`,
        advice: validateApart(part, weighed.schema),
      },
    ]
  })
}

export const constraintKey = ({ table, name }: Part): string => JSON.stringify([table?.schema, table?.name, name])

/** Tables that a whole file shuts, or locks that it takes. */
export function countedLocks(held: Held, line: number, { live, schema, sizeOf }: Weighed): readonly Draft[] {
  const shut = held.shut().filter((table) => live === null || sizeOf(table).bytes !== null) // indexes and views are locked with their tables
  return [
    ...(shut.length < MANY_SHUT
      ? []
      : [
          {
            code: 'wide-lock' as const,
            weight: 'note' as const,
            line: null,
            table: null,
            text: `keeps ${shut.length} tables locked at once (${shut
              .slice(0, 3)
              .map((table) => nameOf(table, schema))
              .join(', ')} and ${shut.length - 3} more): nobody can read any of them until the last statement has ended`,
            advice: { text: 'A migration for each of them holds each for a moment only', files: [] },
          },
        ]),
    ...(held.count() < MANY_LOCKS
      ? []
      : [
          {
            code: 'many-locks' as const,
            weight: 'warning' as const,
            line,
            table: null,
            text: `holds ${held.count().toLocaleString('en-US')} locks at once; the server has room for a few thousand of all sessions together, and statements of others fail when that is used up (53200)`,
            advice: { text: 'Spread it over several migrations', files: [] },
          },
        ]),
  ]
}

const workOn = ({ rewrites, scans, builds }: Part) => [...rewrites, ...builds.map(({ on }) => on), ...scans]

const validateOf = (part: Part, { schema }: Weighed) => (part.rule === 'validate constraint' ? validateApart(part, schema) : null)

/** What cannot run in a transaction, among others in one. */
export function notAlone({ line, parts, sql }: Forecast, among: number): readonly Draft[] {
  const word =
    parts.some(({ rule }) => rule.endsWith(' concurrently')) || /^\s*(reindex|refresh)\b[^;]*\bconcurrently\b/i.test(sql)
      ? 'CONCURRENTLY'
      : parts.some(({ rule }) => rule === 'vacuum') && /^\s*vacuum\b/i.test(sql)
        ? 'VACUUM'
        : null
  if (word === null || among === 1) return []
  return [
    {
      code: 'not-alone',
      weight: 'blocker',
      line,
      table: parts[0]?.table?.name ?? null,
      text: `a statement with ${word} cannot run among others: a file is one transaction, and PostgreSQL refuses it there (25001)`,
      advice: { text: 'Put it into a migration of its own, with nothing else in the file', files: [] },
    },
  ]
}
