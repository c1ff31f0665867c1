import type { PlayMessage, PlayState } from '../protocol.ts'

export type ThreadSummary = { readonly count: number; readonly lastTs: string; readonly people: readonly string[] }

/** What one person sees in a channel outside its threads, oldest first. */
export function channelMessages(state: PlayState, channel: string, person: string): readonly PlayMessage[] {
  return seenBy(state, channel, person).filter((message) => !isReply(message) || message.broadcast)
}

export function threadMessages(state: PlayState, channel: string, ts: string, person: string): readonly PlayMessage[] {
  return seenBy(state, channel, person).filter((message) => message.ts === ts || message.threadTs === ts)
}

export function threadSummary(state: PlayState, channel: string, ts: string, person: string): ThreadSummary | null {
  const replies = threadMessages(state, channel, ts, person).filter((message) => message.ts !== ts && message.ephemeralTo === null)
  const last = replies.at(-1)
  if (last === undefined) return null
  return { count: replies.length, lastTs: last.ts, people: [...new Set(replies.map((reply) => reply.user))].slice(0, 4) }
}

/** Slack gives a parent its own `thread_ts`; only a different one makes a reply. */
export function isReply(message: PlayMessage): boolean {
  return message.threadTs !== null && message.threadTs !== message.ts
}

export function visibleChannels(state: PlayState, person: string): PlayState['channels'] {
  return state.channels.filter((channel) => (channel.direct === null ? channel.members.includes(person) : channel.direct === person))
}

/** Messages of others after the last one that this person has seen. */
export function unreadMessages(state: PlayState, channel: string, person: string, readTs: string): readonly PlayMessage[] {
  return channelMessages(state, channel, person).filter((message) => message.user !== person && compareTs(message.ts, readTs) > 0)
}

export function lastTs(state: PlayState, channel: string, person: string): string {
  return channelMessages(state, channel, person).at(-1)?.ts ?? '0'
}

/** Milliseconds of a Slack `ts`. */
export function tsTime(ts: string): number {
  return Number(ts) * 1000
}

/** By number first, since the digits before the point may differ in length; then by the text after it, which a double cannot hold. */
export function compareTs(a: string, b: string): number {
  const [aSeconds = '0', aRest = ''] = a.split('.')
  const [bSeconds = '0', bRest = ''] = b.split('.')
  return Number(aSeconds) - Number(bSeconds) || aRest.localeCompare(bRest)
}

function seenBy(state: PlayState, channel: string, person: string): readonly PlayMessage[] {
  return state.messages
    .filter((message) => message.channel === channel && (message.ephemeralTo === null || message.ephemeralTo === person))
    .toSorted((a, b) => compareTs(a.ts, b.ts))
}
