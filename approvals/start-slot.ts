import type { Queries } from '../src/store/pool.ts'
import { refuse, type Refusal } from '../src/lib/refusal.ts'
import type { RequestRow } from '../src/request/request.ts'
import { openings, statusAt } from '../src/calendar/opening-hours.ts'
import { saySpan, sayTime } from '../src/calendar/say.ts'
import {
  needOfRequest,
  nextChance,
  passesAt,
  timesOf,
  whyNoVote,
  whyShut,
  windowAt,
  type GateDeps,
  type Times,
  type WindowAhead,
} from './gate.ts'
import { code, list } from './wording.ts'

/** When a request may start that does not start as soon as it is approved. Times are milliseconds since 1970. */

/** What was asked for: a time, or a maintenance window by its name or number. */
export type SlotAsked = { readonly at: number } | { readonly window: string }

export type StartSlot = {
  readonly notBefore: number
  readonly notAfter: number
  readonly windowId: number | null
  /** It starts when its maintenance window does, whenever that comes to be. */
  readonly followsStart: boolean
}

const DAY_MS = 86_400_000

/** The opening that contains the time. Where a target has no hours it is open as long as its longest window. */
export function slotAt(times: Times, at: number, command: string): StartSlot | Refusal {
  const { target, calendar } = times
  const passage = passesAt(times, at)
  const window = windowAt(times, at)
  if (passage.kind !== 'open') return closedThen(times, at, command)
  if (window !== null) return { notBefore: at, notAfter: window.to, windowId: window.id, followsStart: at === window.from }
  const span = openings(calendar, at - 8 * DAY_MS, at + 8 * DAY_MS).find(({ from, to }) => from <= at && at < to)
  const hasHours = calendar.rules.length > 0 && span !== undefined
  const end = hasHours ? span.to : Math.min(at + target.windows.maximum, span?.to ?? Infinity)
  return { notBefore: at, notAfter: end, windowId: null, followsStart: false }
}

function closedThen(times: Times, at: number, command: string): Refusal {
  const { target } = times
  const shut = passesAt(times, at)
  if (shut.kind === 'open') throw new Error('it is open then')
  const next = nextChance(times, shut.status, at)
  const then = sayTime(at, target.timezone)
  const instead = next === null ? '' : ` The next opening after that is ${saySpan(next, target.timezone)}.`
  if (shut.kind === 'frozen')
    return refuse('frozen', `${code(target.name)} is frozen at that time, ${then}. ${whyShut(times, shut, command, at).text}`)
  const rule = shut.status.why === 'holiday' ? 'a public holiday' : `outside of ${code(target.windows.allow ?? '', 200)}`
  return refuse('outside_window', `${code(target.name)} is closed at that time, ${then}: it is ${rule}. Nothing was started.${instead}`)
}

/** A maintenance window of the target that is not over: by its number, or the next one of that name. */
export function slotIn(times: Times, typed: string, command: string): StartSlot | Refusal {
  const { target, windows, calendar } = times
  const id = /^#?([1-9]\d{0,14})$/.exec(typed)?.[1]
  const window = windows.find((one) => (id === undefined ? one.name?.toLowerCase() === typed.toLowerCase() : one.id === Number(id)))
  if (window === undefined) return unknownWindow(times, typed, command)
  const start = Math.max(window.from, times.now)
  const status = statusAt(calendar, start)
  if (status.kind === 'closed' && status.why === 'frozen') {
    const shut = passesAt(times, start)
    if (shut.kind !== 'open') return whyShut(times, shut, command, start)
  }
  if (window.to <= times.now)
    return refuse('window_closed', `The window ${code(typed, 40)} of ${code(target.name)} has closed. Nothing was started.`)
  const notBefore = window.isOpen ? Math.min(window.from, times.now) : window.from
  return { notBefore, notAfter: window.to, windowId: window.id, followsStart: true }
}

function unknownWindow({ target, windows }: Times, typed: string, command: string): Refusal {
  const ahead = windows.slice(0, 5).map((one) => windowName(one, target.timezone))
  return refuse(
    'unknown_window',
    `${code(target.name)} has no window ${code(typed, 40)} ahead. Nothing was started. ${
      ahead.length === 0
        ? `None is scheduled; to start at a time, write ${code(`${command} deploy ${target.name} --at "Tue 02:00"`)}.`
        : `Ahead: ${list(ahead)}.`
    }`,
  )
}

const windowName = (window: WindowAhead, zone: string): string =>
  `${code(window.name ?? `#${window.id}`)}${window.name === null ? '' : ` (#${window.id})`}, ${saySpan(window, zone)}`

export const readSlot = (times: Times, asked: SlotAsked, command: string): StartSlot | Refusal =>
  'at' in asked ? slotAt(times, asked.at, command) : slotIn(times, asked.window, command)

/** No approval opens a closed window or a freeze: it is taken as long as it is open when the run would start. */
export async function whyNoApproval(deps: GateDeps, db: Queries, request: RequestRow): Promise<Refusal | undefined> {
  const target = deps.targets.get(request.target)
  if (target === undefined) return undefined
  const times = await timesOf(deps.freezes, db, target, { at: request.readAt.getTime(), need: needOfRequest(target, request) })
  const start = Math.max(times.now, request.notBefore?.getTime() ?? 0)
  const passage = passesAt(times, start, request.overrideReason !== null)
  return passage.kind === 'open' ? undefined : whyNoVote(times, passage, deps.command, request.id, start)
}
