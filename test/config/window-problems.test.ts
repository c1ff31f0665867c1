import { expect, test } from 'vitest'
import { problemsOfTimes } from '../../src/config/window-problems.ts'
import { exampleFor } from '../../src/config/examples.ts'
import { parse } from 'yaml'

const problemsIn = (text: string) => {
  const parsed: unknown = parse(text)
  return problemsOfTimes(parsed, (parsed as { readonly targets: Readonly<Record<string, unknown>> }).targets)
}

const windows = (lines: string) => problemsIn(`targets:\n  prod:\n    timezone: America/New_York\n    windows: ${lines}\n`)

const FIVE_FIELDS = 'Write minute, hour, day of the month, month and day of the week, for example "0 2 * * Tue".'

test('windows, holidays, freezes and a digest that make sense have no problem', () => {
  expect(
    problemsIn(`
mail: { url: env:SMTP_URL, from: Lockkeeper <lockkeeper@example.com> }
digest: { channel: C1, cron: 0 9 * * Mon, timezone: Europe/Berlin }
freezes:
  - { name: Holidays, reason: Nobody is here, from: 2026-12-18 17:00, until: 2027-01-04, timezone: Europe/Berlin, targets: [prod] }
  - { name: Quarter end, reason: Books are closed, cron: 0 0 28 3,6,9,12 *, length: 4d }
targets:
  prod:
    timezone: America/New_York
    health: [{ http: https://shop.example/health }]
    windows:
      allow: Tue,Wed 02:00-04:00 America/New_York; Sat 22:00-02:00
      holidays: US-NY
      mail: [team@example.com]
      notices: [90s, 30s]
      recurring: [{ name: tuesdays, cron: 0 2 * * Tue, length: 2h, reason: Releases }]
      checklist: { T-1h: [{ text: Green, knows: health }] }
  staging: {}
`),
  ).toEqual([])
})

test.each([
  [
    '{ allow: Tue 02:00 }',
    'allow',
    '"Tue 02:00" does not say from when until when',
    'Write for example "Tue,Wed 02:00-04:00 America/New_York; Sat 22:00-02:00".',
  ],
  ['{ allow: Tue 02:00-04:00 Mars }', 'allow', '"Mars" is not a time zone', 'Write a name such as America/New_York, Europe/Berlin or UTC.'],
  ['{ holidays: Germany }', 'holidays', 'no holidays are known for "Germany"', 'Did you mean DE (Germany)?'],
  ['{ maximum: 7d }', 'maximum', 'is a week or more', 'A window lasts less than a week. For example: maximum: 4h'],
  ['{ during: 1s }', 'during', 'would tell people 14,400 times in the longest window', 'Write at least 1m, for example: during: 15m'],
  [
    '{ mail: [team@example.com] }',
    'mail',
    'names people, and nothing says how mail is sent',
    'Add it: mail: { url: env:SMTP_URL, from: Lockkeeper <lockkeeper@example.com> }',
  ],
  [
    '{ checklist: { T-1h: [{ text: Tell }, { text: Green, knows: health }] } }',
    'checklist.T-1h.1.knows',
    'cannot be known, since the target has no `health`',
    'Add probes as `health`, or leave it to a person.',
  ],
  [
    '{ recurring: [{ name: a, cron: every second, length: 2h, reason: x }] }',
    'recurring.0.cron',
    '"every second" is not a cron expression of five fields',
    FIVE_FIELDS,
  ],
  [
    '{ recurring: [{ name: a, cron: "* * * * * *", length: 2h, reason: x }] }',
    'recurring.0.cron',
    '"* * * * * *" has six fields, so it could run every second',
    FIVE_FIELDS,
  ],
  [
    '{ recurring: [{ name: a, cron: "* 2 * * Tue", length: 2h, reason: x }] }',
    'recurring.0.cron',
    '"* 2 * * Tue" runs more often than once an hour',
    `Give it one minute of the hour. ${FIVE_FIELDS}`,
  ],
  [
    '{ recurring: [{ name: a, cron: 0 2 * * Tue, length: 5h, reason: x }] }',
    'recurring.0.length',
    'is longer than `maximum`',
    'Make it shorter, or raise windows.maximum.',
  ],
  [
    '{ recurring: [{ name: a, cron: 0 2 * * Tue, length: 2h, reason: x, ahead: 1h }] }',
    'recurring.0.ahead',
    'is less than two hours, so people would hear of it too late',
    'For example: ahead: 14d',
  ],
  [
    '{ recurring: [{ name: a, cron: 0 2 * * Tue, length: 2h, reason: x }, { name: a, cron: 0 2 * * Wed, length: 2h, reason: x }] }',
    'recurring.1.name',
    '"a" is the name of another one',
    'Give each a name of its own.',
  ],
  [
    '{ allow: "Tue 02:00-04:00", recurring: [{ name: a, cron: 0 3 * * Tue, length: 2h, reason: x }] }',
    'recurring.0.cron',
    'opens outside of `allow`, for example 2028-01-04 03:00 America/New_York',
    'Change one of the two, so that the whole window is allowed.',
  ],
])('windows: %s', (lines, at, problem, fix) => {
  expect(windows(lines)).toEqual([{ path: `targets.prod.windows.${at}`, problem, fix }])
})

test.each([
  ['from: 2026-12-18, until: 2026-12-18', 'until', '"2026-12-18" is not after "2026-12-18"', 'It has to end after it begins.'],
  ['from: 2027-01-04, until: 2026-12-18 17:00', 'until', '"2026-12-18 17:00" is not after "2027-01-04"', 'It has to end after it begins.'],
  [
    'from: 2027-02-29, until: 2027-03-02',
    'from',
    '"2027-02-29" is not a day of the calendar, with or without a time',
    'Write for example 2026-12-18 or 2026-12-18 17:00.',
  ],
  [
    'from: 2027-03-14 02:30, until: 2027-03-15',
    'from',
    '"2027-03-14 02:30" does not exist in America/New_York, since clocks are put forward over it',
    'Write a time an hour earlier or later.',
  ],
  [
    'from: 2027-11-06, until: 2027-11-07 01:30',
    'until',
    '"2027-11-07 01:30" comes twice in America/New_York',
    'Write a time an hour earlier or later.',
  ],
  ['cron: 0 0 31 2 *, length: 4d', 'cron', '"0 0 31 2 *" cannot be read: the day of the month cannot be 31', FIVE_FIELDS],
  ['from: 2026-12-18, until: 2027-01-04, targets: [prdo]', 'targets.0', '"prdo" is not a target', 'Did you mean "prod"?'],
  ['from: 2026-12-18, until: 2027-01-04, targets: [prod, warehouse]', 'targets.1', '"warehouse" is not a target', 'Write some of: prod.'],
])('a freeze: %s', (lines, at, problem, fix) => {
  const freeze = `{ name: x, reason: x, timezone: America/New_York, ${lines} }`
  expect(problemsIn(`targets: { prod: {} }\nfreezes: [${freeze.replaceAll(/(\d{4}-[^,} ]+( \d\d:\d\d)?)/g, "'$1'")}]`)).toEqual([
    { path: `freezes.0.${at}`, problem, fix },
  ])
})

test('zones of freezes and of the digest get the nearest one suggested, and its cron is read', () => {
  expect(
    problemsIn(`
freezes: [{ name: x, reason: x, timezone: Berlin, cron: 0 0 28 * *, length: 1d }]
digest: { channel: C1, cron: '0 9 * *', timezone: Mars }
targets: { prod: {} }
`),
  ).toEqual([
    { path: 'freezes.0.timezone', problem: '"Berlin" is not a time zone', fix: 'Did you mean Europe/Berlin?' },
    { path: 'digest.cron', problem: '"0 9 * *" is not a cron expression of five fields', fix: FIVE_FIELDS },
    { path: 'digest.timezone', problem: '"Mars" is not a time zone', fix: 'Write a name such as America/New_York, Europe/Berlin or UTC.' },
  ])
})

test('whatever else is wrong, the rest of times is still looked at, and nothing is a reason to fall over', () => {
  expect(windows('{ allow: 3, holidays: UK, recurring: nothing, checklist: [] }').map(({ path }) => path)).toEqual([
    'targets.prod.windows.holidays',
  ])
  expect(problemsIn('targets: { prod: { windows: [], health: {} } }\nfreezes: { a: 1 }\ndigest: 3')).toEqual([])
})

test('an example fits its place, where a key means different things', () => {
  expect(exampleFor(['freezes', 0, 'from'])).toBe('from: 2026-12-18 17:00')
  expect(exampleFor(['targets', 'prod', 'approvals', 'from'])).toBe('from: [group:S0123456789, user:U0123456789]')
  expect(exampleFor(['targets', 'prod', 'windows', 'mail', 0])).toBe('mail: [team@example.com]')
  expect(exampleFor(['mail', 'url'])).toBe('url: env:SMTP_URL')
  expect(exampleFor(['targets', 'prod', 'windows', 'during'])).toBe('during: 15m')
})
