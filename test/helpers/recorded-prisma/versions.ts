/**
 * What differs from one version of Prisma to the next, as far as this program says it: the places in the engine's source that its errors
 * name. A version that is not here is left to the real CLI. To add one: run the contract with it, correct what differs, record.
 */
export const VERSIONS: Readonly<Record<string, Places>> = {
  '6.19.3': {
    applyScript: 'schema-engine/connectors/sql-schema-connector/src/apply_migration.rs:113',
    initialize: 'schema-engine/connectors/sql-schema-connector/src/sql_migration_persistence.rs:17',
    applying: 'schema-engine/commands/src/commands/apply_migrations.rs:95',
    deploy: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:167',
    status: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:266',
    applied: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:429',
    rolledBack: 'schema-engine/schema-engine-wasm/src/wasm/engine.rs:447',
  },
}

export type Places = Readonly<Record<'applyScript' | 'initialize' | 'applying' | 'deploy' | 'status' | 'applied' | 'rolledBack', string>>
