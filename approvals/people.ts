import type { Clock } from '../src/lib/clock.ts'
import { refuse, type Refusal } from '../src/lib/refusal.ts'
import type { Sent, SlackPort, SlackUser } from '../src/slack/port.ts'
import type { HumanOf } from './policy.ts'
import { code } from './wording.ts'

/** Somebody who was checked: the account that acts (`U…` or `os:name`) and the human behind it. */
export type Actor = { readonly account: string; readonly human: string }

export type People = {
  readonly humanOf: HumanOf
  /** Checks the account and the human behind it. `fresh` asks Slack again: at the act itself nothing is taken from the cache. */
  readonly identify: (account: string, how?: { readonly fresh?: boolean }) => Promise<Actor | Refusal>
  /** Members of each group that could be read; one that could not is left out, so nobody of it may approve. */
  readonly membersOf: (
    groups: readonly string[],
    how?: { readonly fresh?: boolean },
  ) => Promise<Readonly<Record<string, readonly string[]>>>
  /** Whether Slack answers at all, which decides if the command line may vote. */
  readonly isSlackReachable: () => Promise<boolean>
}

/** Long enough that a burst of clicks asks once, short enough that nobody notices. */
const CACHE_MS = 5_000

export function createPeople(deps: {
  readonly slack: Pick<SlackPort, 'user' | 'groupMembers' | 'authTest'>
  /** `people` of the configuration: logins and second accounts of one human. */
  readonly people: Readonly<Record<string, string>>
  readonly clock: Clock
}): People {
  const humanOf = humanIn(deps.people)
  const users = cached(deps.clock, deps.slack.user)
  const groups = cached(deps.clock, deps.slack.groupMembers)
  let own: string | undefined
  /** Slack Connect: whoever shares a channel with us is no "stranger" to Slack, and is known by the workspace alone. */
  async function whyForeign(user: SlackUser): Promise<string | Refusal | undefined> {
    if (own === undefined) {
      const auth = await deps.slack.authTest()
      if (auth.kind !== 'ok') return unknownIdentity(auth)
      own = auth.value.team // of a token it never changes
    }
    return user.team === own || user.teams?.includes(own) === true ? undefined : OTHER_ORGANISATION
  }
  return {
    humanOf,
    async identify(account, { fresh = false } = {}) {
      const human = humanOf(account)
      if (account.startsWith('os:') && human === account) return loginUnknown(account)
      const accounts = [...new Set([account, human])].filter((each) => !each.startsWith('os:'))
      for (const each of accounts) {
        const found = await users(each, fresh)
        if (found.kind !== 'ok') {
          // somebody at the machine itself, named in the configuration, is who the configuration says
          if (account.startsWith('os:') && isUnreachable(found)) continue
          return unknownIdentity(found)
        }
        const unfit = whyUnfit(found.value) ?? (await whyForeign(found.value))
        if (typeof unfit === 'object') return unfit
        if (unfit !== undefined) return notAMember(unfit)
      }
      return { account, human }
    },
    async membersOf(wanted, { fresh = false } = {}) {
      const read = await Promise.all(wanted.map(async (group) => [group, await groups(group, fresh)] as const))
      return Object.fromEntries(read.flatMap(([group, found]) => (found.kind === 'ok' ? [[group, found.value] as const] : [])))
    },
    isSlackReachable: async () => !isUnreachable(await deps.slack.authTest()),
  }
}

/** Follows `people` to its end: a login may name a second account that names the first. Those in a circle are one human. */
export const humanIn =
  (people: Readonly<Record<string, string>>): HumanOf =>
  (account) => {
    const passed: string[] = []
    let human = account
    while (!passed.includes(human)) {
      passed.push(human)
      const next = Object.hasOwn(people, human) ? people[human] : undefined
      if (next === undefined) return human
      human = next
    }
    return passed.slice(passed.indexOf(human)).sort()[0] ?? account
  }

/** A rate limit or an error is an answer: only silence opens the command line's way. */
const isUnreachable = (sent: Sent<unknown>): boolean => sent.kind === 'unsure'

const OTHER_ORGANISATION = 'an account of another organisation'

function whyUnfit(user: SlackUser): string | undefined {
  if (user.isDeleted) return 'a deactivated account'
  if (user.isBot) return 'a bot'
  if (user.isStranger) return OTHER_ORGANISATION
  if (user.isGuest) return 'a guest'
  return undefined
}

const notAMember = (what: string) =>
  refuse(
    'not_a_member',
    `Lockkeeper takes requests and votes from full members of this workspace only, and this is ${what}. Nothing was changed. Ask a full member to do it.`,
  )

const unknownIdentity = (found: Exclude<Sent<unknown>, { kind: 'ok' }>) =>
  refuse(
    'identity_unknown',
    `Slack did not say who you are (${reasonOf(found)}), and what cannot be checked is refused. Nothing was changed. Try again in a minute.`,
  )

const reasonOf = (found: Exclude<Sent<unknown>, { kind: 'ok' }>): string => {
  switch (found.kind) {
    case 'limited':
      return 'it asks us to wait'
    case 'unsure':
      return 'no answer'
    case 'refused':
      return code(found.error)
  }
}

const loginUnknown = (account: string) =>
  refuse(
    'identity_unknown',
    `The login ${code(account.slice('os:'.length))} belongs to nobody that Lockkeeper knows. Nothing was changed. Add ${code(`${account}: U…`)} under \`people\` in lockkeeper.yaml, with the person's Slack user id.`,
  )

function cached<T>(clock: Clock, read: (id: string) => Promise<Sent<T>>) {
  const kept = new Map<string, { readonly until: number; readonly value: Sent<T> }>()
  return async (id: string, fresh: boolean): Promise<Sent<T>> => {
    const known = kept.get(id)
    if (!fresh && known !== undefined && known.until > clock.now()) return known.value
    const value = await read(id)
    // only what was learned is kept: a failure is asked again at once
    if (value.kind === 'ok') kept.set(id, { until: clock.now() + CACHE_MS, value })
    else kept.delete(id)
    return value
  }
}
