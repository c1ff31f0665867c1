import type { CreateTrigStmt, Node, RuleStmt } from 'libpg-query'
import { callsIn, type Call } from './calls.ts'
import { onRows, onSession, plain, type Effect } from './effect.ts'
import { inVerb, partsOf, relationName } from './names.ts'
import type { Parser } from './parser.ts'
import { noReactions, type Reactions } from '../../database/reactions.ts'
import { reactionsTo } from './reactions.ts'
import { blockEffects, callEffects, defineRoutine, existingEffects, type Defined, type Read } from './routines.ts'
import { calledSessionChanges, sessionChanges } from './session.ts'
import { ownEffects } from './statements.ts'
import { walk } from './walk.ts'

/** Reads the statements of a plan in the order in which they run, since a later one may call what an earlier one defines. */
export function createEffectsReader(parser: Parser, existing: Reactions = noReactions): (node: Node, text: string) => readonly Effect[] {
  const defined: Defined = { routines: new Map(), prepared: new Map(), existing }
  return (node, text) => effectsOf(node, text, parser, defined)
}

/** The effects of one statement, wherever in it they stand; an empty list is a statement without any (SET, a plain SELECT). */
function effectsOf(node: Node, text: string, parser: Parser, defined: Defined): readonly Effect[] {
  const readWith =
    (within: Defined): Read =>
    (inner) =>
      effectsOf(inner, text, parser, within)
  const read = readWith(defined)
  const known = (name: string) => callEffects(defined, name, readWith)
  const inDatabase = (name: string) => known(name) ?? existingEffects(defined, parser, name, readWith)
  const reactions = (part: Node) => reactionsTo(part, defined.existing, { parser, read, known: inDatabase })
  const calls = (value: unknown, isRun: boolean) => called(callsIn(value), { known, inDatabase }, isRun)
  if ('CreateFunctionStmt' in node) defineRoutine(defined, parser, node.CreateFunctionStmt, text)
  if ('DoStmt' in node) return blockEffects(parser, node.DoStmt, text, read)
  if ('PrepareStmt' in node) {
    const { name = '', query } = node.PrepareStmt
    defined.prepared.set(name, query === undefined ? [] : read(query))
    return []
  }
  if ('ExecuteStmt' in node) {
    const { name = '', params = [] } = node.ExecuteStmt
    return [...(defined.prepared.get(name) ?? [plain('unclear', 'runs prepared statement %', name)]), ...calls(params, true)]
  }
  if ('ExplainStmt' in node)
    return node.ExplainStmt.query !== undefined && runs(node.ExplainStmt.options) ? read(node.ExplainStmt.query) : []
  if ('CallStmt' in node) {
    const name = partsOf(node.CallStmt.funccall?.funcname)
    const last = name.at(-1) ?? ''
    const own = known(last) ?? [plain('unclear', 'calls procedure %', name.join('.')), ...(inDatabase(last) ?? [])]
    return [...own, ...calls(node.CallStmt.funccall?.args ?? [], true)]
  }
  if ('RuleStmt' in node) return rule(node.RuleStmt, read)
  if ('CreateTrigStmt' in node) return trigger(node.CreateTrigStmt, known)
  if ('CreateSchemaStmt' in node) return [...ownEffects(node), ...(node.CreateSchemaStmt.schemaElts ?? []).flatMap(read)]
  const isRun = RUN_NOW.some((kind) => kind in node)
  return [
    ...ownEffects(node),
    ...reactions(node),
    ...(isRun ? inside(node).flatMap((part) => ('ExecuteStmt' in part ? read(part) : [...ownEffects(part), ...reactions(part)])) : []),
    ...calls(node, isRun),
    ...[...sessionChanges(node), ...(isRun ? calledSessionChanges(callsIn(node)) : [])].map(onSession),
  ]
}

/** Statements that run what stands inside of them; all others keep it for later. */
const RUN_NOW = [
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'CreateTableAsStmt',
  'CopyStmt',
  'AlterTableStmt',
  'DeclareCursorStmt',
]

/** The statements below this one that write: in WITH, in COPY (…), in CREATE TABLE AS EXECUTE. */
const inside = (node: Node): readonly Node[] =>
  Object.values(node)
    .flatMap(walk)
    .flatMap((part) => (WRITING.some((kind) => kind in part) ? [part as Node] : []))

const WRITING = ['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'ExecuteStmt']

/** What is called does what it does; of what nobody knows it is said where it runs now, and not where it is only kept. */
const called = (calls: readonly Call[], { known, inDatabase }: Lookups, isRun: boolean): readonly Effect[] =>
  calls.flatMap(
    ({ name, shown, isHarmless }) =>
      known(name) ?? (isRun && !isHarmless ? [plain('unclear', 'calls %, which may change data', shown), ...(inDatabase(name) ?? [])] : []),
  )

type Lookups = Readonly<Record<'known' | 'inDatabase', (name: string) => readonly Effect[] | undefined>>

/** `EXPLAIN ANALYZE` runs the statement that it explains. */
const runs = (options: readonly Node[] = []): boolean =>
  options.some((item) => {
    if (!('DefElem' in item) || item.DefElem.defname !== 'analyze') return false
    const said = walk(item.DefElem.arg).flatMap((part) => [part['sval'], part['boolval'], part['ival']])
    return item.DefElem.arg === undefined || !said.some((value) => /^(false|off|0)$/i.test(String(value)))
  })

function rule({ relation, event, instead, actions = [] }: RuleStmt, read: Read): readonly Effect[] {
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

function trigger({ relation, funcname }: CreateTrigStmt, known: (name: string) => readonly Effect[] | undefined): readonly Effect[] {
  const own = `adds a trigger to ${inVerb(relationName(relation))}`
  const does = known(partsOf(funcname).at(-1) ?? '') ?? []
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
