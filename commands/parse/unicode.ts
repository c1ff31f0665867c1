import { code } from '../../approvals/wording.ts'
import { firstInvisible } from '../../src/lib/text/invisible.ts'

/** Names the first character that has no place in one line of text (control, line break, bidirectional, invisible); undefined when all have.
 * Joiners and selectors have one where an emoji or a script needs them. */
export function unfitCharacter(text: string): string | undefined {
  const found = firstInvisible(text) ?? (text.includes('\n') ? '\n' : undefined)
  if (found === undefined) return text.isWellFormed() ? undefined : 'half of a character'
  return `${NAMES[found] ?? kindOf(found)} (${codePoint(found)})`
}

/** Says which character of a name is not a plain Latin letter, digit or sign: names that look alike must not pass for each other. */
export function whichCharacter(word: string): string | undefined {
  const found = /[^\u0000-~]/u.exec(word)?.[0]
  if (found === undefined) return undefined
  const what = /\p{L}/u.test(found) ? `is not a Latin letter${scriptOf(found)}` : 'has no place in a name'
  return `its ${code(found)} (${codePoint(found)}) ${what}`
}

const NAMES: Readonly<Record<string, string>> = {
  '\0': 'a NUL character',
  '\n': 'a line break',
  '\r': 'a line break',
  '\u2028': 'a line break',
  '\u2029': 'a line break',
  '\u001b': 'an escape character',
}

const kindOf = (char: string): string =>
  /[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c]/.test(char)
    ? 'a character that changes the direction of writing'
    : /\p{Cc}/u.test(char)
      ? 'a control character'
      : 'an invisible character'

const codePoint = (char: string): string => `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

const scriptOf = (char: string): string =>
  /\p{Script=Cyrillic}/u.test(char) ? ' but a Cyrillic one' : /\p{Script=Greek}/u.test(char) ? ' but a Greek one' : ''
