import type { Node } from 'libpg-query'
import { howItCommits, type ProcedureKnown } from './blocks.ts'
import { concurrentWorkOf, type ConcurrentWork } from './concurrent-work.ts'
import type { Parser } from './effects/parser.ts'
import { namedOutside } from './outside.ts'
import type { Script } from './parse.ts'
import { isCommit, worksInSeveral } from './transactions.ts'

/** What PostgreSQL does with a file that fails, given an engine that sends it as one script. */
export type Undoing =
  /** It undoes everything, wherever the file fails. */
  | { readonly kind: 'whole' }
  /** A part may stay; `why` is a clause, mrkdwn. */
  | { readonly kind: 'perhaps'; readonly why: string }
  /** Its only statement works in several transactions, and the catalogue says how far it came. */
  | { readonly kind: 'concurrent'; readonly work: ConcurrentWork }

/** A file that cannot be read counts as one that may leave a part, and a procedure of which nothing is known as one that may commit. */
export function undoingOf(script: Script, parser: Parser, known?: ProcedureKnown): Undoing {
  if (script.kind === 'unreadable') return perhaps('it could not be read as SQL')
  const { statements, texts } = script
  const [only] = statements.length === 1 ? statements : []
  if (only !== undefined) {
    const work = concurrentWorkOf(only)
    if (work !== null) return { kind: 'concurrent', work }
    const how = howItCommits(only, texts[0] ?? '', parser, known)
    if (how !== null) return perhaps(`${how}, and what it did before stays`)
    if (worksInSeveral(only) || isOfAnother(only)) return perhaps('its statement may work in several transactions, or outside of any')
  }
  // a script ends at its first error, so a COMMIT at the very end has not run when anything before it failed
  const commit = statements.findIndex(isCommit)
  if (commit !== -1 && commit < statements.length - 1) return perhaps('it has a `COMMIT` inside, and what stands before it stays')
  const outside = namedOutside(statements)
  if (outside.length > 0)
    return perhaps(
      `${outside.map((name) => `\`${name}\``).join(' and ')} ${outside.length === 1 ? 'acts' : 'act'} outside of its transaction, so what that did stays`,
    )
  return { kind: 'whole' }
}

const perhaps = (why: string): Undoing => ({ kind: 'perhaps', why })

/** COMMIT PREPARED and ROLLBACK PREPARED end a transaction that somebody else began. */
const isOfAnother = (node: Node): boolean => 'TransactionStmt' in node && node.TransactionStmt.kind?.endsWith('_PREPARED') === true
