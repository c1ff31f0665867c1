import type { AssertionSettings } from '../config/keys/assertions.ts'
import { TargetConnectionError, withTarget, type Queryable } from '../database/connect.ts'
import { readIdentity, sameIdentity, type Identity } from '../database/identity.ts'
import { hasSqlState, sqlState } from '../lib/sqlstate.ts'
import { escapeMarkup } from '../lib/text/escape.ts'
import { code } from '../lib/text/code.ts'
import { seconds } from '../lib/text/sentences.ts'
import { MOST_ROWS, type Cell, type Result } from './assertions.ts'
import { readQuery } from './query.ts'

/** `why`: a mrkdwn sentence. */
export type Answer = { readonly kind: 'result'; readonly result: Result } | { readonly kind: 'none'; readonly why: string }

export type AskData = {
  readonly url: string
  readonly applicationName: string
  readonly signal: AbortSignal
  /** The database that was approved; of another one nothing is asked. */
  readonly identity: Identity
  readonly report: (details: string) => void
}

/** Asks one after another, each in a read-only transaction of its own. Throws what is no answer of the server, and when it is aborted. */
export async function askData(
  { url, applicationName, signal, identity, report }: AskData,
  assertions: readonly AssertionSettings[],
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  try {
    return await withTarget({ url, applicationName, signal }, async (client, at) => {
      const same = sameIdentity(identity, await readIdentity(client, at))
      if (!same.same) return assertions.map(() => none(`It is no longer the same database: ${same.why}.`))
      for (const assertion of assertions) {
        report(assertion.name)
        answers.push(await askOne(client, at.schema, assertion, signal))
      }
      return answers
    })
  } catch (error) {
    if (!(error instanceof TargetConnectionError)) throw error
    return assertions.map((_, at) => answers[at] ?? none(error.message))
  }
}

async function askOne(client: Queryable, schema: string, assertion: AssertionSettings, signal: AbortSignal): Promise<Answer> {
  const query = await readQuery(assertion.sql)
  if (query.kind === 'unfit') return none(`${query.why[0]?.toUpperCase() ?? ''}${query.why.slice(1)}.`)
  try {
    await client.query('begin transaction isolation level repeatable read, read only')
    // a cursor plans for its first rows unless it is told otherwise
    await client.query(`select set_config('cursor_tuple_fraction', '1', true), set_config('statement_timeout', $1, true)`, [
      String(assertion.timeout),
    ])
    // names without a schema mean what they mean to the migrations
    if (schema !== 'public') await client.query(`select set_config('search_path', quote_ident($1), true)`, [schema])
    // not all that it gives, however much that is; and a cursor takes nothing that writes
    await client.query(`declare lockkeeper_asserts no scroll cursor for ${query.text}`)
    const { fields, rows } = await client.query<Cell[]>({ text: `fetch ${MOST_ROWS + 1} from lockkeeper_asserts`, rowMode: 'array', types })
    return {
      kind: 'result',
      result: {
        columns: fields.map(({ name, dataTypeID }) => ({ name, isNumber: NUMBERS.has(dataTypeID) })),
        rows: rows.slice(0, MOST_ROWS),
        hasMore: rows.length > MOST_ROWS,
      },
    }
  } catch (error) {
    signal.throwIfAborted()
    const why = whyNone(error, assertion)
    if (why === null) throw error
    return none(why)
  } finally {
    await client.query('rollback').catch(() => {}) // of a session that is lost there is nothing to undo
  }
}

/** Everything as PostgreSQL prints it. */
const types = { getTypeParser: () => String }

/** int8, int2, int4, oid, float4, float8, numeric. */
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 1700])

/** Null for what the server did not say: a fault of ours, or a session that was lost. */
function whyNone(error: unknown, { timeout }: AssertionSettings): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string' || !/^[0-9A-Z]{5}$/.test(error.code)) return null
  if (/^(57P0|08)/.test(error.code)) return null
  const said = code(error.message)
  if (hasSqlState(error, sqlState.queryCanceled)) return `It did not answer within its timeout of ${seconds(timeout)} and was ended.`
  if (hasSqlState(error, sqlState.lockNotAvailable)) return 'Another session has locked a table that it reads. Ask again when that is over.'
  if (hasSqlState(error, sqlState.readOnlySqlTransaction)) return `It would write, and assertions only read: ${said}.`
  if (hasSqlState(error, sqlState.insufficientPrivilege)) return `The role of the migrations may not read what it asks: ${said}.`
  if ([sqlState.undefinedTable, sqlState.undefinedColumn, sqlState.undefinedFunction].some((state) => hasSqlState(error, state)))
    return `It names what is not there: ${said}. What the migrations make is asked with ${code('when: after')}.`
  return `PostgreSQL refused it: ${escapeMarkup(error.message)}.`
}

const none = (why: string): Answer => ({ kind: 'none', why })
