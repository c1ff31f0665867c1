import type { BlockAction } from '@slack/bolt'
import { code } from '../approvals/wording.ts'
import { clickedAt } from '../approvals/modals/click.ts'
import { saidOf } from '../approvals/modals/said.ts'
import { isRefusal } from '../src/lib/refusal.ts'
import type { Asked } from '../src/slack/answers/rows.ts'
import { parseText } from './parse/command.ts'
import type { Known } from './parse/usage.ts'

type Body = Readonly<Record<string, unknown>>

/** Who waits for an answer to a delivery, and where; undefined when nobody does. */
export function askedIn(body: Body, known: Known): Asked | undefined {
  if (typeof body['command'] === 'string') return typed(body, body['command'], known)
  switch (body['type']) {
    case 'block_actions':
      return clicked(body)
    case 'view_submission':
      return sent(body)
    default:
      return undefined
  }
}

function typed(body: Body, command: string, known: Known): Asked {
  return {
    kind: 'command',
    account: text(body['user_id']),
    channel: text(body['channel_id']),
    ...urlOf(body),
    ifLost: saidOf({ text: lostCommand(command, text(body['text']), known) }),
  }
}

/** What a replica did stands in the same transaction as its answer: where there is no answer, nothing was done. Files go to Slack first. */
function lostCommand(command: string, words: string, known: Known): string {
  const parsed = command === known.command ? parseText(words, known) : undefined
  if (parsed !== undefined && !isRefusal(parsed) && parsed.verb === 'export')
    return `Lockkeeper broke off before it had answered ${code(`${command} export ${parsed.id}`)}. ${whereExported(parsed.id)}`
  const [verb = ''] = words.trim().split(/\s+/, 1)
  const what = code(/^[a-z-]{1,20}$/.test(verb) ? `${command} ${verb}` : command)
  return `Lockkeeper broke off before it had answered ${what}, so nothing was started or changed by it. Type it again.`
}

/** Said when it is not known how far an export came: the page is sent first, and without the document beside it nothing can be verified. */
export const whereExported = (id: number): string =>
  `The evidence of #${id} is two files, a page and a signed document. If both stand in the thread of its card or in your direct messages with Lockkeeper, you have it; if not, type it again. Nothing else was started or changed by it.`

function clicked(body: Body): Asked {
  const { account, channel, thread, viewId, trigger } = clickedAt(body as unknown as BlockAction) // its ids were checked at the gate
  return {
    kind: 'click',
    account,
    trigger,
    ...(channel === undefined ? {} : { channel }),
    ...(thread === undefined ? {} : { thread }),
    ...(viewId === undefined ? {} : { view: viewId }),
    ...urlOf(body),
    ifLost: saidOf({ text: 'Lockkeeper broke off before it had answered your click, so nothing was changed by it. Click again.' }),
  }
}

function sent(body: Body): Asked {
  const { user, view } = body as unknown as { readonly user: { readonly id: string }; readonly view: { readonly id: string } } // as above
  return {
    kind: 'form',
    account: user.id,
    view: view.id,
    ifLost: saidOf({
      text: 'Lockkeeper broke off before it had answered what you sent, so nothing was started or changed by it. Open it again and send it again.',
    }),
  }
}

const urlOf = ({ response_url: url }: Body) => (typeof url === 'string' ? { responseUrl: url } : {})

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
