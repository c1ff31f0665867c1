import type { BlockAction } from '@slack/bolt'
import { code } from '../approvals/wording.ts'
import { clickedAt } from '../approvals/modals/click.ts'
import { saidOf } from '../approvals/modals/said.ts'
import type { Asked } from '../src/slack/answers/rows.ts'

type Body = Readonly<Record<string, unknown>>

/** Who waits for an answer to a delivery, and where; undefined when nobody does. */
export function askedIn(body: Body): Asked | undefined {
  if (typeof body['command'] === 'string') return typed(body, body['command'])
  switch (body['type']) {
    case 'block_actions':
      return clicked(body)
    case 'view_submission':
      return sent(body)
    default:
      return undefined
  }
}

function typed(body: Body, command: string): Asked {
  return {
    kind: 'command',
    account: text(body['user_id']),
    channel: text(body['channel_id']),
    ...urlOf(body),
    ifLost: saidOf({ text: lostCommand(command, text(body['text'])) }),
  }
}

/** What a replica did stands in the same transaction as its answer: where there is no answer, nothing was done. */
function lostCommand(command: string, words: string): string {
  const [verb = ''] = words.trim().split(/\s+/, 1)
  const what = code(/^[a-z-]{1,20}$/.test(verb) ? `${command} ${verb}` : command)
  return verb === 'export'
    ? `Lockkeeper broke off before it had answered ${what}. If the evidence does not stand in the thread of the card within a minute, type it again.`
    : `Lockkeeper broke off before it had answered ${what}, so nothing was started or changed by it. Type it again.`
}

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
