import type { ToolSettings } from '../config/tool.ts'
import type { Queryable } from '../database/connect.ts'
import { hasSqlState, sqlState } from '../lib/sqlstate.ts'
import { readDatabaseState, type DatabaseState, type MigrationRow } from './status.ts'

/** Where plain SQL files are recorded, in the schema of the URL; it has the columns of Prisma's. */
export const SQL_RECORD = 'lockkeeper_migrations'

/** The table that has the record, as far as it is not a tool's own. */
export const recordTable = (tool: ToolSettings): string => ('sql' in tool ? SQL_RECORD : '_prisma_migrations')

/** What the record of this tool says is applied. */
export async function readStateOf(
  client: Queryable,
  tool: ToolSettings,
  schema: string,
  external: readonly string[] = [],
): Promise<DatabaseState> {
  if ('prisma' in tool) return readDatabaseState(client, schema, external)
  if ('sql' in tool) {
    const state = await readDatabaseState(client, schema, external, SQL_RECORD)
    const { baseline } = tool.sql
    return baseline === undefined || state.recorded ? state : { ...state, assumed: baseline }
  }
  const state = await readDatabaseState(client, schema, external, null)
  const applied = await readApplied(client, tool.command.applied)
  return applied === null ? state : { ...state, recorded: true, rows: applied.map(declaredRow) }
}

/** The query of the configuration cannot be used; `message` is a part of a sentence. */
export class AppliedQueryError extends Error {
  readonly query: string
  constructor(query: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'AppliedQueryError'
    this.query = query
  }
}

/** Null while its table is not there: the tool makes it when it runs first. */
async function readApplied(client: Queryable, query: string): Promise<readonly string[] | null> {
  await client.query('begin read only')
  try {
    const { rows } = await client.query<unknown[]>({ text: query, rowMode: 'array' })
    if (rows.some((row) => row.length !== 1 || row[0] === null))
      throw new AppliedQueryError(query, 'it gives more than one column, or no name')
    return rows.map(([value]) => String(value))
  } catch (error) {
    if (error instanceof Error && (hasSqlState(error, sqlState.undefinedTable) || hasSqlState(error, sqlState.invalidSchemaName)))
      return null
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.length === 5)
      throw new AppliedQueryError(query, `${error.message} (${error.code})`, error)
    throw error
  } finally {
    await client.query('rollback')
  }
}

/** What such a record does not say: times, and a checksum where it has names. */
const declaredRow = (value: string, at: number): MigrationRow => ({
  id: String(at),
  name: value,
  checksum: null,
  startedAt: NO_TIME,
  finishedAt: NO_TIME,
  rolledBackAt: null,
  logs: null,
  appliedSteps: 1,
})

const NO_TIME = new Date(0)
