import type { Catalogue, CatalogueUse } from '../../../database/catalogue/catalogue.ts'
import { typeKey, typeOfRef } from '../types/type.ts'
import { createJournal, type Kept } from './journal.ts'
import type { Constraint, Dependent, Id, Index, Policy, Publication, Routine, Table, Trigger, User, UserType } from './model.ts'

/** The database as the statements so far left it. Records are replaced, never changed, and all of it can be taken back to a mark. */
export type Schema = {
  readonly version: number
  readonly zone: { now: string; readonly first: string }
  readonly role: string
  readonly knows: Catalogue['knows']
  readonly path: { now: readonly string[]; readonly first: readonly string[] }
  readonly table: (id: Id) => Table | undefined
  readonly index: (id: Id) => Index | undefined
  readonly byName: (schema: string, name: string) => Id | undefined
  readonly tables: () => Iterable<Table>
  readonly children: (id: Id) => readonly Id[]
  /** Sequences of its columns. */
  readonly owned: (table: Id) => readonly Id[]
  readonly indexes: (table: Id) => readonly Index[]
  readonly constraints: (table: Id) => readonly Constraint[]
  /** Foreign keys from others (or itself) to it. */
  readonly referencing: (table: Id) => readonly Constraint[]
  readonly triggers: (table: Id) => readonly Trigger[]
  readonly policies: (table: Id) => readonly Policy[]
  readonly dependents: (table: Id) => readonly Dependent[]
  /** What a view reads. */
  readonly reads: (view: Id) => readonly Id[]
  readonly publications: () => Iterable<Publication>
  readonly type: (key: string) => UserType | undefined
  readonly types: () => Iterable<UserType>
  /** What calls a function of this name: a default, a check, a generated column, an index, a view, a policy. */
  readonly uses: (routine: string) => readonly CatalogueUse[]
  /** Columns of a type, by its key. */
  readonly users: (type: string) => readonly User[]
  readonly routines: (name: string) => readonly Routine[]
  readonly hasSchema: (name: string) => boolean
  readonly cast: (from: string, to: string) => Catalogue['casts'][number] | undefined
  readonly change: Changes
  readonly newId: () => Id
  readonly mark: () => number
  readonly takeBack: (mark: number) => void
}

/** `put` adds, or replaces what has the same id or name. */
export type Changes = {
  readonly putTable: (table: Table) => void
  readonly dropTable: (id: Id) => void
  readonly putIndex: (index: Index) => void
  readonly dropIndex: (id: Id) => void
  readonly putConstraint: (constraint: Constraint) => void
  readonly dropConstraint: (table: Id, id: number) => void
  readonly setTriggers: (table: Id, triggers: readonly Trigger[]) => void
  readonly setPolicies: (table: Id, policies: readonly Policy[]) => void
  readonly setDependents: (table: Id, dependents: readonly Dependent[]) => void
  readonly putPublication: (publication: Publication) => void
  readonly dropPublication: (name: string) => void
  readonly putType: (type: UserType) => void
  readonly dropType: (key: string) => void
  readonly setRoutines: (name: string, routines: readonly Routine[]) => void
  readonly putSchema: (name: string) => void
  readonly dropSchema: (name: string) => void
}

const nameKey = (schema: string, name: string): string => `${schema}\0${name}`

/** Lists by key, in which one entry is put or taken without copying those of other keys. */
function addTo<Key, Value>(map: Kept<Key, readonly Value[]>, key: Key, value: Value): void {
  map.set(key, [...(map.get(key) ?? []), value])
}

function takeFrom<Key, Value>(map: Kept<Key, readonly Value[]>, key: Key, isIt: (value: Value) => boolean): void {
  const list = map.get(key) ?? []
  if (list.some(isIt))
    map.set(
      key,
      list.filter((value) => !isIt(value)),
    )
}

export function createSchema(catalogue: Catalogue): Schema {
  const journal = createJournal()
  const tables = journal.map<Id, Table>()
  const indexes = journal.map<Id, Index>()
  const names = journal.map<string, Id>()
  const childIds = journal.map<Id, readonly Id[]>()
  const ownedIds = journal.map<Id, readonly Id[]>()
  const indexIds = journal.map<Id, readonly Id[]>()
  const constraints = journal.map<Id, readonly Constraint[]>()
  const referencing = journal.map<Id, readonly Constraint[]>()
  const triggers = journal.map<Id, readonly Trigger[]>()
  const policies = journal.map<Id, readonly Policy[]>()
  const dependents = journal.map<Id, readonly Dependent[]>()
  const reads = journal.map<Id, readonly Id[]>()
  const publications = journal.map<string, Publication>()
  const types = journal.map<string, UserType>()
  const users = journal.map<string, readonly User[]>()
  const routines = journal.map<string, readonly Routine[]>()
  const schemas = journal.map<string, true>()
  const casts = new Map(catalogue.casts.map((cast) => [`${cast.from}>${cast.to}`, cast]))
  const uses = Map.groupBy(catalogue.uses, (one) => one.routine)
  const path = { now: catalogue.searchPath, first: catalogue.searchPath }
  let lastId = 0

  const change: Changes = {
    putTable(table) {
      const was = tables.get(table.id)
      if (was !== undefined && (was.name !== table.name || was.schema !== table.schema)) names.delete(nameKey(was.schema, was.name))
      names.set(nameKey(table.schema, table.name), table.id)
      tables.set(table.id, table)
      for (const parent of (was?.parents ?? []).filter((id) => !table.parents.includes(id)))
        takeFrom(childIds, parent, (id) => id === table.id)
      for (const parent of table.parents.filter((id) => was?.parents.includes(id) !== true)) addTo(childIds, parent, table.id)
      if (was?.ownedBy?.table !== table.ownedBy?.table) {
        if (was?.ownedBy) takeFrom(ownedIds, was.ownedBy.table, (id) => id === table.id)
        if (table.ownedBy !== null) addTo(ownedIds, table.ownedBy.table, table.id)
      }
      if (was?.columns !== table.columns) retype(table.id, was?.columns ?? [], table.columns)
    },
    dropTable(id) {
      const was = tables.get(id)
      if (was === undefined) return
      for (const index of indexIds.get(id) ?? []) change.dropIndex(index)
      for (const one of constraints.get(id) ?? []) change.dropConstraint(id, one.id)
      retype(id, was.columns, [])
      if (was.ownedBy !== null) takeFrom(ownedIds, was.ownedBy.table, (one) => one === id)
      for (const parent of was.parents) takeFrom(childIds, parent, (child) => child === id)
      if (names.get(nameKey(was.schema, was.name)) === id) names.delete(nameKey(was.schema, was.name))
      for (const one of reads.get(id) ?? [])
        change.setDependents(
          one,
          (dependents.get(one) ?? []).filter(({ relation }) => relation !== id),
        )
      tables.delete(id)
    },
    putIndex(index) {
      const was = indexes.get(index.id)
      if (was === undefined) addTo(indexIds, index.table, index.id)
      else if (was.name !== index.name || was.schema !== index.schema) names.delete(nameKey(was.schema, was.name))
      names.set(nameKey(index.schema, index.name), index.id)
      indexes.set(index.id, index)
    },
    dropIndex(id) {
      const was = indexes.get(id)
      if (was === undefined) return
      takeFrom(indexIds, was.table, (one) => one === id)
      if (names.get(nameKey(was.schema, was.name)) === id) names.delete(nameKey(was.schema, was.name))
      indexes.delete(id)
    },
    putConstraint(constraint) {
      change.dropConstraint(constraint.table, constraint.id)
      addTo(constraints, constraint.table, constraint)
      if (constraint.other !== null) addTo(referencing, constraint.other, constraint)
    },
    dropConstraint(table, id) {
      const was = constraints.get(table)?.find((one) => one.id === id)
      if (was === undefined) return
      takeFrom(constraints, table, (one) => one.id === id)
      if (was.other !== null) takeFrom(referencing, was.other, (one) => one.id === id)
    },
    setTriggers: triggers.set,
    setPolicies: policies.set,
    setDependents(table, list) {
      const viewsIn = (entries: readonly Dependent[]) =>
        new Set(entries.flatMap(({ kind, relation }) => (kind === 'view' ? (relation ?? []) : [])))
      const [was, now] = [viewsIn(dependents.get(table) ?? []), viewsIn(list)]
      for (const view of was) if (!now.has(view)) takeFrom(reads, view, (id) => id === table)
      for (const view of now) if (!was.has(view)) addTo(reads, view, table)
      dependents.set(table, list)
    },
    putPublication: (publication) => publications.set(publication.name, publication),
    dropPublication: publications.delete,
    putType: (type) => types.set(typeKey(type), type),
    dropType: types.delete,
    setRoutines: routines.set,
    putSchema: (name) => schemas.set(name, true),
    dropSchema: schemas.delete,
  }

  function retype(table: Id, before: Table['columns'], after: Table['columns']): void {
    const keysOf = (columns: Table['columns']) =>
      new Map(
        columns.flatMap(({ name, type }) => (type.schema === null ? [] : [[`${typeKey(type)}\0${name}`, { key: typeKey(type), name }]])),
      )
    const [old, now] = [keysOf(before), keysOf(after)]
    for (const [entry, { key, name }] of old)
      if (!now.has(entry)) takeFrom(users, key, (user) => user.table === table && user.column === name)
    for (const [entry, { key, name }] of now) if (!old.has(entry)) addTo(users, key, { table, column: name })
  }

  const present = <Value>(value: Value | undefined): readonly Value[] => (value === undefined ? [] : [value])
  fill(catalogue, change, { triggers, policies, routines })
  const start = journal.mark()
  return {
    version: catalogue.version,
    zone: { now: catalogue.timeZone, first: catalogue.timeZone },
    role: catalogue.role,
    knows: catalogue.knows,
    path,
    table: tables.get,
    index: indexes.get,
    byName: (schema, name) => names.get(nameKey(schema, name)),
    tables: tables.values,
    children: (id) => childIds.get(id) ?? [],
    owned: (id) => ownedIds.get(id) ?? [],
    indexes: (id) => (indexIds.get(id) ?? []).flatMap((index) => present(indexes.get(index))),
    constraints: (id) => constraints.get(id) ?? [],
    referencing: (id) => referencing.get(id) ?? [],
    triggers: (id) => triggers.get(id) ?? [],
    policies: (id) => policies.get(id) ?? [],
    dependents: (id) => dependents.get(id) ?? [],
    reads: (id) => reads.get(id) ?? [],
    publications: publications.values,
    type: types.get,
    types: types.values,
    uses: (routine) => uses.get(routine) ?? [],
    users: (key) => users.get(key) ?? [],
    routines: (name) => routines.get(name) ?? [],
    hasSchema: (name) => schemas.get(name) === true,
    cast: (from, to) => casts.get(`${from}>${to}`),
    change,
    newId: () => --lastId,
    mark: journal.mark,
    takeBack: (mark) => journal.takeBack(Math.max(mark, start)),
  }
}

type Lists = {
  readonly triggers: Kept<Id, readonly Trigger[]>
  readonly policies: Kept<Id, readonly Policy[]>
  readonly routines: Kept<string, readonly Routine[]>
}

function fill(catalogue: Catalogue, change: Changes, lists: Lists): void {
  for (const name of catalogue.schemas) change.putSchema(name)
  for (const type of catalogue.types) change.putType({ ...type, isNew: false, newValues: [] })
  const halfValid = new Set(
    catalogue.constraints.flatMap(({ kind, isValid, table, columns }) => (kind === 'n' && !isValid ? [`${table}\0${columns[0]}`] : [])),
  )
  for (const relation of catalogue.relations)
    change.putTable({
      ...relation,
      isNew: false,
      isAssumed: false,
      columns: relation.columns.map(({ shown: _shown, ...column }) => ({
        ...column,
        type: typeOfRef(column.type),
        notNull: !column.notNull ? 'no' : halfValid.has(`${relation.id}\0${column.name}`) ? 'not valid' : 'yes',
        isNew: false,
      })),
    })
  for (const index of catalogue.indexes) change.putIndex({ ...index, isNew: false })
  for (const constraint of catalogue.constraints) change.putConstraint({ ...constraint, madeBy: 0, expression: null })
  for (const [table, list] of Map.groupBy(catalogue.triggers, (one) => one.table)) lists.triggers.set(table, list)
  for (const [table, list] of Map.groupBy(catalogue.policies, (one) => one.table)) lists.policies.set(table, list)
  for (const [table, list] of Map.groupBy(catalogue.dependents, (one) => one.on)) change.setDependents(table, list)
  for (const [name, list] of Map.groupBy(catalogue.functions, (one) => one.name))
    lists.routines.set(
      name,
      list.map((one) => ({ ...one, isNew: false })),
    )
  for (const publication of catalogue.publications) change.putPublication(publication)
}
