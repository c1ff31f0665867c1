import type { Catalogue, CatalogueUse } from '../../../database/catalogue/catalogue.ts'
import { typeKey, typeOfRef } from '../types/type.ts'
import { createJournal } from './journal.ts'
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
  /** The partition that takes what fits nowhere else. */
  readonly fallback: (parent: Id) => Id | undefined
  /** Sequences of its columns. */
  readonly owned: (table: Id) => readonly Id[]
  readonly indexes: (table: Id) => readonly Index[]
  readonly constraints: (table: Id) => readonly Constraint[]
  /** Foreign keys from others (or itself) to it. */
  readonly referencing: (table: Id) => readonly Constraint[]
  readonly triggers: (table: Id) => readonly Trigger[]
  readonly policies: (table: Id) => readonly Policy[]
  readonly dependents: (table: Id) => readonly Dependent[]
  /** What a view reads: `on`, once for each column. */
  readonly reads: (view: Id) => readonly Dependent[]
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
  readonly putTrigger: (trigger: Trigger) => void
  readonly dropTrigger: (table: Id, name: string) => void
  readonly putPolicy: (policy: Policy) => void
  readonly dropPolicy: (table: Id, name: string) => void
  readonly putDependent: (dependent: Dependent) => void
  readonly dropDependent: (dependent: Dependent) => void
  readonly putUse: (use: CatalogueUse) => void
  readonly putPublication: (publication: Publication) => void
  readonly dropPublication: (name: string) => void
  readonly putType: (type: UserType) => void
  readonly dropType: (key: string) => void
  readonly setRoutines: (name: string, routines: readonly Routine[]) => void
  readonly putSchema: (name: string) => void
  readonly dropSchema: (name: string) => void
}

const nameKey = (schema: string, name: string): string => `${schema}\0${name}`

export function createSchema(catalogue: Catalogue): Schema {
  const journal = createJournal()
  const tables = journal.map<Id, Table>()
  const indexes = journal.map<Id, Index>()
  const names = journal.map<string, Id>()
  const children = journal.lists<Id, Id>()
  const fallbacks = journal.map<Id, Id>()
  const owned = journal.lists<Id, Id>()
  const indexLists = journal.lists<Id, Index>()
  const constraints = journal.lists<Id, Constraint>()
  const referencing = journal.lists<Id, Constraint>()
  const triggers = journal.lists<Id, Trigger>()
  const policies = journal.lists<Id, Policy>()
  const dependents = journal.lists<Id, Dependent>()
  const reads = journal.lists<Id, Dependent>()
  const publications = journal.map<string, Publication>()
  const types = journal.map<string, UserType>()
  const users = journal.lists<string, User>()
  const routines = journal.map<string, readonly Routine[]>()
  const schemas = journal.map<string, true>()
  const casts = new Map(catalogue.casts.map((cast) => [`${cast.from}>${cast.to}`, cast]))
  const uses = journal.lists<string, CatalogueUse>()
  let lastId = 0

  const rename = (was: Named | undefined, now: Named) => {
    if (was !== undefined && (was.name !== now.name || was.schema !== now.schema)) forgetName(was)
    names.set(nameKey(now.schema, now.name), now.id)
  }
  const forgetName = ({ schema, name, id }: Named) => {
    if (names.get(nameKey(schema, name)) === id) names.delete(nameKey(schema, name))
  }
  const retype = (table: Id, before: Table['columns'], after: Table['columns']) => {
    if (before === after) return
    const [old, now] = [usersIn(table, before), usersIn(table, after)]
    for (const [entry, { key, id }] of old) if (!now.has(entry)) users.take(key, id)
    for (const [entry, { key, id, user }] of now) if (!old.has(entry)) users.put(key, id, user)
  }
  const change: Changes = {
    putTable(table) {
      const was = tables.get(table.id)
      rename(was, table)
      tables.set(table.id, table)
      if (was?.parents !== table.parents) {
        for (const parent of was?.parents ?? []) children.take(parent, table.id)
        for (const parent of table.parents) children.put(parent, table.id, table.id)
      }
      for (const parent of was?.bound === 'DEFAULT' ? was.parents : []) fallbacks.delete(parent)
      for (const parent of table.bound === 'DEFAULT' ? table.parents : []) fallbacks.set(parent, table.id)
      if (was?.ownedBy !== table.ownedBy) {
        if (was?.ownedBy) owned.take(was.ownedBy.table, table.id)
        if (table.ownedBy !== null) owned.put(table.ownedBy.table, table.id, table.id)
      }
      retype(table.id, was?.columns ?? [], table.columns)
    },
    dropTable(id) {
      const was = tables.get(id)
      if (was === undefined) return
      for (const index of indexLists.of(id)) change.dropIndex(index.id)
      for (const one of constraints.of(id)) change.dropConstraint(id, one.id)
      for (const one of reads.of(id)) change.dropDependent(one)
      retype(id, was.columns, [])
      if (was.ownedBy !== null) owned.take(was.ownedBy.table, id)
      for (const parent of was.parents) {
        children.take(parent, id)
        if (was.bound === 'DEFAULT') fallbacks.delete(parent)
      }
      forgetName(was)
      tables.delete(id)
    },
    putIndex(index) {
      rename(indexes.get(index.id), index)
      indexes.set(index.id, index)
      indexLists.put(index.table, index.id, index)
    },
    dropIndex(id) {
      const was = indexes.get(id)
      if (was === undefined) return
      indexLists.take(was.table, id)
      forgetName(was)
      indexes.delete(id)
    },
    putConstraint(constraint) {
      constraints.put(constraint.table, constraint.id, constraint)
      if (constraint.other !== null) referencing.put(constraint.other, constraint.id, constraint)
    },
    dropConstraint(table, id) {
      const was = constraints.of(table).find((one) => one.id === id)
      constraints.take(table, id)
      if (was !== undefined && was.other !== null) referencing.take(was.other, id)
    },
    putTrigger: (trigger) => triggers.put(trigger.table, trigger.name, trigger),
    dropTrigger: triggers.take,
    putPolicy: (policy) => policies.put(policy.table, policy.name, policy),
    dropPolicy: policies.take,
    putDependent(one) {
      dependents.put(one.on, dependentId(one), one)
      if (one.kind === 'view' && one.relation !== null) reads.put(one.relation, `${one.on} ${dependentId(one)}`, one)
    },
    dropDependent(one) {
      dependents.take(one.on, dependentId(one))
      if (one.kind === 'view' && one.relation !== null) reads.take(one.relation, `${one.on} ${dependentId(one)}`)
    },
    putUse: (use) => uses.put(use.routine, `${use.table} ${use.column ?? ''}`, use),
    putPublication: (publication) => publications.set(publication.name, publication),
    dropPublication: publications.delete,
    putType: (type) => types.set(typeKey(type), type),
    dropType: types.delete,
    setRoutines: routines.set,
    putSchema: (name) => schemas.set(name, true),
    dropSchema: schemas.delete,
  }

  fill(catalogue, change)
  const start = journal.mark()
  return {
    version: catalogue.version,
    zone: { now: catalogue.timeZone, first: catalogue.timeZone },
    role: catalogue.role,
    knows: catalogue.knows,
    path: { now: catalogue.searchPath, first: catalogue.searchPath },
    table: tables.get,
    index: indexes.get,
    byName: (schema, name) => names.get(nameKey(schema, name)),
    tables: tables.values,
    children: children.of,
    fallback: fallbacks.get,
    owned: owned.of,
    indexes: indexLists.of,
    constraints: constraints.of,
    referencing: referencing.of,
    triggers: triggers.of,
    policies: policies.of,
    dependents: dependents.of,
    reads: reads.of,
    publications: publications.values,
    type: types.get,
    types: types.values,
    uses: uses.of,
    users: users.of,
    routines: (name) => routines.get(name) ?? [],
    hasSchema: (name) => schemas.get(name) === true,
    cast: (from, to) => casts.get(`${from}>${to}`),
    change,
    newId: () => --lastId,
    mark: journal.mark,
    takeBack: (mark) => journal.takeBack(Math.max(mark, start)),
  }
}

type Named = { readonly id: Id; readonly schema: string; readonly name: string }

const dependentId = ({ column, kind, schema, name, relation }: Dependent): string => JSON.stringify([column, kind, schema, name, relation])

/** Columns whose types are not PostgreSQL's own. */
const usersIn = (table: Id, columns: Table['columns']) =>
  new Map(
    columns.flatMap(({ name, type }) => {
      if (type.schema === null) return []
      const [key, id] = [typeKey(type), `${table} ${name}`]
      return [[`${key} ${id}`, { key, id, user: { table, column: name } }] as const]
    }),
  )

function fill(catalogue: Catalogue, change: Changes): void {
  for (const name of catalogue.schemas) change.putSchema(name)
  for (const type of catalogue.types)
    change.putType({ ...type, base: type.base === null ? null : typeOfRef(type.base), isNew: false, newValues: [] })
  const halfValid = new Set(
    catalogue.constraints.flatMap(({ kind, isValid, table, columns }) => (kind === 'n' && !isValid ? [`${table} ${columns[0]}`] : [])),
  )
  for (const relation of catalogue.relations)
    change.putTable({
      ...relation,
      isNew: false,
      isAssumed: false,
      columns: relation.columns.map(({ shown: _shown, ...column }) => ({
        ...column,
        type: typeOfRef(column.type),
        notNull: !column.notNull ? 'no' : halfValid.has(`${relation.id} ${column.name}`) ? 'not valid' : 'yes',
        isNew: false,
      })),
    })
  for (const index of catalogue.indexes) change.putIndex({ ...index, isNew: false })
  for (const constraint of catalogue.constraints) change.putConstraint({ ...constraint, madeBy: 0, expression: null })
  for (const trigger of catalogue.triggers) change.putTrigger(trigger)
  for (const policy of catalogue.policies) change.putPolicy(policy)
  for (const dependent of catalogue.dependents) change.putDependent(dependent)
  for (const [name, list] of Map.groupBy(catalogue.functions, (one) => one.name))
    change.setRoutines(
      name,
      list.map((one) => ({ ...one, isNew: false })),
    )
  for (const use of catalogue.uses) change.putUse(use)
  for (const publication of catalogue.publications) change.putPublication(publication)
}
