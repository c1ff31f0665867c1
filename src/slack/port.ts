/** Slack as the rest of the house sees it. `client.ts` is the only module that talks to the Web API; fakes are plain objects. */
export type SlackPort = {
  /** Posts at most once: `intent` stands in the metadata, so that a lost reply can be reconciled with `findByIntent`. */
  readonly post: (
    where: { readonly channel: string; readonly thread?: string; readonly broadcast?: boolean },
    message: Message,
    intent: string,
  ) => Promise<Sent<Posted>>
  readonly update: (where: Posted, message: Message) => Promise<Sent<null>>
  /** Takes back a message of the bot's own. */
  readonly remove: (where: Posted) => Promise<Sent<null>>
  readonly ephemeral: (
    where: { readonly channel: string; readonly user: string; readonly thread?: string },
    message: Message,
  ) => Promise<Sent<null>>
  /** To whoever typed or clicked, by the address that came with it; what is not certain may stand there twice when it is repeated. */
  readonly respond: (url: string, message: Message, thread?: string) => Promise<Sent<null>>
  readonly findByIntent: (where: { readonly channel: string; readonly thread?: string }, intent: string) => Promise<Sent<Posted | null>>
  /** Messages of this very bot user that say of which store they are, newest first; `since` is a time stamp of Slack's. */
  readonly ownPosts: (
    channel: string,
    since: string,
  ) => Promise<Sent<readonly { readonly store: string; readonly channel: string; readonly ts: string }[]>>
  /** Of which store a message of ours is; null when it does not say. */
  readonly storeOf: (where: Posted & { readonly thread?: string }) => Promise<Sent<string | null>>
  /** Slack's own clock, in milliseconds, wrong by at most half a second: Slack tells whole ones, and this is the middle of what it told. */
  readonly time: () => Promise<Sent<number>>
  readonly openView: (triggerId: string, view: View) => Promise<Sent<null>>
  readonly updateView: (viewId: string, view: View) => Promise<Sent<null>>
  readonly publishHome: (user: string, view: View) => Promise<Sent<null>>
  readonly upload: (
    where: { readonly channel: string; readonly thread?: string },
    file: { readonly name: string; readonly title: string; readonly comment?: string; readonly content: string },
  ) => Promise<Sent<null>>
  readonly openDirect: (user: string) => Promise<Sent<string>>
  readonly permalink: (where: Posted) => Promise<Sent<string>>
  readonly user: (id: string) => Promise<Sent<SlackUser>>
  readonly groupMembers: (group: string) => Promise<Sent<readonly string[]>>
  readonly channel: (
    id: string,
  ) => Promise<Sent<{ readonly id: string; readonly name: string; readonly isMember: boolean; readonly isArchived: boolean }>>
  readonly authTest: () => Promise<
    Sent<{ readonly team: string; readonly teamName: string; readonly botUser: string; readonly scopes: readonly string[] }>
  >
}

export type Posted = { readonly channel: string; readonly ts: string }
export type Block = { readonly type: string; readonly [key: string]: unknown }
export type Message = { readonly text: string; readonly blocks?: readonly Block[] }
export type View = { readonly type: 'modal' | 'home'; readonly blocks: readonly Block[]; readonly [key: string]: unknown }

export type SlackUser = {
  readonly id: string
  readonly team: string
  readonly name: string
  readonly timezone: string
  readonly isDeleted: boolean
  readonly isBot: boolean
  /** Single- and multi-channel guests. */
  readonly isGuest: boolean
  /** Slack's word for somebody of another organisation who shares no channel with us; those who share one have only another `team`. */
  readonly isStranger: boolean
  /** All workspaces of the account, where the organisation has several (Enterprise Grid). */
  readonly teams?: readonly string[]
  /** Of a bot: its app (`A…`). */
  readonly app?: string
}

/** `unsure`: no answer came (time-out, 5xx, cut connection), so it may have happened. */
export type Sent<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'limited'; readonly retryAfterMs: number }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'unsure'; readonly cause: string }
