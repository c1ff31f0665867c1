/**
 * Prisma 6 without its native engines: the WebAssembly schema engine over @prisma/adapter-pg, so that nothing is downloaded. The
 * environment also needs PRISMA_QUERY_ENGINE_LIBRARY and PRISMA_SCHEMA_ENGINE_BINARY naming any existing executable (they stop the
 * download and are never run), CHECKPOINT_DISABLE=1, PRISMA_HIDE_UPDATE_MESSAGE=1 and NO_COLOR=1. An application with Prisma's own
 * engines needs none of this.
 */
import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import { defineConfig } from 'prisma/config'

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>

letGoOfTheLockTimer()

// Fields rather than a connection string: with a string the shadow database would be the main one.
const url = new URL(process.env.DATABASE_URL ?? 'postgresql://localhost/postgres')

class FaithfulPg extends PrismaPg {
  override async connect() {
    return faithful(await super.connect())
  }
  override async connectToShadowDb() {
    return faithful(await super.connectToShadowDb())
  }
}

export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  adapter: async () =>
    new FaithfulPg({
      host: url.searchParams.get('host') ?? url.hostname,
      port: Number(url.port || 5432),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
      ...(url.searchParams.has('options') ? { options: url.searchParams.get('options') ?? '' } : {}),
      application_name: url.searchParams.get('application_name') ?? 'prisma',
      max: 1, // a second connection could outlive the one that holds the advisory lock
      idleTimeoutMillis: 0,
      allowExitOnIdle: true,
    }),
})

function faithful(adapter: Adapter): Adapter {
  const pool = adapter.underlyingDriver()
  handOverWhatItCannotRead(adapter, pool)
  // The stock adapter splits a script at every ';' and so is neither atomic nor safe for function bodies.
  adapter.executeScript = async (script) => {
    try {
      await pool.query(script)
    } catch (error) {
      await pool.query('ROLLBACK').catch(() => {})
      throw inPrismasWords(error as pg.DatabaseError)
    }
  }
  return adapter
}

/** Types that the adapter cannot read (name, xid, …) are handed over as text, and "char" as the single character that the engine wants. */
const unreadable = new Set([18, 19, 22, 24, 28, 29, 30, 194, 1034, 2205, 2206])
const CHAR = 18
const TEXT = 25
const CHARACTER = 6

function handOverWhatItCannotRead(adapter: Adapter, pool: pg.Pool): void {
  const charColumns = new WeakMap<object, readonly number[]>()
  const query: (...args: unknown[]) => Promise<pg.QueryResult> = pool.query.bind(pool)
  const readable = async (...args: unknown[]) => {
    const result = await query(...args)
    const fields = result.fields ?? [] // a script of several statements gives an array of results
    const chars = fields.flatMap((field, index) => (field.dataTypeID === CHAR ? [index] : []))
    if (chars.length > 0) charColumns.set(result.rows, chars)
    for (const field of fields) if (unreadable.has(field.dataTypeID)) field.dataTypeID = TEXT
    return result
  }
  Object.assign(pool, { query: readable })
  const queryRaw = adapter.queryRaw.bind(adapter)
  adapter.queryRaw = async (params) => {
    const result = await queryRaw(params)
    for (const index of charColumns.get(result.rows) ?? []) result.columnTypes[index] = CHARACTER
    return result
  }
}

/** The adapter keeps the true code of this error to itself, so the code stands in the message as well. */
const inPrismasWords = (error: pg.DatabaseError) =>
  Object.assign(new Error(`[${error.code}] ${error.message}`), {
    name: 'DriverAdapterError',
    cause: {
      kind: 'postgres',
      code: 'XX000',
      severity: error.severity ?? 'ERROR',
      message: `[SQLSTATE ${error.code}] ${error.message}`,
      detail: error.detail,
      column: error.column,
      hint: error.hint,
      originalCode: error.code,
      originalMessage: error.message,
    },
  })

/** The engine waits at most 10 s for its advisory lock. Its timer would keep Node alive after a success: every deploy would take 11 s. */
function letGoOfTheLockTimer(): void {
  const setTimer: (callback: () => void, delay?: number, ...rest: unknown[]) => NodeJS.Timeout = globalThis.setTimeout
  const patched = (callback: () => void, delay?: number, ...rest: unknown[]) => {
    const timer = setTimer(callback, delay, ...rest)
    if (delay === 10_000) timer.unref()
    return timer
  }
  globalThis.setTimeout = Object.assign(patched, setTimer) as typeof setTimeout
}
