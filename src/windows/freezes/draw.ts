import { section } from '../../slack/blocks/blocks.ts'
import type { Message } from '../../slack/port.ts'
import { codeText, escapeLine, listText, personText, quoteText } from '../../lib/text/text.ts'
import type { FreezeRow } from '../window.ts'
import { sayTime } from '../../calendar/say.ts'

/** `data` of a channel post of the kind `freeze`, with what was so when it was written. */
export type FreezeNews = {
  readonly news: 'set' | 'lifted' | 'ending' | 'ended'
  readonly kind: FreezeRow['kind']
  /** Null: all targets. */
  readonly titles: readonly string[] | null
  /** What is typed for it: the name of a target, or `all`. */
  readonly typed: string
  /** Whoever set it, or lifted it. */
  readonly by: string
  readonly reason: string
  /** Milliseconds since 1970; null as long as nobody lifts it. */
  readonly until: number | null
  readonly zone: string
  readonly command: string
  /** Another freeze or lock is in force for some of them. */
  readonly isStillClosed: boolean
}

/** What the channel reads when a freeze or lock is set, lifted, about to end, or over. */
export function freezeMessage(news: FreezeNews): Message {
  const text = textOf(news)
  return { text: text.replaceAll('*', ''), blocks: [section(text)] }
}

function textOf(news: FreezeNews): string {
  const { kind, typed, by, until, zone, command } = news
  const where = whereOf(news)
  const reason = news.reason === '' ? '' : `\n${quoteText(news.reason)}`
  const undo = codeText(`${command} un${kind} ${typed}`)
  switch (news.news) {
    case 'set':
      return `*${where} ${isOf(news)} ${kind === 'freeze' ? 'frozen' : 'locked'}*${until === null ? ' until somebody lifts it' : ` until ${sayTime(until, zone)}`}, by ${personText(by)}. Nothing starts; what runs goes on.${reason}\n${undo} ends it${until === null ? '' : ' earlier'}.`
    case 'lifted':
      return `*The ${kind} of ${where} is lifted* by ${personText(by)}. ${afterwards(news)}`
    case 'ending':
      return `${personText(by)}, the ${kind} of *${where}* that you set ends ${sayTime(until ?? 0, zone)}. Runs may start then. To keep it, set it anew: ${codeText(`${command} ${kind} ${typed} until …`)}.${reason}`
    case 'ended':
      return `*The ${kind} of ${where} has ended*, as it was set by ${personText(by)}. ${afterwards(news)}`
  }
}

const afterwards = ({ isStillClosed, command, typed }: FreezeNews): string =>
  isStillClosed
    ? `Nothing starts yet: another freeze or lock is in force, and ${codeText(`${command} status${typed === 'all' ? '' : ` ${typed}`}`)} says which.`
    : 'Runs may start again, within the hours of their targets.'

/** As the beginning of a sentence or after `of`. */
const whereOf = ({ titles, news }: FreezeNews): string =>
  titles === null ? (news === 'set' ? 'Every target' : 'all targets') : listText(titles.map((title) => escapeLine(title)))

const isOf = ({ titles }: FreezeNews): string => (titles !== null && titles.length > 1 ? 'are' : 'is')
