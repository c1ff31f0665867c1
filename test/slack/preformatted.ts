import type { Block } from '../../src/slack/port.ts'

/** What a block of preformatted text shows; nothing for any other. */
export function preformattedText(block: Block): string {
  if (block.type !== 'rich_text') return ''
  const [part] = block['elements'] as readonly { readonly elements: readonly { readonly text: string }[] }[]
  return part?.elements.map(({ text }) => text).join('') ?? ''
}
