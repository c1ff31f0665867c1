/**
 * What differs from one version of Prisma to the next, as far as this program says it. A version that is not here is left to the real CLI.
 * To add one: run the contract with it, correct what differs, record.
 */
export const VERSIONS: Readonly<Record<string, Version>> = {
  '5.22.0': {
    engine: 'program',
    loaded: (path) => [['out', `Prisma schema loaded from ${path}\n`]],
    indent: '      ',
    order: 'by-bytes',
    isRolledBackPending: false,
    isOldEngine: true,
    hasUrlInSchema: true,
    places: {
      applyScript: 'schema-engine/connectors/sql-schema-connector/src/apply_migration.rs:113',
      initialize: 'schema-engine/connectors/sql-schema-connector/src/sql_migration_persistence.rs:17',
      applying: 'schema-engine/commands/src/commands/apply_migrations.rs:91',
      deploy: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:161',
      status: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:266',
      applied: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:429',
      rolledBack: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:377',
    },
  },
  '6.19.3': {
    engine: 'adapter',
    loaded: (path) => [
      ['err', 'Loaded Prisma config from prisma.config.ts.\n\n'],
      ['err', 'Prisma config detected, skipping environment variable loading.\n'],
      ['out', `Prisma schema loaded from ${path}\n`],
    ],
    indent: '      ',
    order: 'by-language',
    isRolledBackPending: false,
    isOldEngine: false,
    hasUrlInSchema: true,
    places: {
      applyScript: 'schema-engine/connectors/sql-schema-connector/src/apply_migration.rs:113',
      initialize: 'schema-engine/connectors/sql-schema-connector/src/sql_migration_persistence.rs:17',
      applying: 'schema-engine/commands/src/commands/apply_migrations.rs:95',
      deploy: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:167',
      status: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:266',
      applied: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:429',
      rolledBack: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:447',
    },
  },
  '7.10.1': {
    engine: 'program',
    loaded: (path) => [
      ['err', 'Loaded Prisma config from prisma.config.ts.\n\n'],
      ['err', `Prisma schema loaded from ${path}.\n`],
    ],
    indent: '',
    order: 'by-language',
    isRolledBackPending: true,
    isOldEngine: false,
    hasUrlInSchema: false,
    places: {
      applyScript: 'schema-engine/connectors/sql-schema-connector/src/apply_migration.rs:113',
      initialize: 'schema-engine/connectors/sql-schema-connector/src/sql_migration_persistence.rs:17',
      applying: 'schema-engine/commands/src/commands/apply_migrations.rs:95',
      deploy: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:167',
      status: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:266',
      applied: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:429',
      rolledBack: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:447',
    },
  },
}

export type Version = {
  /** The schema engine in the CLI's own process over a driver adapter of the configuration, or as a program that it starts. */
  readonly engine: 'adapter' | 'program'
  /** What it says of what it has loaded, and to which stream. */
  readonly loaded: (path: string) => readonly (readonly ['out' | 'err', string])[]
  /** In lines between paragraphs that are otherwise empty. */
  readonly indent: string
  /** Of migrations. */
  readonly order: 'by-bytes' | 'by-language'
  /** Whether status names a migration that was only rolled back, as it is to be applied again. */
  readonly isRolledBackPending: boolean
  /**
   * The first engine as WebAssembly (6.6.0), which stands in for the native one of 5: it has other words for faults, and takes a record that
   * it may not read for one that is not there.
   */
  readonly isOldEngine: boolean
  readonly hasUrlInSchema: boolean
  readonly places: Places
}

/** In the engine's source, which its errors name. */
type Places = Readonly<Record<'applyScript' | 'initialize' | 'applying' | 'deploy' | 'status' | 'applied' | 'rolledBack', string>>
