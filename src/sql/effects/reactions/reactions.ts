import type { Node, RangeVar } from 'libpg-query'
import { tableOf, type Table } from '../names.ts'
import { callsIn } from '../calls.ts'
import { onSession, type Effect } from '../effect.ts'
import { perhaps } from '../routines.ts'
import { calledSessionChanges } from '../session.ts'
import { walk } from '../walk.ts'
import { effectsAtTable, usesOf } from './at-table.ts'
import { further } from './further.ts'
import { by, type How } from './how.ts'
import { itsOf, otherOf, type Indexed } from './indexed.ts'
import { effectsOfTypes, rowsCheckedBy } from './types.ts'
import { writesIn, type Write } from './writes.ts'

/** What follows in the database from a statement: triggers, rules, functions that something of a table calls, and foreign keys that reach further. */
export const reactionsTo = (node: Node, existing: Indexed, how: How): readonly Effect[] => [
  ...writesIn(node).flatMap((write) => follow(write, existing, how)),
  ...rowsCheckedBy(node).flatMap((table) => usesOf(table, existing, how, ({ by: what }) => CHECKED.has(what))),
]

const CHECKED: ReadonlySet<string> = new Set(['check', 'index', 'generated column'])

/** Functions of the views and policies that a statement reads by, and of the types and operators in it. */
export const reactionsToReading = (value: unknown, existing: Indexed, how: How): readonly Effect[] => [
  ...walk(value).flatMap(({ RangeVar: relation }) => (relation === undefined ? [] : read(tableOf(relation as RangeVar), existing, how))),
  ...effectsOfTypes(value, existing, how),
]

/** By event triggers, as far as rows or tables go by them; they fire at nearly every change of the schema. */
export function reactionsToCommand(text: string, existing: Indexed, how: Pick<How, 'known' | 'switches'>): readonly Effect[] {
  return existing.eventTriggers
    .filter((one) => how.switches.fires('event trigger', one))
    .filter(({ tags }) => tags === null || tags.some((tag) => new RegExp(tag.replaceAll(' ', String.raw`\s[^;]*?`), 'i').test(text)))
    .flatMap(({ name, routine }) =>
      (how.known(routine) ?? []).filter(({ class: kind }) => kind === 'breaking').map((effect) => by(`event trigger ${name}`, effect)),
    )
}

function follow(first: Write, existing: Indexed, how: How): readonly Effect[] {
  const effects: Effect[] = []
  const fired = new Set<string>()
  const open: Write[] = [first]
  for (let write = open.shift(); write !== undefined; write = open.shift()) {
    const { table, event } = write
    const key = JSON.stringify([table.schema, table.name, event, write.columns, write.isNamed])
    if (how.followed.has(key)) continue
    how.followed.add(key)
    effects.push(...effectsAtTable(write, existing, how, fired))
    for (const { effect, ...next } of further(write, existing, how)) {
      effects.push(...(effect === undefined ? [] : [effect]))
      open.push(next)
    }
  }
  return effects
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
    effects.push(...usesOf(view, existing, how, isUsedByReading), ...setByView(view, existing, how))
    open.push(...existing.reads(view.name).filter(itsOf(view)).map(otherOf))
  }
  return effects
}

const isUsedByReading = ({ by: what, event }: Parameters<Parameters<typeof usesOf>[3]>[0]): boolean =>
  what === 'view' || (what === 'policy' && (event === null || event === 'SELECT'))

function setByView(view: Table, existing: Indexed, { parser, views }: How): readonly Effect[] {
  const own = views.get(view.name)
  if (own !== undefined) return own
  return existing
    .views(view.name)
    .filter((one) => itsOf(view)(one) && SETS.test(one.text))
    .flatMap(({ text }) =>
      calledSessionChanges(callsIn(parser.sql(text)))
        .map(onSession)
        .map(perhaps),
    )
}

/** Functions of PostgreSQL's own by which a view changes the session that reads it. */
const SETS = /\b(set_config|pg_advisory_unlock(_all)?)\s*\(/
