import type { Target } from '../../src/config/config.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { liftFreezes, onlyTarget, setFreeze, postFreezeNews } from '../../src/windows/freezes/freezes.ts'
import type { FreezeRow } from '../../src/windows/window.ts'
import { queuedRuns, type Queued } from '../../src/request/queued.ts'
import { storeNow } from '../../src/store/now.ts'
import type { Tx } from '../../src/store/pool.ts'
import { sayTime, sayUnderstood } from '../../src/calendar/say.ts'
import { audited, type About, type By } from './audit.ts'
import type { ApprovalDeps } from '../deps.ts'
import { whyNotManage } from '../managers.ts'
import type { Actor } from '../people.ts'
import { code, list, mention, shown } from '../wording.ts'

export type FreezeAsked = By & {
  readonly kind: FreezeRow['kind']
  /** Null: all targets. */
  readonly targets: readonly Target[] | null
  /** What the person is told beside what was done. */
  readonly more?: string
}

export type Frozen = { readonly kind: 'set' | 'lifted'; readonly text: string }

/** Nothing starts on these targets until then (milliseconds since 1970; null: until somebody lifts it). Said in their channels. */
export const freezeTargets = (
  deps: ApprovalDeps,
  asked: FreezeAsked & { readonly until: number | null; readonly reason: string },
): Promise<Frozen | Refusal> =>
  decideFreeze(deps, asked, asked.kind, async (tx, actor) => {
    const { kind, until, reason } = asked
    const { set, replaced } = await setFreeze(tx, {
      kind,
      targets: namesOf(asked),
      reason,
      setBy: actor.account,
      setByHuman: actor.human,
      until,
    })
    await postFreezeNews(tx, deps.targets, deps.command, set, 'set', actor.account)
    const queued = await queuedRuns(tx, { targets: namesOf(asked), before: until })
    const before = replaced.map((one) => ` It replaces the one that ${mention(one.setBy)} set${untilOf(one, zoneOf(asked))}.`)
    return {
      kind: 'set',
      text: `${whatOf(asked)} ${isAre(asked)} ${kind === 'freeze' ? 'frozen' : 'locked'}${until === null ? untilOf(set, zoneOf(asked)) : ` until ${sayUnderstood(until, zoneOf(asked), await storeNow(tx))}`}: nothing starts, and what runs goes on.${before.join('')}${queuedText(queued)} To end it${until === null ? '' : ' earlier'}: ${code(undoOf(deps, asked))}.`,
      data: { freeze: set.id, targets: set.targets, until, reason },
    }
  })

/** Ends those that were set for exactly these targets. */
export const unfreezeTargets = (deps: ApprovalDeps, asked: FreezeAsked): Promise<Frozen | Refusal> =>
  decideFreeze(deps, asked, `un${asked.kind}`, async (tx, actor) => {
    const lifted = await liftFreezes(tx, { kind: asked.kind, targets: namesOf(asked), by: actor.account })
    if (lifted.length === 0) return refuse('bad_arguments', nothingToLift(deps, asked))
    for (const one of lifted) await postFreezeNews(tx, deps.targets, deps.command, one, 'lifted', actor.account)
    return {
      kind: 'lifted',
      text: `The ${asked.kind} of ${asked.targets === null ? 'all targets' : whatOf(asked)} is lifted: ${list(lifted.map((one) => `set by ${mention(one.setBy)}${one.reason === '' ? '' : `, “${shown(one.reason)}”`}`))}.`,
      data: { freezes: lifted.map(({ id }) => id) },
    }
  })

type Decided = Frozen & { readonly data: NonNullable<About['data']> }

/** Who it is, whether he may for each of the targets, what is written, and one row of the audit, whether it was allowed or not. */
async function decideFreeze(
  deps: ApprovalDeps,
  asked: FreezeAsked,
  act: string,
  write: (tx: Tx, actor: Actor) => Promise<Decided | Refusal>,
): Promise<Frozen | Refusal> {
  const about = { act, target: onlyTarget({ targets: namesOf(asked) }) }
  const actor = await whoMay(deps, asked)
  if (isRefusal(actor)) return audited(deps, deps.db, asked, about, actor)
  return deps.db.transaction(async (tx) => {
    const decided = await write(tx, actor)
    if (isRefusal(decided)) return audited(deps, tx, asked, about, decided)
    const { kind, text, data } = decided
    const frozen = await audited(deps, tx, asked, { ...about, data }, { kind, text: `${text}${asked.more ?? ''}` })
    await asked.answer?.(tx, frozen)
    return frozen
  })
}

async function whoMay(deps: ApprovalDeps, { account, targets }: FreezeAsked): Promise<Actor | Refusal> {
  const actor = await deps.people.identify(account, { fresh: true })
  if (isRefusal(actor)) return actor
  for (const target of targets ?? deps.targets.values()) {
    const unfit = await whyNotManage(deps, target, actor.human, 'freezes')
    if (unfit !== undefined) return unfit
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
