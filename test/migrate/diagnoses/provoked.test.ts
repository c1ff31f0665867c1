import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { diagnose, type DiagnosisContext } from '../../../src/migrate/diagnoses/diagnosis.ts'
import { resolveCommand } from '../../../src/plan/unfit.ts'
import { targetFor } from '../../helpers/run-context.ts'
import { backtrace, scriptFault } from '../../helpers/recorded-prisma/faults.ts'
import { createDatabase, type TestDatabase } from '../../helpers/postgres.ts'
import { PROVOKED, THERE, type Provoked } from './provoked.ts'
import { SAID } from './said.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase()
  await withClient((client) => client.query(THERE))
})
afterAll(() => database.close())

describe('what the server says becomes what people read, in both engines', () => {
  test.each(Object.entries(PROVOKED))('%s', async (title, provoked) => {
    const error = await errorOf(provoked)
    expect(error.code).toBe(provoked.state)
    const context = contextFor(provoked.sql)
    const { code, headline, why, next, excerpt } = diagnose({ output: wasm(error), context })
    expect({ code, says: [headline, why, next], excerpt: withoutPlace(excerpt) }).toEqual(SAID[title])
    // the native engine also tells where in the file it is
    expect(diagnose({ output: native(error, provoked.sql), context })).toMatchObject({ code, headline, next })
  })

  test.each([
    ['a mistake', 'line 2, column 8 of migration.sql: create tabel t (id int);'],
    ['a column that is not there', 'line 3, column 8 of migration.sql: set nothing = 1;'],
    ['a column that is ambiguous', 'line 1, column 8 of migration.sql: select id from orders join customers on true;'],
    ['what nobody knows, with a place', 'line 2, column 8 of migration.sql: select id,'],
  ])('the place in the file, where the engine tells it: %s', async (title, place) => {
    const provoked = PROVOKED[title]
    if (provoked === undefined) throw new Error(title)
    const { excerpt } = diagnose({ output: native(await errorOf(provoked), provoked.sql), context: contextFor(provoked.sql) })
    expect(excerpt.split('\n').at(-1)).toBe(place)
  })

  test('of what nobody knows the place, the detail and the hint stand in the reason', async () => {
    const sql = 'select 1;\nselect id,\n       count(*)\n  from orders;'
    const error = await errorOf({ state: '42803', sql })
    const more = Object.assign(error, { detail: 'Key (email)=(ann@example.com) is in the way.', hint: 'Look at it.' })
    expect(diagnose({ output: native(more, sql), context: contextFor(sql) }).why).toBe(
      'This product has no words of its own for that. PostgreSQL adds: `Key (email)=(…) is in the way`. Its hint: `Look at it`. It is at line 2 of the file: `select id,`.',
    )
  })

  test('a position that counts in a piece of the file is not told as one of the file', async () => {
    const sql = 'select 1;\ncreate tabel t (id int);'
    const error = Object.assign(await errorOf({ state: '42601', sql: 'create tabel t (id int);' }), {})
    expect(diagnose({ output: native(error, 'create tabel t (id int);'), context: contextFor(sql) }).excerpt).toBe(
      'ERROR: syntax error at or near "tabel" (42601)\nline 2 of migration.sql names it: create tabel t (id int);',
    )
  })

  test('every statement has its sentences, and none is left over', () => {
    expect(Object.keys(SAID)).toEqual(Object.keys(PROVOKED))
  })
})

/** Where the server is installed. */
const withoutPlace = (text: string): string => text.replace(/"\/.*\/share\//, '"/share/')

async function errorOf({ sql, alone, state }: Provoked): Promise<pg.DatabaseError> {
  return withClient(async (client) => {
    if (alone !== true) await client.query('begin')
    if (state === '25P02') await client.query('begin; select 1 / 0').catch(() => {})
    const error: unknown = await client.query(sql).then(
      () => new Error('the server took it'),
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof pg.DatabaseError)) throw error
    return error
  })
}

async function withClient<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

const contextFor = (sql: string): DiagnosisContext => ({
  migration: null,
  target: 'Production',
  database: 'shop',
  host: 'db.example',
  port: 5432,
  role: 'migrator',
  lockTimeoutMs: 2_000,
  statementTimeoutMs: 900_000,
  sqlOf: (name) => (name === '2_case' ? sql : null),
  resolve: (as, name) => resolveCommand(targetFor('/srv/app'), as, name),
})

/** As the recorded Prisma words it, which the contract holds to the real one. */
const wasm = (error: pg.DatabaseError): string =>
  `Error: ${scriptFault(error, 'shop')}\n${backtrace([{ name: 'sql_schema_connector::apply_migration::apply_script', at: 'x.rs:1', fields: 'migration_name="2_case"' }])}\n`

/** As the native engine words it: its words are those of reports by people who run it, the rest is the server's. */
function native(error: pg.DatabaseError, sql: string): string {
  const quoted = (text: string | undefined) => (text === undefined ? 'None' : `Some(${JSON.stringify(text)})`)
  const more = [
    ...(error.detail === undefined ? [] : [`DETAIL: ${error.detail}`]),
    ...(error.hint === undefined ? [] : [`HINT: ${error.hint}`]),
  ]
  const at = error.position === undefined ? 'None' : `Some(Original(${error.position}))`
  return [
    'Error: P3018\n\nA migration failed to apply. New migrations cannot be applied before the error is recovered from. Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve\n',
    `Migration name: 2_case\n\nDatabase error code: ${error.code}\n\nDatabase error:\nERROR: ${error.message}`,
    ...more,
    ...(error.position === undefined ? [''] : ['', 'Position:', ...around(sql, Number(error.position)), '']),
    `DbError { severity: "ERROR", parsed_severity: Some(Error), code: SqlState(E${error.code}), message: ${JSON.stringify(error.message)}, detail: ${quoted(error.detail)}, hint: ${quoted(error.hint)}, position: ${at}, where_: None }\n`,
  ].join('\n')
}

/** Up to the line of the position, five before it. */
function around(sql: string, position: number): readonly string[] {
  const line = sql.slice(0, position - 1).split('\n').length
  const from = Math.max(0, line - 5)
  const shown = ['', ...sql.split('\n')].slice(from, line + 1)
  return shown.map((text, at) => `${String(from + at).padStart(3)} ${text}`.trimEnd())
}
