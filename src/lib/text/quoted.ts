import { escapeMarkup, plainText as withoutInvisible } from './escape.ts'

/** Outside text inside a refusal: as inline code, with what Slack or a reader could be fooled by taken out. */
export function quoted(outside: string, limit = 120): string {
  const plain = plainText(outside, limit).replaceAll('`', 'ˋ')
  return plain === '' ? '(empty)' : `\`${escapeMarkup(plain)}\``
}

/** One line without control, zero-width and bidirectional characters, cut at `limit` characters. Not escaped. */
export function plainText(outside: string, limit = 200): string {
  const line = withoutInvisible(outside).replace(/\s+/g, ' ').trim()
  const characters = Array.from(line)
  return characters.length > limit ? `${characters.slice(0, limit - 1).join('')}…` : line
}

/** `a`, `b` and 3 more. */
export function listed(names: readonly string[], limit = 5): string {
  const shown = names.slice(0, limit).map((name) => quoted(name))
  const rest = names.length - shown.length
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

export const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`
