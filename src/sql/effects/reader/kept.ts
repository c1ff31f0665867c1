import type { CreateTrigStmt, Node, RuleStmt } from 'libpg-query'
import { callsIn } from '../calls.ts'
import { onRows, type Effect } from '../effect.ts'
import { inVerb, objectName, partsOf, relationName } from '../names.ts'
import type { Read } from '../routines.ts'

type Known = (name: string) => readonly Effect[] | undefined

export function ruleEffects({ relation, event, instead, actions = [] }: RuleStmt, read: Read): readonly Effect[] {
  const table = relationName(relation)
  const what = event?.replace('CMD_', '') ?? 'write'
  if (instead === true && actions.length === 0)
    return [
      {
        ...onRows('breaking', `adds a rule to % that ignores every ${what}`, relation),
        finding: `from then on every ${what} of ${table} is ignored`,
      },
    ]
  return [
    onRows('transformative', 'adds a rule to %', relation),
    ...actions
      .flatMap(read)
      .filter(isNoSession)
      .map((effect) => kept(effect, `adds a rule to ${inVerb(table)}`)),
  ]
}

export function triggerEffects({ relation, funcname, whenClause }: CreateTrigStmt, known: Known): readonly Effect[] {
  const own = `adds a trigger to ${inVerb(relationName(relation))}`
  const does = [partsOf(funcname).at(-1) ?? '', ...callsIn(whenClause).map(({ name }) => name)].flatMap((name) => known(name) ?? [])
  return [onRows('transformative', 'adds a trigger to %', relation), ...does.filter(isNoSession).map((effect) => kept(effect, own))]
}

/** Whoever writes the table later has a session of his own. */
const isNoSession = ({ session }: Effect): boolean => session === undefined

/** What happens by a rule or a trigger whenever its table is written, from now on. */
const kept = ({ finding, createsTable: _createsTable, ...effect }: Effect, by: string): Effect => ({
  ...effect,
  verb: `${by} that ${effect.verb}`,
  ...(finding === undefined ? {} : { finding: `${by.replace('adds', 'with')}, from then on: ${finding}` }),
})

/** Of casts, operators, aggregates, types, operator classes and event triggers: what the functions do that they are made of. */
export function madeOfFunctions(node: Node, known: Known): readonly Effect[] {
  const [made, functions] = functionsOf(node)
  const does = [...new Set(functions)].flatMap((name) => known(name) ?? [])
  return does.filter(isNoSession).map((effect) => kept(effect, `adds ${made}`))
}

function functionsOf(node: Node): readonly [string, readonly string[]] {
  const last = (item: Node | undefined) => (item === undefined ? [] : [objectName(item).split('.').at(-1) ?? ''])
  if ('CreateCastStmt' in node) {
    const { func } = node.CreateCastStmt
    return ['a cast', func === undefined ? [] : partsOf(func.objname).slice(-1)]
  }
  if ('CreateEventTrigStmt' in node) return ['an event trigger', partsOf(node.CreateEventTrigStmt.funcname).slice(-1)]
  if ('CreateOpClassStmt' in node)
    return [
      'an operator class',
      (node.CreateOpClassStmt.items ?? []).flatMap((item) =>
        'CreateOpClassItem' in item ? partsOf(item.CreateOpClassItem.name?.objname).slice(-1) : [],
      ),
    ]
  const definition = 'DefineStmt' in node ? node.DefineStmt.definition : 'CreateRangeStmt' in node ? node.CreateRangeStmt.params : undefined
  const made = 'DefineStmt' in node ? (DEFINED[node.DefineStmt.kind ?? ''] ?? 'an object') : 'a type'
  return [
    made,
    (definition ?? []).flatMap((item) => ('DefElem' in item && IS_FUNCTION.test(item.DefElem.defname ?? '') ? last(item.DefElem.arg) : [])),
  ]
}

const DEFINED: Readonly<Record<string, string>> = {
  OBJECT_OPERATOR: 'an operator',
  OBJECT_AGGREGATE: 'an aggregate',
  OBJECT_TYPE: 'a type',
}
const IS_FUNCTION =
  /^(procedure|function|m?sfunc\d?|minvfunc|m?finalfunc|combinefunc|input|output|receive|send|subtype_diff|canonical|typmod_in)$/i
