import type { Person } from '../protocol.ts'
import { defaultSeed, type Seed, type SeedChannel } from './seed.ts'
import type { Json } from './shape.ts'

/** Everything the workspace holds. One owner: `createState`; others change it through these fields and call `changed`. */
export type State = {
  readonly seed: Seed
  readonly now: () => number
  readonly people: Map<string, Person>
  readonly groups: Map<string, { readonly id: string; readonly handle: string; readonly name: string; members: string[] }>
  readonly channels: Map<string, Channel>
  readonly messages: StoredMessage[]
  readonly files: Map<string, StoredFile>
  readonly views: Map<string, StoredView>
  /** Open modals, one stack a person: ids of views, the last on top. */
  readonly stacks: Map<string, string[]>
  readonly homes: Map<string, string>
  readonly triggers: Map<string, Trigger>
  readonly responseUrls: Map<string, ResponseUrl>
  readonly pins: Set<string>
  readonly bookmarks: { readonly id: string; readonly channel: string; readonly title: string; readonly link: string }[]
  readonly calls: ApiCall[]
  revision: number
  origin: string
  readonly changed: () => void
  readonly onChange: (listener: () => void) => () => void
  readonly nextTs: () => string
  readonly nextId: (prefix: string) => string
}

export type Channel = Omit<SeedChannel, 'members'> & { members: string[]; archived: boolean; readonly direct: string | null }

export type StoredMessage = {
  readonly channel: string
  readonly ts: string
  readonly threadTs: string | null
  readonly user: string
  text: string
  blocks: readonly Json[]
  attachments: readonly Json[]
  edited: { readonly user: string; readonly ts: string } | null
  readonly ephemeralTo: string | null
  readonly broadcast: boolean
  files: readonly string[]
  metadata: Json | null
  readonly postedAt: number
}

type StoredFile = {
  readonly id: string
  readonly name: string
  title: string
  readonly length: number
  content: Buffer | null
  shared: boolean
}

export type StoredView = {
  readonly id: string
  readonly person: string
  readonly rootId: string
  readonly previousId: string | null
  hash: string
  view: Json
  errors: Readonly<Record<string, string>>
}

export type Trigger = { readonly person: string; readonly at: number; used: boolean; readonly viewId: string | null }

export type ResponseUrl = {
  readonly person: string
  readonly channel: string
  readonly at: number
  uses: number
  readonly message: string | null
  readonly threadTs: string | null
}

/** One call of the Web API, with what was sent (as parsed) and what was answered. */
export type ApiCall = {
  readonly method: string
  readonly at: number
  readonly args: Json
  readonly status: number
  readonly answer: Json
  /** False when the answer was made and then not delivered. */
  readonly delivered: boolean
}

export function createState(options: { readonly seed?: Seed; readonly now?: () => number }): State {
  const seed = options.seed ?? defaultSeed
  const now = options.now ?? Date.now
  const listeners = new Set<() => void>()
  let lastTs = 0
  let serial = 0
  const state: State = {
    seed,
    now,
    people: new Map(seed.people.map((each) => [each.id, each])),
    groups: new Map(seed.groups.map((each) => [each.id, { ...each, members: [...each.members] }])),
    channels: new Map(seed.channels.map((each) => [each.id, { ...each, members: [...each.members], archived: false, direct: null }])),
    messages: [],
    files: new Map(),
    views: new Map(),
    stacks: new Map(),
    homes: new Map(),
    triggers: new Map(),
    responseUrls: new Map(),
    pins: new Set(),
    bookmarks: [],
    calls: [],
    revision: 0,
    origin: '',
    changed: () => {
      state.revision += 1
      for (const listener of Array.from(listeners)) listener()
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    // Microseconds, and never the same twice: a ts is a message's id in its channel.
    nextTs: () => {
      lastTs = Math.max(lastTs + 1, Math.floor(now() * 1000))
      return `${Math.floor(lastTs / 1_000_000)}.${String(lastTs % 1_000_000).padStart(6, '0')}`
    },
    nextId: (prefix) => {
      serial += 1
      return `${prefix}0${serial.toString(36).toUpperCase().padStart(8, '0')}`
    },
  }
  // The app's Messages tab is there for everybody who can sign in.
  for (const person of seed.people) if (person.kind !== 'bot' && person.kind !== 'deactivated') directChannel(state, person.id)
  return state
}

/** The direct conversation of a person with the app: `D0ALICE` for `U0ALICE`. */
export function directChannel(state: State, person: string): Channel {
  for (const channel of state.channels.values()) if (channel.direct === person) return channel
  const id = `D${person.slice(1)}`
  const channel: Channel = {
    id,
    name: '',
    topic: '',
    isPrivate: true,
    members: [person, state.seed.app.botUser],
    archived: false,
    direct: person,
  }
  state.channels.set(id, channel)
  return channel
}

export const findMessage = (state: State, channel: string, ts: string): StoredMessage | undefined =>
  state.messages.find((message) => message.channel === channel && message.ts === ts)

export const topView = (state: State, person: string): StoredView | undefined => {
  const id = state.stacks.get(person)?.at(-1)
  return id === undefined ? undefined : state.views.get(id)
}

export function newTrigger(state: State, person: string, viewId: string | null): string {
  const id = `${Math.floor(state.now())}.738474920.${state.nextId('t').toLowerCase()}`
  state.triggers.set(id, { person, at: state.now(), used: false, viewId })
  return id
}
