import { codeText, durationText, escapeLine, pluralText } from '../../lib/text/text.ts'
import { actions, button, section } from '../../slack/blocks/blocks.ts'
import type { Block } from '../../slack/port.ts'
import type { Blocker } from '../blocker.ts'
import type { RequestView } from '../request.ts'

/** Who is in the way of the migration that runs, and what can be done; only `Cancel` where nobody is. */
export function runningButtons({ request, blocker }: RequestView): readonly Block[] {
  if (request.cancelRequestedAt !== null || request.ending !== null) return []
  if (blocker === undefined) return [actions(button('Cancel', 'cancel', request.token))]
  const { whyNotEnd } = blocker.shown
  return [
    section(`${blockerText(blocker)}${waitersText(blocker)}${endText(blocker)}`),
    actions(
      button('Wait', 'wait', request.token),
      ...(whyNotEnd === null && blocker.askedBy === null ? [button('End blocker', 'end_blocker', request.token, 'danger')] : []),
      button('Abort', 'cancel', request.token),
    ),
  ]
}

/** ``*`reporting` is in the way* (role `analyst`, pid 4711). It holds `orders` … `` */
export function blockerText({ pid, shown }: Pick<Blocker, 'pid' | 'shown'>): string {
  const { name, role, isIdle, transactionMs, statement, relation } = shown
  const who = [role === null || role === name ? null : `role ${codeText(role)}`, pid === 0 ? null : `pid ${pid}`].filter(
    (one) => one !== null,
  )
  const holds = `It holds a lock on ${relation === null ? 'what the migration needs' : codeText(relation)}`
  const since = transactionMs === null ? '' : `, in a transaction that has been open for ${durationText(transactionMs)}`
  const doing = isIdle ? ' It runs nothing at the moment: its application has left the transaction open.' : ''
  const last = statement === '' ? '' : ` ${isIdle ? 'Its last statement' : 'It runs'}: ${codeText(statement)}.`
  return `*${codeText(name)} is in the way*${who.length === 0 ? '' : ` (${who.join(', ')})`}. ${holds}${since}.${doing}${last}`
}

const waitersText = ({ shown: { queue } }: Blocker): string =>
  queue === 0 ? '' : ` ${pluralText(queue, 'query', 'queries')} of the application ${queue === 1 ? 'waits' : 'wait'} behind the migration.`

function endText({ askedBy, shown: { name, whyNotEnd } }: Blocker): string {
  if (whyNotEnd !== null) return `\n${whyNotEnd}`
  return askedBy === null ? '' : `\nSomebody asked to end ${escapeLine(name)}; that is being done.`
}
