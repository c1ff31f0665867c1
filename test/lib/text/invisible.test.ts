import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkReason } from '../../../commands/parse/arguments.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { escapeText, plainText } from '../../../src/lib/text/escape.ts'
import { firstInvisible } from '../../../src/lib/text/invisible.ts'
import { escapeHtml } from '../../../src/evidence/page/html.ts'

const tags = (text: string) => Array.from(text, (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('')

test.each([
  ['a person at a computer', '\u{1f469}\u200d\u{1f4bb} deploys'],
  ['with the colour of a skin', '\u{1f469}\u{1f3fd}\u200d\u{1f692}'],
  ['a family', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}'],
  ['a flag of two emoji', '\u{1f3f3}\ufe0f\u200d\u{1f308}'],
  ['a heart on fire', '\u2764\ufe0f\u200d\u{1f525}'],
  ['a warning in colour', '\u26a0\ufe0f careful'],
  ['a key', '1\ufe0f\u20e3'],
  ['a flag of two letters', '\u{1f1e9}\u{1f1ea}'],
  ['the flag of England', `\u{1f3f4}${tags('gbeng')}\u{e007f}`],
  ['the flag of Scotland', `\u{1f3f4}${tags('gbsct')}\u{e007f}`],
  ['Persian', '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'],
  ['Urdu with a vowel sign', '\u0622\u067e\u064e\u200c\u06a9\u0627'],
  ['Hindi, a half form', '\u0915\u094d\u200d\u0937'],
  ['Hindi, a half form at the end of a word', '\u0915\u094d\u200d \u0939\u0948'],
  ['Hindi, a visible virama', '\u0915\u094d\u200c\u0937'],
  ['Bengali', '\u09b0\u200d\u09cd\u09af\u09be\u09ae'],
  ['Malayalam', '\u0d28\u0d4d\u200d\u0d31'],
  ['Sinhala', '\u0dc1\u0dca\u200d\u0dbb\u0dd3'],
  ['Arabic with vowels', '\u0645\u064f\u062d\u064e\u0645\u0651\u064e\u062f'],
  ['Vietnamese, decomposed', 'Vie\u0302\u0323t'],
  ['Hebrew with points', '\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd'],
  ['Thai', '\u0e17\u0e35\u0e48'],
  ['a form of a Han character', '\u845b\u{e0100}\u98fe'],
])('%s is taken in a reason and shown as it is', (_what, text) => {
  expect(checkReason(text)).toBe(text)
  expect(plainText(text)).toBe(text)
  expect(escapeText(text)).toBe(text)
  expect(escapeHtml(text)).toBe(text)
})

/** The page of the evidence spells out what nobody sees, whatever it is there for. */
test.each([
  ['Hebrew with a mark behind its sign', '\u05e9\u05dc\u05d5\u05dd!\u200f'],
  ['Hebrew with a mark before a number', '\u05e9\u05dc\u05d5\u05dd \u200e12'],
  ['Arabic between marks and Latin letters', 'ok \u200f(\u0645\u0631\u062d\u0628\u0627)\u200f'],
  ['Arabic with a letter mark', '\u0645\u0631 \u061c-5'],
])('%s is taken in a reason, and spelled out in the evidence', (_what, text) => {
  expect(checkReason(text)).toBe(text)
  expect(plainText(text)).toBe(text)
  expect(escapeHtml(text)).toMatch(/‹U\+(200[EF]|061C)›/)
})

const refusedFor = (what: string) => `The reason contains ${what}, and it is a line of visible text. Nothing was started. Type it again.`

test.each([
  ['an override', 'a\u202eb', 'ab', 'a character that changes the direction of writing (U+202E)'],
  ['an override in Arabic', '\u0645\u202d\u0645', '\u0645\u0645', 'a character that changes the direction of writing (U+202D)'],
  ['an isolate', 'a\u2066b\u2069', 'ab', 'a character that changes the direction of writing (U+2066)'],
  ['an embedding', 'a\u202bb\u202c', 'ab', 'a character that changes the direction of writing (U+202B)'],
  ['a mark of direction between Latin letters', 'pr\u200fod', 'prod', 'a character that changes the direction of writing (U+200F)'],
  ['two marks of direction', '\u05d0\u200f\u200e!', '\u05d0!', 'a character that changes the direction of writing (U+200F)'],
  [
    'a mark behind Latin letters after Hebrew',
    '\u05d0 a\u200fb',
    '\u05d0 ab',
    'a character that changes the direction of writing (U+200F)',
  ],
  ['tags behind a letter', `a${tags('drop')}`, 'a', 'an invisible character (U+E0064)'],
  ['tags behind a flag that are no region', `\u{1f3f4}${tags('drop')}\u{e007f}`, '\u{1f3f4}', 'an invisible character (U+E0064)'],
  ['more tags than the region', `\u{1f3f4}${tags('gbengdrop')}\u{e007f}`, '\u{1f3f4}', 'an invisible character (U+E0067)'],
  ['a region behind another emoji', `\u{1f469}${tags('gbeng')}\u{e007f}`, '\u{1f469}', 'an invisible character (U+E0067)'],
  ['a joiner between Latin letters', 'pr\u200dod', 'prod', 'an invisible character (U+200D)'],
  ['a joiner behind an emoji', '\u{1f469}\u200d!', '\u{1f469}!', 'an invisible character (U+200D)'],
  ['two joiners in an emoji', '\u{1f469}\u200d\u200d\u{1f4bb}', '\u{1f469}\u{1f4bb}', 'an invisible character (U+200D)'],
  ['a non-joiner between Latin letters', 'pr\u200cod', 'prod', 'an invisible character (U+200C)'],
  ['a non-joiner between Persian and Latin', '\u0645\u200ca', '\u0645a', 'an invisible character (U+200C)'],
  ['a selector behind a letter', 'a\ufe0f', 'a', 'an invisible character (U+FE0F)'],
  ['bytes in selectors', '\u{1f600}\u{e0101}\u{e0142}', '\u{1f600}', 'an invisible character (U+E0101)'],
  ['a zero-width space in Persian', '\u0645\u200b\u0645', '\u0645\u0645', 'an invisible character (U+200B)'],
  ['a word joiner', 'a\u2060b', 'ab', 'an invisible character (U+2060)'],
])('%s is refused in a reason and left out elsewhere', (_what, text, shown, named) => {
  const checked = checkReason(text)
  expect(isRefusal(checked) ? checked.text : checked).toBe(refusedFor(named))
  expect(plainText(text)).toBe(shown)
  expect(escapeHtml(text)).toContain('\u2039U+')
})

test('whatever is written, what is left after cleaning has no character that hides something or turns the direction', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom(
      '\u200d',
      '\u200c',
      '\ufe0f',
      '\u202e',
      '\u2066',
      '\u200f',
      '\u200e',
      '\u05d0',
      '!',
      '\u{1f469}',
      '\u{1f4bb}',
      '\u{1f3f4}',
      '\u0645',
      '\u0915',
      '\u094d',
      'a',
    ),
    fc.constantFrom(tags('gbeng'), '\u{e007f}', tags('x'), '\u{e0100}', '\u845b'),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const clean = plainText(pieces.join(''))
      expect(clean).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b]|[\u200e\u200f\u061c]{2}/)
      // what was kept may have stood beside what is gone; it is clean when it is looked at again
      expect(plainText(clean)).toBe(clean)
      expect(firstInvisible(clean)).toBeUndefined()
    }),
    { numRuns: 1_000 },
  )
})
