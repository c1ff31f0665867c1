import { limits } from '../../../src/slack/limits/shapes.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { homeView, type HomeState } from '../../../approvals/home/home.ts'
import type { HomeCalendar, HomeFreeze, HomeWindow } from '../../../approvals/home/calendar.ts'
import { nextChange } from '../../../approvals/home/rows.ts'
import { fitView } from '../../../src/slack/limits/limits.ts'
import { sizeOf } from '../../../src/slack/limits/size.ts'
import type { WindowRow } from '../../../src/windows/window.ts'
import { spoken } from '../../helpers/spoken.ts'
import { doneView, now, runningView, waitingView, windowRow, withBreakGlass } from '../../helpers/views.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

const calendarOf = (change: Partial<HomeCalendar> = {}): HomeCalendar => ({
  commands: { migrate: '/migrate', maintenance: '/maintenance' },
  now: +now,
  zone: 'America/New_York',
  windows: [],
  freezes: [],
  ...change,
})
const state = (calendar: Partial<HomeCalendar>, change: Partial<HomeState> = {}): HomeState => ({
  reviews: [],
  waiting: [],
  underWay: [],
  last: [],
  calendar: calendarOf(calendar),
  notice: null,
  ...change,
})
const homeWindow = (change: Partial<WindowRow> = {}, more: Partial<HomeWindow> = {}): HomeWindow => ({
  window: windowRow(change),
  titles: ['Production'],
  link: null,
  needsStandby: false,
  ...more,
})
const shownOf = (calendar: Partial<HomeCalendar>): readonly string[] => {
  const lines = spoken(homeView(state(calendar)))
  return lines.slice(lines.indexOf('Nothing is under way.') + 1, lines.indexOf('Last runs')).map(steady)
}
/** The reader's own time, as Slack's client for Home would show it in the reader's zone. */
const steady = (line: string) => line.replace(/<!date\^\d+\^[^|]*\|([^>]*)>/g, '{$1}')
const from = (start: number, ms = 2 * HOUR) => ({ startsAt: new Date(start), endsAt: new Date(start + ms) })

describe('windows on Home', () => {
  test('stand day by day, in the reader’s zone, with target, length, reason, owner and who stands by', () => {
    expect(
      shownOf({
        windows: [
          homeWindow(
            { ...from(+now - HOUR), state: 'open', standby: 'U0BOB', standbyConfirmedAt: now },
            { needsStandby: true, link: 'https://example.slack.com/archives/C0/p1' },
          ),
          homeWindow({ id: 8, ...from(+now + 5 * HOUR, 30 * 60_000), timezone: 'Europe/Berlin', reason: 'New disks' }),
          homeWindow(
            { id: 9, ...from(+now + DAY), targets: ['prod', 'staging'], standby: 'U0BOB' },
            { titles: ['Production', 'Staging'], needsStandby: true },
          ),
          homeWindow({ id: 10, ...from(+now + 3 * DAY + 18 * HOUR, 6 * HOUR) }),
        ],
      }),
    ).toEqual([
      'Maintenance windows, next 14 days',
      '*Today, Fri 20 Nov*',
      '*{Fri 20 Nov 2026 01:50 America/New_York} to {Fri 20 Nov 2026 03:50 America/New_York}* · Production · 2 h · *under way*',
      'Dropping the legacy price columns',
      '#7 · America/New_York · owner <@U0ALICE> · <@U0BOB> stands by',
      '[Open]',
      '*{Fri 20 Nov 2026 07:50 America/New_York} to {Fri 20 Nov 2026 08:20 America/New_York}* · Production · 30 min',
      'New disks',
      '#8 · Fri 20 Nov 13:50 to 14:20 Europe/Berlin · owner <@U0ALICE>',
      '*Tomorrow, Sat 21 Nov*',
      '*{Sat 21 Nov 2026 02:50 America/New_York} to {Sat 21 Nov 2026 04:50 America/New_York}* · Production and Staging · 2 h',
      'Dropping the legacy price columns',
      '#9 · America/New_York · owner <@U0ALICE> · *nobody stands by yet*',
      '*Mon 23 Nov*',
      '*{Mon 23 Nov 2026 20:50 America/New_York} to {Tue 24 Nov 2026 02:50 America/New_York}* · Production · 6 h',
      'Dropping the legacy price columns',
      '#10 · America/New_York · owner <@U0ALICE>',
    ])
  })

  test('that end on another day say which, and those of today do not', () => {
    const view = JSON.stringify(homeView(state({ windows: [homeWindow(from(+now + 18 * HOUR, 6 * HOUR))] })))
    expect(view).toMatch(/\^\{time\}\|Fri 20 Nov 2026 20:50/)
    expect(view).toMatch(/\^\{date_short_pretty\} \{time\}\|Sat 21 Nov 2026 02:50/)
  })

  test('are cut when there are many, and counted', () => {
    const windows = Array.from({ length: 50 }, (_, index) => homeWindow({ id: index + 1, ...from(+now + index * 6 * HOUR) }))
    const shown = shownOf({ windows })
    expect(shown.filter((line) => line.startsWith('#'))).toHaveLength(15)
    expect(shown.at(-1)).toBe('and 35 more; `/maintenance list` has all')
  })

  test('leave room for everything else: Slack takes the whole view as it is, whatever it has to hold', () => {
    const poor = 'x'.repeat(3_000)
    const count = fc.integer({ min: 0, max: 60 })
    fc.assert(
      fc.property(fc.record({ windows: count, freezes: count, waiting: count, reviews: count, underWay: count }), (counts) => {
        const many = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, index) => make(index))
        const view = homeView({
          reviews: many(counts.reviews, () => ({ view: withBreakGlass(doneView()), link: 'https://example.slack.com/p1' })),
          waiting: many(counts.waiting, () => ({ view: waitingView(), link: 'https://example.slack.com/p1', mayBreak: true })),
          underWay: many(counts.underWay, () => ({ view: runningView(), link: 'https://example.slack.com/p1' })),
          last: many(5, () => ({ view: doneView(), link: 'https://example.slack.com/p1' })),
          calendar: calendarOf({
            windows: many(counts.windows, (index) =>
              homeWindow({ id: index, ...from(+now + index * 11 * HOUR), reason: poor }, { titles: [poor, poor, poor, poor, poor, poor] }),
            ),
            freezes: many(counts.freezes, (index) => freeze({ from: +now + index * HOUR, reason: poor, titles: [poor, poor] })),
          }),
          notice: 'The record is not whole.',
        })
        expect(view.blocks.length).toBeLessThanOrEqual(limits.viewBlocks)
        expect(sizeOf(view.blocks)).toBeLessThanOrEqual(limits.viewBudget)
        expect(fitView(view)).toEqual(view)
        const told = spoken(view)
        const shown = told.filter((line) => /^#\d+ · /.test(line)).length
        const more = counts.windows - shown
        expect(shown > 0).toBe(counts.windows > 0)
        expect(told.some((line) => line === `and ${more} more; \`/maintenance list\` has all`)).toBe(more > 0)
      }),
      { numRuns: 60 },
    )
  })
})

const freeze = (change: Partial<HomeFreeze> = {}): HomeFreeze => ({
  kind: 'freeze',
  titles: ['Production'],
  reason: 'Quarter end',
  from: +now - HOUR,
  to: +now + DAY,
  setBy: 'U0ALICE',
  ...change,
})

describe('freezes and locks on Home', () => {
  test('say what, until when, why and by whom; those in force first, then those that come', () => {
    expect(
      shownOf({
        freezes: [
          freeze({ titles: null, reason: 'Company holidays', from: +now + 2 * DAY, to: +now + 4 * DAY, setBy: null }),
          freeze(),
          freeze({ kind: 'lock', titles: ['Production', 'Staging'], reason: 'The disk is being changed', to: null, setBy: 'os:deploy' }),
        ],
      }).slice(0, 4),
    ).toEqual([
      'Freezes and locks',
      '• *Production* is frozen until {21 Nov 2026, 02:50 America/New_York} · “Quarter end” · <@U0ALICE>',
      '• *Production and Staging* are locked until somebody lifts it · “The disk is being changed” · `deploy` (command line)',
      '• *All targets* will be frozen from {22 Nov 2026, 02:50 America/New_York} until {24 Nov 2026, 02:50 America/New_York} · “Company holidays”',
    ])
  })

  test('are cut when there are many, and counted', () => {
    expect(shownOf({ freezes: Array.from({ length: 11 }, () => freeze()) })[9]).toBe('and 3 more')
  })
})

test('Home changes by itself when a freeze begins or ends, and otherwise at the next half hour', () => {
  expect(nextChange({ now: +now, freezes: [] })).toBe(Date.parse('2026-11-20T08:00:00Z'))
  expect(nextChange({ now: +now, freezes: [freeze({ to: +now + 60_000 })] })).toBe(+now + 60_000)
  expect(nextChange({ now: +now, freezes: [freeze({ from: +now + 30_000, to: null })] })).toBe(+now + 30_000)
  expect(nextChange({ now: +now, freezes: [freeze({ from: +now - 30_000, to: null })] })).toBe(Date.parse('2026-11-20T08:00:00Z'))
})
