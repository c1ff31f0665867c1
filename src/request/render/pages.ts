import { dateText, escapeLine, listText, personText } from '../../lib/text/text.ts'
import type { EventRow, RequestView } from '../request.ts'

/** What people read about a request that on-call was paged for. */

type Paged = Extract<EventRow, { readonly kind: 'paged' }>

const reasons = {
  needs_human: 'it needs a person',
  failed: 'it failed',
  health_lost: 'the application is not healthy after it',
} as const

/** In the thread, each time, and to the people who are named. */
export function pagedText(view: RequestView, { data }: Paged): string {
  const again = data.count === 1 ? '' : `, the ${ordinal(data.count)} time`
  const who = data.users.length === 0 ? '' : ` ${listText(data.users.map(personText))}`
  return `*On-call is paged${again}* about #${view.request.id} on *${escapeLine(view.targetTitle)}*: ${reasons[data.reason]}.${who}`
}

export const acknowledgedText = ({ data }: Extract<EventRow, { readonly kind: 'page_acknowledged' }>): string =>
  `${personText(data.by)} acknowledged the page. Nobody is paged any more.`

/** In the channel, kept current: the page, and what came of it. Null while nobody was paged. */
export function pageStatus(view: RequestView, timezone: string): { readonly text: string; readonly isOpen: boolean } | null {
  const pages = view.events.filter((event) => event.kind === 'paged')
  const last = pages.at(-1)
  if (last === undefined) return null
  const what = `about #${view.request.id} on *${escapeLine(view.targetTitle)}*: ${reasons[last.data.reason]}.`
  const by = view.events.find((event) => event.kind === 'page_acknowledged')
  if (by !== undefined)
    return { text: `On-call was paged ${what} ${personText(by.data.by)} acknowledged ${dateText(by.at, 'day', timezone)}.`, isOpen: false }
  if (!['needs_human', 'failed'].includes(view.request.state))
    return { text: `On-call was paged ${what} It was closed before anybody acknowledged.`, isOpen: false }
  const often = pages.length === 1 ? 'once' : `${pages.length} times`
  return { text: `*On-call is paged* ${what} Told ${often}; until somebody acknowledges it is told again.`, isOpen: true }
}

const ordinal = (count: number): string => {
  const end = count % 100 >= 11 && count % 100 <= 13 ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' }[count % 10] ?? 'th')
  return `${count}${end}`
}
