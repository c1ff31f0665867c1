import pg from 'pg'
import type { Situation } from './situation.ts'
import { begin, out } from './words.ts'
import { engineFault, reachFault, scriptFault, startFault, Told, type Frame } from './faults.ts'

/** The engine's connection: one at a time, a new one after each error, as the driver adapter's pool gives it. */
export type Engine = {
  readonly ask: <Row extends object>(sql: string, values?: readonly unknown[], frames?: readonly Frame[]) => Promise<readonly Row[]>
  /** A whole file as one script; what it fails with is what goes into the record. */
  readonly run: (script: string) => Promise<string | null>
  readonly close: () => Promise<void>
}

/** Connects and looks for the schema, which is made when it is not there, also by a command that only asks. */
export async function openEngine(situation: Situation, frame: Frame): Promise<Engine | 'unknown'> {
  const pool = new pg.Pool(connectionOf(situation))
  pool.on('error', () => {}) // an idle connection was cut; the next statement opens another
  const name = situation.inSchema ? situation.schema : 'public'
  try {
    const { rows } = await pool.query<{ exists: boolean }>(
      `SELECT EXISTS(SELECT 1 FROM pg_namespace WHERE nspname = $1), version(), current_setting('server_version_num')::integer as numeric_version;`,
      [name],
    )
    if (rows[0]?.exists !== true) await pool.query(`CREATE SCHEMA ${pg.escapeIdentifier(name)}`)
  } catch (error) {
    await pool.end()
    const { url, version } = situation
    const told = version.engine === 'program' ? reachFault(error, `${url.hostname}:${url.port || '5432'}`) : startFault(error)
    if (told === null) return 'unknown'
    throw told
  }
  return {
    async ask<Row extends object>(sql: string, values: readonly unknown[] = [], frames: readonly Frame[] = []) {
      try {
        return (await pool.query<Row>(sql, [...values])).rows
      } catch (error) {
        throw engineFault(error, [...frames, frame], situation.version.isOldEngine)
      }
    },
    async run(script) {
      try {
        await pool.query(script)
        return null
      } catch (error) {
        await pool.query('ROLLBACK').catch(() => {})
        return scriptFault(error, situation.version.engine === 'program' ? 'program' : situation.inSchema ? 'plain' : 'shop')
      }
    },
    close: () => pool.end(),
  }
}

/** Begins, works and ends as each command does: gives the exit code, and prints what went wrong after the connection was closed. */
export async function withEngine(
  situation: Situation,
  frame: Frame,
  work: (engine: Engine) => Promise<() => number>,
): Promise<number | 'unknown'> {
  let say: () => number
  let hasBegun = false
  try {
    const engine = await openEngine(situation, frame)
    if (engine === 'unknown') return 'unknown'
    begin(situation)
    hasBegun = true
    try {
      say = await work(engine)
    } finally {
      await engine.close()
    }
  } catch (error) {
    if (!(error instanceof Told)) throw error
    if (!hasBegun) {
      begin(situation)
      if (situation.version.engine === 'program' && situation.command.kind === 'deploy') out('\n')
    }
    // the CLI ends what an engine of its own says with an empty line, as that of a code always ends
    const more = hasBegun && situation.version.engine === 'program' && !/^P\d{4}\n/.test(error.message) ? '\n' : ''
    say = () => {
      process.stderr.write(`Error: ${error.message}${more}\n`)
      return 1
    }
  }
  return say()
}

function connectionOf({ url, schema, inSchema }: Situation): pg.PoolConfig {
  const part = (name: string) => url.searchParams.get(name) ?? undefined
  const options = [part('options') ?? [], inSchema && schema !== 'public' ? [`-c search_path=${schema}`] : []].flat().join(' ')
  return {
    host: part('host') ?? url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(options === '' ? {} : { options }),
    application_name: part('application_name') ?? 'prisma',
    max: 1,
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
  }
}
