import { breakTokens, escapeText, joinTokens, plainText } from '../../../src/lib/text/escape.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  approverText,
  bytesText,
  cleanMrkdwn,
  codeText,
  countText,
  dateText,
  durationText,
  lastPart,
  listText,
  personText,
  quoteText,
  truncate,
  truncateMrkdwn,
} from '../../../src/lib/text/text.ts'

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc
    .array(
      fc.constantFrom(
        '<!channel>',
        '<@U1>',
        '&',
        '```',
        '`',
        '@here',
        '\u202e',
        '😀',
        '\ud83d',
        ' ',
        '\n',
        '\u0000',
        '02:00:',
        '<',
        '>',
        'x',
        '&amp;',
      ),
    )
    .map((parts) => parts.join('')),
)

describe('text from outside', () => {
  test('is shown as it is, without a meaning', () => {
    expect(escapeText('<!channel> & <@U1> ```x``` @here')).toBe(
      '&lt;!channel&gt; &amp; &lt;@U1&gt; `\u2060`\u2060`x`\u2060`\u2060` @\u2060here',
    )
    expect(escapeText('evil\u202egnp.exe\u0000\u0007')).toBe('evilgnp.exe')
    expect(escapeText('at 02:00: drop')).toBe('at 02:00\u2060: drop')
    for (const text of ['at 02:00: drop', '``` @here', '1:2:3:4']) expect(joinTokens(breakTokens(text))).toBe(text)
    expect(codeText('a`b\nc')).toBe('`a’b c`')
    expect(quoteText('one\ntwo')).toBe('> one\n> two')
  })
  test('never yields an unescaped bracket, a mention, a fence or a lone surrogate', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const safe = escapeText(text)
        expect(safe).not.toMatch(/[<>]/)
        expect(safe).not.toMatch(/&(?!amp;|lt;|gt;)/)
        expect(safe).not.toMatch(/@(channel|here|everyone)/i)
        expect(safe).not.toContain('```')
        expect(safe).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/)
        expect(safe.isWellFormed()).toBe(true)
      }),
    )
  })
  test('loses nothing that can be seen', () => {
    expect(plainText('ALTER TABLE "Straße" ADD "naïve" TEXT;\n\t-- 😀 日本語')).toBe(
      'ALTER TABLE "Straße" ADD "naïve" TEXT;\n\t-- 😀 日本語',
    )
  })
})

describe('markup of our own', () => {
  test('keeps people, groups and times, and neutralises the rest', () => {
    expect(cleanMrkdwn('<@U0BOB> and <!subteam^S0DBA> at <!date^1795165200^{time}|09:00 UTC>, `orders`')).toBe(
      '<@U0BOB> and <!subteam^S0DBA> at <!date^1795165200^{time}|09:00 UTC>, `orders`',
    )
    expect(cleanMrkdwn('a &lt; b < c <!channel> <https://x|y> & &amp;')).toBe(
      'a &lt; b &lt; c &lt;!channel&gt; &lt;https://x|y&gt; &amp; &amp;',
    )
  })
  test('is the same after a second time', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(cleanMrkdwn(cleanMrkdwn(text))).toBe(cleanMrkdwn(text))
      }),
    )
  })
})

describe('cutting', () => {
  test('keeps the limit and whole code points', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 0, max: 60 }), (text, limit) => {
        const whole = text.toWellFormed()
        for (const cut of [truncate(whole, limit), lastPart(whole, limit), truncateMrkdwn(escapeText(text), limit)]) {
          expect(cut.length).toBeLessThanOrEqual(limit)
          expect(cut.isWellFormed()).toBe(true)
        }
      }),
    )
  })
  test('of markup never ends inside an entity or a token', () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 8, max: 80 }), (text, limit) => {
        const cut = truncateMrkdwn(`${escapeText(text)}<@U0BOB> ${escapeText(text)}<!date^1795165200^{time}|09:00 UTC>`, limit)
        expect(cut.replace(/&(amp|lt|gt);|<[^<>]+>/g, '')).not.toMatch(/[&<>]/)
      }),
    )
  })
  test('closes code that it cuts', () => {
    expect(truncateMrkdwn('see `a_very_long_name_indeed` here', 20)).toBe('see `a_very_long…`')
  })
  test('of output keeps its end, from a new line', () => {
    expect(lastPart('one\ntwo\nthree', 9)).toBe('…\nthree')
  })
})

test.each([
  [0, '0 s'],
  [30, 'under 0.1 s'],
  [120, '0.1 s'],
  [7_700, '7.7 s'],
  [9_960, '10 s'],
  [41_000, '41 s'],
  [59_700, '1 min'],
  [112_000, '1 min 52 s'],
  [3_599_900, '1 h'],
  [7_500_000, '2 h 5 min'],
  [273_600_000, '3 d 4 h'],
  [-5, '0 s'],
])('%d ms are %s', (milliseconds, text) => expect(durationText(milliseconds)).toBe(text))

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1_640_000_000, '1.6 GB'],
  [999_600, '1 MB'],
  [123_000_000, '123 MB'],
  [5e15, '5,000 TB'],
])('%d bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text))

test.each([
  [0, '0'],
  [9_400, '9,400'],
  [4_123_000, '4.1 M'],
  [999_960, '1 M'],
  [2_500_000_000, '2.5 bn'],
])('%d things are %s', (count, text) => expect(countText(count)).toBe(text))

test('lists read like a sentence', () => {
  expect(listText([])).toBe('')
  expect(listText(['a'])).toBe('a')
  expect(listText(['a', 'b'])).toBe('a and b')
  expect(listText(['a', 'b', 'c'])).toBe('a, b and c')
})

test('times carry a fallback with its zone, and an unknown zone keeps nothing back', () => {
  const at = new Date('2026-11-20T09:00:00Z')
  expect(dateText(at, 'time', 'America/New_York')).toBe('<!date^1795165200^{time}|04:00 America/New_York>')
  expect(dateText(at, 'day')).toBe('<!date^1795165200^{date_short_pretty} at {time}|20 Nov 2026, 09:00 UTC>')
  expect(dateText(at, 'time', 'Mars')).toBe('<!date^1795165200^{time}|09:00 UTC>')
})

test('people and groups are mentioned by id, logins are named', () => {
  expect(personText('U0BOB')).toBe('<@U0BOB>')
  expect(personText('os:deploy')).toBe('`deploy` (command line)')
  expect(personText('<!channel>')).toBe('`&lt;!channel&gt;`')
  expect(approverText('group:S0DBA')).toBe('<!subteam^S0DBA>')
  expect(approverText('user:U0BOB')).toBe('<@U0BOB>')
})
