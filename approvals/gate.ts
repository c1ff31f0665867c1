import { planClasses, type PlanClass } from '../src/config/keys/classes.ts'
import type { Span } from '../src/calendar/span.ts'
import type { Target } from '../src/config/config.ts'
import type { Queries } from '../src/store/pool.ts'
import { refuse, type Refusal } from '../src/lib/refusal.ts'
import type { RequestRow } from '../src/request/request.ts'
import { classOf, rulesForClass } from '../src/plan/rules/by-class.ts'
import type { MigrationClass } from '../src/sql/effects/effect.ts'
import { storeNow } from '../src/store/now.ts'
import type { Passage } from '../src/run/workflow/ports.ts'
import { durationText } from '../src/lib/text/text.ts'
import { calendarOf, setFreezes, statusAt, type Calendar, type Freeze, type Status } from '../src/calendar/opening-hours.ts'
import { freezesInForce } from '../src/windows/freezes/freezes.ts'
import type { FreezeRow } from '../src/windows/window.ts'
import { saySpan, sayTime } from '../src/calendar/say.ts'
import type { ApprovalDeps } from './deps.ts'
import { classesOf } from './grant-check.ts'
import { groupsIn, mayAsk } from './policy.ts'
import { code, list, mention, mentionApprover, shown } from './wording.ts'

/**
 * Whether a run of a target may start now. No approval opens a closed window or a freeze; to override those is a right of its own. Times
 * are milliseconds since 1970.
 */

export type Doors = {
  /** Only a protected target keeps its hours. */
  readonly isProtected: boolean
  /** By its hours, holidays, freezes and locks. */
  readonly status: Status
  /** A maintenance window that is open for it. */
  readonly window: { readonly id: number; readonly endsAt: number } | null
  /** By somebody who may. */
  readonly isOverridden: boolean
  /** What the class of the plan asks for; left out, or null: nothing of its own. */
  readonly need?: WindowNeed | null
}

/** `required`: only in a maintenance window or in hours that are written down. `optional`: at any hour. A freeze closes both. */
export type WindowNeed = { readonly window: 'required' | 'optional'; readonly class: PlanClass }

export type Shut = { readonly kind: 'frozen' | 'outside'; readonly status: Extract<Status, { readonly kind: 'closed' }> }

/** A freeze closes maintenance windows too; a maintenance window opens what hours and holidays close. */
export function passes({
  isProtected,
  status,
  window,
  isOverridden,
  need = null,
}: Doors): Extract<Passage, { readonly kind: 'open' }> | Shut {
  const isFrozen = status.kind === 'closed' && status.why === 'frozen'
  if (isFrozen && !isOverridden) return { kind: 'frozen', status }
  const hoursEnd = status.kind === 'open' && !status.always ? status.span.to : null
  if (window !== null && !isFrozen)
    return { kind: 'open', closesAt: Math.max(window.endsAt, hoursEnd ?? window.endsAt), windowId: window.id }
  const keepsHours = need === null ? isProtected : need.window === 'required'
  if (status.kind === 'closed' && keepsHours && !isOverridden) return { kind: 'outside', status }
  if (status.kind === 'open' && status.always && need?.window === 'required' && !isOverridden) return { kind: 'outside', status: noHours }
  return { kind: 'open', closesAt: keepsHours ? hoursEnd : null, windowId: null }
}

/** Where no hours are written down only a maintenance window opens for what needs one. */
const noHours: Shut['status'] = { kind: 'closed', why: 'hours', name: '', until: null, next: null }

export type GateDeps = Pick<ApprovalDeps, 'people' | 'targets' | 'freezes' | 'command'>

/** Everything about the target's times, read once. */
export type Times = {
  readonly target: Target
  readonly now: number
  readonly calendar: Calendar
  /** Those that people set and that are in force now. */
  readonly frozenBy: readonly FreezeRow[]
  /** Maintenance windows that are not over, the earliest first. */
  readonly windows: readonly WindowAhead[]
  readonly need: WindowNeed | null
}

export type WindowAhead = {
  readonly id: number
  readonly name: string | null
  readonly from: number
  readonly to: number
  /** Somebody opened it by hand, before its hours. */
  readonly isOpen: boolean
  readonly standby: string | null
  readonly isStandbyConfirmed: boolean
}

/** `at`: now, in milliseconds since 1970, where the store was asked for it a moment ago. `need`: of the class of the plan, where there is one. */
export async function timesOf(
  freezes: readonly Freeze[],
  db: Queries,
  target: Target,
  { at, need = null }: { readonly at?: number; readonly need?: WindowNeed | null } = {},
): Promise<Times> {
  const [now, frozenBy, windows] = [at ?? (await storeNow(db)), await freezesInForce(db, target.name), await windowsAhead(db, target.name)]
  return { target, now, frozenBy, windows, need, calendar: calendarOf(target, [...freezes, ...setFreezes(frozenBy)]) }
}

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`

const windowsAhead = (db: Queries, target: string) =>
  db.query<WindowAhead>(
    `select id, name, ${ms('starts_at')} as from, ${ms('ends_at')} as to, state = 'open' as "isOpen", standby,
       standby_confirmed_at is not null as "isStandbyConfirmed"
     from lockkeeper.maintenance where $1 = any(targets) and state in ('scheduled','open') and ends_at > lockkeeper.now()
     order by starts_at, id limit 200`,
    [target],
  )

/** The one that is open at that time and closes last. */
export const windowAt = ({ windows, now }: Times, at: number): WindowAhead | null =>
  windows.filter((one) => (one.from <= at || (one.isOpen && at <= now)) && one.to > at).toSorted((a, b) => b.to - a.to)[0] ?? null

export const passesAt = (times: Times, at: number, isOverridden = false): ReturnType<typeof passes> => {
  const window = windowAt(times, at)
  return passes({
    isProtected: times.target.protected,
    status: statusAt(times.calendar, at),
    window: window === null ? null : { id: window.id, endsAt: window.to },
    isOverridden,
    need: times.need,
  })
}

/** The next time at which runs may start: by the hours, or in a maintenance window that no freeze covers. */
export function nextChance(times: Times, status: Shut['status'], after: number): (Span & { readonly windowId: number | null }) | null {
  const window = times.windows.find(({ from }) => {
    const then = from > after ? statusAt(times.calendar, from) : null
    return then !== null && !(then.kind === 'closed' && then.why === 'frozen')
  })
  const { next } = status
  if (window !== undefined && (next === null || window.from < next.from)) return { from: window.from, to: window.to, windowId: window.id }
  return next === null ? null : { ...next, windowId: null }
}

/** Asked before a run starts. With `trusting`, whoever overrides was looked up a moment ago and Slack is not asked. */
export async function gateFor(
  deps: GateDeps,
  db: Queries,
  request: RequestRow,
  { trusting, classes }: { readonly trusting: boolean; readonly classes?: readonly MigrationClass[] } = { trusting: false },
): Promise<Passage> {
  const target = deps.targets.get(request.target)
  if (target === undefined) return { kind: 'open', closesAt: null, windowId: null } // nothing of it runs: it is refused as not configured
  const need = classes === undefined ? needOfRequest(target, request) : needOf(target, classes)
  const times = await timesOf(deps.freezes, db, target, { need })
  const plain = passesAt(times, times.now)
  if (plain.kind === 'open') return isHeld(times, request) ?? plain
  if (request.overrideReason === null)
    return frozenForNow(times, request, plain, deps.command) ?? { kind: 'shut', refusal: whyShut(times, plain, deps.command, times.now) }
  const may = trusting ? 'yes' : await mayOverride(deps, target, request.requesterHuman)
  if (may === 'unknown') return { kind: 'unknown' }
  if (may === 'yes') {
    const passage = passesAt(times, times.now, true)
    if (passage.kind === 'open') return passage
  }
  return { kind: 'shut', refusal: refuse('not_allowed_to_override', overrideLost(target, request)) }
}

/** Null where the class of the plan has no rule of its own, or nobody knows it yet. */
export const needOfRequest = (target: Target, request: Pick<RequestRow, 'evidence'>): WindowNeed | null =>
  request.evidence === null ? null : needOf(target, classesOf(request))

export function needOf(target: Target, classes: readonly MigrationClass[]): WindowNeed | null {
  const of = classOf(classes)
  const { window } = rulesForClass(target, of)
  return window === undefined ? null : { window, class: of }
}

/** When it is asked for, nobody knows its class: what one of them may do at any hour is planned first. */
export const needWhenAsked = ({ classes }: Target): WindowNeed | null =>
  planClasses.some((of) => classes?.[of]?.window === 'optional') ? { window: 'optional', class: 'additive' } : null

/** A freeze that ends inside the window of a run that starts by itself only puts it off. */
function frozenForNow(times: Times, { notBefore, notAfter, windowId }: RequestRow, shut: Shut, command: string): Passage | undefined {
  const { until } = shut.status
  if (shut.kind !== 'frozen' || notBefore === null || notAfter === null || until === null || until >= notAfter.getTime()) return undefined
  const { what } = shutWords(times, shut, command, times.now)
  return { kind: 'held', windowId, standby: null, why: `${what} It starts by itself when that ends.` }
}

/** A run that starts by itself where somebody has to stand by. */
function isHeld(times: Times, request: RequestRow): Passage | undefined {
  if (!times.target.windows.standby || request.notBefore === null) return undefined
  const window = times.windows.find(({ id }) => id === request.windowId) ?? windowAt(times, times.now)
  return window?.isStandbyConfirmed === true ? undefined : { kind: 'held', windowId: window?.id ?? null, standby: window?.standby ?? null }
}

/** Who may start outside of windows and in a freeze; nobody where nobody is named. */
export async function mayOverride(deps: Pick<GateDeps, 'people'>, target: Target, human: string): Promise<'yes' | 'no' | 'unknown'> {
  const from = target.windows.override
  if (from === undefined) return 'no'
  return mayAsk(from, await deps.people.membersOf(groupsIn(from), { fresh: true }), deps.people.humanOf, human)
}

export async function whyNotOverride(deps: GateDeps, target: Target, human: string): Promise<Refusal | undefined> {
  const from = target.windows.override
  if (from === undefined)
    return refuse(
      'not_allowed_to_override',
      `Nobody may override the windows and freezes of ${code(target.name)}: \`windows.override\` in lockkeeper.yaml names nobody. Nothing was started. Ask for the next opening, or have a freeze lifted with ${code(`${deps.command} unfreeze ${target.name}`)}.`,
    )
  const who = list(from.map(mentionApprover), 'or')
  switch (await mayOverride(deps, target, human)) {
    case 'yes':
      return undefined
    case 'no':
      return refuse(
        'not_allowed_to_override',
        `Windows and freezes of ${code(target.name)} are overridden by ${who} only. Nothing was started. Ask one of them, or ask without \`--override\` for the next opening.`,
      )
    case 'unknown':
      return refuse(
        'identity_unknown',
        `Windows and freezes of ${code(target.name)} are overridden by ${who} only, and Slack does not say now who that is. What cannot be checked is refused; nothing was started. Try again in a minute.`,
      )
  }
}

const overrideLost = (target: Target, request: RequestRow): string =>
  `${mention(request.requester)} may not override the windows and freezes of ${code(target.name)} any more, and it is closed. Nothing was started. Ask for the next opening.`

/** Who, why, until when, how it ends, and the next opening. */
export function whyShut(times: Times, shut: Shut, command: string, at: number): Refusal {
  const { what, how } = shutWords(times, shut, command, at)
  return refuse(shut.kind === 'frozen' ? 'frozen' : 'outside_window', `${what} Nothing was started. ${how}`)
}

/** Said to whoever approves while it is closed. */
export function whyNoVote(times: Times, shut: Shut, command: string, requestId: number, at: number): Refusal {
  const { what, how } = shutWords(times, shut, command, at)
  return refuse(
    shut.kind === 'frozen' ? 'frozen' : 'outside_window',
    `#${requestId} cannot be approved now. ${what} No approval opens that, so your click changed nothing. ${how}`,
  )
}

/** For whoever asks how a protected target stands: null while runs may start, and while a freeze says more. */
export function whyClosedNow(times: Times, command: string): string | null {
  const passage = passesAt(times, times.now)
  if (passage.kind !== 'outside') return null
  const { what, how } = shutWords(times, passage, command, times.now)
  return `${what} ${how}`
}

function shutWords(times: Times, shut: Shut, command: string, at: number): { readonly what: string; readonly how: string } {
  const { target, now, need } = times
  const next = nextChance(times, shut.status, at)
  const opens = next === null ? '' : saysOpening(times, next, shut.status.until, now)
  if (shut.kind === 'outside') {
    const rule =
      shut.status.why === 'holiday'
        ? `no window opens on ${shown(shut.status.name)}, a public holiday`
        : need?.window === 'required'
          ? `a plan that is ${need.class} runs in a window only (${code(`classes.${need.class}.window`)})${target.windows.allow === undefined ? '' : `, ${code(target.windows.allow, 200)}`}`
          : `runs start ${code(target.windows.allow ?? '', 200)} only`
    return { what: `${code(target.name)} is closed: ${rule}.`, how: opens === '' ? nothingOpens(target) : opens }
  }
  const row = lastOf(times.frozenBy.filter((one) => one.until === null || one.until.getTime() > at))
  const until = shut.status.until === null ? 'until somebody lifts it' : `until ${sayTime(shut.status.until, target.timezone)}`
  const how = `${endsWith(times, row, shut.status.until, command)}${opens === '' ? '' : ` ${opens}`}`
  const isRow = row !== undefined && (row.until?.getTime() ?? null) === shut.status.until
  if (!isRow) return { what: `${code(target.name)} is frozen ${until} by lockkeeper.yaml: “${shown(shut.status.name)}”.`, how }
  const why = row.reason === '' ? '' : `: “${shown(row.reason)}”`
  return { what: `${code(target.name)} is ${row.kind === 'lock' ? 'locked' : 'frozen'} ${until} by ${mention(row.setBy)}${why}.`, how }
}

/** Without hours it is open as soon as what closes it ends, which is said there, and nobody knows for how long. */
function saysOpening(
  { target, calendar }: Times,
  next: Span & { readonly windowId: number | null },
  until: number | null,
  now: number,
): string {
  const hasEnd = calendar.rules.length > 0 || next.windowId !== null
  if (!hasEnd && next.from === until) return ''
  return `It opens ${hasEnd ? saySpan(next, target.timezone) : sayTime(next.from, target.timezone)}, in ${durationText(next.from - now)}.`
}

const nothingOpens = ({ windows }: Target): string =>
  windows.allow === undefined
    ? 'No window is scheduled. Schedule a maintenance window, and ask for it by its name with `--in-window`.'
    : 'No opening comes within a year: `windows` in lockkeeper.yaml says when there is one.'

const lastOf = (rows: readonly FreezeRow[]): FreezeRow | undefined =>
  rows.toSorted((a, b) => (b.until?.getTime() ?? Infinity) - (a.until?.getTime() ?? Infinity))[0]

function endsWith({ target }: Times, row: FreezeRow | undefined, until: number | null, command: string): string {
  if (row === undefined || (row.until?.getTime() ?? null) !== until) return 'The freeze ends by itself then; nobody can lift it here.'
  const undo = code(`${command} un${row.kind} ${row.targets === null ? 'all' : target.name}`)
  return until === null ? `The ${row.kind} ends with ${undo}.` : `The ${row.kind} ends by itself then, or earlier with ${undo}.`
}
