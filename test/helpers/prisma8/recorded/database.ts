import pg from 'pg'
import type { Config } from './config.ts'
import { finish } from './say.ts'

export async function connect({ connection, command }: Config, what: string, onFault: () => void = () => {}): Promise<pg.Client> {
  if (connection === undefined) {
    const label = 'Run `prisma db migrate --show --from <contract>`, or set `db: { connection: "postgres://…" }` in prisma.config.ts'
    return finish(command, {
      code: 'CONFIG.DB_CONNECTION_REQUIRED',
      summary: 'Database connection is required',
      why: `${what} needs a database connection to read the live marker (or pass --from <contract> for an offline preview)`,
      nextActions: [{ kind: 'user-choice', label }],
      meta: { missingFlags: ['--db'] },
    })
  }
  const client = new pg.Client({ connectionString: connection })
  client.on('error', () => {}) // the statement that is under way says it
  try {
    await client.connect()
    return client
  } catch (error) {
    onFault()
    const url = new URL(connection)
    return finish(command, {
      code: 'DRIVER.CONNECTION_FAILED',
      summary: 'Database connection failed',
      why: (error as Error).message,
      nextActions: [
        { kind: 'user-choice', label: 'Verify the database URL, ensure the database is reachable, and confirm credentials/permissions' },
      ],
      meta: {
        sqlState: (error as { code?: string }).code,
        host: url.hostname,
        port: url.port,
        database: url.pathname.slice(1),
        username: command === 'db.verify' ? '****' : url.username,
      },
    })
  }
}

/** Null when it was never signed. */
export async function readMarker(client: pg.Client): Promise<{ readonly core: string; readonly profile: string } | null> {
  const there = await client.query(
    `SELECT "tables"."table_schema" AS "table_schema" FROM "information_schema"."tables" WHERE ("tables"."table_schema" = $1 AND "tables"."table_name" = $2)`,
    ['prisma_contract', 'marker'],
  )
  if (there.rows.length === 0) return null
  const { rows } = await client.query<{ core: string; profile: string }>(
    `SELECT "marker"."core_hash" AS "core", "marker"."profile_hash" AS "profile" FROM "prisma_contract"."marker" WHERE "marker"."space" = 'app'`,
  )
  return rows[0] ?? null
}

/** Of the marker before anything runs. */
export async function markerOrFault(client: pg.Client): Promise<Awaited<ReturnType<typeof readMarker>>> {
  try {
    return await readMarker(client)
  } catch (error) {
    const label =
      'Could not read marker at prisma_contract.marker for space "app". Verify read permissions, connectivity, and locks, then retry.'
    return finish('db.migrate', {
      code: 'CONTRACT.MARKER_READ_FAILED',
      summary: 'Database error while reading contract marker',
      why: (error as Error).message,
      nextActions: [{ kind: 'user-choice', label }],
      meta: { space: 'app' },
    })
  }
}

export const SIGNATURE = `
CREATE SCHEMA IF NOT EXISTS "prisma_contract";
CREATE TABLE IF NOT EXISTS "prisma_contract"."marker" (space text PRIMARY KEY DEFAULT 'app', core_hash text NOT NULL, profile_hash text NOT NULL,
  contract_json jsonb, canonical_version integer, updated_at timestamptz NOT NULL DEFAULT now(), app_tag text, meta jsonb NOT NULL DEFAULT '{}',
  invariants text[] NOT NULL DEFAULT '{}');
CREATE TABLE IF NOT EXISTS "prisma_contract"."ledger" (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), space text NOT NULL,
  migration_name text NOT NULL, migration_hash text NOT NULL, origin_core_hash text, origin_profile_hash text, destination_core_hash text NOT NULL,
  destination_profile_hash text, operations jsonb NOT NULL);
CREATE TABLE IF NOT EXISTS "prisma_contract"."contract" (core_hash text PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), contract_json jsonb NOT NULL)`
