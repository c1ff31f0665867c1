import { writeAudit, type Entry } from '../src/audit/write.ts'
import type { Target } from '../src/config/config.ts'
import { isRefusal, refuse, type Refusal } from '../src/lib/refusal.ts'
import { liftFreezes, onlyTarget, setFreeze, tellFreeze } from '../src/windows/freezes/freezes.ts'
import type { FreezeRow } from '../src/windows/window.ts'
import { queuedRuns, type Queued } from '../src/request/queued.ts'
import { sayTime } from '../src/calendar/say.ts'
import type { ApprovalDeps } from './deps.ts'
import type { Actor } from './people.ts'
import { groupsIn, managersOf, mayAsk } from './policy.ts'
import { code, list, mention, mentionApprover, shown } from './wording.ts'

export type FreezeAsked = {
  readonly kind: FreezeRow['kind']
  /** Null: all targets. */
  readonly targets: readonly Target[] | null
  readonly account: string
  readonly entry: Entry
}

export type Frozen = { readonly kind: 'frozen' | 'lifted'; readonly text: string }

/** Nothing starts on these targets until then (milliseconds since 1970; null: until somebody lifts it). Said in their channels. */
export async function freezeTargets(
  deps: ApprovalDeps,
  asked: FreezeAsked & { readonly until: number | null; readonly reason: string },
): Promise<Frozen | Refusal> {
  const actor = await whoMay(deps, asked)
  if (isRefusal(actor)) return record(deps, asked, actor)
  return deps.db.transaction(async (tx) => {
    const { kind, until, reason } = asked
    const { set, replaced } = await setFreeze(tx, {
      kind,
      targets: namesOf(asked),
      reason,
      setBy: actor.account,
      setByHuman: actor.human,
      until,
    })
    await tellFreeze(tx, deps.targets, deps.command, set, 'set', actor.account)
    await writeAudit(tx, { ...entryOf(deps, asked), result: 'set', data: { freeze: set.id, targets: set.targets, until, reason } })
    const queued = await queuedRuns(tx, { targets: namesOf(asked), before: until })
    const before = replaced.map((one) => ` It replaces the one that ${mention(one.setBy)} set${untilOf(one, zoneOf(asked))}.`)
    return {
      kind: 'frozen',
      text: `${whatOf(asked)} ${isAre(asked)} ${kind === 'freeze' ? 'frozen' : 'locked'}${untilOf(set, zoneOf(asked))}: nothing starts, and what runs goes on.${before.join('')}${queuedText(queued)} To end it${until === null ? '' : ' earlier'}: ${code(undoOf(deps, asked))}.`,
    }
  })
}

/** Ends those that were set for exactly these targets. */
export async function unfreezeTargets(deps: ApprovalDeps, asked: FreezeAsked): Promise<Frozen | Refusal> {
  const actor = await whoMay(deps, asked)
  if (isRefusal(actor)) return record(deps, asked, actor)
  return deps.db.transaction(async (tx) => {
    const lifted = await liftFreezes(tx, { kind: asked.kind, targets: namesOf(asked), by: actor.account })
    if (lifted.length === 0) {
      const nothing = refuse('bad_arguments', nothingToLift(deps, asked))
      await writeAudit(tx, { ...entryOf(deps, asked, 'un'), result: nothing.code })
      return nothing
    }
    for (const one of lifted) await tellFreeze(tx, deps.targets, deps.command, one, 'lifted', actor.account)
    await writeAudit(tx, { ...entryOf(deps, asked, 'un'), result: 'lifted', data: { freezes: lifted.map(({ id }) => id) } })
    return {
      kind: 'lifted',
      text: `The ${asked.kind} of ${asked.targets === null ? 'all targets' : whatOf(asked)} is lifted: ${list(lifted.map((one) => `set by ${mention(one.setBy)}${one.reason === '' ? '' : `, “${shown(one.reason)}”`}`))}.`,
    }
  })
}

/** `windows.manage`, else `requests.from`, else every full member; for all targets whoever may for each of them. */
async function whoMay(deps: ApprovalDeps, asked: FreezeAsked): Promise<Actor | Refusal> {
  const actor = await deps.people.identify(asked.account, { fresh: true })
  if (isRefusal(actor)) return actor
  for (const target of asked.targets ?? deps.targets.values()) {
    const from = managersOf(target)
    const members = await deps.people.membersOf(groupsIn(from ?? []), { fresh: true })
    const may = mayAsk(from, members, deps.people.humanOf, actor.human)
    if (may === 'yes') continue
    const who = list((from ?? []).map(mentionApprover), 'or')
    return may === 'no'
      ? refuse(
          'not_allowed_to_schedule',
          `Windows, freezes and locks of ${code(target.name)} are set and lifted by ${who} only. Nothing was changed. Ask one of them.`,
        )
      : refuse(
          'identity_unknown',
          `Windows, freezes and locks of ${code(target.name)} are set and lifted by ${who} only, and Slack does not say now who that is. What cannot be checked is refused; nothing was changed. Try again in a minute.`,
        )
  }
  return actor
}

const nothingToLift = (deps: ApprovalDeps, { kind, targets }: FreezeAsked): string =>
  targets === null
    ? `No ${kind} of all targets is in force, so nothing was changed. One of a single target is lifted by its name: ${code(`${deps.command} un${kind} ${[...deps.targets.keys()][0] ?? 'prod'}`)}. ${code(`${deps.command} status`)} lists them.`
    : `No ${kind} of ${code(targets[0]?.name ?? '')} is in force, so nothing was changed. One of all targets is lifted with ${code(`${deps.command} unfreeze all`)}, and one of lockkeeper.yaml there. ${code(`${deps.command} status ${targets[0]?.name ?? ''}`)} says what holds it.`

const queuedText = (queued: readonly Queued[]): string =>
  queued.length === 0
    ? ''
    : ` *${list(queued.map(({ id }) => `#${id}`))} ${queued.length === 1 ? 'is' : 'are'} queued for that time:* what would start then waits for the end of it inside its window, or is refused.`

const namesOf = ({ targets }: FreezeAsked): readonly string[] | null => targets?.map(({ name }) => name) ?? null

const whatOf = ({ targets }: FreezeAsked): string => (targets === null ? 'All targets' : list(targets.map(({ name }) => code(name))))
const isAre = ({ targets }: FreezeAsked): string => (targets?.length === 1 ? 'is' : 'are')
const zoneOf = ({ targets }: FreezeAsked): string => targets?.[0]?.timezone ?? 'UTC'
const untilOf = ({ until }: FreezeRow, zone: string): string =>
  until === null ? ' until somebody lifts it' : ` until ${sayTime(until, zone)}`
const undoOf = (deps: ApprovalDeps, { kind, targets }: FreezeAsked): string =>
  `${deps.command} un${kind} ${targets === null ? 'all' : (targets[0]?.name ?? '')}`

const entryOf = (deps: ApprovalDeps, asked: FreezeAsked, prefix: '' | 'un' = '') => ({
  actor: asked.account,
  human: deps.people.humanOf(asked.account),
  entry: asked.entry,
  act: `${prefix}${asked.kind}`,
  target: onlyTarget({ targets: namesOf(asked) }),
})

async function record(deps: ApprovalDeps, asked: FreezeAsked & { readonly until?: unknown }, refusal: Refusal): Promise<Refusal> {
  await writeAudit(deps.db, { ...entryOf(deps, asked, 'until' in asked ? '' : 'un'), result: refusal.code })
  return refusal
}
