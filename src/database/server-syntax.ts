import pg from 'pg'
import type { Queryable } from './connect.ts'

/** What the server's own parser says of a file. */
export type Syntax =
  | { readonly kind: 'read' }
  /** `at`: characters before the place, null at the end of the file. `message` is PostgreSQL's, not escaped. */
  | { readonly kind: 'refused'; readonly message: string; readonly code: string; readonly at: number | null }
  | { readonly kind: 'unknown' }

/** Lets the server read what it would be sent, and run nothing of it. Of its language it alone knows every version. */
export async function readSyntax(
  client: Queryable,
  files: readonly { readonly text: string; readonly isWhole: boolean }[],
): Promise<{ readonly version: string; readonly answers: readonly Syntax[] }> {
  const { rows } = await client.query<{ version: string }>(`select current_setting('server_version') as version`)
  const version = /^[\d.]+/.exec(rows[0]?.version ?? '')?.[0] ?? ''
  // most plans are read as a whole, by one question
  const whole = files.filter(({ isWhole }) => isWhole).map(({ text }) => text)
  const isRead =
    whole.length > 0 &&
    whole.reduce((sum, { length }) => sum + length, 0) < MOST_AT_ONCE &&
    (await ask(client, whole.join('\n;\n'))).kind === 'read'
  const answers: Syntax[] = []
  for (const { text, isWhole } of files) answers.push(isRead && isWhole ? { kind: 'read' } : await ask(client, text))
  return { version, answers }
}

const MOST_AT_ONCE = 8_000_000

/** With two more commands behind it the server refuses to prepare it, once it has read it all and before it looks at anything else. */
async function ask(client: Queryable, text: string): Promise<Syntax> {
  if (text.includes('\0')) return { kind: 'unknown' }
  const error = await parseOnly(client, `${text}\n;select 1;select 1`)
  if (!(error instanceof pg.DatabaseError)) return { kind: 'unknown' }
  if (error.routine === 'exec_parse_message') return { kind: 'read' }
  const { code = '', message, position } = error
  if (position === undefined || !/^(42|0A|22)/.test(code)) return { kind: 'unknown' }
  const at = Number(position) - 1
  if (at > Array.from(text).length)
    return { kind: 'refused', code, message: message.replace(/ at or near .*$/s, ' at end of input'), at: null }
  // a quote that does not end goes on to the end of what was asked
  return { kind: 'refused', code, message: message.replace(/( at or near "[^\n]*)\n.*$/s, '$1"'), at }
}

/** The first of the messages by which a statement is run, and none of the others: it is read and not run. */
const parseOnly = (client: Queryable, text: string): Promise<Error | null> =>
  new Promise((resolve) => {
    client.query({
      submit: (connection: pg.Connection) => {
        connection.parse({ name: '', text, types: [] }, true)
        connection.sync()
      },
      // `pg` calls the one or the other
      handleError: resolve,
      handleReadyForQuery: () => resolve(null),
      handleParseComplete: () => {},
    })
  })
