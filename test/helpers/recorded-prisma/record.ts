import { randomUUID } from 'node:crypto'
import type { Engine } from './engine.ts'
import { Told, type Frame } from './faults.ts'
import type { Version } from './versions.ts'

/** A row of `_prisma_migrations`, as far as somebody looks at it. */
export type Row = {
  readonly id: string
  readonly migration_name: string
  readonly finished_at: Date | null
  readonly rolled_back_at: Date | null
  readonly started_at: Date
}

/** Null when there is no record; its question fails then, and the session that asked is gone. */
export async function readRecord(engine: Engine, { isOldEngine }: Version): Promise<readonly Row[] | null> {
  try {
    return await engine.ask<Row>(
      'SELECT "id", "checksum", "finished_at", "migration_name", "logs", "rolled_back_at", "started_at", "applied_steps_count" FROM "_prisma_migrations" ORDER BY "started_at" ASC',
    )
  } catch (error) {
    if (error instanceof Told && (isOldEngine || error.message.startsWith('P1014'))) return null
    throw error
  }
}

export const createRecord = (engine: Engine, frames: readonly Frame[] = []) =>
  engine.ask(
    `CREATE TABLE _prisma_migrations (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
);
`,
    [],
    frames,
  )

const LOCK = 'SELECT pg_advisory_lock(72707369)'
const LOCK_MS = 10_000

/** Held until the session ends. Whoever waits too long leaves a session behind that goes on waiting. */
export async function takeLock(engine: Engine, { isOldEngine }: Version): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((done) => {
    timer = setTimeout(done, LOCK_MS, 'late')
  })
  const got = await Promise.race([engine.ask(LOCK), late])
  clearTimeout(timer)
  if (got !== 'late') return
  const at = isOldEngine
    ? ['at `<driver-adapter-host>:<driver-adapter-port>` ', '`<driver-adapter-host>:<driver-adapter-port>`', 'Elapsed']
    : ['', 'the configured address', 'Timeout']
  process.stderr.write(
    `Error: P1002\n\nThe database server ${at[0]}was reached but timed out.\n\nPlease try again.\n\nPlease make sure your database server is running at ${at[1]}.\n\nContext: Timed out trying to acquire a postgres advisory lock (${LOCK}). ${at[2]}: ${LOCK_MS}ms. See https://pris.ly/d/migrate-advisory-locking for details.\n\n\n`,
  )
  process.exit(1)
}

export async function noteStarted(engine: Engine, name: string, checksum: string, frames: readonly Frame[]): Promise<string> {
  const id = randomUUID()
  await engine.ask(
    'INSERT INTO "_prisma_migrations" ("id","checksum","started_at","migration_name") VALUES ($1,$2,$3,$4)',
    [id, checksum, new Date(), name],
    frames,
  )
  return id
}

export async function noteFinished(engine: Engine, id: string, frames: readonly Frame[]): Promise<void> {
  await engine.ask('UPDATE "_prisma_migrations" SET "applied_steps_count" = ("applied_steps_count" + $1) WHERE "id" = $2', [1, id], frames)
  await engine.ask('UPDATE "_prisma_migrations" SET "finished_at" = $1 WHERE "id" = $2', [new Date(), id], frames)
}

export const noteLogs = (engine: Engine, id: string, logs: string, frames: readonly Frame[]) =>
  engine.ask('UPDATE "_prisma_migrations" SET "logs" = $1 WHERE "id" = $2', [logs, id], frames)

export const noteRolledBack = (engine: Engine, id: string) =>
  engine.ask('UPDATE "_prisma_migrations" SET "rolled_back_at" = $1 WHERE "id" = $2', [new Date(), id])

export async function noteApplied(engine: Engine, name: string, checksum: string): Promise<void> {
  const now = new Date()
  await engine.ask(
    'INSERT INTO "_prisma_migrations" ("id","checksum","logs","started_at","finished_at","migration_name") VALUES ($1,$2,$3,$4,$5,$6)',
    [randomUUID(), checksum, '', now, now, name],
  )
}

/** Began, did not end, and nobody has resolved it. */
export const isOpen = (row: Row): boolean => row.finished_at === null && row.rolled_back_at === null
export const isApplied = (row: Row): boolean => row.finished_at !== null && row.rolled_back_at === null
