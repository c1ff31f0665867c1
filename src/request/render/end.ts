import { context, preformatted, section } from '../../slack/blocks/blocks.ts'
import type { Message } from '../../slack/port.ts'
import { cleanMrkdwn, codeText, durationText, escapeLine } from '../../lib/text/text.ts'
import type { EventRow, RequestView } from '../request.ts'
import { bold, elapsedOf, titleOf } from './words.ts'

/** How a request ended, in the thread and, where the channel should see it, above it. */

type Ended = Extract<EventRow, { readonly kind: 'ended' }>

export function endMessage(view: RequestView, event: Ended): Message {
  const { text, line } = headlineOf(view, event)
  return { text, blocks: [section([line, ...partsOf(view, event)].join('\n')), ...excerptOf(view), ...endContext(view)] }
}

/** What the channel sees: the card above has the whole diagnosis already, and so has the thread. */
export function headlineMessage(view: RequestView, event: Ended): Message {
  const { text, line } = headlineOf(view, event)
  const where =
    event.data.state === 'needs_human'
      ? 'What is known, what is not and what you can do is in the thread.'
      : 'Why, and what comes next, is in the thread.'
  return { text, blocks: [section(line), context(where)] }
}

export function whyMessage(view: RequestView, event: Ended): Message {
  const parts = partsOf(view, event)
  return {
    text: parts.length === 0 ? headlineOf(view, event).text : parts.join(' ').replaceAll('*', ''),
    blocks: [...(parts.length === 0 ? [] : [section(parts.join('\n'))]), ...excerptOf(view), ...endContext(view)],
  }
}

function headlineOf(view: RequestView, event: Ended): { readonly text: string; readonly line: string } {
  const { outcome, startedAt } = view.request
  const headline = outcome === null ? `*${endWords[event.data.state] ?? 'Ended.'}*` : bold(cleanMrkdwn(outcome.headline))
  const words = endTitles[event.data.state] ?? ''
  const title = `${escapeLine(titleOf(view))}${words === '' ? '' : ` ${words}`}`
  return { text: `${title}. ${headline.replaceAll('*', '')}`, line: startedAt === null ? headline : `${title} · ${headline}` }
}

function partsOf({ request: { outcome } }: RequestView, event: Ended): readonly string[] {
  return [
    ['Known', outcome?.known],
    ['Not known', outcome?.notKnown],
    ['Why', outcome?.why],
    ['Maintenance mode', outcome?.maintenance],
    [event.data.state === 'needs_human' ? 'What you can do' : 'Next', outcome?.next],
  ].flatMap(([name, text]) => (text === undefined || text.trim() === '' ? [] : [`*${name}.* ${cleanMrkdwn(text)}`]))
}

const excerptOf = ({ request: { outcome } }: RequestView) =>
  outcome?.excerpt === undefined || outcome.excerpt.trim() === '' ? [] : [preformatted(outcome.excerpt.trim())]

const endWords: Readonly<Record<string, string>> = {
  succeeded: 'Done.',
  failed: 'It stopped.',
  cancelled: 'It was cancelled. Nothing was changed.',
  rejected: 'It was rejected. Nothing was changed.',
  expired: 'It expired. Nothing was changed.',
  refused: 'It was refused. Nothing was changed.',
  needs_human: 'It is not clear what happened. Lockkeeper will not guess.',
}

const endTitles: Readonly<Record<string, string>> = {
  succeeded: 'done',
  failed: 'stopped',
  cancelled: 'cancelled',
  needs_human: 'needs a person',
  refused: 'refused',
}

function endContext(view: RequestView) {
  const { startedAt, outcome } = view.request
  if (startedAt === null) return []
  return [
    context(
      [
        `Took ${durationText(elapsedOf(view))}`,
        ...(outcome?.backup === undefined ? [] : [`backup ${codeText(outcome.backup)} is kept`]),
        ...(view.tail.trim() === '' ? [] : ['the log follows']),
      ].join(' · '),
    ),
  ]
}
