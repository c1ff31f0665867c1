import type { Target } from '../src/config/config.ts'
import { refuse, type Refusal } from '../src/lib/refusal.ts'
import { count } from '../src/lib/text/quoted.ts'
import { truncate } from '../src/lib/text/text.ts'
import { blockersOf } from '../src/request/blockers.ts'
import type { RequestRow } from '../src/request/request.ts'
import { eventsOf } from '../src/request/store.ts'
import type { Finding } from '../src/sql/weigh/finding.ts'
import type { Queries } from '../src/store/pool.ts'
import type { ApprovalDeps } from './deps.ts'
import { groupsIn, mayAsk, rulesOf } from './policy.ts'
import { code, list, mentionApprover, shown } from './wording.ts'

/** A finding that blocks keeps a plan from being approved, unless somebody who may lets it pass: who that is, and whether somebody has. */

/** Whoever may approve breaking changes, where nobody is named. */
export const waiversOf = (target: Target): readonly string[] => target.review?.waive?.from ?? rulesOf(target, ['breaking']).from

/** Undefined when nothing blocks it, or all of that was waived. Asks nobody. */
export async function whyBlocked(deps: Pick<ApprovalDeps, 'targets'>, db: Queries, request: RequestRow): Promise<Refusal | undefined> {
  if (request.evidence?.findings === undefined) return undefined
  const { open } = blockersOf(request, await eventsOf(db, request.id))
  if (open.length === 0) return undefined
  const one = open.length === 1
  const target = deps.targets.get(request.target)
  const who = list((target === undefined ? [] : waiversOf(target)).map(mentionApprover), 'or')
  return refuse(
    'blocked',
    `#${request.id} cannot be approved: ${count(open.length, 'finding')} ${one ? 'blocks' : 'block'} it.\n${open.slice(0, 3).map(findingLine).join('\n')}${open.length > 3 ? `\n… and ${open.length - 3} more` : ''}\nYour click changed nothing. Change the SQL and ask again, or ${who === '' ? `waive ${one ? 'it' : 'them'} by a comment in the file; nobody may do that here, since ${code('review.waive.from')} names nobody` : `${who} may let ${one ? 'it' : 'them'} pass with a reason, by *Waive* on the card`}.`,
  )
}

/** `• 20261120_index, line 3: …` */
export const findingLine = ({ migration, line, text }: Finding): string =>
  `• *${shown(migration)}*${line === null ? '' : `, line ${line}`}: ${shown(truncate(text, 300))}`

/**
 * Before the run starts: whoever has waived something may still do so. Once it has started, nobody is asked any more. A blocker that
 * nobody has waived is told as well, since the evidence may have been gathered anew.
 */
export async function whyNotWaived(
  deps: Pick<ApprovalDeps, 'people' | 'targets' | 'db'>,
  request: RequestRow,
): Promise<Refusal | undefined> {
  const target = deps.targets.get(request.target)
  if (target === undefined || request.startedAt !== null || request.evidence?.findings === undefined) return undefined
  const events = await eventsOf(deps.db, request.id)
  if (blockersOf(request, events).open.length > 0)
    return refuse('not_an_approver', `A finding blocks #${request.id}, and nobody has let it pass. It has to be waived and approved again.`)
  const accounts = new Set(blockersOf(request, events).waived.flatMap(({ by }) => by ?? []))
  if (accounts.size === 0) return undefined
  const from = waiversOf(target)
  const members = await deps.people.membersOf(groupsIn(from), { fresh: true })
  for (const account of accounts) {
    const may = mayAsk(from, members, deps.people.humanOf, account)
    if (may === 'unknown')
      return refuse(
        'approvers_unknown',
        `A finding of #${request.id} was waived by ${shown(account)}, and Slack does not say now whether they may. What cannot be checked does not count.`,
      )
    if (may === 'no')
      return refuse(
        'not_an_approver',
        `A finding of #${request.id} was waived by somebody who may not do that any more: ${code('review.waive')} of ${code(request.target)} names ${list(from.map(mentionApprover), 'or')}. It has to be asked for again.`,
      )
  }
  return undefined
}
