import { withEngine, type Engine } from './engine.ts'
import { Told } from './faults.ts'
import { createRecord, isApplied, isOpen, noteApplied, noteRolledBack, readRecord, takeLock } from './record.ts'
import type { Command, Situation } from './situation.ts'
import { out } from './words.ts'

export async function resolve(
  situation: Situation,
  { as, migration }: Extract<Command, { readonly kind: 'resolve' }>,
): Promise<number | 'unknown'> {
  const isForward = as === 'applied'
  const name = `schema_engine_wasm::wasm::engine::${isForward ? 'MarkMigrationApplied' : 'MarkMigrationRolledBack'}`
  const at = isForward ? situation.version.places.applied : situation.version.places.rolledBack
  const frame = { name, at, ...(isForward ? {} : { fields: `migration_name="${migration}"` }) }
  return withEngine(situation, frame, async (engine) => {
    await takeLock(engine, situation.version)
    await (isForward ? markApplied(engine, situation, migration) : markRolledBack(engine, situation, migration))
    return () => {
      out(`\nMigration ${migration} marked as ${isForward ? 'applied' : 'rolled back'}.\n`)
      out('\n')
      return 0
    }
  })
}

const HINT = '(example: "20201207184859_initial_migration")'

async function markApplied(engine: Engine, { migrations, version }: Situation, name: string): Promise<void> {
  const file = migrations.find((migration) => migration.name === name)
  if (file === undefined)
    throw new Told(
      `P3017\n\nThe migration ${name} could not be found. Please make sure that the migration exists, and that you included the whole name of the directory. ${HINT}\n`,
    )
  const record = await readRecord(engine, version)
  if (record === null) await createRecord(engine)
  const rows = (record ?? []).filter((row) => row.migration_name === name)
  if (rows.some(isApplied)) throw new Told(`P3008\n\nThe migration \`${name}\` is already recorded as applied in the database.\n`)
  for (const row of rows.filter(isOpen)) await noteRolledBack(engine, row.id)
  await noteApplied(engine, name, file.checksum)
}

async function markRolledBack(engine: Engine, { version }: Situation, name: string): Promise<void> {
  const record = await readRecord(engine, version)
  if (record === null)
    throw new Told(
      `Invariant violation: called markMigrationRolledBack on a database without migrations table.\n   0: schema_engine_wasm::wasm::engine::MarkMigrationRolledBack\n           with migration_name="${name}"\n             at ${version.places.rolledBack}`,
    )
  const rows = record.filter((row) => row.migration_name === name)
  if (rows.length === 0)
    throw new Told(
      `P3011\n\nMigration \`${name}\` cannot be rolled back because it was never applied to the database. Hint: did you pass in the whole migration name? ${HINT}\n`,
    )
  // one that is marked already may be marked again, which changes nothing, also beside one that was applied
  if (rows.every((row) => row.finished_at !== null))
    throw new Told(`P3012\n\nMigration \`${name}\` cannot be rolled back because it is not in a failed state.\n`)
  for (const row of rows.filter(isOpen)) await noteRolledBack(engine, row.id)
}
