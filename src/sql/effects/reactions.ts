import type { MergeStmt, Node, RangeVar } from 'libpg-query'
import type { Reactions, WriteEvent } from '../../database/reactions.ts'
import { plain, type Effect } from './effect.ts'
import { inVerb, tableName, tableOf, type Table } from './names.ts'
import type { Parser } from './parser.ts'
import type { Read } from './routines.ts'

/** What follows in the database from writing a table: its triggers, its rules, and foreign keys that cascade. */

/** Calls a trigger's function by its name; undefined when nobody can read it. */
type Known = (name: string) => readonly Effect[] | undefined

export function reactionsTo(node: Node, existing: Reactions, how: { readonly parser: Parser; readonly read: Read; readonly known: Known }) {
  return writesIn(node).flatMap(({ relation, event }): readonly Effect[] => {
    const table = tableOf(relation)
    const isIts = (one: { readonly schema: string; readonly table: string }) =>
      one.table === table.name && (table.schema === null || table.schema === one.schema)
    return [
      ...existing.triggers
        .filter((one) => isIts(one) && one.events.includes(event))
        .flatMap(({ name, routine }) =>
          (how.known(routine) ?? [plain('unclear', 'runs %', `function ${routine}`)]).map((effect) => by(`trigger ${name}`, table, effect)),
        ),
      ...existing.rules.filter((one) => isIts(one) && one.event === event).flatMap(({ name, text }) => ruleEffects(name, text, table, how)),
      ...(event === 'DELETE' ? cascaded(existing, table) : []),
    ]
  })
}

type Write = { readonly relation: RangeVar | undefined; readonly event: WriteEvent }

function writesIn(node: Node): readonly Write[] {
  if ('InsertStmt' in node) {
    const { relation, onConflictClause } = node.InsertStmt
    const overwrites = onConflictClause?.action === 'ONCONFLICT_UPDATE'
    return [{ relation, event: 'INSERT' }, ...(overwrites ? [{ relation, event: 'UPDATE' } as const] : [])]
  }
  if ('UpdateStmt' in node) return [{ relation: node.UpdateStmt.relation, event: 'UPDATE' }]
  if ('DeleteStmt' in node) return [{ relation: node.DeleteStmt.relation, event: 'DELETE' }]
  if ('MergeStmt' in node) return mergeEvents(node.MergeStmt).map((event) => ({ relation: node.MergeStmt.relation, event }))
  if ('CopyStmt' in node) return node.CopyStmt.is_from === true ? [{ relation: node.CopyStmt.relation, event: 'INSERT' }] : []
  if ('TruncateStmt' in node)
    return (node.TruncateStmt.relations ?? []).flatMap((item) =>
      'RangeVar' in item ? [{ relation: item.RangeVar, event: 'TRUNCATE' }] : [],
    )
  return []
}

const mergeEvents = ({ mergeWhenClauses = [] }: MergeStmt): readonly WriteEvent[] => [
  ...new Set(
    mergeWhenClauses.flatMap((item): readonly WriteEvent[] => {
      const event = ('MergeWhenClause' in item ? item.MergeWhenClause.commandType : undefined)?.replace('CMD_', '')
      return event === 'INSERT' || event === 'UPDATE' || event === 'DELETE' ? [event] : []
    }),
  ),
]

function ruleEffects(
  name: string,
  text: string,
  table: Table,
  { parser, read }: { readonly parser: Parser; readonly read: Read },
): readonly Effect[] {
  const [rule] = parser.sql(text).flatMap((node) => ('RuleStmt' in node ? [node.RuleStmt] : []))
  const actions = rule?.actions ?? []
  if (rule?.instead === true && actions.length === 0) {
    const ignored = { ...plain('transformative', 'is ignored', ''), finding: 'what is written here is ignored' }
    return [by(`rule ${name}`, table, ignored)]
  }
  return actions.flatMap(read).map((effect) => by(`rule ${name}`, table, effect))
}

/** Children of children too, each once. */
function cascaded(existing: Reactions, parent: Table, seen: ReadonlySet<string> = new Set([parent.name])): readonly Effect[] {
  return existing.cascades
    .filter(({ schema, table }) => table === parent.name && (parent.schema === null || parent.schema === schema))
    .flatMap(({ childSchema, child, does }): readonly Effect[] => {
      const it: Table = { schema: childSchema, name: child }
      if (seen.has(child)) return []
      const from = tableName(parent)
      if (does === 'unset')
        return [
          {
            ...plain('transformative', `unsets references to ${inVerb(from)} in %`, tableName(it)),
            tables: [it],
            finding: `rows of ${tableName(it)} that refer to what goes from ${from} lose that reference (ON DELETE SET NULL or DEFAULT)`,
          },
        ]
      return [
        {
          ...plain('breaking', 'deletes rows of %', tableName(it)),
          tables: [it],
          finding: `rows of ${tableName(it)} go with those of ${from} (ON DELETE CASCADE)`,
        },
        ...cascaded(existing, it, new Set([...seen, child])),
      ]
    })
}

const by = (what: string, table: Table, { finding, createsTable: _createsTable, onTable: _onTable, ...effect }: Effect): Effect => ({
  ...effect,
  verb: `by ${inVerb(what)} of ${inVerb(tableName(table))} ${effect.verb}`,
  ...(finding === undefined ? {} : { finding: `${what} of ${tableName(table)} runs with it: ${finding}` }),
})
