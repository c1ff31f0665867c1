import { closest, distance } from 'fastest-levenshtein'
import type { z } from 'zod'
import { isAllowFault, readAllow } from '../calendar/allow.ts'
import { openings, type Calendar } from '../calendar/opening-hours.ts'
import { isCronFault, occurrences, readCron } from '../calendar/cron.ts'
import { placeProblem } from '../calendar/holidays.ts'
import { typedTime } from '../calendar/say.ts'
import { isZone, nearestZone, onClock, readWall } from '../calendar/zone.ts'
import type { ConfigProblem } from './problem.ts'
import { digestSchema, freezeSchema, morningSchema, recurringWindow, windowsSchema } from './window-schema.ts'

/** What the schema cannot judge of times, read from the file as written so that everything is told at once. */
export function problemsOfTimes(parsed: unknown, targets: Readonly<Record<string, unknown>>): ConfigProblem[] {
  return [
    ...Object.entries(targets).flatMap(([name, target]) => problemsOfWindows(`targets.${name}`, target, parsed)),
    ...listIn(parsed, 'freezes').flatMap((freeze, index) => problemsOfFreeze(`freezes.${index}`, freeze, Object.keys(targets))),
    ...problemsOfClock('digest', read(digestSchema, part(parsed, 'digest'))),
    ...problemsOfClock('morning', read(morningSchema, part(parsed, 'morning'))),
  ]
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

function problemsOfWindows(at: string, target: unknown, parsed: unknown): ConfigProblem[] {
  const written = part(target, 'windows')
  if (typeof written !== 'object' || written === null) return []
  const path = `${at}.windows`
  const timezone = part(target, 'timezone')
  const zone = typeof timezone === 'string' && isZone(timezone) ? timezone : 'UTC'
  const allow = read(windowsSchema.shape.allow, part(written, 'allow'))
  const holidays = read(windowsSchema.shape.holidays, part(written, 'holidays'))
  const maximum = read(windowsSchema.shape.maximum, part(written, 'maximum'))
  const during = read(windowsSchema.shape.during, part(written, 'during'))
  const rules = allow === undefined ? [] : readAllow(allow, zone)
  const problems: ConfigProblem[] = isAllowFault(rules) ? [{ path: `${path}.allow`, ...rules }] : []
  const place = holidays === undefined ? undefined : placeProblem(holidays)
  if (place !== undefined) problems.push({ path: `${path}.holidays`, ...place })
  if (maximum !== undefined && maximum >= 7 * DAY_MS)
    problems.push({
      path: `${path}.maximum`,
      problem: 'is a week or more',
      fix: 'A window lasts less than a week. For example: maximum: 4h',
    })
  if (maximum !== undefined && during !== undefined && maximum / during > MOST_DURING)
    problems.push({
      path: `${path}.during`,
      problem: `would tell people ${Math.floor(maximum / during).toLocaleString('en-US')} times in the longest window`,
      fix: `Write at least ${Math.ceil(maximum / MOST_DURING / MINUTE_MS)}m, for example: during: 15m`,
    })
  if (listIn(written, 'mail').length > 0 && part(parsed, 'mail') === undefined)
    problems.push({
      path: `${path}.mail`,
      problem: 'names people, and nothing says how mail is sent',
      fix: 'Add it: mail: { url: env:SMTP_URL, from: Lockkeeper <lockkeeper@example.com> }',
    })
  problems.push(...problemsOfHealthItems(path, written, target))
  const calendar = { zone, allow: allow ?? null, rules: isAllowFault(rules) ? [] : rules, holidays: null, freezes: [] }
  const list = listIn(written, 'recurring').map((one) => read(recurringWindow, one))
  for (const [index, recurring] of list.entries())
    if (recurring !== undefined) {
      const before = list.slice(0, index)
      problems.push(...problemsOfRecurring(`${path}.recurring.${index}`, recurring, { maximum, calendar, before }))
    }
  return problems
}

// a week of quarters of an hour
const MOST_DURING = 700
/** Weekly hours are the same in all of them; a file that is right today stays right. */
const ANY_YEAR = Date.UTC(2028, 0, 3)

/** Lockkeeper cannot know that health is green where nothing is asked. */
function problemsOfHealthItems(path: string, windows: unknown, target: unknown): ConfigProblem[] {
  if (listIn(target, 'health').length > 0) return []
  const checklist = part(windows, 'checklist')
  return Object.keys(windowsSchema.shape.checklist.parse({})).flatMap((phase) =>
    listIn(checklist, phase).flatMap((item, index) =>
      part(item, 'knows') === 'health'
        ? [
            {
              path: `${path}.checklist.${phase}.${index}.knows`,
              problem: 'cannot be known, since the target has no `health`',
              fix: 'Add probes as `health`, or leave it to a person.',
            },
          ]
        : [],
    ),
  )
}

function problemsOfRecurring(
  path: string,
  recurring: z.output<typeof recurringWindow>,
  around: {
    readonly maximum: number | undefined
    readonly calendar: Calendar
    readonly before: readonly (z.output<typeof recurringWindow> | undefined)[]
  },
): ConfigProblem[] {
  const { maximum, calendar, before } = around
  const problems: ConfigProblem[] = []
  if (before.some((one) => one?.name === recurring.name))
    problems.push({ path: `${path}.name`, problem: `"${recurring.name}" is the name of another one`, fix: 'Give each a name of its own.' })
  if (maximum !== undefined && recurring.length > maximum)
    problems.push({ path: `${path}.length`, problem: 'is longer than `maximum`', fix: 'Make it shorter, or raise windows.maximum.' })
  if (recurring.ahead < 2 * HOUR_MS)
    problems.push({
      path: `${path}.ahead`,
      problem: 'is less than two hours, so people would hear of it too late',
      fix: 'For example: ahead: 14d',
    })
  const cron = readCron(recurring.cron)
  if (isCronFault(cron)) return [...problems, { path: `${path}.cron`, ...cron }]
  const times = occurrences(recurring.cron, calendar.zone, ANY_YEAR, ANY_YEAR + 366 * DAY_MS).slice(0, 60)
  const first = times[0]
  const isAllowed = (at: number) => {
    const [open] = openings(calendar, at, at + recurring.length)
    return open !== undefined && open.from === at && open.to === at + recurring.length
  }
  if (first !== undefined && !times.some((at) => isAllowed(at)))
    problems.push({
      path: `${path}.cron`,
      problem: `opens outside of \`allow\`, for example ${typedTime(first, calendar.zone)} ${calendar.zone}`,
      fix: 'Change one of the two, so that the whole window is allowed.',
    })
  return problems
}

function problemsOfFreeze(path: string, written: unknown, targets: readonly string[]): ConfigProblem[] {
  const freeze = read(freezeSchema, written)
  if (freeze === undefined) return []
  const problems = (freeze.targets ?? []).flatMap((name, index) =>
    targets.includes(name) ? [] : [noTarget(`${path}.targets.${index}`, name, targets)],
  )
  if (!isZone(freeze.timezone)) return [...problems, noZone(`${path}.timezone`, freeze.timezone)]
  if ('cron' in freeze) {
    const cron = readCron(freeze.cron)
    return isCronFault(cron) ? [...problems, { path: `${path}.cron`, ...cron }] : problems
  }
  const from = readTime(`${path}.from`, freeze.from, freeze.timezone)
  const until = readTime(`${path}.until`, freeze.until, freeze.timezone)
  if (typeof from === 'number' && typeof until === 'number' && until <= from)
    return [
      ...problems,
      { path: `${path}.until`, problem: `"${freeze.until}" is not after "${freeze.from}"`, fix: 'It has to end after it begins.' },
    ]
  return [...problems, ...[from, until].filter((one) => typeof one !== 'number')]
}

function problemsOfClock(at: string, written: { readonly cron: string; readonly timezone: string } | undefined): ConfigProblem[] {
  if (written === undefined) return []
  const cron = readCron(written.cron)
  return [
    ...(isCronFault(cron) ? [{ path: `${at}.cron`, ...cron }] : []),
    ...(isZone(written.timezone) ? [] : [noZone(`${at}.timezone`, written.timezone)]),
  ]
}

function readTime(path: string, text: string, zone: string): number | ConfigProblem {
  const wall = readWall(text)
  if (wall === undefined)
    return {
      path,
      problem: `"${text}" is not a day of the calendar, with or without a time`,
      fix: 'Write for example 2026-12-18 or 2026-12-18 17:00.',
    }
  const found = onClock(wall, zone)
  if (found.kind === 'once') return found.at
  const problem = found.kind === 'none' ? `does not exist in ${zone}, since clocks are put forward over it` : `comes twice in ${zone}`
  return { path, problem: `"${text}" ${problem}`, fix: 'Write a time an hour earlier or later.' }
}

const noZone = (path: string, zone: string): ConfigProblem => ({ path, problem: `"${zone}" is not a time zone`, fix: nearestZone(zone) })

function noTarget(path: string, name: string, targets: readonly string[]): ConfigProblem {
  const near = targets.length === 0 ? '' : closest(name, [...targets])
  const isNear = near !== '' && distance(name, near) <= Math.max(2, name.length / 3)
  return { path, problem: `"${name}" is not a target`, fix: isNear ? `Did you mean "${near}"?` : `Write some of: ${targets.join(', ')}.` }
}

const part = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined

function listIn(value: unknown, key: string): readonly unknown[] {
  const list = part(value, key)
  return Array.isArray(list) ? list : []
}

const read = <T extends z.ZodType>(schema: T, value: unknown): z.output<T> | undefined => schema.safeParse(value).data
