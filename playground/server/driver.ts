import type { Answer, Person, PlayMessage, PlayView } from '../protocol.ts'
import { click, closeView, openHome, say, submit, typeCommand, type Hands, type Stale } from './people/act.ts'
import { playMessage, playView } from './play.ts'
import { topView, type State } from './state.ts'

/** A person at the keyboard, for tests. Answers are what the person would be told. */
export type Actor = {
  readonly command: (channel: string, text: string, options?: { readonly threadTs?: string }) => Promise<Answer>
  readonly click: (
    container: { readonly channel: string; readonly ts: string } | { readonly viewId: string },
    actionId: string,
    options?: ClickOptions,
  ) => Promise<Answer>
  /** Values by block and action: plain text for inputs and menus, or Slack's own shape. */
  readonly submit: (viewId: string, values?: Readonly<Record<string, Readonly<Record<string, unknown>>>>) => Promise<Answer>
  readonly close: (viewId: string) => Promise<Answer>
  readonly home: () => Promise<Answer>
  readonly say: (channel: string, text: string, options?: { readonly threadTs?: string }) => Answer
}

type ClickOptions = {
  readonly blockId?: string
  readonly selected?: string
  readonly state?: Readonly<Record<string, unknown>>
  /** An old screen still shows a button that the message no longer has. */
  readonly stale?: Stale
  /** Slack sometimes leaves the view out of a click on Home. */
  readonly withoutView?: boolean
}

export type Readers = {
  /** Messages of the channel itself and replies broadcast to it, oldest first, without ephemeral ones. */
  readonly messages: (channel: string) => readonly PlayMessage[]
  readonly message: (channel: string, ts: string) => PlayMessage | null
  /** Replies below a message, without the message itself. */
  readonly thread: (channel: string, ts: string) => readonly PlayMessage[]
  readonly ephemerals: (person: string) => readonly PlayMessage[]
  readonly directMessages: (person: string) => readonly PlayMessage[]
  readonly modal: (person: string) => PlayView | null
  readonly home: (person: string) => PlayView | null
  readonly files: () => readonly { readonly id: string; readonly name: string; readonly title: string; readonly content: string }[]
  readonly person: (id: string) => Person | null
}

export function actAs(hands: Hands, person: string): Actor {
  return {
    command: (channel, text, options = {}) => typeCommand(hands, { person, channel, text, ...options }),
    click: (container, actionId, { blockId = '', selected, state, stale, withoutView } = {}) =>
      click(
        hands,
        { person, container, blockId, actionId, ...(selected === undefined ? {} : { selected }), ...(state ? { state } : {}) },
        { ...(stale ? { stale } : {}), withoutView: withoutView ?? false },
      ),
    submit: (viewId, values = {}) => submit(hands, { person, viewId, values: { ...values } }),
    close: (viewId) => closeView(hands, { person, viewId }),
    home: () => openHome(hands, { person }),
    say: (channel, text, options = {}) => say(hands, { person, channel, text, ...options }),
  }
}

export function createReaders(state: State): Readers {
  const shown = (filter: (message: State['messages'][number]) => boolean): readonly PlayMessage[] =>
    state.messages.filter(filter).map((message) => playMessage(state, message))
  return {
    messages: (channel) =>
      shown((each) => each.channel === channel && each.ephemeralTo === null && (each.threadTs === null || each.broadcast)),
    message: (channel, ts) => shown((each) => each.channel === channel && each.ts === ts)[0] ?? null,
    thread: (channel, ts) => shown((each) => each.channel === channel && each.threadTs === ts && each.ephemeralTo === null),
    ephemerals: (person) => shown((each) => each.ephemeralTo === person),
    directMessages: (person) => shown((each) => state.channels.get(each.channel)?.direct === person && each.ephemeralTo === null),
    modal: (person) => {
      const view = topView(state, person)
      return view ? playView(view) : null
    },
    home: (person) => {
      const view = state.views.get(state.homes.get(person) ?? '')
      return view ? playView(view) : null
    },
    files: () =>
      [...state.files.values()]
        .filter((file) => file.shared)
        .map(({ id, name, title, content }) => ({ id, name, title, content: content?.toString() ?? '' })),
    person: (id) => state.people.get(id) ?? null,
  }
}
