import { connectionOf, schemaOf } from './connection.ts'

type Result = { readonly fields?: readonly { dataTypeID: number }[]; readonly rows?: object }
type Client = { query: (...args: unknown[]) => Promise<Result> }
type Adapter = {
  readonly client: Client
  queryRaw: (params: unknown) => Promise<{ readonly rows: object; readonly columnTypes: number[] }>
  executeScript: (script: string) => Promise<void>
}
export type AdapterPackage = { readonly PrismaPg: new (config: object, options: object) => { connect: () => Promise<Adapter> } }

const TEXT = 25
const CHAR = 18
/** Of the adapter's own types; the engine ends when "char" comes as text. */
const CHARACTER = 6
// "char", name, int2vector, regproc, tid, xid, cid, pg_node_tree, reltime, regprocedure and regclass: the adapter knows none of them
const READ_AS_TEXT = new Set([18, 19, 22, 24, 28, 29, 30, 194, 1034, 2205, 2206])

/** Prisma's own adapter, but for a script, which it cuts at each semicolon: here a file is one message to the server. */
export function adapterOf({ PrismaPg }: AdapterPackage, url: string): object {
  const factory = new PrismaPg(connectionOf(url), { schema: schemaOf(url) })
  const connect = factory.connect.bind(factory)
  factory.connect = async () => patch(await connect())
  return factory
}

function patch(adapter: Adapter): Adapter {
  const { client } = adapter
  const query = client.query.bind(client)
  const characters = new WeakMap<object, readonly number[]>()
  client.query = async (...args) => {
    const result = await query(...args)
    const fields = result?.fields ?? []
    if (result?.rows !== undefined)
      characters.set(
        result.rows,
        fields.flatMap(({ dataTypeID }, at) => (dataTypeID === CHAR ? [at] : [])),
      )
    for (const field of fields) if (READ_AS_TEXT.has(field.dataTypeID)) field.dataTypeID = TEXT
    return result
  }
  const queryRaw = adapter.queryRaw.bind(adapter)
  adapter.queryRaw = async (params) => {
    const result = await queryRaw(params)
    for (const at of characters.get(result.rows) ?? []) result.columnTypes[at] = CHARACTER
    return result
  }
  adapter.executeScript = async (script) => {
    try {
      await query(script)
    } catch (error) {
      await query('ROLLBACK').catch(() => {}) // the file's own words count, also when the connection is gone
      const {
        code = 'XX000',
        message,
        severity = 'ERROR',
        detail,
        hint,
      } = error as { code?: string; message: string; severity?: string; detail?: string; hint?: string }
      const told = `[SQLSTATE ${code}] ${message}`
      // the engine drops the message of every code that it knows, so it is given one that it does not
      throw Object.assign(new Error(told), {
        name: 'DriverAdapterError',
        cause: { kind: 'postgres', code: 'XX000', severity, message: told, detail, hint, originalCode: code, originalMessage: message },
      })
    }
  }
  return adapter
}
