import type { Call } from './calls.ts'
import { plain, type Effect } from './effect.ts'
import { walk } from './walk.ts'

/** What a call does whose function nobody could read: some of PostgreSQL and of well-known extensions are known by name, others by what they are handed. */
export function unknownCall({ name, shown, args }: Call): readonly Effect[] {
  const known = KNOWN[name]
  if (known !== undefined) return [known]
  if (name === 'setval') return [setsSequence(firstText(args) ?? 'a sequence')]
  if (walk(args).some((part) => typeof part['sval'] === 'string' && LOSES.test(part['sval'])))
    return [
      {
        ...plain('breaking', 'hands SQL to %, which names a DELETE, TRUNCATE or DROP', shown),
        finding: `${shown} is handed SQL that may delete or drop what is there, in this database or in another`,
      },
    ]
  return [plain('unclear', 'calls %, which may change data', shown)]
}

/** A number that comes again fails where it must be unique. */
export const setsSequence = (name: string): Effect => ({
  ...plain('transformative', 'sets the next number of %', name),
  finding: `${name} goes on from another number: below what rows have already, its next ones exist and their inserts fail`,
})

/** Words of SQL that makes rows go. */
export const LOSES =
  /\b(delete\s+from|truncate|drop\s+(table|column|schema|view|materialized|foreign|type|database|domain|sequence|owned))\b/i

const losing = (verb: string, subject: string, finding: string): Effect => ({ ...plain('breaking', verb, subject), finding })

const CUT = losing('cuts % short', 'large objects', 'large objects are cut short, and what stood behind that is gone')
const OVERWRITTEN = losing('writes over %', 'large objects', 'what large objects hold is written over')

const KNOWN: Readonly<Record<string, Effect>> = {
  lo_unlink: losing('deletes %', 'large objects', 'large objects are deleted'),
  lo_truncate: CUT,
  lo_truncate64: CUT,
  lo_put: OVERWRITTEN,
  lowrite: OVERWRITTEN,
  heap_force_kill: losing('deletes %', 'rows without a check', 'rows are deleted past every rule, trigger and foreign key (pg_surgery)'),
  // PostGIS and TimescaleDB
  dropgeometrytable: losing('drops %', 'a table', 'a table is dropped with its rows'),
  dropgeometrycolumn: losing('drops %', 'a column', 'a column is dropped with what it holds'),
  drop_chunks: losing('drops %', 'chunks of a table', 'chunks of a table are dropped with their rows'),
  pg_drop_replication_slot: losing(
    'drops %',
    'a replication slot',
    'whoever reads from that replication slot has to begin anew, with what was not read yet lost to it',
  ),
}

const firstText = (args: Call['args']): string | null => {
  const found = walk(args[0]).find((part) => typeof part['sval'] === 'string')?.['sval']
  return typeof found === 'string' ? found.replace(/^public\./, '') : null
}
