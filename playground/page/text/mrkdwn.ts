import { emojiOf } from './emoji.ts'

export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bold' | 'italic' | 'strike'; readonly children: readonly Inline[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly url: string; readonly label: string }
  | { readonly kind: 'user' | 'channel' | 'group'; readonly id: string; readonly label: string | null }
  | { readonly kind: 'broadcast'; readonly name: string }
  | { readonly kind: 'date'; readonly seconds: number; readonly format: string; readonly url: string | null; readonly fallback: string }
  | { readonly kind: 'emoji'; readonly name: string; readonly glyph: string }

export type Paragraph =
  { readonly kind: 'paragraph' | 'quote'; readonly children: readonly Inline[] } | { readonly kind: 'preformatted'; readonly text: string }

/** Slack's mrkdwn as a tree. Never throws: what is no markup is text. */
export function parseMrkdwn(source: string): readonly Paragraph[] {
  const parts = source.split('```')
  const closed = parts.length % 2 === 1 ? parts : [...parts.slice(0, -2), parts.slice(-2).join('```')]
  return closed.flatMap((part, index): readonly Paragraph[] => {
    if (index % 2 === 1) return [{ kind: 'preformatted', text: decodeEntities(trimNewlines(part)) }]
    const isNextToFence = closed.length > 1
    return parseLines(isNextToFence ? trimNewlines(part) : part)
  })
}

function parseLines(source: string): readonly Paragraph[] {
  if (source === '') return []
  const paragraphs: { kind: 'paragraph' | 'quote'; lines: string[] }[] = []
  let isRestQuoted = false
  for (const line of source.split('\n')) {
    const quote = isRestQuoted ? ['', line] : /^(?:>|&gt;)(?!(?:>|&gt;){2})\s?(.*)$/.exec(line)
    const rest = /^(?:>|&gt;){3}\s?(.*)$/.exec(line)
    if (rest !== null) isRestQuoted = true
    const kind = quote === null && rest === null ? 'paragraph' : 'quote'
    const text = rest?.[1] ?? quote?.[1] ?? line
    const last = paragraphs.at(-1)
    if (last?.kind === kind) last.lines.push(text)
    else paragraphs.push({ kind, lines: [text] })
  }
  return paragraphs.map(({ kind, lines }) => ({ kind, children: inlines(lines.join('\n'), '') }))
}

const SPANS = { '*': 'bold', _: 'italic', '~': 'strike' } as const
type Delimiter = keyof typeof SPANS

/** `open` holds the delimiters of the spans around, which do not open again inside themselves. */
function inlines(source: string, open: string): readonly Inline[] {
  const found: Inline[] = []
  let text = ''
  const flush = (): void => {
    if (text !== '') found.push({ kind: 'text', text: decodeEntities(text) })
    text = ''
  }
  for (let at = 0; at < source.length;) {
    const token = tokenAt(source, at, open)
    if (token === null) {
      text += source[at]
      at += 1
      continue
    }
    flush()
    found.push(token.inline)
    at = token.end
  }
  flush()
  return found
}

type Token = { readonly inline: Inline; readonly end: number }

function tokenAt(source: string, at: number, open: string): Token | null {
  const character = source[at]
  if (character === '<') return angleAt(source, at)
  if (character === '`') return codeAt(source, at)
  if (character === ':') return emojiAt(source, at)
  if (isDelimiter(character) && !open.includes(character)) return spanAt(source, at, character, open)
  return null
}

function angleAt(source: string, at: number): Token | null {
  const end = source.indexOf('>', at)
  if (end < 0) return null
  const inline = angle(source.slice(at + 1, end))
  return inline === null ? null : { inline, end: end + 1 }
}

function angle(inside: string): Inline | null {
  const bar = inside.indexOf('|')
  const target = bar < 0 ? inside : inside.slice(0, bar)
  const label = bar < 0 ? null : decodeEntities(inside.slice(bar + 1))
  if (/^@[UW]\w+$/.test(target)) return { kind: 'user', id: target.slice(1), label }
  if (/^#[CG]\w+$/.test(target)) return { kind: 'channel', id: target.slice(1), label }
  if (/^!subteam\^S\w+$/.test(target)) return { kind: 'group', id: target.slice('!subteam^'.length), label }
  if (/^!(?:here|channel|everyone)$/.test(target)) return { kind: 'broadcast', name: target.slice(1) }
  const date = /^!date\^(\d{1,12})\^([^^]+)(?:\^(.+))?$/.exec(target)
  if (date !== null) {
    const [, seconds = '0', format = '', url] = date
    return { kind: 'date', seconds: Number(seconds), format, url: url ?? null, fallback: label ?? '' }
  }
  if (!/^(?:https?:\/\/|mailto:|tel:)/.test(target)) return null
  const url = decodeEntities(target)
  return { kind: 'link', url, label: label === null || label === '' ? url.replace(/^(?:mailto|tel):/, '') : label }
}

function codeAt(source: string, at: number): Token | null {
  const end = source.indexOf('`', at + 1)
  const text = source.slice(at + 1, end)
  if (end < 0 || text === '' || text.includes('\n')) return null
  return { inline: { kind: 'code', text: decodeEntities(text) }, end: end + 1 }
}

/** Slack reads the colons of `02:00:` as an emoji's too; only names that exist become one. */
function emojiAt(source: string, at: number): Token | null {
  const name = /^:([a-z0-9_+-]+):/.exec(source.slice(at, at + 40))?.[1]
  const glyph = name === undefined ? null : emojiOf(name)
  return name === undefined || glyph === null ? null : { inline: { kind: 'emoji', name, glyph }, end: at + name.length + 2 }
}

function spanAt(source: string, at: number, delimiter: Delimiter, open: string): Token | null {
  if (isWord(source[at - 1]) || !isVisible(source[at + 1]) || source[at + 1] === delimiter) return null
  const end = closingOf(source, at, delimiter)
  if (end === null) return null
  const children = inlines(source.slice(at + 1, end), open + delimiter)
  return { inline: { kind: SPANS[delimiter], children }, end: end + 1 }
}

/** The delimiter that ends the span on the same line, outside code and angle brackets. */
function closingOf(source: string, start: number, delimiter: Delimiter): number | null {
  for (let at = start + 1; at < source.length;) {
    const character = source[at]
    if (character === '\n') return null
    if (character === delimiter && isVisible(source[at - 1]) && !isWord(source[at + 1])) return at
    const skipped = character === '`' ? codeAt(source, at) : character === '<' ? angleAt(source, at) : null
    at = skipped?.end ?? at + 1
  }
  return null
}

function isDelimiter(character: string | undefined): character is Delimiter {
  return character === '*' || character === '_' || character === '~'
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character)
}

function isVisible(character: string | undefined): boolean {
  return character !== undefined && /\S/.test(character)
}

function trimNewlines(text: string): string {
  return text.replace(/^\n/, '').replace(/\n$/, '')
}

function decodeEntities(text: string): string {
  return text.replaceAll(/&(lt|gt|amp);/g, (_, name: string) => (name === 'lt' ? '<' : name === 'gt' ? '>' : '&'))
}
