import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { endedStates } from '../../src/request/request.ts'
import { requestByToken } from '../../src/request/store.ts'
import { storeNow } from '../../src/store/now.ts'
import { offerByToken, type Offer } from './offer.ts'
import { openRequest, type Asked, type OpenDeps } from './request.ts'
import { audited, type By } from '../decisions/audit.ts'
import { staleButton } from '../decisions/decision.ts'
import { code, mention, stateSince } from '../wording.ts'

/** Requests that are asked for by a button: what was offered instead of a refusal, and one that nobody answered. */

export type Pressing = By & { readonly token: string }

export type Asking = { readonly kind: 'opened'; readonly text: string }

export type AgainDeps = OpenDeps & { readonly whyNoRun: () => Promise<Refusal | null> }

/** The same request for the opening that was offered, by whoever it was offered to. */
export async function queueOffered(deps: AgainDeps, pressing: Pressing): Promise<Asking | Refusal> {
  const offer = await offerByToken(deps.db, pressing.token)
  if (offer === undefined) return record(deps, pressing, null, staleButton())
  const whyNot = await whyNotTake(deps, offer, pressing.account)
  if (isRefusal(whyNot)) return record(deps, pressing, offer.target, whyNot)
  return ask(deps, pressing, offer.target, {
    ask: offer.ask,
    askedIn: offer.askedIn,
    offer: offer.token,
    // the opening has begun meanwhile: it starts as soon as it is approved, if it is still open
    ...(whyNot === 'begun' ? {} : { slot: { at: offer.notBefore.getTime() } }),
  })
}

async function whyNotTake(deps: AgainDeps, offer: Offer, account: string): Promise<'ahead' | 'begun' | Refusal> {
  if (deps.people.humanOf(account) !== offer.human)
    return refuse(
      'not_allowed_to_ask',
      `This was offered to ${mention(offer.account)}, and only they can take it. Nothing was started. To ask yourself: ${code(`${deps.command} deploy ${offer.target}`)}.`,
    )
  if (offer.requestId !== null)
    return refuse('already_decided', `This was queued already: it is #${offer.requestId}. Your click changed nothing.`)
  return offer.notBefore.getTime() > (await storeNow(deps.db)) ? 'ahead' : 'begun'
}

/** A request that has ended, with the same arguments, by whoever asked for it. */
export async function askAgain(deps: AgainDeps, pressing: Pressing): Promise<Asking | Refusal> {
  const request = await requestByToken(deps.db, pressing.token)
  if (request === undefined) return record(deps, pressing, null, staleButton())
  const { humanOf } = deps.people
  if (humanOf(pressing.account) !== humanOf(request.requesterHuman))
    return record(
      deps,
      pressing,
      request.target,
      refuse(
        'not_allowed_to_ask',
        `#${request.id} was asked for by ${mention(request.requester)}, and only they can ask for it again here. Nothing was started. To ask yourself: ${code(`${deps.command} deploy ${request.target}`)}.`,
      ),
    )
  if (!(endedStates as readonly string[]).includes(request.state))
    return record(
      deps,
      pressing,
      request.target,
      refuse('target_taken', `#${request.id} has not ended: it is ${stateSince(request)}. Nothing more was started.`),
    )
  const slot = request.notBefore?.getTime()
  return ask(deps, pressing, request.target, {
    ask: request.ask,
    askedIn: request.askedIn,
    // the rights to both are looked up anew
    ...(request.breakGlass === null ? {} : { breakGlass: true }),
    ...(request.overrideReason === null ? {} : { override: request.overrideReason }),
    // a time that has passed is not asked for again: it starts when it is approved, or the next opening is offered
    ...(slot === undefined || slot <= (await storeNow(deps.db)) ? {} : { slot: { at: slot } }),
  })
}

async function ask(
  deps: AgainDeps,
  pressing: Pressing,
  name: string,
  how: Pick<Asked, 'ask' | 'askedIn' | 'slot' | 'offer' | 'breakGlass' | 'override'>,
): Promise<Asking | Refusal> {
  const target = deps.targets.get(name)
  if (target === undefined)
    return record(deps, pressing, name, refuse('unknown_target', `${code(name)} is not in lockkeeper.yaml. Nothing was started.`))
  const barred = await deps.whyNoRun()
  if (barred !== null) return record(deps, pressing, name, barred)
  const opened = await openRequest(deps, { target, account: pressing.account, entry: pressing.entry, answer: pressing.answer, ...how })
  return isRefusal(opened) ? opened : { kind: 'opened', text: opened.text }
}

const record = (deps: AgainDeps, by: By, target: string | null, refusal: Refusal): Promise<Refusal> =>
  audited(deps, deps.db, by, { act: 'request', target }, refusal)
