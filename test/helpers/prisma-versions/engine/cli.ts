import pg from 'pg'
import { connectionOf } from './connection.ts'

/** `cli … can-connect-to-database`: ends with 0, or says on standard error why not, behind a line that the CLI passes over. */
export async function checkDatabase(words: readonly string[]): Promise<void> {
  const url = words[words.indexOf('--datasource') + 1] ?? ''
  const client = new pg.Client(connectionOf(url.startsWith('{') ? (JSON.parse(url) as { url: string }).url : url))
  try {
    await client.connect()
    await client.end()
    process.exit(0)
  } catch (error) {
    const { host, port } = client
    console.error(
      `started\n${JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields: worded(error, `${host}:${port}`) })}`,
    )
    process.exit(1)
  }
}

/** In the words of the native engine. */
function worded(error: unknown, place: string): { readonly message: string; readonly error_code?: string } {
  const { code, message } = error as { code?: string; message: string }
  const quoted = /"([^"]*)"/.exec(message)?.[1] ?? ''
  if (code === '3D000') return { error_code: 'P1003', message: `Database \`${quoted}\` does not exist` }
  if (code === '28P01')
    return {
      error_code: 'P1000',
      message: `Authentication failed against database server, the provided database credentials for \`${quoted}\` are not valid.\n\nPlease make sure to provide valid database credentials for the database server at the configured address.`,
    }
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND')
    return {
      error_code: 'P1001',
      message: `Can't reach database server at \`${place}\`\n\nPlease make sure your database server is running at \`${place}\`.`,
    }
  return { message }
}
