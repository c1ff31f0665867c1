import { randomBytes } from 'node:crypto'
import type { Db, Queries } from '../../store/pool.ts'
import type { Desired } from '../../slack/outbox/desired.ts'
import type { Message } from '../../slack/port.ts'
import type { MessageSource } from '../../slack/outbox/message-source.ts'

/** Posts in a channel that belong to no single request or window. */

export type ChannelPost = {
  readonly id: number
  /** For its buttons. */
  readonly token: string
  readonly channel: string
  readonly kind: string
  readonly data: unknown
  readonly createdAt: Date
  readonly revision: number
}

export type ChannelPostMessage = {
  readonly message: Message
  /** Slack users who are told the same by a direct message, once. */
  readonly people?: readonly string[]
}

/** By kind. Pure but for what it reads in the store: a page shows whether somebody acknowledged. */
export type ChannelPostRenderers = Readonly<Record<string, (post: ChannelPost) => ChannelPostMessage | Promise<ChannelPostMessage>>>

const channelPostColumns = `id, token, channel, kind, data, created_at as "createdAt", revision`

/** It appears in Slack when the transaction is committed. */
export async function addChannelPost(
  tx: Queries,
  post: { readonly channel: string; readonly kind: string; readonly data: Readonly<Record<string, unknown>> },
): Promise<ChannelPost> {
  const [row] = await tx.query<ChannelPost>(
    `insert into lockkeeper.bulletin (token, channel, kind, data) values ($1, $2, $3, $4) returning ${channelPostColumns}`,
    [`b_${randomBytes(12).toString('base64url')}`, post.channel, post.kind, JSON.stringify(post.data)],
  )
  if (row === undefined) throw new Error(`the channel post (${post.kind}) was not stored`)
  return row
}

/** What was refused for a day is not tried any more. */
const FORGOTTEN = `interval '1 day'`

/** Channel posts as the outbox draws them: one message, kept current in place. */
export const channelPostSource = (db: Db, renderers: ChannelPostRenderers): MessageSource => ({
  table: 'bulletin',
  isProgress: 'true', // each change says when
  order: 'draw_after, id',
  isCurrent: `created_at > lockkeeper.now() - ${FORGOTTEN}`,
  async open(id) {
    const [row] = await db.query<ChannelPost & { isForgotten: boolean }>(
      `select ${channelPostColumns}, created_at < lockkeeper.now() - ${FORGOTTEN} as "isForgotten" from lockkeeper.bulletin where id = $1`,
      [id],
    )
    if (row === undefined) return undefined
    return {
      revision: row.revision,
      fields: { channelPost: row.id },
      async draw() {
        const render = renderers[row.kind]
        if (render === undefined) throw new Error(`nothing draws channel posts of the kind ${row.kind}`)
        return { desired: desiredOf(row, await render(row)), refreshInMs: null, isForgotten: row.isForgotten, fileOf: async () => null }
      },
    }
  },
})

const desiredOf = ({ id, channel }: ChannelPost, { message, people = [] }: ChannelPostMessage): readonly Desired[] => [
  { key: `bulletin:${id}`, destination: { kind: 'channel', channel }, content: { kind: 'current', message } },
  ...people.map((user): Desired => ({
    key: `bulletin:${id}:${user}`,
    destination: { kind: 'direct', user },
    content: { kind: 'once', message },
  })),
]
