import type { Asker } from '../parse/channel-scope.ts'
import type { Actor } from '../../approvals/people.ts'
import { code, list, mention } from '../../approvals/wording.ts'
import { writeAudit } from '../../src/audit/write.ts'
import type { Tx } from '../../src/store/pool.ts'
import type { Target } from '../../src/config/config.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { queuedRuns } from '../../src/request/queued.ts'
import { durationText } from '../../src/lib/text/text.ts'
import { holdSchedule, whyNotThen } from '../../src/windows/schedule/conflict.ts'
import { readLength, readWhen, takeLength, takeWhen } from '../../src/calendar/when.ts'
import type { WindowRow } from '../../src/windows/window.ts'
import { addWindowEvent, changeWindow, lockWindow, windowById, type Hours } from '../../src/windows/store.ts'
import { sayTime, sayUnderstoodSpan } from '../../src/calendar/say.ts'
import { endNow, startNow, cancelWindow, hoursOf, replanWindow, scheduleWindow } from '../../src/windows/schedule/schedule.ts'
import { storeNow } from '../../src/store/now.ts'
import { say, type Reply } from '../verbs/reply.ts'
import { knownHere, noWindow, targetsOf, whyNotManageHere, type WindowDeps } from './deps.ts'
import { checkReason, exampleOf, type WindowCommand } from '../parse/window.ts'

type Schedule = Extract<WindowCommand, { verb: 'schedule' }>

/** Who asks was identified already; whether he may is asked here, fresh. */
export async function schedule(deps: WindowDeps, command: Schedule, actor: Actor, asker: Asker): Promise<Reply> {
  const targets = targetsOf(deps, command.targets)
  if (isRefusal(targets)) return targets
  const unfit = await whyNotManageHere(deps, targets, actor, asker)
  if (unfit !== undefined) return unfit
  const zone = targets[0].timezone
  const now = await storeNow(deps.db)
  const read = readHours(command.words, { now, zone })
  if (isRefusal(read)) return withExample(read, deps, command.targets)
  const reason = checkReason(read.rest.join(' ').trim(), knownHere(deps, command.targets))
  if (isRefusal(reason)) return reason
  const hours = { startsAt: read.startsAt, endsAt: read.startsAt + (read.length ?? 0) }
  if (read.length === undefined)
    return withExample(refuse('bad_arguments', 'It is not said how long the window is. Nothing was changed.'), deps, command.targets)
  return deps.db.transaction(async (tx) => {
    await holdSchedule(tx)
    const conflict = await whyNotThen(tx, { targets, hours, zone, exceptId: null }, conflictConfigOf(deps))
    if (conflict !== undefined) return conflict
    const window = await scheduleWindow(
      tx,
      {
        ...hours,
        name: command.name,
        reason: reason === '' ? 'Maintenance' : reason,
        work: command.work,
        owner: actor.account,
        ownerHuman: actor.human,
      },
      targets,
    )
    if (window === undefined) throw new Error('a window without an occurrence was not written')
    await record(tx, actor, asker, window, 'scheduled', hours)
    const channels = list(window.channels.map((channel) => `<#${channel}>`))
    return answered(
      tx,
      asker,
      `Window #${window.id} of ${list(targets.map(({ name }) => code(name)))} is scheduled: ${sayUnderstoodSpan({ from: hours.startsAt, to: hours.endsAt }, zone, now)}, for ${durationText(read.length ?? 0)}. It is announced in ${channels}. To move it: ${code(`${deps.maintenance} reschedule ${window.id} "<when>"`)}.`,
    )
  })
}

type Change = Extract<WindowCommand, { verb: 'reschedule' | 'start' | 'extend' | 'complete' | 'cancel' }>

/** Everything that changes a window that is there. Its row is held, so that two changes come one after the other. */
export async function change(deps: WindowDeps, command: Change, actor: Actor, asker: Asker): Promise<Reply> {
  const before = await windowById(deps.db, command.id)
  if (before === undefined) return noWindow(deps, command.id)
  const targets = targetsOf(deps, before.targets)
  if (isRefusal(targets)) return targets
  const unfit = await whyNotManageHere(deps, targets, actor, asker)
  if (unfit !== undefined) return unfit
  return deps.db.transaction(async (tx) => {
    await holdSchedule(tx)
    const window = await lockWindow(tx, command.id)
    if (window === undefined) return noWindow(deps, command.id)
    const reply = await changeHeld(deps, tx, command, { window, targets, actor })
    if (isRefusal(reply)) return reply
    await record(tx, actor, asker, window, results[command.verb], hoursOf((await windowById(tx, window.id)) ?? window))
    return reply.kind === 'form' ? reply : answered(tx, asker, reply.text)
  })
}

const results = { reschedule: 'rescheduled', start: 'started', extend: 'extended', complete: 'completed', cancel: 'cancelled' } as const

type Held = { readonly window: WindowRow; readonly targets: readonly [Target, ...Target[]]; readonly actor: Actor }

function changeHeld(deps: WindowDeps, tx: Tx, command: Change, held: Held): Promise<Reply> {
  switch (command.verb) {
    case 'reschedule':
      return reschedule(deps, tx, command.words, held)
    case 'extend':
      return extend(deps, tx, command.words, held)
    case 'start':
      return start(deps, tx, held)
    case 'complete':
      return complete(deps, tx, held)
    case 'cancel':
      return cancel(deps, tx, command.reason, held)
  }
}

async function reschedule(deps: WindowDeps, tx: Tx, words: readonly string[], { window, targets, actor }: Held): Promise<Reply> {
  if (window.state !== 'scheduled') return notInState(deps, window, 'Only a window that has not started can be moved.')
  const now = await storeNow(tx)
  const read = readHours(words, { now, zone: window.timezone })
  if (isRefusal(read)) return withExample(read, deps, window.targets, 'reschedule', window.id)
  if (read.rest.length > 0)
    return withExample(
      refuse('bad_arguments', `${code(read.rest.join(' '), 60)} is more than ${code('reschedule')} takes. Nothing was changed.`),
      deps,
      window.targets,
      'reschedule',
      window.id,
    )
  const length = read.length ?? window.endsAt.getTime() - window.startsAt.getTime()
  const hours = { startsAt: read.startsAt, endsAt: read.startsAt + length }
  if (hours.startsAt === window.startsAt.getTime() && hours.endsAt === window.endsAt.getTime())
    return refuse('bad_arguments', `Window #${window.id} is at that time already. Nothing was changed, and nobody was told.`)
  const conflict = await whyNotThen(tx, { targets, hours, zone: window.timezone, exceptId: window.id }, conflictConfigOf(deps))
  if (conflict !== undefined) return conflict
  await replanWindow(tx, window, { kind: 'rescheduled', by: actor.account, hours }, targets)
  return say(
    `Window #${window.id} is moved to ${sayUnderstoodSpan({ from: hours.startsAt, to: hours.endsAt }, window.timezone, now)}. What was announced for the old time is withdrawn.`,
  )
}

async function extend(deps: WindowDeps, tx: Tx, words: readonly string[], { window, targets, actor }: Held): Promise<Reply> {
  const now = await storeNow(tx)
  const endedJustNow =
    window.state === 'completed' && window.closedAt !== null && now - window.closedAt.getTime() < HOUR_MS && (await isRunning(tx, window))
  if (window.state !== 'open' && !endedJustNow) return notInState(deps, window, 'Only a window that is under way can be extended.')
  const length = readLength(words.join(' '))
  if (isRefusal(length)) return withExample(length, deps, window.targets, 'extend', window.id)
  const from = endedJustNow ? Math.floor(now / MINUTE_MS) * MINUTE_MS : 0
  const hours = { startsAt: window.startsAt.getTime(), endsAt: Math.max(window.endsAt.getTime(), from) + length }
  const conflict = await whyNotThen(tx, { targets, hours, zone: window.timezone, exceptId: window.id }, conflictConfigOf(deps))
  if (conflict !== undefined) return conflict
  await replanWindow(
    tx,
    window,
    { kind: 'extended', by: actor.account, hours, ...(endedJustNow ? { state: 'open' as const } : {}) },
    targets,
  )
  return say(`Window #${window.id} lasts until ${sayTime(hours.endsAt, window.timezone)} now.`)
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

/** A run that outlasts its window is what it is extended for. */
async function isRunning(tx: Tx, window: WindowRow): Promise<boolean> {
  const [row] = await tx.query(`select 1 from lockkeeper.request where target = any($1) and state = 'running' limit 1`, [window.targets])
  return row !== undefined
}

async function start(deps: WindowDeps, tx: Tx, { window, targets }: Held): Promise<Reply> {
  if (window.state !== 'scheduled') return notInState(deps, window, 'Only a window that has not started can be started.')
  const startsAt = Math.floor((await storeNow(tx)) / MINUTE_MS) * MINUTE_MS // people read no seconds
  const hours: Hours = { startsAt, endsAt: startsAt + window.endsAt.getTime() - window.startsAt.getTime() }
  const conflict = await whyNotThen(tx, { targets, hours, zone: window.timezone, exceptId: window.id }, conflictConfigOf(deps))
  if (conflict !== undefined) return conflict
  await startNow(tx, window, hours, targets)
  return say(`Window #${window.id} starts now and ends by ${sayTime(hours.endsAt, window.timezone)}.`)
}

async function complete(deps: WindowDeps, tx: Tx, { window }: Held): Promise<Reply> {
  if (window.state !== 'open') return notInState(deps, window, 'Only a window that is under way can be completed.')
  await endNow(tx, window)
  return say(`Window #${window.id} ends now. Its release notes follow in the channel.${await endsToo(tx, window)}`)
}

async function cancel(deps: WindowDeps, tx: Tx, reason: string | null, { window, targets, actor }: Held): Promise<Reply> {
  if (window.state !== 'scheduled')
    return notInState(
      deps,
      window,
      `Only a window that has not started can be cancelled; one that is under way is ended with ${code(`${deps.maintenance} complete ${window.id}`)}.`,
    )
  await cancelWindow(tx, window, { by: actor.account, reason }, targets)
  return say(
    `Window #${window.id} is cancelled. Everybody who was told of it is told that, once; what was still to be announced is withdrawn.${await endsToo(tx, window)}`,
  )
}

/** What waited for the window expires with it. */
async function endsToo(tx: Tx, { id }: WindowRow): Promise<string> {
  const queued = await queuedRuns(tx, { window: id })
  return queued.length === 0
    ? ''
    : ` ${list(queued.map((one) => `#${one.id}`))}, queued for it, ${queued.length === 1 ? 'ends' : 'end'} with it.`
}

const stateWords = { scheduled: 'has not started', open: 'is under way', completed: 'is over', cancelled: 'is cancelled' } as const

const notInState = (deps: WindowDeps, window: WindowRow, rule: string): Refusal =>
  refuse(
    'window_closed',
    `Window #${window.id} ${stateWords[window.state]}. ${rule} Nothing was changed. ${code(`${deps.maintenance} show ${window.id}`)} shows it.`,
  )

/** Whoever may manage the window may say that he stands by; saying it again changes nothing. */
export async function standBy(deps: WindowDeps, id: number, actor: Actor, asker: Asker): Promise<Reply> {
  const before = await windowById(deps.db, id)
  if (before === undefined) return noWindow(deps, id)
  const targets = targetsOf(deps, before.targets)
  if (isRefusal(targets)) return targets
  const unfit = await whyNotManageHere(deps, targets, actor, asker)
  if (unfit !== undefined) return unfit
  return deps.db.transaction(async (tx) => {
    const window = await lockWindow(tx, id)
    if (window === undefined) return noWindow(deps, id)
    if (window.state === 'completed' || window.state === 'cancelled') return notInState(deps, window, 'Nobody needs to stand by any more.')
    if (window.standby !== null && window.standbyConfirmedAt !== null) return say(`${mention(window.standby)} stands by already.`)
    await changeWindow(tx, id, { standby: actor.account, isStandbyConfirmed: true })
    await addWindowEvent(tx, id, { kind: 'standby', data: { by: actor.account } })
    await record(tx, actor, asker, window, 'stands by', hoursOf(window))
    return answered(tx, asker, '')
  })
}

const conflictConfigOf = (deps: WindowDeps) => ({ freezes: deps.freezes, command: deps.maintenance })

const withExample = (
  refusal: Refusal,
  deps: WindowDeps,
  named: readonly string[],
  verb: 'schedule' | 'reschedule' | 'extend' = 'schedule',
  id?: number,
): Refusal => refuse(refusal.code, `${refusal.text} The whole command: ${code(exampleOf(verb, knownHere(deps, named), id), 120)}`)

export type ReadHours = { readonly startsAt: number; readonly length?: number; readonly rest: readonly string[] }

/** A time, a length and a reason, none of which needs quotation marks. */
export function readHours(words: readonly string[], clock: { readonly now: number; readonly zone: string }): ReadHours | Refusal {
  const when = takeWhen(words, clock)
  if (isRefusal(when)) return readAround(words, clock) ?? whyNotQuoted(words, clock) ?? when
  if (when.rest.length === 0) return readAround(words, clock) ?? { startsAt: when.at, rest: [] }
  const taken = lengthOf(when.rest)
  return isRefusal(taken) ? (readAround(words, clock) ?? whyNotQuoted(words, clock) ?? taken) : { startsAt: when.at, ...taken }
}

/** What stands in quotation marks is the time and is spoken of as a whole. */
function whyNotQuoted([first = '']: readonly string[], clock: { readonly now: number; readonly zone: string }): Refusal | undefined {
  const when = /\s/.test(first) ? readWhen(first, clock) : undefined
  return when !== undefined && isRefusal(when) ? when : undefined
}

/** A time that is written in a rarer way ends at the first length that makes one of what stands before it. */
function readAround(words: readonly string[], clock: { readonly now: number; readonly zone: string }): ReadHours | undefined {
  for (let count = 1; count < Math.min(words.length, MOST_WORDS); count++) {
    const taken = lengthOf(words.slice(count))
    const when = isRefusal(taken) ? taken : readWhen(words.slice(0, count).join(' '), clock)
    if (!isRefusal(taken) && !isRefusal(when)) return { startsAt: when.at, ...taken }
  }
  return undefined
}

const MOST_WORDS = 9

const lengthOf = (words: readonly string[]) => takeLength(/^for$/i.test(words[0] ?? '') ? words.slice(1) : words)

/** Said in the transaction of what was done. */
async function answered(tx: Tx, asker: Asker, text: string): Promise<Reply> {
  await asker.answer?.(tx, { kind: 'done', text })
  return say(text)
}

async function record(tx: Tx, actor: Actor, asker: Asker, window: WindowRow, result: string, hours: Hours): Promise<void> {
  for (const target of window.targets)
    await writeAudit(tx, {
      actor: actor.account,
      human: actor.human,
      entry: asker.entry,
      act: 'maintenance',
      target,
      result,
      data: { window: window.id, startsAt: new Date(hours.startsAt), endsAt: new Date(hours.endsAt) },
    })
}
