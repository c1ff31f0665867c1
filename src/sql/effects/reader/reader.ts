import type { Node } from 'libpg-query'
import { callsIn, type Call } from '../calls.ts'
import { onSession, plain, type Effect } from '../effect.ts'
import { madeOfFunctions, ruleEffects, triggerEffects } from './kept.ts'
import { partsOf } from '../names.ts'
import type { Parser } from '../parser.ts'
import { noReactions, type Reactions } from '../../../database/reactions.ts'
import { indexed, type Indexed } from '../reactions/indexed.ts'
import { reactionsTo, reactionsToCommand, reactionsToReading } from '../reactions/reactions.ts'
import { createSwitches, type Switches } from '../reactions/switches.ts'
import { blockEffects, callEffects, defineRoutine, existingEffects, nothingDefined, perhaps, type Defined, type Read } from '../routines.ts'
import { calledSessionChanges, sessionChanges } from '../session.ts'
import { ownEffects } from '../statements.ts'
import { unknownCall } from '../unknown-calls.ts'
import { isOn, walk } from '../walk.ts'

export type EffectsReader = {
  readonly beginsFile: () => void
  readonly read: (node: Node, text: string) => readonly Effect[]
}

/**
 * Reads the statements of a plan in the order in which they run, since a later one may call what an earlier one defines. `schema` is where
 * what names none is created. `isOneScript`: a file is one transaction, so far as it does not end that itself.
 */
export function createEffectsReader(
  parser: Parser,
  {
    reactions = noReactions,
    schema,
    isOneScript = true,
  }: { readonly reactions?: Reactions; readonly schema: string; readonly isOneScript?: boolean },
): EffectsReader {
  const defined = nothingDefined(parser, reactions)
  const existing = indexed(reactions)
  const switches = createSwitches(existing, { schema, isOneScript })
  return {
    beginsFile: switches.beginsFile,
    read: (node, text) => {
      switches.passing(node, true)
      const effects = effectsOf(node, text, {
        parser,
        schema,
        existing,
        switches,
        followed: new Set(),
        defined: { ...defined, called: new Map() },
      })
      for (const { session } of effects) if (session !== undefined) switches.onSession(session)
      return effects
    },
  }
}

type Reading = {
  readonly parser: Parser
  readonly schema: string
  readonly existing: Indexed
  readonly switches: Switches
  readonly followed: Set<string>
  readonly defined: Defined
}

/** The effects of one statement, wherever in it they stand; an empty list is a statement without any (SET, a plain SELECT). */
function effectsOf(node: Node, text: string, reading: Reading): readonly Effect[] {
  const { parser, schema, existing, defined, switches } = reading
  const read: Read = (inner) => {
    switches.passing(inner, false)
    return effectsOf(inner, text, reading)
  }
  const known = (name: string) => callEffects(defined, name, read)
  const there = (name: string) => existingEffects(defined, name, read)
  /** Of one name the plan may define one, and the database have another. */
  const inDatabase = (name: string) => {
    const both = [known(name), there(name)].filter((effects) => effects !== undefined)
    return both.length === 0 ? undefined : both.flat()
  }
  const how = { parser, read, known: inDatabase, switches, followed: reading.followed, views: defined.views }
  const reactions = (part: Node) => reactionsTo(part, existing, how)
  const calls = (value: unknown, isRun: boolean) => called(callsIn(value), { known, there }, isRun)
  const set = (value: unknown) => calledSessionChanges(callsIn(value)).map(onSession)
  const commands = () => (isCommand(node) ? reactionsToCommand(text, existing, how) : [])
  if ('CreateFunctionStmt' in node) defineRoutine(defined, parser, node.CreateFunctionStmt, { text, schema })
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
  // it runs the statement that it explains
  if ('ExplainStmt' in node)
    return node.ExplainStmt.query !== undefined && isOn(node.ExplainStmt.options, 'analyze') ? read(node.ExplainStmt.query) : []
  if ('CallStmt' in node) {
    const name = partsOf(node.CallStmt.funccall?.funcname)
    const last = name.at(-1) ?? ''
    const own = known(last) ?? [plain('unclear', 'calls procedure %', name.join('.'))]
    return [...own, ...(there(last) ?? []), ...calls(node.CallStmt.funccall?.args ?? [], true)]
  }
  if ('RuleStmt' in node) return ruleEffects(node.RuleStmt, read)
  if ('CreateTrigStmt' in node) return [...triggerEffects(node.CreateTrigStmt, inDatabase), ...commands()]
  if ('CreateSchemaStmt' in node) return [...ownEffects(node), ...(node.CreateSchemaStmt.schemaElts ?? []).flatMap(read)]
  if ('ViewStmt' in node) {
    const { view, query } = node.ViewStmt
    const onRead = [...calls(query, true), ...reactionsToReading(query, existing, { ...how, followed: new Set() }), ...set(query)]
    defined.views.set(view?.relname ?? '', onRead.filter(({ session }) => session !== undefined).map(perhaps))
  }
  const isRun = RUN_NOW.some((kind) => kind in node)
  return [
    ...ownEffects(node),
    ...madeOfFunctions(node, inDatabase),
    ...reactions(node),
    ...(isRun ? inside(node).flatMap((part) => ('ExecuteStmt' in part ? read(part) : [...ownEffects(part), ...reactions(part)])) : []),
    ...(isRun || 'RefreshMatViewStmt' in node ? reactionsToReading(readBy(node), existing, how) : []),
    ...calls(node, isRun),
    ...commands(),
    ...sessionChanges(node).map(onSession),
    ...(isRun ? set(node) : []),
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

/** What is called does what it does; of what nobody knows it is said where it runs now. Where it is only kept, what makes rows go is said. */
const called = (calls: readonly Call[], { known, there }: Lookups, isRun: boolean): readonly Effect[] =>
  calls.flatMap((call) => {
    const { name, isHarmless } = call
    const own = known(name) ?? (isRun && !isHarmless ? unknownCall(call) : [])
    // a name of PostgreSQL's own may be one of the database's as well
    return [...own, ...(there(name) ?? []).filter((effect) => isRun || effect.class === 'breaking')]
  })

type Lookups = Readonly<Record<'known' | 'there', (name: string) => readonly Effect[] | undefined>>

/** Event triggers fire at what changes the schema. */
const isCommand = (node: Node): boolean =>
  /^(Create|Alter|Drop|Define|Rename|Index|View|Grant|Rule|Comment|Composite|RefreshMat|Import|SecLabel|Reindex)/.test(
    Object.keys(node)[0] ?? '',
  ) && !('AlterSystemStmt' in node)

/** A materialized view is refreshed by reading it. */
const readBy = (node: Node): unknown => ('RefreshMatViewStmt' in node ? { RangeVar: node.RefreshMatViewStmt.relation } : node)
