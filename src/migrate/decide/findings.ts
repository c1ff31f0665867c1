import { plainText } from '../../lib/text/quoted.ts'
import { sqlState } from '../../lib/sqlstate.ts'
import { loadParser, type Parser } from '../../sql/effects/parser.ts'
import { namedOutside, wordsIn } from '../../sql/outside.ts'
import { readScript, type Script } from '../../sql/parse.ts'
import { isConcurrent, worksInSeveral } from '../../sql/transactions.ts'
import { undoingOf } from '../../sql/undoing.ts'
import { outputOf, type Attempt } from '../attempts/attempt.ts'
import { readFault } from '../diagnoses/fault.ts'
import { seenOf } from '../observe/transactions.ts'
import type { Work } from '../observe/work.ts'
import { concurrentStateOf } from './concurrent-state.ts'
import { knownAsOneScript, provesOneScript } from './one-script.ts'
import { actingOutside } from './outside.ts'
import { proceduresKnown } from './procedures.ts'
import { wordsCalled, wordsReached } from './reach.ts'
import { writtenSince, type WrittenRows } from './rows-since.ts'
import { madeSince } from './schema-diff.ts'
import { verdictOf, type Findings } from './verdict.ts'

/** Reads the file and the database. Changes nothing. `output` is what Prisma said. */
export async function findingsOf(work: Work, attempt: Attempt, failed: string, output: string): Promise<Findings> {
  const { workspace, observer } = work
  const content = workspace.approved.migrations.find(({ name }) => name === failed)?.content
  const script: Script = content === undefined ? { kind: 'unreadable', why: 'it is not there' } : await readScript(content)
  const parser = await loadParser()
  const where = { xid: attempt.intent.sinceXid, schema: workspace.parsed.schema }
  const undoing = undoingOf(script, parser, await observer.look((client) => proceduresKnown(client, script, parser, where)))
  const read = script.kind === 'sql' ? script : { statements: [], texts: [] }
  const file = { name: failed, sql: content?.toString('utf8') ?? '', statements: read.texts }
  const words = wordsIn(read.statements)
  const named = namedOutside(read.statements)
  const found = await observer.look(async (client) => ({
    transactions: await seenOf(client, attempt, file),
    leftovers: await madeSince(client, attempt.intent.sinceXid, workspace.parsed.schema),
    concurrent: undoing.kind === 'concurrent' ? await concurrentStateOf(client, undoing.work, attempt.intent.sinceXid) : null,
    outside: await actingOutside(client, await wordsReached(client, { sql: file.sql, words })),
  }))
  const known = knownAsOneScript({
    sql: file.sql,
    atomic: attempt.intent.atomic,
    adapter: workspace.tool.readDeploy(outputOf(attempt)).datasource?.adapter !== false,
  })
  const outside = found.outside.filter((name) => !named.includes(name)) // the file says those itself
  const findings = { undoing, isOneScript: known ?? true, end: endOf(output, script, parser), ...found, outside }
  // a start of Prisma, so it is asked only where all depends on the answer
  if (known !== null || verdictOf(findings).kind !== 'undone') return findings
  return { ...findings, isOneScript: await provesOneScript(work, failed) }
}

/** How the script ended, by what Prisma says of it. */
export function endOf(output: string, script: Script, parser: Pick<Parser, 'plpgsql'>): Findings['end'] {
  if (!/apply_migration::apply_script|^Error: P3018|^Migration failed: /m.test(output)) return 'unsaid'
  const { sqlState: state, message } = readFault(output)
  // the session was ended, also by a timeout of its transaction; other codes of class 08 are of connections that a statement opens itself
  if (state === null || /^(57P0|08P01|25P0[34])/.test(state)) return 'lost'
  if (state === sqlState.syntaxError) return message !== null && isUnreadable(script, message, parser) ? 'unbegun' : 'refused'
  const [only] = script.kind === 'sql' && script.statements.length === 1 ? script.statements : []
  if (only === undefined) return 'refused'
  // said of a statement before it begins: that it may not run here, and what is wrong with what it names
  const isBefore = state === sqlState.activeSqlTransaction ? worksInSeveral(only) : isConcurrent(only) && /^(42|0A)/.test(state)
  return isBefore ? 'unbegun' : 'refused'
}

/** The server reads a script, and a code block, before it runs anything of it; our parser, which is the server's own, stops at the same place. */
function isUnreadable(script: Script, message: string, parser: Pick<Parser, 'plpgsql'>): boolean {
  const said = plainText(message, 120)
  if (script.kind === 'unreadable') return script.why.replace(/ in line \d+$/, '') === said
  const [only] = script.statements.length === 1 ? script.statements : []
  if (only === undefined || !('DoStmt' in only)) return false
  try {
    parser.plpgsql(script.texts[0] ?? '')
    return false
  } catch (error) {
    return error instanceof Error && plainText(error.message, 120) === said
  }
}

/** Committed rows of the tables that it reaches, for whoever has to find out what is there. */
export async function writtenBy({ workspace, observer }: Work, attempt: Attempt, failed: string): Promise<readonly WrittenRows[]> {
  const content = workspace.approved.migrations.find(({ name }) => name === failed)?.content
  const script = content === undefined ? null : await readScript(content)
  if (script?.kind !== 'sql') return []
  const words = wordsIn(script.statements)
  const where = { xid: attempt.intent.sinceXid, schema: workspace.parsed.schema }
  return observer.look(async (client) => writtenSince(client, { ...where, words: await wordsCalled(client, words) }))
}
