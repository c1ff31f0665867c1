import { escapeText } from '../../lib/text/escape.ts'
import { section } from '../blocks/blocks.ts'
import type { Block } from '../port.ts'
import { escapeLine, truncateMrkdwn } from '../../lib/text/text.ts'

/** The same content without kinds of blocks that some workspaces refuse. */

/** Each task becomes a line with its state as a word. */
export function withoutPlan(blocks: readonly Block[]): readonly Block[] {
  return blocks.flatMap((block) =>
    block.type === 'plan'
      ? linesAsSections(`*${escapeLine(String(block['title']))}*`, ((block['tasks'] as readonly Block[] | undefined) ?? []).map(taskLine))
      : [block],
  )
}

/** Each row becomes a line, the first cell in bold. */
export function withoutTable(blocks: readonly Block[]): readonly Block[] {
  return blocks.flatMap((block) => {
    if (block.type !== 'table') return [block]
    const rows = (block['rows'] as readonly (readonly { readonly text?: string }[])[] | undefined) ?? []
    return linesAsSections(
      null,
      rows.slice(1).map((row) => {
        const [first = '', ...rest] = row.map((cell) => escapeLine(cell.text ?? ''))
        return `• *${first}*${rest.length > 0 ? ` · ${rest.join(' · ')}` : ''}`
      }),
    )
  })
}

const words: Readonly<Record<string, string>> = { complete: 'done', in_progress: 'running', error: 'failed', pending: 'not done yet' }

function taskLine(task: Block): string {
  const notes = [richText(task['details']), richText(task['output'])].filter((text) => text !== '')
  return `• ${escapeLine(String(task['title']))}, *${words[String(task['status'])] ?? 'not known'}*${notes.length > 0 ? ` · ${notes.join(' · ')}` : ''}`
}

function richText(value: unknown): string {
  const elements = (value as { elements?: { elements?: { text?: string }[] }[] } | undefined)?.elements ?? []
  return escapeText(
    elements
      .flatMap((part) => part.elements ?? [])
      .map((element) => element.text ?? '')
      .join(''),
  )
}

const SECTION = 2_800

function linesAsSections(first: string | null, lines: readonly string[]): readonly Block[] {
  const sections: string[] = []
  let open = first ?? ''
  for (const line of lines) {
    const cut = truncateMrkdwn(line, SECTION)
    if (open !== '' && open.length + cut.length + 1 > SECTION) {
      sections.push(open)
      open = ''
    }
    open = open === '' ? cut : `${open}\n${cut}`
  }
  return [...sections, ...(open === '' ? [] : [open])].map((text) => section(text))
}
