import { withEngine } from './engine.ts'
import { isOpen, readRecord, type Row } from './record.ts'
import type { Situation } from './situation.ts'
import type { Version } from './versions.ts'
import { err, found, out, plural } from './words.ts'

export async function status(situation: Situation): Promise<number | 'unknown'> {
  const frame = { name: 'schema_engine_wasm::wasm::engine::DiagnoseMigrationHistory', at: situation.version.places.status }
  return withEngine(situation, frame, async (engine) => {
    const rows = await readRecord(engine, situation.version)
    return () => {
      out('\n')
      out(found(situation.migrations.length))
      return say(
        situation.migrations.map(({ name }) => name),
        rows,
        situation.version,
      )
    }
  })
}

function say(names: readonly string[], rows: readonly Row[] | null, { indent, isRolledBackPending }: Version): number {
  const counted = rows?.filter((row) => !isRolledBackPending || row.rolled_back_at === null)
  const recorded = new Set(counted?.map((row) => row.migration_name))
  const unapplied = names.filter((name) => !recorded.has(name))
  const unknown = (counted ?? []).map((row) => row.migration_name).filter((name) => !names.includes(name))
  if (unapplied.length > 0 && unknown.length === 0) {
    out(
      `Following migration${plural(unapplied.length)} have not yet been applied:\n${unapplied.join('\n')}\n\nTo apply migrations in development run prisma migrate dev.\nTo apply migrations in production run prisma migrate deploy.\n`,
    )
    return 1
  }
  if (unapplied.length > 0) {
    const common = names[names.indexOf(unapplied[0] ?? '') - 1] ?? null
    err(
      `Your local migration history and the migrations table from your database are different:\n\nThe last common migration is: ${common}\n\nThe migration${plural(unapplied.length)} have not yet been applied:\n${unapplied.join('\n')}\n\nThe migration${plural(unknown.length)} from the database are not found locally in prisma/migrations:\n${unknown.join('\n')}\n`,
    )
    return 1
  }
  if (rows === null) {
    err(
      `The current database is not managed by Prisma Migrate.\n${indent === '' ? '' : '        '}\nRead more about how to baseline an existing production database:\nhttps://pris.ly/d/migrate-baseline\n`,
    )
    return 1
  }
  const failed = rows.filter(isOpen).map((row) => row.migration_name)
  if (failed.length > 0) return sayFailed(failed, indent)
  out('\n')
  out('Database schema is up to date!\n')
  return 0
}

function sayFailed(failed: readonly string[], indent: string): number {
  err(
    `Following migration${plural(failed.length)} have failed:\n${failed.join('\n')}\n\nDuring development if the failed migration(s) have not been deployed to a production database you can then fix the migration(s) and run prisma migrate dev.\n\n`,
  )
  err(
    `The failed migration(s) can be marked as rolled back or applied:\n${indent}\n- If you rolled back the migration(s) manually:\nprisma migrate resolve --rolled-back "${failed[0]}"\n\n- If you fixed the database manually (hotfix):\nprisma migrate resolve --applied "${failed[0]}"\n\nRead more about how to resolve migration issues in a production database:\nhttps://pris.ly/d/migrate-resolve\n`,
  )
  return 1
}
