import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import { code } from '../../approvals/wording.ts'

/**
 * Text as it came from Slack to what the person typed: `<@U1|ann>` is `@ann`, a link is its label, `&amp;` is `&`. What was a mention is
 * plain text from here on.
 */
export function unescapeSlack(text: string): string {
  return text
    .replace(/<([^<>]*)>/g, (_, inner: string) => {
      const bar = inner.indexOf('|')
      const [target, label] = bar < 0 ? [inner, ''] : [inner.slice(0, bar), inner.slice(bar + 1)]
      const sigil = target.charAt(0)
      if (sigil === '@' || sigil === '#') return `${sigil}${(label || target.slice(1)).replace(/^[@#]/, '')}`
      if (sigil === '!') return label || target.slice(1)
      return label || target
    })
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}

/**
 * Splits like a shell, without being one: white space separates, quotation marks (also typographic ones) at the beginning of a word or
 * after its `=` hold words together, `\"` and `\\` inside them stand for themselves. An apostrophe inside a word is a letter.
 */
export function tokenize(text: string): readonly string[] | Refusal {
  const tokens: string[] = []
  let at = 0
  for (;;) {
    while (at < text.length && isSpace(text.charAt(at))) at++
    if (at >= text.length) return tokens
    let token = ''
    while (at < text.length && !isSpace(text.charAt(at))) {
      const closers = CLOSERS[text.charAt(at)]
      if (closers !== undefined && (token === '' || /^-{0,2}[a-z-]*=$/i.test(token))) {
        const quoted = readQuoted(text, at, closers)
        if (quoted === undefined)
          return refuse(
            'bad_arguments',
            `The quotation mark before ${code(text.slice(at + 1), 40)} is not closed. Put one at the end, for example ${code('--reason "why it is needed"')}.`,
          )
        tokens.push(token + quoted.value)
        at = quoted.end
        token = ''
        break
      }
      token += text.charAt(at++)
    }
    if (token !== '') tokens.push(token)
  }
}

/** The inverse of `tokenize` for one word. */
export const quoted = (word: string): string =>
  word !== '' && !/[\s"'\\\u2018-\u201f\u00ab\u00bb]/u.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`

/** What typing helps put in place of a straight quotation mark, and what may end it. */
const CLOSERS: Readonly<Record<string, string>> = {
  '"': '"”',
  '“': '"”“',
  '”': '"”',
  '„': '"“”',
  '‟': '"”',
  '«': '»"',
  "'": "'’",
  '‘': "'’",
  '‚': "'‘’",
}

function readQuoted(text: string, open: number, closers: string): { readonly value: string; readonly end: number } | undefined {
  let value = ''
  for (let at = open + 1; at < text.length; at++) {
    const char = text.charAt(at)
    const next = text.charAt(at + 1)
    if (char === '\\' && (next === '"' || next === '\\')) {
      value += next
      at++
    } else if (closers.includes(char) && (next === '' || isSpace(next))) return { value, end: at + 1 }
    else value += char
  }
  return undefined
}

const isSpace = (char: string): boolean => /\s/u.test(char)
