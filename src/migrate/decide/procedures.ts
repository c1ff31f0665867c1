import type { Queryable } from '../../database/connect.ts'
import { procedureBody, proceduresCalled, type ProcedureKnown } from '../../sql/blocks.ts'
import type { Parser } from '../../sql/effects/parser.ts'
import type { Script } from '../../sql/parse.ts'
import { sinceOf } from './schema-diff.ts'

/**
 * Reads in the database whether the procedures that the only statement of a file calls can commit. Of several with one name each may be
 * meant. One that was made or changed since the file began may not be the one that ran.
 */
export async function proceduresKnown(
  client: Queryable,
  script: Script,
  parser: Parser,
  { xid, schema }: { readonly xid: string; readonly schema: string },
): Promise<ProcedureKnown> {
  const [only] = script.kind === 'sql' && script.statements.length === 1 ? script.statements : []
  const text = script.kind === 'sql' ? (script.texts[0] ?? '') : ''
  const answers = new Map<string, ReturnType<ProcedureKnown>>()
  const open = only === undefined ? [] : [...proceduresCalled(only, text, parser)]
  const since = open.length === 0 ? '' : await sinceOf(client, schema)
  const called = new Map<string, readonly string[]>()
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (answers.has(name)) continue
    const bodies = await bodiesOf(client, name, since, xid)
    const read = bodies.map(({ definition, body }) => procedureBody(definition, body, parser))
    const isKnown = bodies.length > 0 && bodies.every(({ language, isOld }) => language === 'plpgsql' && isOld)
    answers.set(name, !isKnown ? 'unknown' : read.some(({ commits }) => commits) ? 'commits' : 'cannot')
    const calls = isKnown ? read.flatMap((one) => one.calls) : []
    called.set(name, calls)
    open.push(...calls)
  }
  return (name) => throughCalls(name, answers, called)
}

/** A procedure that calls one that commits does so, too. */
function throughCalls(
  name: string,
  answers: ReadonlyMap<string, ReturnType<ProcedureKnown>>,
  called: ReadonlyMap<string, readonly string[]>,
): ReturnType<ProcedureKnown> {
  const reached = new Set([name])
  for (const one of reached) for (const other of called.get(one) ?? []) reached.add(other)
  const all = new Set([...reached].map((one) => answers.get(one) ?? 'unknown'))
  return all.has('commits') ? 'commits' : all.has('unknown') ? 'unknown' : 'cannot'
}

type Body = { readonly definition: string; readonly body: string; readonly language: string; readonly isOld: boolean }

async function bodiesOf(client: Queryable, dotted: string, since: string, xid: string): Promise<readonly Body[]> {
  const [name = '', schema = null] = dotted.split('.').toReversed()
  const { rows } = await client.query<Body>(
    `select pg_get_functiondef(p.oid) as definition, p.prosrc as body, l.lanname::text as language, age(p.xmin) > since.oldest as "isOld"
       from (${since}) since, pg_proc p join pg_language l on l.oid = p.prolang join pg_namespace n on n.oid = p.pronamespace
      where p.prokind = 'p' and p.proname = $2 and n.nspname = coalesce($3, n.nspname)`,
    [xid, name, schema],
  )
  return rows
}
