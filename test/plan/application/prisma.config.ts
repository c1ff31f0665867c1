import { PrismaPg } from '@prisma/adapter-pg'
import { defineConfig } from 'prisma/config'

/*
 * A small application for tests whose Prisma needs no engine of its own: the schema engine runs as WebAssembly over `pg`.
 * The adapter is changed in four places, so that what the tests see is what the native engine does.
 */

// the engine's timer for the advisory lock would keep Node alive for its whole ten seconds after the work is done
const start = setTimeout
globalThis.setTimeout = Object.assign((callback: () => void, delay?: number) => {
  const timer = start(callback, delay)
  return delay === 10_000 ? timer.unref() : timer
}, start)

const TEXT = 25
const CHAR = 18
const CHARACTER = 6
// "char", name, int2vector, regproc, tid, xid, cid, pg_node_tree, reltime, regprocedure and regclass: the adapter knows none of them
const READ_AS_TEXT = new Set([18, 19, 22, 24, 28, 29, 30, 194, 1034, 2205, 2206])

type Parts = {
  readonly client: { query: (...args: unknown[]) => Promise<{ fields?: { dataTypeID: number }[]; rows?: object }> }
  queryRaw: (params: unknown) => Promise<{ rows: object; columnTypes: number[] }>
  executeScript: (script: string) => Promise<void>
}

function patch<Adapter>(adapter: Adapter): Adapter {
  // its client is declared protected; the version is pinned
  const parts = adapter as unknown as Parts
  const query = parts.client.query.bind(parts.client)
  const charColumns = new WeakMap<object, readonly number[]>()
  parts.client.query = async (...args) => {
    const result = await query(...args)
    const fields = result?.fields ?? []
    const chars = fields.flatMap(({ dataTypeID }, at) => (dataTypeID === CHAR ? [at] : []))
    if (result?.rows !== undefined) charColumns.set(result.rows, chars)
    for (const field of fields) if (READ_AS_TEXT.has(field.dataTypeID)) field.dataTypeID = TEXT
    return result
  }
  const queryRaw = parts.queryRaw.bind(parts)
  parts.queryRaw = async (params) => {
    const result = await queryRaw(params)
    for (const at of charColumns.get(result.rows) ?? []) result.columnTypes[at] = CHARACTER
    return result
  }
  // one script is one message to the server, hence one transaction; the adapter would cut it at each semicolon
  parts.executeScript = async (script) => {
    try {
      await query(script)
    } catch (error) {
      await query('ROLLBACK').catch(() => {})
      const { code = 'XX000', message, severity = 'ERROR' } = error as { code?: string; message: string; severity?: string }
      const told = `[SQLSTATE ${code}] ${message}`
      // the engine drops the message of every code that it knows, so it is given one that it does not
      throw Object.assign(new Error(told), {
        name: 'DriverAdapterError',
        cause: { kind: 'postgres', code: 'XX000', severity, message: told, originalCode: code, originalMessage: message },
      })
    }
  }
  return adapter
}

class WholeScripts extends PrismaPg {
  override async connect() {
    return patch(await super.connect())
  }
}

const url = new URL(process.env['DATABASE_URL'] ?? 'postgresql://localhost/postgres')
const part = (name: string) => url.searchParams.get(name) ?? undefined

const schema = part('schema') ?? 'public'

export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  adapter: async () =>
    new WholeScripts(
      {
        host: part('host') ?? url.hostname,
        port: Number(url.port || 5432),
        user: decodeURIComponent(url.username),
        password: decodeURIComponent(url.password),
        database: decodeURIComponent(url.pathname.slice(1)),
        // the native engine sets the search path to the URL's schema
        options: [part('options') ?? [], schema === 'public' ? [] : `-c search_path=${schema}`].flat().join(' '),
        application_name: part('application_name') ?? 'prisma',
        max: 1,
        idleTimeoutMillis: 0,
        allowExitOnIdle: true,
      },
      { schema },
    ),
})
