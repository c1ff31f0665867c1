/**
 * What the rules need to know of a live database, as one plain value that survives JSON. Objects of extensions are left out of `functions`;
 * PostgreSQL's own are left out everywhere. Relations are named by their `id` (OIDs). An expression of a table that somebody holds at that
 * moment so that nobody can read it is an empty text.
 */
export type Catalogue = {
  /** `server_version_num`: 150018. */
  readonly version: number
  /** Of a session of the migrator: what the role, the database and the server say. */
  readonly timeZone: string
  /** Where names without a schema are looked for, in order; what is created without one comes into the first. */
  readonly searchPath: readonly string[]
  /** Who asked. */
  readonly role: string
  /** `nothing`: no database was asked. Every table that is named is taken to be there, with rows, and with everything that makes it worse. */
  readonly knows: 'everything' | 'nothing'
  readonly schemas: readonly string[]
  readonly relations: readonly CatalogueRelation[]
  readonly indexes: readonly CatalogueIndex[]
  readonly constraints: readonly CatalogueConstraint[]
  readonly triggers: readonly CatalogueTrigger[]
  readonly policies: readonly CataloguePolicy[]
  readonly dependents: readonly CatalogueDependent[]
  readonly publications: readonly CataloguePublication[]
  readonly types: readonly CatalogueType[]
  readonly casts: readonly CatalogueCast[]
  readonly functions: readonly CatalogueFunction[]
  readonly uses: readonly CatalogueUse[]
  readonly extensions: readonly string[]
}

/** PostgreSQL's own letters: table, partitioned, view, materialized view, sequence, foreign table, composite type. */
export type RelationKind = 'r' | 'p' | 'v' | 'm' | 'S' | 'f' | 'c'

export type CatalogueRelation = {
  readonly id: number
  readonly schema: string
  readonly name: string
  readonly kind: RelationKind
  /** Permanent, unlogged, temporary. */
  readonly persistence: 'p' | 'u' | 't'
  readonly owner: string
  /** False where planner and statistics both say that there are none; true where nobody knows. */
  readonly mayHaveRows: boolean
  /** What it is a partition of, or inherits from. */
  readonly parents: readonly number[]
  readonly isPartition: boolean
  /** As `pg_get_expr` writes it: `FOR VALUES …` or `DEFAULT`. */
  readonly bound: string | null
  /** Of a partitioned table: `columns` null where it has expressions. */
  readonly partitioning: { readonly strategy: 'l' | 'r' | 'h'; readonly columns: readonly string[] | null } | null
  readonly rowSecurity: boolean
  /** Default, nothing, full, index. */
  readonly replicaIdentity: 'd' | 'n' | 'f' | 'i'
  /** Of a sequence: whose default or identity it serves. */
  readonly ownedBy: { readonly table: number; readonly column: string } | null
  /** Composite type that it is a typed table of. */
  readonly ofType: string | null
  readonly columns: readonly CatalogueColumn[]
}

/** `schema` null: PostgreSQL's own. `name` is `typname`; of an array it is that of its elements. */
export type CatalogueTypeRef = { readonly schema: string | null; readonly name: string; readonly isArray: boolean; readonly typmod: number }

export type CatalogueColumn = {
  readonly name: string
  readonly type: CatalogueTypeRef
  /** As `format_type` writes it. */
  readonly shown: string
  readonly notNull: boolean
  /** Other than its type's own. */
  readonly collation: string | null
  readonly default: string | null
  /** Always, by default; null where it is none. */
  readonly identity: 'a' | 'd' | null
  /** Stored, virtual. */
  readonly generated: 's' | 'v' | null
  readonly isInherited: boolean
}

export type CatalogueIndex = {
  readonly id: number
  readonly schema: string
  readonly name: string
  readonly table: number
  readonly method: string
  /** Of the key; null for an expression. */
  readonly keys: readonly (string | null)[]
  /** Every column that it needs, its predicate's too. */
  readonly uses: readonly string[]
  readonly predicate: string | null
  readonly isUnique: boolean
  readonly isPrimary: boolean
  readonly isExclusion: boolean
  readonly isValid: boolean
  /** Another operator class or order than the type's own. */
  readonly isSpecial: boolean
  /** Of the partitioned table. */
  readonly parent: number | null
}

/** PostgreSQL's own letters: check, foreign key, primary key, unique, exclusion, not null (18), constraint trigger. */
export type ConstraintKind = 'c' | 'f' | 'p' | 'u' | 'x' | 'n' | 't'

export type CatalogueConstraint = {
  readonly id: number
  readonly name: string
  readonly table: number
  readonly kind: ConstraintKind
  readonly columns: readonly string[]
  /** The other end of a foreign key. */
  readonly other: number | null
  readonly otherColumns: readonly string[]
  readonly isValid: boolean
  readonly isEnforced: boolean
  /** As `pg_get_constraintdef` writes it. */
  readonly definition: string
  /** That keeps it, or that the foreign key leans on. */
  readonly index: number | null
  readonly parent: number | null
  readonly isInherited: boolean
}

export type CatalogueTrigger = {
  readonly name: string
  readonly table: number
  readonly isEnabled: boolean
  /** Of `UPDATE OF` and of its condition. */
  readonly uses: readonly string[]
  readonly events: readonly ('INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE')[]
  readonly function: { readonly schema: string; readonly name: string }
}

export type CataloguePolicy = { readonly name: string; readonly table: number; readonly uses: readonly string[] }

/** What would not let go of a relation or column: it is refused, or goes along with CASCADE. */
export type CatalogueDependent = {
  readonly on: number
  /** Null: the relation as a whole. */
  readonly column: string | null
  readonly kind: 'view' | 'rule' | 'function' | 'generated column' | 'default' | 'publication' | 'statistics'
  readonly schema: string
  readonly name: string
  /** The view, the table of the generated column or rule. */
  readonly relation: number | null
}

export type CataloguePublication = {
  readonly name: string
  readonly allTables: boolean
  readonly schemas: readonly string[]
  /** `columns` null: all. `uses`: those of its condition. */
  readonly tables: readonly { readonly table: number; readonly columns: readonly string[] | null; readonly uses: readonly string[] }[]
}

export type CatalogueType = {
  readonly schema: string
  readonly name: string
  /** Base, composite, domain, enum, range, multirange. */
  readonly kind: 'b' | 'c' | 'd' | 'e' | 'r' | 'm'
  /** Of a domain. */
  readonly base: CatalogueTypeRef | null
  readonly notNull: boolean
  readonly default: string | null
  readonly checks: readonly { readonly name: string; readonly isValid: boolean; readonly definition: string }[]
  /** Of an enum, in order. */
  readonly values: readonly string[]
}

/** Of types that are not PostgreSQL's own. `b`: the bytes stay as they are; context explicit, assignment, implicit. */
export type CatalogueCast = {
  readonly from: string
  readonly to: string
  readonly method: 'b' | 'f' | 'i'
  readonly context: 'e' | 'a' | 'i'
}

export type CatalogueFunction = {
  readonly schema: string
  readonly name: string
  readonly args: readonly string[]
  /** Function, procedure, aggregate, window. */
  readonly kind: 'f' | 'p' | 'a' | 'w'
  readonly volatility: 'i' | 's' | 'v'
  readonly language: string
  readonly returnsTrigger: boolean
  /** The whole CREATE statement; null where the language is not one that we read. */
  readonly text: string | null
}

/** Something of a table that calls a function of people, by its name alone. */
export type CatalogueUse = {
  readonly routine: string
  readonly table: number
  /** Of a default or generated column. */ readonly column: string | null
}

export const unknownCatalogue = (version: number, schema = 'public'): Catalogue => ({
  version,
  timeZone: 'UTC',
  searchPath: [schema],
  role: '',
  knows: 'nothing',
  schemas: [schema],
  relations: [],
  indexes: [],
  constraints: [],
  triggers: [],
  policies: [],
  dependents: [],
  publications: [],
  types: [],
  casts: [],
  functions: [],
  uses: [],
  extensions: [],
})
