import type { Node } from 'libpg-query'
import type {
  CatalogueColumn,
  CatalogueConstraint,
  CatalogueDependent,
  CatalogueFunction,
  CatalogueIndex,
  CataloguePublication,
  CatalogueRelation,
  CatalogueTrigger,
  CatalogueType,
} from '../../../database/catalogue/catalogue.ts'
import type { SqlType } from '../types/type.ts'

/** Of a relation or index: the OID, or below zero for what the plan makes. */
export type Id = number

/** `not valid`: a NOT NULL of 18 that old rows may break. */
export type NotNull = 'no' | 'not valid' | 'yes'

export type Column = Omit<CatalogueColumn, 'type' | 'shown' | 'notNull'> & {
  readonly type: SqlType
  readonly notNull: NotNull
  /** Made by the transaction that runs. */
  readonly isNew: boolean
}

export type Table = Omit<CatalogueRelation, 'columns'> & {
  readonly columns: readonly Column[]
  /** The plan made it. */
  readonly isNew: boolean
  /** Nobody asked the database what it is like. */
  readonly isAssumed: boolean
}

export type Index = CatalogueIndex & { readonly isNew: boolean }
export type Constraint = CatalogueConstraint & {
  /** Made by the statement with this number; 0: it was there before. */
  readonly madeBy: number
  /** Of a CHECK that the plan made, whose `definition` is empty. */
  readonly expression: Node | null
}
export type Trigger = CatalogueTrigger
export type Policy = { readonly name: string; readonly table: Id; readonly uses: readonly string[] }
export type Dependent = CatalogueDependent
export type Publication = CataloguePublication
/** `newValues`: of an enum, added by the transaction that runs. */
export type UserType = Omit<CatalogueType, 'base'> & {
  readonly base: SqlType | null
  readonly isNew: boolean
  readonly newValues: readonly string[]
}
export type Routine = CatalogueFunction & { readonly isNew: boolean }
/** A column of a type. */
export type User = { readonly table: Id; readonly column: string }
