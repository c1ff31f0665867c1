/** What brings the migrations to the database: the application's Prisma, another tool of its own, or our migrator for plain SQL. */
export type MigrationTool = {
  readonly name: string
  /** What the installed package says of itself; null when only a start can tell. */
  readonly installed: ToolVersion | null
  /** Whether it can be asked, before the first start, which database it would change and what. */
  readonly isAsked: boolean
  /** What is started, as people know it; for the log. */
  readonly shown: string
  /** Whether the record shows which migration is running. */
  readonly recordsStart: boolean
  /** What of a start that failed may be there although the record does not show it. */
  readonly leaves: 'nothing' | 'perhaps'
  /** Argument vectors, to be run in the application's directory or a layout of it. */
  readonly commands: {
    readonly version: readonly string[]
    readonly status: readonly string[]
    readonly deploy: readonly string[]
    /** Prints the schema that the live database has. */
    readonly pull: readonly string[]
    /** Compares two schema files. Exit code 0: the same, 2: different. */
    readonly diff: (from: string, to: string, major: number) => readonly string[]
    /** Compares the live database with the schema, in one start; the same exit codes. */
    readonly diffLive: (major: number) => readonly string[]
    readonly resolve: (migration: string, as: 'applied' | 'rolled-back') => readonly string[]
  }
  /** Null when the output is not one of this tool. */
  readonly readVersion: (output: string) => ToolVersion | null
  /** The schema in what `pull` printed; null when there is none. */
  readonly readPulled: (output: string) => string | null
  readonly readStatus: (output: string) => ToolStatus
  readonly readDeploy: (output: string) => ToolDeploy
  /** Output without what the tool says each time and nobody asked; for people, the raw one stays in the attempt's directory. */
  readonly readable: (output: string) => string
  /** The variables of one child; `timeouts` in milliseconds, 0 for none. */
  readonly environment: (session: ToolSession) => Readonly<Record<string, string>>
}

export type ToolSession = { readonly applicationName: string; readonly lockTimeoutMs: number; readonly statementTimeoutMs: number }

export type ToolVersion = {
  readonly version: string
  readonly major: number
  /** Whether a file is sent as one script, which PostgreSQL undoes as a whole. */
  readonly atomic: boolean
}

/** What the tool says it would change. `adapter`: through a driver adapter, which is the WebAssembly engine; `host` is null then. */
export type Datasource = {
  readonly database: string
  readonly schema: string | null
  readonly host: string | null
  readonly adapter: boolean
}

export type ToolStatus = {
  /** Null when it does not say. */
  readonly datasource: Datasource | null
  /** How many migration directories it sees. */
  readonly found: number | null
  /** Null when it listed none and did not say that all is applied: it failed. */
  readonly pending: readonly string[] | null
  readonly failed: readonly string[]
}

/** `complete`: it said that all migrations that it sees are applied now. */
export type ToolDeploy = { readonly datasource: Datasource | null; readonly complete: boolean }
