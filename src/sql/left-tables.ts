import type { Node, RangeVar } from 'libpg-query'
import { plainText } from '../lib/text/quoted.ts'
import { partsOf } from './effects/names.ts'
import { walk } from './effects/walk.ts'

type File = { readonly name: string; readonly concurrently: boolean; readonly statements: readonly Node[] }

/** What approvers are told of temporary tables that outlive a file and that later ones of its session name: of each file, findings. */
export function leftTableFindings(files: readonly File[]): readonly (readonly string[])[] {
  const named = files.map(({ statements }) => namesIn(statements))
  return files.map(({ statements, concurrently }, at) => {
    const next = files.findIndex((file, index) => index > at && file.concurrently) // a session of its own
    const end = concurrently ? at + 1 : next === -1 ? files.length : next
    return temporaryLeft(statements).flatMap((table) => {
      const followers = files.slice(at + 1, end).filter((_, index) => named[at + 1 + index]?.has(table) === true)
      const [first] = followers
      if (first === undefined) return []
      const others = followers.length === 1 ? '' : ` and ${followers.length - 1} more`
      const shown = plainText(table, 60)
      return [
        `it leaves the temporary table ${shown} behind: what ${plainText(first.name, 100)}${others} ${followers.length === 1 ? 'does' : 'do'} to ${shown} goes there and not to a table of that name that stays; DROP TABLE pg_temp.${written(table)} at its end keeps it to the file`,
      ]
    })
  })
}

/** As SQL has to name it. */
const written = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${plainText(name.replaceAll('"', '""'), 60)}"`)

/** Those that neither end with their transaction nor are dropped in the file. */
function temporaryLeft(statements: readonly Node[]): readonly string[] {
  const left = new Set<string>()
  for (const node of statements) {
    for (const name of createdTemporary(node)) left.add(name)
    if ('DropStmt' in node)
      for (const item of node.DropStmt.objects ?? []) if ('List' in item) left.delete(partsOf(item.List.items).at(-1) ?? '')
    if ('DiscardStmt' in node && ['DISCARD_TEMP', 'DISCARD_ALL'].includes(node.DiscardStmt.target ?? '')) left.clear()
  }
  return [...left]
}

function createdTemporary(node: Node): readonly string[] {
  if ('CreateStmt' in node) return node.CreateStmt.oncommit === 'ONCOMMIT_DROP' ? [] : temporary(node.CreateStmt.relation)
  const into = 'CreateTableAsStmt' in node ? node.CreateTableAsStmt.into : 'SelectStmt' in node ? node.SelectStmt.intoClause : undefined
  if ('ViewStmt' in node) return temporary(node.ViewStmt.view)
  return into === undefined || into.onCommit === 'ONCOMMIT_DROP' ? [] : temporary(into.rel)
}

const temporary = (relation: RangeVar | undefined): readonly string[] =>
  relation?.relname !== undefined && (relation.relpersistence === 't' || relation.schemaname === 'pg_temp') ? [relation.relname] : []

/** Tables that are named without a schema, by which the temporary ones come first. */
const namesIn = (statements: readonly Node[]): ReadonlySet<string> =>
  new Set(
    walk(statements).flatMap(({ relname, schemaname, relpersistence }) =>
      typeof relname === 'string' && schemaname === undefined && relpersistence !== 't' ? [relname] : [],
    ),
  )
