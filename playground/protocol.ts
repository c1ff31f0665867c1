/** What the playground's page and tests see of the workspace, and what they can do in it. The page redraws from the whole state. */

export type Person = {
  readonly id: string
  readonly name: string
  readonly realName: string
  readonly title: string
  readonly timezone: string
  readonly kind: 'member' | 'guest' | 'external' | 'deactivated' | 'bot'
  /** CSS colour of the avatar. */
  readonly color: string
}

export type PlayMessage = {
  readonly channel: string
  readonly ts: string
  readonly threadTs: string | null
  /** A person's id, or the bot's user id. */
  readonly user: string
  readonly text: string
  readonly blocks: readonly Record<string, unknown>[]
  readonly editedAt: number | null
  /** Set on messages that only one person sees. */
  readonly ephemeralTo: string | null
  readonly broadcast: boolean
  readonly files: readonly {
    readonly id: string
    readonly name: string
    readonly title: string
    readonly size: number
    readonly url: string
  }[]
  readonly metadata: unknown
}

export type PlayView = {
  readonly person: string
  readonly viewId: string
  readonly view: Record<string, unknown>
  readonly errors: Readonly<Record<string, string>>
}

export type PlayState = {
  readonly revision: number
  readonly workspace: { readonly id: string; readonly name: string }
  readonly bot: {
    readonly user: string
    readonly name: string
    readonly connected: boolean
    readonly mode: 'socket' | 'http'
    readonly outage: string | null
  }
  readonly commands: readonly { readonly command: string; readonly usage: string; readonly description: string }[]
  readonly people: readonly Person[]
  readonly groups: readonly { readonly id: string; readonly handle: string; readonly members: readonly string[] }[]
  /** Direct messages have `direct` set to the person who talks with the bot. */
  readonly channels: readonly {
    readonly id: string
    readonly name: string
    readonly topic: string
    readonly direct: string | null
    readonly members: readonly string[]
    readonly archived: boolean
  }[]
  readonly messages: readonly PlayMessage[]
  /** Open modals, the top one of each person's stack. */
  readonly modals: readonly PlayView[]
  readonly homes: readonly PlayView[]
}

/**
 * HTTP, JSON both ways, on the playground's own port:
 *   GET  /play/state            PlayState
 *   GET  /play/events           server-sent events: `data: {"revision":n}` at each change
 *   GET  /play/file/:id         the file's text
 *   GET  /archives/:channel/p:ts  a permalink: answers with the page (`?thread_ts=…&cid=…` for a reply)
 *   POST /play/command          Command      POST /play/click    Click      POST /play/submit  Submit
 *   POST /play/close            Close        POST /play/home     Home       POST /play/say     Say
 * Each POST answers `{ ok: true }` or `{ ok: false, error }` with a sentence for the person (for example that the app did not answer in 3 seconds).
 */
/** `text` is the whole line as typed: `/migrate deploy prod`. Values of `state` and `values` may also be plain text, as typed or chosen. */
export type Command = { readonly person: string; readonly channel: string; readonly text: string; readonly threadTs?: string }
/** `value` for buttons is found by the server; `state` carries what stands in inputs of the same message or view, in Slack's `state.values` shape. */
export type Click = {
  readonly person: string
  readonly container: { readonly channel: string; readonly ts: string } | { readonly viewId: string }
  readonly blockId: string
  readonly actionId: string
  /** For menus: the chosen option's value; for date pickers etc. the value. */
  readonly selected?: string
  readonly state?: Readonly<Record<string, unknown>>
}
export type Submit = {
  readonly person: string
  readonly viewId: string
  readonly values: Readonly<Record<string, Record<string, unknown>>>
}
export type Close = { readonly person: string; readonly viewId: string }
export type Home = { readonly person: string }
export type Say = { readonly person: string; readonly channel: string; readonly text: string; readonly threadTs?: string }
export type Answer = { readonly ok: true } | { readonly ok: false; readonly error: string }
