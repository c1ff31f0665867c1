import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { modal, section } from '../../src/slack/blocks/blocks.ts'
import type { View } from '../../src/slack/port.ts'
import { code, mention, stateSince } from '../wording.ts'
import { metadataOf } from './confirm.ts'

export const cancelCallback = 'cancel_request'

/** Says what cancelling means for the state that the request is in, before it is done. */
export function cancelView(request: RequestRow): View | Refusal {
  const meaning = meaningOf(request)
  if (meaning === undefined)
    return refuse('nothing_to_cancel', `#${request.id} is not under way any more: ${stateSince(request)}. Nothing was changed.`)
  const isClosing = request.state === 'needs_human'
  return modal({
    callback: cancelCallback,
    title: isClosing ? `Close #${request.id}` : `Cancel #${request.id}`,
    submit: isClosing ? 'I take over' : 'Cancel it',
    close: 'Keep it',
    metadata: metadataOf({ request }),
    blocks: [section(`${code(request.target)}, asked by ${mention(request.requester)}, ${stateSince(request)}.`), section(meaning)],
  })
}

const meaningOf = (request: RequestRow): string | undefined =>
  request.owesOff && request.state === 'needs_human' ? CLOSES_LATER : cancellable[request.state]

const cancellable: Readonly<Partial<Record<RequestRow['state'], string>>> = {
  planning: 'It has not started, so nothing was changed and nothing will be.',
  waiting: 'It has not started, so nothing was changed and nothing will be.',
  granted: 'It is approved and has not started, so nothing was changed and nothing will be.',
  running:
    'It is running. A dump or a build is stopped at once; a migration that has begun is ended in the order that is safe for it, and what is applied stays applied. The card says where it stopped.',
  needs_human:
    'Lockkeeper stopped because something is unclear. Closing it means that you take over: the record names you, Lockkeeper changes nothing more about it, and the next run becomes possible.',
}

const CLOSES_LATER =
  'Lockkeeper stopped because something is unclear, and maintenance mode is still on. Closing it means that you take over: the record names you, maintenance mode is switched off, Lockkeeper changes nothing more about it, and the next run becomes possible.'
