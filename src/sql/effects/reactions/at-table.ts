import type { Node } from 'libpg-query'
import type { Reactions } from '../../../database/reactions.ts'
import { plain, type Effect } from '../effect.ts'
import type { Table } from '../names.ts'
import { by, type How } from './how.ts'
import { itsOf, type Indexed } from './indexed.ts'
import type { Write } from './writes.ts'

/** What runs where rows of this very table are written; a partition's copy of a trigger is the one of its table. */
export function effectsAtTable(write: Write, existing: Indexed, how: How, fired: Set<string>): readonly Effect[] {
  const { table, event, columns } = write
  const isIts = itsOf(table)
  const triggers = existing
    .triggers(table.name)
    .filter((one) => isIts(one) && one.events.includes(event) && how.switches.fires('trigger', one, table))
    .filter((one) => event === 'TRUNCATE' || one.isForEachRow || write.isNamed)
    .filter(
      (one) => event !== 'UPDATE' || one.columns === null || columns === null || one.columns.some((column) => columns.includes(column)),
    )
    .filter(({ name, routines }) => !fired.has(`${name} ${routines.join(' ')}`))
  for (const { name, routines } of triggers) fired.add(`${name} ${routines.join(' ')}`)
  return [
    ...triggers.flatMap(({ name, routines }) =>
      routines.flatMap((routine) =>
        (how.known(routine) ?? [plain('unclear', 'runs %', `function ${routine}`)]).map((effect) => by(`trigger ${name}`, effect, table)),
      ),
    ),
    ...existing
      .rules(table.name)
      .filter((one) => isIts(one) && one.event === event && how.switches.fires('rule', one, table))
      .flatMap(({ name, text }) => ruleEffects(name, text, table, how)),
    ...usesOf(table, existing, how, (use) => isUsedBy(use, write)),
  ]
}

type Use = Reactions['uses'][number]

/** Functions that something of the table calls. */
export const usesOf = (table: Table, existing: Indexed, how: How, isUsed: (use: Use) => boolean): readonly Effect[] =>
  existing
    .uses(table.name)
    .filter(itsOf(table))
    .filter((use) => isUsed(use) && (use.by !== 'policy' || how.switches.binds(use.isOff, table)))
    .flatMap(({ by: what, routine }) =>
      (how.known(routine) ?? []).map((effect) =>
        by(`function ${routine}${PLACE[what]}`, effect, table, what === 'cast' ? 'may run' : 'runs'),
      ),
    )

const PLACE: Readonly<Record<Use['by'], string>> = {
  default: ' in a default',
  'generated column': ' in a generated column',
  check: ' in a check',
  index: ' in an index',
  policy: ' in a policy',
  cast: ' in a cast to a type',
  view: '',
}

function isUsedBy({ by: what, column, event: of }: Use, { event, columns, withDefaults }: Write): boolean {
  if (what === 'policy') return of === null || of === event || (of === 'SELECT' && (event === 'UPDATE' || event === 'DELETE'))
  if (event !== 'INSERT' && event !== 'UPDATE') return false
  if (what !== 'default') return what !== 'view'
  return withDefaults || (event === 'INSERT' && (column === null || columns === null || !columns.includes(column)))
}

function ruleEffects(name: string, text: string, table: Table, { parser, read }: How): readonly Effect[] {
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
  return actions.flatMap(read).map((effect) => by(`rule ${name}`, effect, table))
}
