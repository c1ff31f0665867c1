import type { A_Expr, MergeStmt, Node, RangeVar } from 'libpg-query'
import type { Reactions, WriteEvent } from '../../database/reactions.ts'
import { plain, type Effect } from './effect.ts'
import { inVerb, partsOf, tableName, tableOf, type Table } from './names.ts'
import type { Parser } from './parser.ts'
import type { Read } from './routines.ts'
import { walk } from './walk.ts'

/** What follows in the database from a statement: triggers, rules, functions of defaults and views, and foreign keys that reach further. */

type How = {
  readonly parser: Parser
  readonly read: Read
  /** Calls a function by its name; undefined when nobody can read it. */
  readonly known: (name: string) => readonly Effect[] | undefined
  /** Whether the plan has switched triggers of this table on. */
  readonly isSwitchedOn: (table: Table) => boolean
  /** What was followed within this statement already: each table and event once, so that what goes in circles ends. */
  readonly followed: Set<string>
}

/** By the name of the table, since every statement of a plan asks. */
export type Indexed = { readonly [Kind in Tied]: (table: string) => Reactions[Kind] } & Pick<Reactions, 'eventTriggers' | 'operators'>
type Tied = 'triggers' | 'rules' | 'uses' | 'references' | 'heirs' | 'views' | 'reads'

export function indexed(existing: Reactions): Indexed {
  const by = <Row extends { readonly table: string }>(rows: readonly Row[]) => {
    const groups = Map.groupBy(rows, ({ table }) => table)
    return (table: string): readonly Row[] => groups.get(table) ?? []
  }
  return {
    triggers: by(existing.triggers),
    rules: by(existing.rules),
    uses: by(existing.uses),
    references: by(existing.references),
    heirs: by(existing.heirs),
    views: by(existing.views),
    reads: by(existing.reads),
    eventTriggers: existing.eventTriggers,
    operators: existing.operators,
  }
}

export function reactionsTo(node: Node, existing: Indexed, how: How): readonly Effect[] {
  return writesIn(node).flatMap((write) => follow(write, existing, how))
}

/** Functions of the views that a statement reads, and of the operators in it. */
export function reactionsToReading(value: unknown, existing: Indexed, how: How): readonly Effect[] {
  const parts = walk(value)
  const used = new Set(
    existing.operators.length === 0 ? [] : parts.flatMap(({ A_Expr: one }) => partsOf((one as A_Expr | undefined)?.name)),
  )
  return [
    ...parts.flatMap(({ RangeVar: relation }) => (relation === undefined ? [] : read(tableOf(relation as RangeVar), existing, how))),
    ...existing.operators
      .filter(({ name }) => used.has(name))
      .flatMap(({ name, routine }) => (how.known(routine) ?? []).map((effect) => by(`operator ${name}`, effect))),
  ]
}

/** By event triggers, as far as rows or tables go by them; they fire at nearly every change of the schema. */
export function reactionsToCommand(text: string, existing: Indexed, how: Pick<How, 'known'>): readonly Effect[] {
  return existing.eventTriggers
    .filter(({ tags }) => tags === null || tags.some((tag) => new RegExp(tag.replaceAll(' ', String.raw`\s[^;]*?`), 'i').test(text)))
    .flatMap(({ name, routine }) =>
      (how.known(routine) ?? []).filter(({ class: kind }) => kind === 'breaking').map((effect) => by(`event trigger ${name}`, effect)),
    )
}

type Write = {
  readonly table: Table
  readonly event: WriteEvent
  /** Those that an UPDATE sets; null when that is not known. */
  readonly columns: readonly string[] | null
  /** Not of `ONLY …`. */
  readonly withHeirs: boolean
  readonly withReferring: boolean
}

function follow(first: Write, existing: Indexed, how: How): readonly Effect[] {
  const effects: Effect[] = []
  const fired = new Set<string>()
  const open: Write[] = [first]
  for (let write = open.shift(); write !== undefined; write = open.shift()) {
    const { table, event } = write
    const key = JSON.stringify([table.schema, table.name, event, write.columns])
    if (how.followed.has(key)) continue
    how.followed.add(key)
    effects.push(...atTable(write, existing, how, fired))
    for (const { effect, ...next } of further(write, existing, how.parser)) {
      effects.push(...(effect === undefined ? [] : [effect]))
      open.push(next)
    }
  }
  return effects
}

/** What runs where rows of this very table are written; a partition's copy of a trigger is the one of its table. */
function atTable({ table, event }: Write, existing: Indexed, how: How, fired: Set<string>): readonly Effect[] {
  const isIts = itsOf(table)
  const triggers = existing
    .triggers(table.name)
    .filter((one) => isIts(one) && one.events.includes(event) && (!one.isOff || how.isSwitchedOn(table)))
    .filter(({ name, routine }) => !fired.has(`${name} ${routine}`))
  for (const { name, routine } of triggers) fired.add(`${name} ${routine}`)
  const uses = event === 'INSERT' || event === 'UPDATE' ? existing.uses(table.name).filter(isIts) : []
  return [
    ...triggers.flatMap(({ name, routine }) =>
      (how.known(routine) ?? [plain('unclear', 'runs %', `function ${routine}`)]).map((effect) => by(`trigger ${name}`, effect, table)),
    ),
    ...existing
      .rules(table.name)
      .filter((one) => isIts(one) && one.event === event)
      .flatMap(({ name, text }) => ruleEffects(name, text, table, how)),
    ...uses
      .filter((one) => one.by === 'check' || (one.by === 'default' && event === 'INSERT'))
      .flatMap((one) => (how.known(one.routine) ?? []).map((effect) => by(`function ${one.routine} in a ${one.by}`, effect, table))),
  ]
}

type Next = Write & { readonly effect?: Effect }

/** Where the write goes on: behind a view, to partitions and heirs, along foreign keys. */
function further(write: Write, existing: Indexed, parser: Parser): readonly Next[] {
  const { table, event } = write
  const isIts = itsOf(table)
  const isInstead =
    existing.triggers(table.name).some((one) => isIts(one) && one.isInstead && one.events.includes(event)) ||
    existing.rules(table.name).some((one) => isIts(one) && one.event === event && / DO INSTEAD /.test(one.text))
  const views = isInstead ? [] : existing.views(table.name).filter(isIts)
  const heirs = write.withHeirs ? existing.heirs(table.name).filter((one) => isIts(one) && (event !== 'INSERT' || one.isPartition)) : []
  return [
    ...views.flatMap(({ text }) => baseOf(text, parser)).map((base) => ({ ...write, table: base, effect: behind(table, base, event) })),
    ...heirs.map((one) => {
      const heir = otherOf(one)
      return { ...write, table: heir, ...(one.isPartition ? {} : { effect: inherited(table, heir, event) }) }
    }),
    ...existing
      .references(table.name)
      .filter(isIts)
      .flatMap((one) => referring(write, one)),
  ]
}

/** The one table of a view that passes on what is written to it. */
function baseOf(query: string, parser: Parser): readonly Table[] {
  try {
    return parser.sql(query).flatMap((node) => {
      const [from] = 'SelectStmt' in node ? (node.SelectStmt.fromClause ?? []) : []
      return from !== undefined && 'RangeVar' in from ? [tableOf(from.RangeVar)] : []
    })
  } catch {
    return [] // a newer server's syntax
  }
}

const DOES: Readonly<Record<WriteEvent, string>> = {
  INSERT: 'adds rows to %',
  UPDATE: 'backfills %',
  DELETE: 'deletes rows of %',
  TRUNCATE: 'empties %',
}

const onOther = (kind: Effect['class'], verb: string, other: Table, finding?: string): Effect => ({
  ...plain(kind, verb, tableName(other)),
  tables: [other],
  ...(finding === undefined ? {} : { finding }),
})

const behind = (view: Table, base: Table, event: WriteEvent): Effect =>
  event === 'DELETE'
    ? onOther('breaking', DOES[event], base, `rows of ${tableName(base)} go with those of its view ${tableName(view)}`)
    : onOther('transformative', `by view ${inVerb(tableName(view))} ${DOES[event]}`, base)

const inherited = (parent: Table, heir: Table, event: WriteEvent): Effect =>
  event === 'DELETE' || event === 'TRUNCATE'
    ? onOther('breaking', DOES[event], heir, `rows of ${tableName(heir)} go with those of ${tableName(parent)}, from which it inherits`)
    : onOther('transformative', DOES[event], heir)

function referring({ table, event, columns, withReferring }: Write, key: Reactions['references'][number]): readonly Next[] {
  const other = otherOf(key)
  const [from, name] = [tableName(table), tableName(other)]
  const next = { table: other, columns: key.otherColumns, withHeirs: true, withReferring }
  if (event === 'TRUNCATE')
    return withReferring
      ? [
          {
            ...next,
            event,
            effect: onOther('breaking', DOES[event], other, `${name} is emptied with ${from}, to which it refers (CASCADE)`),
          },
        ]
      : []
  if (event === 'DELETE' && key.onDelete === 'delete')
    return [
      { ...next, event, effect: onOther('breaking', DOES[event], other, `rows of ${name} go with those of ${from} (ON DELETE CASCADE)`) },
    ]
  const isUnset = event === 'DELETE' ? key.onDelete === 'unset' : event === 'UPDATE' && key.onUpdate === 'unset'
  const isOfKey = event === 'DELETE' || columns === null || key.columns.some((column) => columns.includes(column))
  if (!isOfKey) return []
  if (isUnset) {
    const what = event === 'DELETE' ? `what goes from ${from}` : `what changes in ${from}`
    const finding = `rows of ${name} that refer to ${what} lose that reference (ON ${event} SET NULL or DEFAULT)`
    return [{ ...next, event: 'UPDATE', effect: onOther('transformative', `unsets references to ${inVerb(from)} in %`, other, finding) }]
  }
  if (event !== 'UPDATE' || key.onUpdate !== 'update') return []
  return [{ ...next, event, effect: onOther('transformative', `updates references to ${inVerb(from)} in %`, other) }]
}

/** A view may read others. */
function read(first: Table, existing: Indexed, how: How): readonly Effect[] {
  const effects: Effect[] = []
  const open = [first]
  for (let table = open.shift(); table !== undefined; table = open.shift()) {
    const view = table
    const key = JSON.stringify([view.schema, view.name, 'SELECT'])
    if (how.followed.has(key)) continue
    how.followed.add(key)
    const isIts = itsOf(view)
    const uses = existing.uses(view.name).filter((one) => isIts(one) && one.by === 'view')
    effects.push(...uses.flatMap(({ routine }) => (how.known(routine) ?? []).map((effect) => by(`function ${routine}`, effect, view))))
    open.push(...existing.reads(view.name).filter(isIts).map(otherOf))
  }
  return effects
}

/** A name without a schema may be of each. */
const itsOf =
  (table: Table) =>
  (one: { readonly schema: string; readonly table: string }): boolean =>
    one.table === table.name && (table.schema === null || table.schema === one.schema)

const otherOf = ({ otherSchema: schema, other: name }: { readonly otherSchema: string; readonly other: string }): Table => ({
  schema,
  name,
})

function writesIn(node: Node): readonly Write[] {
  const write = (relation: RangeVar | undefined, event: WriteEvent, targets?: readonly Node[]): Write => ({
    table: tableOf(relation),
    event,
    columns: targets === undefined ? null : targets.flatMap((item) => ('ResTarget' in item ? [item.ResTarget.name ?? ''] : [])),
    withHeirs: relation?.inh === true,
    withReferring: false,
  })
  if ('InsertStmt' in node) {
    const { relation, onConflictClause } = node.InsertStmt
    const overwrites = onConflictClause?.action === 'ONCONFLICT_UPDATE'
    return [write(relation, 'INSERT'), ...(overwrites ? [write(relation, 'UPDATE', onConflictClause.targetList)] : [])]
  }
  if ('UpdateStmt' in node) return [write(node.UpdateStmt.relation, 'UPDATE', node.UpdateStmt.targetList)]
  if ('DeleteStmt' in node) return [write(node.DeleteStmt.relation, 'DELETE')]
  if ('MergeStmt' in node) return mergeWrites(node.MergeStmt).map(([event, targets]) => write(node.MergeStmt.relation, event, targets))
  if ('CopyStmt' in node) return node.CopyStmt.is_from === true ? [write(node.CopyStmt.relation, 'INSERT')] : []
  if ('TruncateStmt' in node) {
    const { relations = [], behavior } = node.TruncateStmt
    return relations.flatMap((item) =>
      'RangeVar' in item ? [{ ...write(item.RangeVar, 'TRUNCATE'), withReferring: behavior === 'DROP_CASCADE' }] : [],
    )
  }
  return []
}

function mergeWrites({ mergeWhenClauses = [] }: MergeStmt): readonly (readonly [WriteEvent, readonly Node[]])[] {
  const clauses = mergeWhenClauses.flatMap((item) => ('MergeWhenClause' in item ? [item.MergeWhenClause] : []))
  return (['INSERT', 'UPDATE', 'DELETE'] as const).flatMap((event) => {
    const its = clauses.filter(({ commandType }) => commandType === `CMD_${event}`)
    return its.length === 0 ? [] : [[event, its.flatMap(({ targetList = [] }) => targetList)] as const]
  })
}

function ruleEffects(name: string, text: string, table: Table, { parser, read: readStatement }: How): readonly Effect[] {
  let nodes: readonly Node[]
  try {
    nodes = parser.sql(text)
  } catch {
    return [by(`rule ${name}`, plain('unclear', 'runs %', 'what could not be read'), table)]
  }
  const [rule] = nodes.flatMap((node) => ('RuleStmt' in node ? [node.RuleStmt] : []))
  const actions = rule?.actions ?? []
  if (rule?.instead === true && actions.length === 0) {
    const ignored = { ...plain('transformative', 'is ignored', ''), finding: 'what is written here is ignored' }
    return [by(`rule ${name}`, ignored, table)]
  }
  return actions.flatMap(readStatement).map((effect) => by(`rule ${name}`, effect, table))
}

function by(what: string, { finding, createsTable: _createsTable, onTable: _onTable, ...effect }: Effect, table?: Table): Effect {
  const of = table === undefined ? what : `${what} of ${tableName(table)}`
  return {
    ...effect,
    verb: `by ${inVerb(of)} ${effect.verb}`,
    ...(finding === undefined ? {} : { finding: `${of} runs with it: ${finding}` }),
  }
}
