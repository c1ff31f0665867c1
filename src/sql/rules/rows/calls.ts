import type { Node } from 'libpg-query'
import { callsIn } from '../../effects/calls.ts'
import { routineParts } from '../../effects/routines.ts'
import type { Run } from '../run/run.ts'
import type { Id, Routine } from '../schema/model.ts'
import { tableNamed } from '../schema/resolve.ts'
import type { Schema } from '../schema/schema.ts'

/** Functions that a statement calls: what can be read of them is followed, what cannot is unknown. */
export function callsOf(run: Run, value: unknown): void {
  for (const call of callsIn(value)) {
    if (call.name === 'nextval' || call.name === 'setval' || call.name === 'currval') useSequence(run, call.args)
    else if (call.name === 'set_config') setPath(run, call.args)
    else if (!call.isHarmless) callRoutine(run, call.name, call.shown)
    else if (run.schema.routines(call.name).length > 0) callRoutine(run, call.name, call.shown)
  }
}

function useSequence(run: Run, args: readonly Node[]): void {
  const own = serialOf(run, args[0])
  if (own !== undefined) return own.forEach((id) => run.lock(id, 'RowExclusive'))
  const name = textOf(args[0])
  if (name === null) return run.dontKnow('it takes numbers from a sequence that is named in no way that can be read')
  const sequence = sequenceNamed(run.schema, name)
  if (sequence !== undefined) run.lock(sequence.id, 'RowExclusive')
}

/** `pg_get_serial_sequence('orders', 'id')`; undefined for anything else. */
function serialOf({ schema }: Run, node: Node | undefined): readonly Id[] | undefined {
  const [call] = node !== undefined && 'FuncCall' in node ? callsIn(node) : []
  const [table, column] = [textOf(call?.args[0]), textOf(call?.args[1])]
  if (call?.name !== 'pg_get_serial_sequence' || table === null || column === null) return undefined
  const found = sequenceNamed(schema, table)
  return found === undefined ? undefined : schema.owned(found.id).filter((id) => schema.table(id)?.ownedBy?.column === column)
}

/** `shop.counter`, `"Counter"`: as it stands in a string. */
export function sequenceNamed(schema: Schema, text: string): ReturnType<typeof tableNamed> {
  const parts = [...text.matchAll(/"((?:[^"]|"")*)"|([^."]+)/g)].map(
    ([, quoted, bare = '']) => quoted?.replaceAll('""', '"') ?? bare.trim().toLowerCase(),
  )
  const [name = '', given = null] = parts.toReversed()
  return tableNamed(schema, { schema: given, name })
}

function setPath(run: Run, args: readonly Node[]): void {
  const [name, value] = [textOf(args[0]), textOf(args[1])]
  if (name?.toLowerCase() !== 'search_path') return
  if (value === null) return run.dontKnow('it sets the search path to what cannot be read')
  run.schema.path.now = value
    .split(',')
    .map((one) => one.trim().replace(/^"(.*)"$/, '$1'))
    .filter((one) => one !== '' && one !== '$user')
}

function callRoutine(run: Run, name: string, shown: string): void {
  const found = run.schema.routines(name)
  if (found.length === 0) return EXPECTED.has(name) ? undefined : run.dontKnow(`it calls ${shown}, of which nobody here knows what it does`)
  for (const routine of found) followRoutine(run, routine)
}

/** Wait or signal, and leave the tables alone. */
const EXPECTED: ReadonlySet<string> = new Set(
  `pg_advisory_xact_lock pg_advisory_lock pg_advisory_unlock pg_advisory_unlock_all pg_advisory_xact_lock_shared pg_advisory_lock_shared
  pg_try_advisory_lock pg_try_advisory_xact_lock pg_notify pg_stat_reset pg_get_serial_sequence`.split(/\s+/),
)

/** Calls may go in circles; each routine is read once for a statement. */
export function followRoutine(run: Run, { schema, name, language, text }: Routine): void {
  const key = `${schema}.${name}`
  if (run.reading.routines.has(`${key} ${text ?? ''}`)) return
  run.reading.routines.add(`${key} ${text ?? ''}`)
  if (run.reading.depth > DEEPEST) return run.dontKnow('functions call each other over many steps')
  for (const part of routineParts(run.parser, { name, language, text })) followPart(run, part)
}

const DEEPEST = 50

export function followPart(run: Run, part: ReturnType<typeof routineParts>[number]): void {
  const inner: Run = { ...run, reading: { ...run.reading, depth: run.reading.depth + 1, isSure: false }, fail: () => {} }
  if ('node' in part) run.follow(inner, part.node, '')
  else run.dontKnow(`nobody can read what ${part.effect.subject} does`)
}

export const textOf = (node: Node | undefined): string | null => {
  if (node === undefined) return null
  if ('TypeCast' in node) return textOf(node.TypeCast.arg)
  return 'A_Const' in node ? (node.A_Const.sval?.sval ?? null) : null
}
