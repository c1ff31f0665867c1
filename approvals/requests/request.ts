import type { Target } from '../../src/config/config.ts'
import type { Tx } from '../../src/store/pool.ts'
import { constraintOf, hasSqlState, sqlState } from '../../src/lib/sqlstate.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { Ask, RequestRow } from '../../src/request/request.ts'
import { activeRequest, addEvent } from '../../src/request/store.ts'
import { storeNow } from '../../src/store/now.ts'
import { nextCheck } from '../../src/request/start-slot.ts'
import { audited, type About, type By } from '../decisions/audit.ts'
import type { ApprovalDeps } from '../deps.ts'
import type { Actor } from '../people.ts'
import { whyNoReason, whyNotBreakGlass } from '../break-glass/decision.ts'
import { needWhenAsked, passesAt, timesOf, whyNotOverride, whyShut } from '../gate.ts'
import { makeOffer, takeOffer } from './offer.ts'
import { openedText } from './opened-text.ts'
import { canBeApproved, groupsIn, mayAsk, rulesOf } from '../policy.ts'
import { readSlot, type StartSlot, type SlotAsked } from '../start-slot.ts'
import { code, list, mention, mentionApprover, stateSince } from '../wording.ts'

export type Asked = By & {
  readonly target: Target
  readonly ask: Ask
  /** The channel it was typed in; null on the command line. */
  readonly askedIn: string | null
  /** To run without approvals, if somebody who may breaks the glass; needs a reason. */
  readonly breakGlass?: boolean
  /** To start by itself at a time or in a window, and not as soon as it is approved. */
  readonly slot?: SlotAsked
  /** Why it may start outside of windows and in a freeze. */
  readonly override?: string
  /** What it was offered as, taken in the same transaction. */
  readonly offer?: string
}

/** `text` is for whoever asked. */
export type Opened = {
  readonly kind: 'opened'
  readonly id: number
  readonly token: string
  readonly slot: StartSlot | null
  readonly text: string
}

export type OpenDeps = ApprovalDeps & { readonly randomBytes: (count: number) => Uint8Array }

/** Writes the request and starts its workflow in one transaction. One active request per target: the store decides who was first. */
export async function openRequest(deps: OpenDeps, asked: Asked): Promise<Opened | Refusal> {
  const actor = await deps.people.identify(asked.account, { fresh: true })
  if (isRefusal(actor)) return refused(deps, asked, actor)
  const unfit = await whyNotAsk(deps, asked, actor)
  if (unfit !== undefined) return refused(deps, asked, unfit)
  const slot = await whenItStarts(deps, asked, actor)
  if (isRefusal(slot)) return refused(deps, asked, slot)
  const token = randomToken(deps.randomBytes)
  for (let attempt = 0; ; attempt++) {
    try {
      return await deps.db.transaction(async (tx) => {
        const id = await insertRequest(deps, tx, { asked, actor, slot, token })
        const opened: Opened = { kind: 'opened', id, token, slot, text: await openedText(deps, tx, asked, { id, slot }) }
        await asked.answer?.(tx, opened)
        return opened
      })
    } catch (error) {
      if (!hasSqlState(error, sqlState.uniqueViolation) || constraintOf(error) !== 'request_active_target') throw error
      const holder = await activeRequest(deps.db, asked.target.name)
      if (holder !== undefined) return refused(deps, asked, targetTaken(holder, deps.command))
      // it ended between the two statements: the target is free
      if (attempt === 2) throw error
    }
  }
}

/** Names the holder, what it does and the way out. */
export const targetTaken = (holder: RequestRow, command: string): Refusal =>
  refuse(
    'target_taken',
    `${code(holder.target)} is taken by #${holder.id} (asked by ${mention(holder.requester)}, ${stateSince(holder)}). It frees when that ends, or with ${code(`${command} cancel ${holder.id}`)}.`,
  )

/** `r_` and 16 characters of 62: 95 bits, nothing about the request in it. */
export function randomToken(randomBytes: (count: number) => Uint8Array): string {
  let token = ''
  while (token.length < TOKEN_LENGTH)
    for (const byte of randomBytes(TOKEN_LENGTH))
      // bytes from 248 on would favour the first letters
      if (byte < BASE62.length * 4 && token.length < TOKEN_LENGTH) token += BASE62.charAt(byte % BASE62.length)
  return `r_${token}`
}

const TOKEN_LENGTH = 16
const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

type Insert = { readonly asked: Asked; readonly actor: Actor; readonly slot: StartSlot | null; readonly token: string }

async function insertRequest(deps: OpenDeps, tx: Tx, { asked, actor, slot, token }: Insert): Promise<number> {
  const checkAt = slot === null ? null : nextCheck(slot.notBefore, await storeNow(tx))
  const rows = await tx.query<{ id: number }>(
    `insert into lockkeeper.request (token, target, requester, requester_human, asked_in, channel, ask, state,
       not_before, not_after, maintenance_id, check_at, wake_at, override_reason, follows_start)
     values ($1, $2, $3, $4, $5, $6, $7, 'planning', ${time(8)}, ${time(9)}, $10, ${time(11)}, ${time(12)}, $13, $14) returning id`,
    [
      token,
      asked.target.name,
      actor.account,
      actor.human,
      asked.askedIn,
      asked.target.channel,
      JSON.stringify(asked.ask),
      slot?.notBefore ?? null,
      slot?.notAfter ?? null,
      slot?.windowId ?? null,
      checkAt,
      checkAt ?? slot?.notBefore ?? null,
      asked.override ?? null,
      slot?.followsStart ?? false,
    ],
  )
  const id = rows[0]?.id
  if (id === undefined) throw new Error('the store gave no id for a new request')
  await audited(deps, tx, asked, { ...aboutOf(asked), requestId: id }, { kind: 'opened' })
  if (asked.breakGlass === true)
    await tx.query('insert into lockkeeper.break_glass (request_id, reason, asked_by, involved) values ($1, $2, $3, $4)', [
      id,
      asked.ask.reason,
      actor.account,
      [...new Set([actor.account, actor.human])],
    ])
  if (asked.override !== undefined) {
    await addEvent(tx, id, { kind: 'overridden', data: { by: actor.account, reason: asked.override } })
    const about = { act: 'override', target: asked.target.name, requestId: id, data: { reason: asked.override } }
    await audited(deps, tx, asked, about, { kind: 'asked' })
  }
  if (asked.offer !== undefined && !(await takeOffer(tx, asked.offer, id))) throw new Error('an offer was taken twice at once') // the one request of the target was written by the other
  await deps.engine.start(tx, id)
  return id
}

const time = (parameter: number): string => `to_timestamp($${parameter}::float8 / 1000)`

/** Null: as soon as it is approved. While the target is closed that is refused, and the next opening is offered. */
async function whenItStarts(deps: OpenDeps, asked: Asked, actor: Actor): Promise<StartSlot | null | Refusal> {
  const { target, ask, askedIn, slot, override, entry } = asked
  if (override !== undefined) return (await whyNotOverride(deps, target, actor.human)) ?? null
  const times = await timesOf(deps.freezes, deps.db, target, { need: needWhenAsked(target) })
  if (slot !== undefined) return readSlot(times, slot, deps.command)
  const passage = passesAt(times, times.now)
  if (passage.kind === 'open') return null
  const refusal = whyShut(times, passage, deps.command, times.now)
  const offer = await makeOffer(deps.db, { times, shut: passage, actor, ask, askedIn }, randomToken(deps.randomBytes), deps.command)
  if (offer === undefined) return refusal
  if (entry === 'slash' || entry === 'button') return { ...refusal, offer }
  return { ...refusal, text: `${refusal.text} To queue it for then: ${code(offer.typed, 700)}`, offer }
}

const dataOf = ({ ask, breakGlass, slot, override }: Asked) => ({
  ask,
  ...(breakGlass === true ? { breakGlass } : {}),
  ...(slot === undefined ? {} : { turn: slot }), // as rows of the audit have always called it
  ...(override === undefined ? {} : { override }),
})

async function whyNotAsk(deps: ApprovalDeps, { target, ask, breakGlass }: Asked, actor: Actor): Promise<Refusal | undefined> {
  const from = target.requests.from
  const rules = rulesOf(target, [])
  const members = await deps.people.membersOf(groupsIn(from ?? [], rules.from), { fresh: true })
  switch (mayAsk(from, members, deps.people.humanOf, actor.human)) {
    case 'no':
      return refuse(
        'not_allowed_to_ask',
        `Runs of ${code(target.name)} may be asked for by ${list((from ?? []).map(mentionApprover), 'or')} only. Nothing was started. Ask one of them, or see what is pending with ${code(`${deps.command} status ${target.name}`)}.`,
      )
    case 'unknown':
      return refuse(
        'identity_unknown',
        `Runs of ${code(target.name)} may be asked for by ${list((from ?? []).map(mentionApprover), 'or')} only, and Slack does not say now who that is. What cannot be checked is refused; nothing was started. Try again in a minute.`,
      )
    case 'yes':
      if (breakGlass === true && rulesOf(target, ['breaking']).required === 0) return noGlass(deps, target)
      if (breakGlass === true) return (await whyNotBreakGlass(deps, target, actor.human)) ?? onlyRefusal(whyNoReason(ask.reason ?? ''))
      return canBeApproved({ ...rules, members }, actor.human, deps.people.humanOf)
  }
}

const noGlass = ({ command }: Pick<ApprovalDeps, 'command'>, target: Target): Refusal =>
  refuse(
    'bad_arguments',
    `${code(target.name)} asks for no approval, so there is no glass to break. Nothing was started. It starts by itself with ${code(`${command} deploy ${target.name}`)}.`,
  )

const onlyRefusal = (checked: string | Refusal): Refusal | undefined => (isRefusal(checked) ? checked : undefined)

const refused = (deps: ApprovalDeps, asked: Asked, refusal: Refusal): Promise<Refusal> =>
  audited(deps, deps.db, asked, aboutOf(asked), refusal)

const aboutOf = (asked: Asked): About => ({ act: 'request', target: asked.target.name, data: { askedIn: asked.askedIn, ...dataOf(asked) } })
