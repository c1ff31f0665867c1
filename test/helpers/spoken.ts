import type { Message, View } from '../../src/slack/port.ts'

/** A message as a person would read it aloud: every text in it, block by block, a line each. */
export function spoken(message: Message | View): readonly string[] {
  return (message.blocks ?? []).flatMap((block) => {
    if (block.type === 'table') return rowsOf(block['rows'])
    return textsOf(block)
  })
}

const rowsOf = (rows: unknown): readonly string[] =>
  (rows as readonly (readonly { readonly text: string }[])[]).map((row) => row.map((cell) => cell.text).join(' | '))

function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf)
  if (typeof value !== 'object' || value === null) return []
  const one = value as Readonly<Record<string, unknown>>
  if (one['type'] === 'button') return [`[${(one['text'] as { text: string }).text}]`]
  if (one['type'] === 'overflow') return (one['options'] as readonly { text: { text: string } }[]).map(({ text }) => `[… ${text.text}]`)
  if (one['type'] === 'task_card') return [[one['status'], one['title'], ...textsOf(one['details']), ...textsOf(one['output'])].join(' | ')]
  const own = typeof one['text'] === 'string' ? one['text'].split('\n') : typeof one['title'] === 'string' ? [one['title']] : []
  return [
    ...own,
    ...['text', 'fields', 'elements', 'tasks', 'label', 'element', 'accessory'].flatMap((key) =>
      typeof one[key] === 'string' ? [] : textsOf(one[key]),
    ),
  ]
}
