import type { Message } from '../port.ts'

/** What should stand in Slack. `draw` says it from rows alone; the outbox makes it so. */
export type Desired = {
  /** Names the message for ever; the same key is never posted twice. */
  readonly key: string
  readonly destination: Destination
  readonly content: Content
  /** Decisions and ends go before progress when Slack is short of calls. */
  readonly isUrgent?: boolean
  /** It may be overtaken: once its row has changed, it is not sent as it was drawn before. */
  readonly isPassing?: boolean
}

export type Destination =
  | { readonly kind: 'channel'; readonly channel: string }
  /** Below the message with the key `parent`; waits until that is posted. */
  | { readonly kind: 'thread'; readonly parent: string; readonly broadcast?: boolean }
  | { readonly kind: 'direct'; readonly user: string }

export type Content =
  /** Edited in place whenever it differs from what was drawn. */
  | { readonly kind: 'current'; readonly message: Message }
  /** Posted once; in a thread one after the other, in the order of the list. */
  | { readonly kind: 'once'; readonly message: Message }
  /** Posted once, as soon as the message with the key `to` has a permalink. */
  | { readonly kind: 'linked'; readonly to: string; readonly message: (url: string) => Message }
  /** Uploaded once; where files are not available `instead` is posted. */
  | {
      readonly kind: 'file'
      readonly source: 'log' | 'sql'
      readonly name: string
      readonly title: string
      /** The text of the message that carries the file. */
      readonly comment: string
      readonly instead: (content: string) => Message
    }
