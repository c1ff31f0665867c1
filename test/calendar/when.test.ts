import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal } from '../../src/lib/refusal.ts'
import { readLength, readWhen } from '../../src/calendar/when.ts'
import { typedTime, zoneTime } from '../../src/calendar/say.ts'
import { days, instantIn, zones } from './zones.ts'

// Saturday, 07:00 in New York
const now = Date.UTC(2026, 10, 28, 12)
const zone = 'America/New_York'

test.each([
  ['next Tue 02:00', 'Tue 1 Dec 02:00 America/New_York'],
  ['Tue 02:00', 'Tue 1 Dec 02:00 America/New_York'],
  ['at 2am on Tue', 'Tue 1 Dec 02:00 America/New_York'],
  ['Tuesday Dec 1st 2:00am', 'Tue 1 Dec 02:00 America/New_York'],
  ['2026-12-01 02:00', 'Tue 1 Dec 02:00 America/New_York'],
  ['2026-12-01T02:00', 'Tue 1 Dec 02:00 America/New_York'],
  ['1 Dec 2:00', 'Tue 1 Dec 02:00 America/New_York'],
  ['tomorrow 2am', 'Sun 29 Nov 02:00 America/New_York'],
  ['02:00', 'Sun 29 Nov 02:00 America/New_York'],
  ['noon', 'Sat 28 Nov 12:00 America/New_York'],
  ['Sat 06:00', 'Sat 5 Dec 06:00 America/New_York'],
  ['Sat 22:00', 'Sat 28 Nov 22:00 America/New_York'],
  ['5 Jan 02:00', 'Tue 5 Jan 02:00 America/New_York'],
  ['in 2 hours', 'Sat 28 Nov 09:00 America/New_York'],
  ['in 90 minutes', 'Sat 28 Nov 08:30 America/New_York'],
  ['in 3 days at 02:00', 'Tue 1 Dec 02:00 America/New_York'],
  ['Tue 02:00 Europe/Berlin', 'Tue 1 Dec 02:00 Europe/Berlin'],
  ['Tue 02:00 (America/Argentina/Buenos_Aires)', 'Tue 1 Dec 02:00 America/Argentina/Buenos_Aires'],
  ['Tue 02:00 in europe/berlin', 'Tue 1 Dec 02:00 Europe/Berlin'],
  ['Tue 02:00 UTC', 'Tue 1 Dec 02:00 UTC'],
  ['Tue 02:00 gmt', 'Tue 1 Dec 02:00 UTC'],
  ['2026-12-01T02:00:00Z', 'Tue 1 Dec 02:00 UTC'],
  ['2026-12-01T02:00:00+02:00', 'Mon 30 Nov 19:00 America/New_York'],
])('%s is %s', (text, expected) => {
  const when = readWhen(text, { now, zone })
  expect(isRefusal(when) ? when.text : zoneTime(when.at, when.zone)).toBe(expected)
})

test('what is counted from now begins with a full minute, unless seconds are named', () => {
  const odd = now + 12_000
  const at = (text: string) => {
    const when = readWhen(text, { now: odd, zone })
    return isRefusal(when) ? when.text : when.at - now
  }
  expect(['in 2 hours', 'in 90 minutes', 'in 5 min', 'in 90 seconds', 'in 30s'].map(at)).toEqual([
    7_260_000, 5_460_000, 360_000, 102_000, 42_000,
  ])
})

const example = 'Write for example `Tue 02:00` or `2026-12-01 02:00 America/New_York`.'

test.each([
  ['', `No time was given. ${example}`],
  ['yesterday 02:00', `Fri 27 Nov 02:00 America/New_York has passed (read from \`yesterday 02:00\`). ${example}`],
  ['last Tue 02:00', `Tue 24 Nov 02:00 America/New_York has passed (read from \`last Tue 02:00\`). ${example}`],
  ['today 2:00', `Sat 28 Nov 02:00 America/New_York has passed (read from \`today 2:00\`). ${example}`],
  ['27 Nov 02:00', `Fri 27 Nov 02:00 America/New_York has passed (read from \`27 Nov 02:00\`). ${example}`],
  ['2020-02-29 02:00', `2020-02-29 02:00 America/New_York has passed (read from \`2020-02-29 02:00\`). ${example}`],
  ['2 hours ago', `Sat 28 Nov 05:00 America/New_York has passed (read from \`2 hours ago\`). ${example}`],
  [
    '2027-03-14 02:30',
    '2027-03-14 02:30 does not exist in America/New_York, since clocks are put forward to 03:00 then. Write for example `2027-03-14 03:00 America/New_York`.',
  ],
  [
    '2027-11-07 01:30',
    '2027-11-07 01:30 comes twice in America/New_York, since clocks are put back then. Write `2027-11-07 05:30 UTC` for the first or `2027-11-07 06:30 UTC` for the second.',
  ],
  ['Tue 02:00 Mars', `\`Tue 02:00\` was understood in \`Tue 02:00 Mars\`, but not \`Mars\`. ${example}`],
  ['Tue 02:00 Berln', '`Berln` is not a time zone. Did you mean Europe/Berlin?'],
  ['Tue 02:00 Berlin', '`Berlin` is not a time zone. Did you mean Europe/Berlin?'],
  ['Tue 02:00 America/New_Yrok', '`America/New_Yrok` is not a time zone. Did you mean America/New_York?'],
  ['Tue 02:00 Mars/Olympus_Mons', '`Mars/Olympus_Mons` is not a time zone. Write a name such as America/New_York, Europe/Berlin or UTC.'],
  [
    'Tue 02:00 EST',
    '`EST` is an abbreviation that several time zones share. Write the whole name, for example `Tue 02:00 America/New_York`.',
  ],
  ['31 Dec 9999 02:00', `9999-12-31 02:00 America/New_York is more than two years ahead. ${example}`],
  ['every second', `\`every second\` is not a time that can be read, or not a day of the calendar. ${example}`],
  ['2027-02-29 02:00', `\`2027-02-29 02:00\` is not a time that can be read, or not a day of the calendar. ${example}`],
  ['Tue 25:00', `\`Tue\` was understood in \`Tue 25:00\`, but not \`25:00\`. ${example}`],
  ['drop the table Tue 02:00', `\`Tue 02:00\` was understood in \`drop the table Tue 02:00\`, but not \`drop table\`. ${example}`],
  ['<!channel> Tue 02:00', `\`Tue 02:00\` was understood in \`&lt;!channel&gt; Tue 02:00\`, but not \`&lt;!channel&gt;\`. ${example}`],
  ['tomorrow', `\`tomorrow\` names no time of day. ${example}`],
  ['Tue', `\`Tue\` names no time of day. ${example}`],
  ['Tue 02:00 to 04:00', `\`Tue 02:00 to 04:00\` names more than one time. ${example}`],
  ['Tue 02:00 and Wed 03:00', `\`Tue 02:00 and Wed 03:00\` was read as more than one time: \`Tue 02:00\` and \`Wed 03:00\`. ${example}`],
  ['tomorrow by 02:00', `\`tomorrow by 02:00\` was read as more than one time: \`tomorrow\` and \`02:00\`. ${example}`],
  ['tomorrow at lunch', `\`tomorrow\` was understood in \`tomorrow at lunch\`, but not \`lunch\`. ${example}`],
  // what chrono-node guesses
  ['in a few hours', `What \`few\` means in \`in a few hours\` is not certain. ${example}`],
  ['in several hours', `What \`several\` means in \`in several hours\` is not certain. ${example}`],
  ['tomorrow before 02:00', `What \`before\` means in \`tomorrow before 02:00\` is not certain. ${example}`],
  ['for 2 hours', `What \`for\` means in \`for 2 hours\` is not certain. ${example}`],
  ['within 2 hours', `What \`within\` means in \`within 2 hours\` is not certain. ${example}`],
  ['next 2 hours', `What \`next 2\` means in \`next 2 hours\` is not certain. ${example}`],
  ['next month 02:00', `What \`next month\` means in \`next month 02:00\` is not certain. ${example}`],
  ['next week 02:00', `What \`next week\` means in \`next week 02:00\` is not certain. ${example}`],
  ['next weekday 02:00', `What \`weekday\` means in \`next weekday 02:00\` is not certain. ${example}`],
  ['evening of 8 Dec at 8', `What \`Dec\` means in \`evening of 8 Dec at 8\` is not certain. ${example}`],
  ['2026-12-08-02-00', `What \`2026-12-08-02-00\` means in \`2026-12-08-02-00\` is not certain. ${example}`],
  ['2027-13-01 02:00', `\`2027-13-01 02:00\` is not a time that can be read, or not a day of the calendar. ${example}`],
  [
    '12/1/2026 02:00',
    '`12/1/2026 02:00` can be read in two ways: `Tue 1 Dec 2026 02:00 America/New_York` (in 2 d 19 h) or `Mon 12 Jan 2026 02:00 America/New_York` (which has passed). Write the one that is meant.',
  ],
  [
    '1.12.2026 02:00',
    '`1.12.2026 02:00` can be read in two ways: `Tue 1 Dec 2026 02:00 America/New_York` (in 2 d 19 h) or `Mon 12 Jan 2026 02:00 America/New_York` (which has passed). Write the one that is meant.',
  ],
  ['Tue 2026-12-02 02:00', `2026-12-02 is a Wed and not a Tue. ${example}`],
])('%s is refused', (text, expected) => {
  expect(readWhen(text, { now, zone })).toMatchObject({ kind: 'refusal', code: 'bad_arguments', text: expected })
})

test.each([
  ['2h', 7_200_000],
  ['90m', 5_400_000],
  ['1h30m', 5_400_000],
  ['1h 30 min', 5_400_000],
  ['45s', 45_000],
  ['6d23h', 601_200_000],
  ['2 hours', 7_200_000],
  ['2 Hours', 7_200_000],
  ['2hrs', 7_200_000],
  ['an hour', 3_600_000],
  ['half an hour', 1_800_000],
  ['two hours', 7_200_000],
  ['Forty-five minutes', 2_700_000],
  ['one hour and thirty minutes', 5_400_000],
  ['twelve hours', 43_200_000],
  ['1.5h', 5_400_000],
  ['1.5 hours', 5_400_000],
  ['1h30', 5_400_000],
  ['1 hour, 30 minutes', 5_400_000],
  ['1 hour and 30 minutes', 5_400_000],
  ['a day', 86_400_000],
])('%s is a length', (text, expected) => {
  expect(readLength(text)).toBe(expected)
})

const lengths = 'Write for example `2h`, `90m` or `1h30m`.'

test.each([
  ['', `No length was given. ${lengths}`],
  ['0h', `A length of \`0h\` is no time at all. ${lengths}`],
  ['-2h', `\`-2h\` is not a length. ${lengths}`],
  ['several hours', `\`several hours\` is not a length. ${lengths}`],
  ['2', `\`2\` is not a length. ${lengths}`],
  ['7d', `\`7d\` is too long: nothing here lasts a week or more. ${lengths}`],
  ['9999h', `\`9999h\` is too long: nothing here lasts a week or more. ${lengths}`],
])('%s is no length', (text, expected) => {
  expect(readLength(text)).toEqual({ kind: 'refusal', code: 'bad_arguments', text: expected })
})

test('10,000 characters are neither a time nor a length, and are not repeated', () => {
  const text = 'Tue 02:00 '.repeat(1_000)
  expect(readWhen(text, { now, zone })).toMatchObject({ text: `A time has at most 200 characters, and this one has 10,000. ${example}` })
  expect(readLength(text)).toMatchObject({ text: `A length has at most 200 characters, and this one has 10,000. ${lengths}` })
})

test('whatever is written, it is a time ahead or a refusal in one line', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300, unit: 'binary' }), (text) => {
      const when = readWhen(text, { now, zone })
      return isRefusal(when) ? !/\n|<!/.test(when.text) : when.at > now
    }),
    { numRuns: 300 },
  )
})

test('a time that is written out in a zone is that instant, and one of two is chosen as the refusal says', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), days, fc.integer({ min: 0, max: 1439 }), (where, day, minute) => {
      const at = instantIn(day, minute)
      const written = typedTime(at, where)
      const when = readWhen(`${written} ${where}`, { now, zone })
      if (!isRefusal(when)) return when.at === at && when.zone === where
      const [first, second, ...more] = [...when.text.matchAll(/`([^`]+)`/g)].map(([, choice]) => readWhen(choice ?? '', { now, zone }))
      const chosen = [first, second].some((choice) => choice !== undefined && !isRefusal(choice) && choice.at === at)
      return chosen && more.length === 0 && when.text.startsWith(`${written} comes twice in ${where}`)
    }),
    { numRuns: 500 },
  )
})
