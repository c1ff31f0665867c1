import { array, boolean, byType, integer, object, oneOf, string } from './check.ts'

/** docs.slack.dev/reference/block-kit/blocks/rich-text-block */

const style = object({}, { bold: boolean, italic: boolean, strike: boolean, code: boolean, underline: boolean, highlight: boolean })
const mentionStyle = object(
  {},
  { bold: boolean, italic: boolean, strike: boolean, highlight: boolean, client_highlight: boolean, unlink: boolean },
)
const type = string(50)

const inline = byType({
  text: object({ type, text: string(40_000) }, { style }),
  link: object({ type, url: string(3000) }, { text: string(40_000, 0), unsafe: boolean, style }),
  emoji: object({ type, name: string(255) }, { unicode: string(100), skin_tone: integer(1, 6), style }),
  user: object({ type, user_id: string(50) }, { style: mentionStyle }),
  usergroup: object({ type, usergroup_id: string(50) }, { style: mentionStyle }),
  channel: object({ type, channel_id: string(50) }, { style: mentionStyle }),
  broadcast: object({ type, range: oneOf('here', 'channel', 'everyone') }, { style: mentionStyle }),
  color: object({ type, value: string(50) }, { style }),
  date: object({ type, timestamp: integer(0, 253_402_300_799), format: string(200) }, { url: string(3000), fallback: string(1000), style }),
})

const unstyled = byType({
  text: object({ type, text: string(40_000) }, { style }),
  link: object({ type, url: string(3000) }, { text: string(40_000, 0), unsafe: boolean, style }),
})

const section = object({ type, elements: array(inline, 1000, 0) })

const container = byType({
  rich_text_section: section,
  rich_text_list: object(
    { type, elements: array(byType({ rich_text_section: section }), 1000, 0), style: oneOf('bullet', 'ordered') },
    { indent: integer(0, 8), offset: integer(0, 100_000), border: integer(0, 1) },
  ),
  rich_text_preformatted: object({ type, elements: array(unstyled, 1000, 0) }, { border: integer(0, 1), language: string(50) }),
  rich_text_quote: object({ type, elements: array(inline, 1000, 0) }, { border: integer(0, 1) }),
})

export const richText = object({ type: oneOf('rich_text'), elements: array(container, 1000) }, { block_id: string(255) })

/** All text in a rich text block, for limits that count characters. */
export function richTextLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, each) => sum + richTextLength(each), 0)
  if (typeof value !== 'object' || value === null) return 0
  return Object.entries(value).reduce(
    (sum, [field, inside]) => sum + (field === 'text' && typeof inside === 'string' ? inside.length : richTextLength(inside)),
    0,
  )
}
