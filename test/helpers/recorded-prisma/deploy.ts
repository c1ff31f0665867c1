import { withEngine, type Engine } from './engine.ts'
import { backtrace, Told, type Frame } from './faults.ts'
import { createRecord, isApplied, isOpen, noteFinished, noteLogs, noteStarted, readRecord, takeLock, type Row } from './record.ts'
import type { Migration, Situation } from './situation.ts'
import { found, out } from './words.ts'

export async function deploy(situation: Situation): Promise<number | 'unknown'> {
  const frame = { name: 'schema_engine_wasm::wasm::engine::ApplyMigrations', at: situation.version.places.deploy }
  return withEngine(situation, frame, async (engine) => {
    out('\n')
    out(found(situation.migrations.length))
    out('\n')
    await takeLock(engine, situation.version)
    await findRecord(engine, situation)
    const read = await readRecord(engine, situation.version)
    if (read === null && situation.version.isOldEngine)
      throw new Told(`Invariant violation: migration persistence is not initialized.\n${backtrace([frame])}`)
    const rows = read ?? []
    refuseAfterFailure(rows)
    const applied = new Set(rows.filter(isApplied).map((row) => row.migration_name))
    const open = situation.migrations.filter(({ name }) => !applied.has(name))
    for (const migration of open) await apply(engine, migration, situation, frame)
    return () => {
      out('\n')
      out(open.length === 0 ? 'No pending migrations to apply.\n' : applies(open, situation.version.indent))
      return 0
    }
  })
}

/** Makes it in an empty schema; a table without a record means that somebody else built this database. */
async function findRecord(engine: Engine, { version: { places, isOldEngine }, schema, inSchema }: Situation): Promise<void> {
  const tables = await engine.ask<{ table_name: string }>(
    `SELECT tbl.relname AS table_name, namespace.nspname AS table_namespace
       FROM pg_class AS tbl
       INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace
      WHERE tbl.relkind = 'r' AND namespace.nspname = ANY ( $1 )`,
    [[inSchema ? schema : 'public']],
  )
  if (tables.some(({ table_name: name }) => name === '_prisma_migrations')) return
  if (tables.some(({ table_name: name }) => !OF_POSTGIS.test(name)))
    throw new Told(
      'P3005\n\nThe database schema is not empty. Read more about how to baseline an existing production database: https://pris.ly/d/migrate-baseline\n',
    )
  const fields = `namespaces=None${isOldEngine ? '' : ' filters=SchemaFilter { external_tables: [], external_enums: [] }'}`
  await createRecord(engine, [{ name: 'sql_schema_connector::sql_migration_persistence::initialize', at: places.initialize, fields }])
}

const OF_POSTGIS = /^(spatial_ref_sys|geometry_columns|geography_columns|raster_columns|raster_overviews)$/i

function refuseAfterFailure(rows: readonly Row[]): void {
  const failed = rows.filter(isOpen)
  if (failed.length === 0) return
  const lines = failed.map((row) => `The \`${row.migration_name}\` migration started at ${when(row.started_at)} failed`)
  throw new Told(
    `P3009\n\nmigrate found failed migrations in the target database, new migrations will not be applied. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve\n${lines.join('\n')}\n\n`,
  )
}

const when = (date: Date): string =>
  date
    .toISOString()
    .replace('T', ' ')
    .replace(/(\.000)?Z$/, ' UTC')

async function apply(
  engine: Engine,
  { name, script, checksum }: Migration,
  { version: { places } }: Situation,
  frame: Frame,
): Promise<void> {
  const fields = `migration_name="${name}"`
  const applying = { name: 'schema_commands::commands::apply_migrations::Applying migration', at: places.applying, fields }
  const id = await noteStarted(engine, name, checksum, [applying])
  const fault = await engine.run(script)
  if (fault === null) return noteFinished(engine, id, [applying])
  const within = { name: 'sql_schema_connector::apply_migration::apply_script', at: places.applyScript, fields }
  const logs = `${fault}\n${backtrace([within, applying, frame])}`
  await noteLogs(engine, id, logs, [applying])
  throw new Told(logs)
}

const applies = (migrations: readonly Migration[], indent: string): string =>
  `The following migration(s) have been applied:\n\nmigrations/${migrations.map(({ name }) => `\n  └─ ${name}/\n    └─ migration.sql`).join('')}\n${indent}\nAll migrations have been successfully applied.\n`
