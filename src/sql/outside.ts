import type { Node } from 'libpg-query'
import { partsOf } from './effects/names.ts'
import { walk } from './effects/walk.ts'

/**
 * The functions of a server and of well-known extensions whose effect stays when their transaction is undone: connections of their own,
 * files, programs, other processes, replication, the place of a sequence. (nextval leaves a gap and nothing else.)
 */
export const OUTSIDE = String.raw`\m(dblink\w*|pg_background\w*|lo_export|pg_file_(write|rename|unlink|sync)|setval|pg_(terminate|cancel)_backend|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|pg_create_restore_point|pg_promote|pg_(create|copy)_(physical|logical)_replication_slot|pg_drop_replication_slot|pg_replication_slot_advance|pg_replication_origin_(create|drop|advance)|pg_(backup_start|backup_stop|start_backup|stop_backup)|pg_logical_emit_message|pg_logical_slot_get\w*_changes|pg_stat_reset\w*|http_(get|post|put|patch|delete|head)|spi_commit|run_command_on_\w+|utl_file|query_export_to_s3)\M`

const OUTSIDE_HERE = new RegExp(OUTSIDE.replaceAll(/\\[mM]/g, String.raw`\b`), 'gi')
const COPY_OUT = /\bcopy\b[^;]*?\b(?:to|from)\s+(?:program\b|'|e'|\$)/i

/** What the statements run that acts outside of its transaction: `dblink_exec`, `COPY`. Strings and bodies count. */
export function namedOutside(statements: readonly Node[]): readonly string[] {
  const run = runNow(statements)
  const texts = textsIn(run)
  const functions = texts.flatMap((text) => [...text.matchAll(OUTSIDE_HERE)].map(([word]) => word.toLowerCase()))
  const copies = walk(run).some((part) => leavesServer(part['CopyStmt'])) || texts.some((text) => COPY_OUT.test(text))
  return [...new Set([...functions, ...(copies ? ['COPY'] : [])])]
}

/** Every word of what the statements run, names with blanks as a whole too; in small letters. */
export const wordsIn = (statements: readonly Node[]): ReadonlySet<string> => wordsOf(runNow(statements))

function wordsOf(statements: readonly Node[]): ReadonlySet<string> {
  const texts = textsIn(statements)
  return new Set([...texts, ...texts.flatMap((text) => text.split(/[^\p{L}\p{N}_$]+/u))].map((word) => word.toLowerCase()))
}

/** Without the bodies of new functions that nothing else in the file names; one that replaces another may have users already. */
function runNow(statements: readonly Node[]): readonly Node[] {
  const isNew = (node: Node) => 'CreateFunctionStmt' in node && node.CreateFunctionStmt.replace !== true
  const kept = Map.groupBy(statements.filter(isNew), nameOf)
  const run = statements.filter((node) => !isNew(node))
  for (let more: readonly Node[] = [...run]; more.length > 0;) {
    more = [...wordsOf(more)].flatMap((word) => {
      const named = kept.get(word) ?? []
      kept.delete(word)
      return named
    })
    for (const node of more) run.push(node)
  }
  return run
}

const nameOf = (node: Node): string =>
  'CreateFunctionStmt' in node ? (partsOf(node.CreateFunctionStmt.funcname).at(-1) ?? '').toLowerCase() : ''

const textsIn = (statements: readonly Node[]): readonly string[] =>
  walk(statements).flatMap((part) => Object.values(part).filter((value) => typeof value === 'string'))

/** Rows go to a file or a program of the server, or come from a program. */
function leavesServer(copy: unknown): boolean {
  const [fields = {}] = walk(copy)
  return typeof fields['filename'] === 'string' && (fields['is_program'] === true || fields['is_from'] !== true)
}
