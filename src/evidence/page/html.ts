import { replaceInvisible } from '../../lib/text/invisible.ts'

/** A piece of a page. Only `html` makes one, so text that did not pass `escapeHtml` cannot become markup. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Part = Html | string | number | null | false | readonly Part[]

/** Texts are escaped, pieces stand as they are, lists follow each other, null and false leave nothing. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(literals.map((literal, index) => literal + written(parts[index] ?? null)).join(''))
}

/** Markup of ours that is no template: the style sheet, the envelope that has no character to escape. */
export const trusted = (text: string): Html => new Html(text)

function written(part: Part): string {
  if (part === null || part === false) return ''
  if (part instanceof Html) return part.text
  if (typeof part === 'string') return escapeHtml(part)
  return typeof part === 'number' ? String(part) : part.map(written).join('')
}

/** What no reader sees, or what turns the order of what he reads, is spelled out, as `‹U+202E›`. */
export function escapeHtml(text: string): string {
  return replaceInvisible(text.toWellFormed().replaceAll('\r\n', '\n'), spelled)
    .replace(OTHER_FORMATS, spelled)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** Joiners and tags that are still there belong to an emoji or a script. */
const OTHER_FORMATS = /(?!\u200c|\u200d|[\u{e0000}-\u{e007f}])[\r\p{Cf}]/gu

const spelled = (char: string): string => `‹U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`
