import type { Node, TransactionStmt, VariableSetStmt } from 'libpg-query'
import { isOn } from '../effects/walk.ts'
import { textOf } from './rows/calls.ts'
import type { Run } from './run/run.ts'

/** BEGIN, COMMIT, ROLLBACK and savepoints: what is undone is undone in the simulated schema too. */
export function transaction(run: Run, { kind = 'TRANS_STMT_BEGIN', savepoint_name: name = '' }: TransactionStmt): void {
  const { schema, session } = run
  run.part('transaction', null)
  switch (kind) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
    case 'TRANS_STMT_COMMIT':
    case 'TRANS_STMT_PREPARE':
      return settle(run)
    case 'TRANS_STMT_ROLLBACK':
      schema.takeBack(session.marks[0]?.at ?? schema.mark())
      return settle(run)
    case 'TRANS_STMT_SAVEPOINT':
      session.marks = [...session.marks, { name, at: schema.mark() }]
      return
    case 'TRANS_STMT_ROLLBACK_TO': {
      const at = session.marks.findLastIndex((mark) => mark.name === name)
      const mark = session.marks[at]
      if (mark === undefined) return run.fail('3B001', `there is no savepoint ${name}`)
      schema.takeBack(mark.at)
      session.marks = session.marks.slice(0, at + 1)
      return
    }
    default:
      return
  }
}

/** A new transaction: what the one before it made is as good as old, but for the rows that it holds. */
export function settle({ schema, session }: Pick<Run, 'schema' | 'session'>): void {
  for (const type of schema.types()) if (type.newValues.length > 0) schema.change.putType({ ...type, newValues: [] })
  session.marks = [{ name: null, at: schema.mark() }]
}

export function setVariable(run: Run, { name = '', kind, args = [] }: VariableSetStmt): void {
  run.part('session setting', null, { name })
  const isReset = kind === 'VAR_RESET' || kind === 'VAR_RESET_ALL' || kind === 'VAR_SET_DEFAULT'
  if (isReset && (name === 'search_path' || kind === 'VAR_RESET_ALL')) run.schema.path.now = run.schema.path.first
  if (isReset && (name === 'timezone' || kind === 'VAR_RESET_ALL')) run.schema.zone.now = run.schema.zone.first
  else if (name.toLowerCase() === 'timezone') run.schema.zone.now = textOf(args[0]) ?? ''
  if (name !== 'search_path' || isReset) return
  const names = args.map(textOf)
  if (names.includes(null)) run.dontKnow('it sets the search path to what cannot be read')
  run.schema.path.now = names.flatMap((one) => (one === null || one === '$user' || one === '' ? [] : [one]))
}

/** With ANALYZE the statement runs, without it only its tables are locked. */
export function explain(run: Run, query: Node | undefined, options: readonly Node[]): void {
  if (query === undefined) return
  if (isOn(options, 'analyze')) return run.follow(run, query, '')
  const quiet: Run = { ...run, part: () => {}, dontKnow: () => {} }
  const mark = run.schema.mark()
  run.follow(quiet, query, '')
  run.schema.takeBack(mark)
  run.part('read', null)
}

export function prepare(run: Run, name: string, query: Node | undefined): void {
  if (query === undefined) return
  run.session.prepared.set(name, query)
  explain(run, query, [])
}

export function execute(run: Run, name: string): void {
  const query = run.session.prepared.get(name)
  if (query === undefined) return run.dontKnow(`it runs ${name}, which was prepared where nobody here sees it`)
  run.follow(run, query, '')
}
