import type { Queries } from '../store/pool.ts'
import type { Log } from '../lib/log.ts'
import { refuse, type Refusal } from '../lib/refusal.ts'
import type { Posted, SlackPort } from '../slack/port.ts'
import { codeText, dateText } from '../lib/text/text.ts'

/** A message of this bot's own user that another store's bot has posted. */
export type Foreign = { readonly store: string; readonly channel: string; readonly ts: string }

export type StoreGuard = {
  /** What was found so far, without asking anybody. */
  readonly known: () => Refusal | null
  /** Looks again when something was found, since an operator may have answered it. */
  readonly again: () => Promise<Refusal | null>
  /** Reads the channels' newest messages. While Slack does not answer, or may not be read, nothing is found. */
  readonly look: (channels: readonly string[]) => Promise<Refusal | null>
  /** To whoever clicks on a message of another store; null when it is none. */
  readonly whyNotOurs: (where: Posted & { readonly thread?: string }) => Promise<Refusal | null>
}

type Ports = { readonly db: Queries; readonly slack: Pick<SlackPort, 'ownPosts' | 'storeOf'>; readonly log: Log; readonly store: string }

/**
 * Two bots with one token and two stores would not know of each other's runs. Each message carries its store, so whichever reads the
 * channel next notices the other one.
 */
export function createStoreGuard(ports: Ports): StoreGuard {
  const found = new Map<string, Foreign>()
  const unreadable = new Set<string>()

  async function lookAt(channel: string): Promise<void> {
    const since = await sinceWhen(ports.db, channel)
    const posts = await ports.slack.ownPosts(channel, since)
    if (posts.kind === 'refused' && !unreadable.has(channel)) {
      unreadable.add(channel)
      ports.log.warn(
        { channel, error: posts.error },
        'Slack does not let the bot read this channel (channels:history, groups:history), so a second bot with another store would not be noticed',
      )
    }
    if (posts.kind !== 'ok') return // no migration waits on Slack
    unreadable.delete(channel)
    const foreign = posts.value.find(({ store }) => store !== ports.store)
    if (foreign === undefined) found.delete(channel)
    else {
      if (found.get(channel)?.store !== foreign.store) ports.log.error({ channel, store: foreign.store }, otherStoreText(foreign))
      found.set(channel, foreign)
    }
  }

  const known = (): Refusal | null => {
    const [first] = found.values()
    return first === undefined ? null : refuse('other_store', otherStoreText(first))
  }

  const look = async (channels: readonly string[]) => {
    for (const channel of new Set([...channels, ...found.keys()])) await lookAt(channel)
    return known()
  }

  return {
    known,
    again: async () => (found.size === 0 ? null : look([])),
    look,
    async whyNotOurs(where) {
      const store = await ports.slack.storeOf(where)
      if (store.kind !== 'ok' || store.value === null || store.value === ports.store) return null
      return refuse(
        'other_store',
        `This message is from another Lockkeeper with the same Slack token and another store (${codeText(store.value.slice(0, 8))}). This one (${codeText(ports.store.slice(0, 8))}) knows nothing of that request. Nothing was changed. Whoever operates Lockkeeper has to stop one of them.`,
      )
    },
  }
}

const otherStoreText = ({ store, channel, ts }: Foreign): string =>
  `Another Lockkeeper with the same Slack token and another store (${codeText(store.slice(0, 8))}) posted in <#${channel}> ${dateText(new Date(Number(ts) * 1_000), 'day')}. Neither knows what the other runs, so nothing starts here. Stop one of them. If this one is to go on, type \`lockkeeper store take-over --reason "…"\` on its machine.`

/** What was posted before this store was made, or before an operator said that it takes over, belongs to the past. */
async function sinceWhen(db: Queries, channel: string): Promise<string> {
  const [row] = await db.query<{ since: string }>(
    `select coalesce(took_over->>$1, to_char(extract(epoch from created_at), 'FM9999999990.000000')) as since from lockkeeper.store`,
    [channel],
  )
  return row?.since ?? '0'
}

/** Everything that other stores have posted until now is answered. Gives what it was. Refused when Slack cannot be read. */
export async function takeOver(
  db: Queries,
  slack: Pick<SlackPort, 'ownPosts'>,
  store: string,
  channels: readonly string[],
): Promise<readonly Foreign[] | string> {
  const foreign: Foreign[] = []
  for (const channel of new Set(channels)) {
    const posts = await slack.ownPosts(channel, await sinceWhen(db, channel))
    if (posts.kind !== 'ok')
      return `Slack does not show what was posted in ${channel} (${posts.kind === 'refused' ? posts.error : 'no answer'}). Nothing was changed. Try again when it does.`
    const newest = posts.value.find((post) => post.store !== store)
    if (newest !== undefined) foreign.push(newest)
  }
  for (const { channel, ts } of foreign)
    await db.query('update lockkeeper.store set took_over = took_over || jsonb_build_object($1::text, $2::text)', [channel, ts])
  return foreign
}
