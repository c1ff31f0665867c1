import { context, section, type TextObject } from '../blocks/blocks.ts'
import { withoutPlan, withoutTable } from './fallback.ts'
import { sizeOf } from './size.ts'
import type { Block, Message, View } from '../port.ts'
import { truncateMrkdwn } from '../../lib/text/text.ts'
import { limits, type AnyBlock, type Cell, cut } from './shapes.ts'
import { fitPlan, cutRich } from './fit-plan.ts'

/**
 * Makes any message acceptable to Slack by shortening it, and says where something was left out. Never fails; what fits comes back
 * as it was.
 */
export function fit(message: Message): Message {
  const text = truncateMrkdwn(message.text.trim() === '' ? 'Lockkeeper' : message.text, limits.text)
  if (message.blocks === undefined) return { text }
  return { text, blocks: fitBlocks(message.blocks, limits.messageBlocks, limits.budget) }
}

/** Tables and plans are for messages alone; in views they become lists. */
export function fitView(view: View): View {
  const title = view['title'] as TextObject | undefined
  const metadata = view['private_metadata']
  if (typeof metadata === 'string' && metadata.length > limits.privateMetadata)
    throw new Error('private_metadata is longer than Slack takes')
  return {
    ...view,
    ...(title === undefined ? {} : { title: cutText(title, limits.viewTitle) }),
    blocks: fitBlocks(withoutTable(withoutPlan(view.blocks)), limits.viewBlocks, limits.viewBudget),
  }
}

function fitBlocks(blocks: readonly Block[], count: number, budget: number): readonly Block[] {
  let fitted = onlyOneTable(blocks.flatMap((block) => fitBlock(block as AnyBlock)))
  // a table that is cut afterwards brings a line of its own, and what was left out is counted once
  fitted = fitted.length > count ? fitCount(fitted, count - 1) : fitted
  for (const shrink of shrinkers) {
    if (sizeOf(fitted) <= budget) return fitted
    fitted = fitCount(shrink(fitted, sizeOf(fitted) - budget), count)
  }
  return sizeOf(fitted) <= budget ? fitted : essentials(fitted, budget)
}

// -- one block

function cutText(text: TextObject, limit: number): TextObject {
  return { ...text, text: text.type === 'mrkdwn' ? truncateMrkdwn(text.text, limit) : cut(text.text, limit) }
}

/** Slack refuses empty texts; a block without anything to say is left out. */
const isBlank = (text: TextObject | undefined): boolean => text === undefined || text.text.trim() === ''

function fitBlock(block: AnyBlock): readonly AnyBlock[] {
  switch (block.type) {
    case 'header':
      return block.text === undefined || isBlank(block.text) ? [] : [{ ...block, text: cutText(block.text, limits.header) }]
    case 'section':
      return fitSection(block)
    case 'context':
      return fitContext(block)
    case 'actions':
      return fitActions(block)
    case 'input':
      return [block.label === undefined ? block : { ...block, label: cutText(block.label, limits.inputLabel) }]
    case 'table':
      return cutRows(block, limits.tableRows)
    case 'plan':
      return [fitPlan(block, limits.tasks)]
    case 'rich_text':
      return [cutRich(block, limits.preformatted)]
    default:
      return [block]
  }
}

function fitSection(block: AnyBlock): readonly AnyBlock[] {
  const shown = block.fields?.filter((field) => !isBlank(field)).slice(0, limits.fields)
  const { text, fields: _, ...rest } = block
  if (isBlank(text) && (shown === undefined || shown.length === 0)) return []
  return [
    {
      ...rest,
      ...(text === undefined || isBlank(text) ? {} : { text: cutText(text, limits.section) }),
      ...(shown === undefined || shown.length === 0 ? {} : { fields: shown.map((field) => cutText(field, limits.field)) }),
    },
  ]
}

function fitContext(block: AnyBlock): readonly AnyBlock[] {
  const elements = (block.elements ?? [])
    .filter((element) => !('text' in element) || !isBlank(element as TextObject))
    .slice(0, limits.contextElements)
    .map((element) => ('text' in element ? cutText(element as TextObject, limits.contextText) : element))
  return elements.length === 0 ? [] : [{ ...block, elements }]
}

function fitActions(block: AnyBlock): readonly AnyBlock[] {
  const elements = (block.elements ?? [])
    .slice(0, limits.actionElements)
    .map((element) => (element.type === 'button' ? { ...element, text: cutText(element.text as TextObject, limits.buttonText) } : element))
  return elements.length === 0 ? [] : [{ ...block, elements }]
}

/** Keeps the first rows and says how many are missing. `rows` counts the row with the columns' names; `before` are missing already. */
function cutRows(block: AnyBlock, rows: number, before = 0): readonly AnyBlock[] {
  const all = block.rows ?? []
  if (all.length < 2) return []
  const kept = all.slice(0, rows).map((row) => row.slice(0, limits.tableColumns).map((cell) => cutCell(cell, limits.cell)))
  if (kept.length < 2) return [context(moreText(before + all.length - 1, false))]
  const missing = before + all.length - kept.length
  return [{ ...block, rows: kept }, ...(missing === 0 ? [] : [context(moreText(missing, true)) as AnyBlock])]
}

const cutCell = (cell: Cell, limit: number): Cell => (cell.text === undefined ? cell : { ...cell, text: cut(cell.text, limit) })

const moreText = (count: number, follows: boolean): string =>
  follows ? `and ${count.toLocaleString('en-US')} more, in the thread` : `${count.toLocaleString('en-US')}, listed in the thread`

const onlyOneTable = (blocks: readonly AnyBlock[]): readonly AnyBlock[] => {
  let seen = false
  return blocks.flatMap((block) => {
    if (block.type !== 'table') return [block]
    if (!seen) {
      seen = true
      return [block]
    }
    return cutRows(block, 1)
  })
}

/** Keeps the beginning and the end, where the buttons are. */
function fitCount(blocks: readonly AnyBlock[], count: number): readonly AnyBlock[] {
  if (blocks.length <= count) return blocks
  const tail = 4
  const head = count - tail - 1
  const missing = blocks.length - head - tail
  return [
    ...blocks.slice(0, head),
    context(`and ${missing.toLocaleString('en-US')} more parts that do not fit into one message`),
    ...blocks.slice(-tail),
  ]
}

type Shrink = (blocks: readonly AnyBlock[], excess: number) => readonly AnyBlock[]

/** What can be shortened, the least missed first. */
const shrinkers: readonly Shrink[] = [
  cutPreformattedTo(1_500),
  shrinkTable(12),
  shrinkPlan(14),
  capTexts(1_200),
  cutPreformattedTo(600),
  capCells(80),
  shrinkTable(6),
  shrinkPlan(8),
  capTexts(500),
  capTexts(200),
  capCells(30),
  cutPreformattedTo(200),
  shrinkTable(1),
]

function cutPreformattedTo(limit: number): Shrink {
  return (blocks) => blocks.map((block) => (block.type === 'rich_text' ? cutRich(block, limit) : block))
}

/** Drops as many rows as the excess asks for, down to `least` rows. A table that was cut before is followed by its count, which grows. */
function shrinkTable(least: number): Shrink {
  return (blocks, excess) =>
    blocks.flatMap((block, index) => {
      if (block.type !== 'table' || block.rows === undefined) return index > 0 && moreOf(blocks, index) > 0 ? [] : [block]
      let rows = block.rows.length
      let left = excess + 200
      while (left > 0 && rows > least) left -= JSON.stringify(block.rows[--rows]).length + 1
      return cutRows(block, rows, moreOf(blocks, index + 1))
    })
}

/** How many rows the note at `index` counts, when it follows a table. */
function moreOf(blocks: readonly AnyBlock[], index: number): number {
  const text = blocks[index]?.type === 'context' && blocks[index - 1]?.type === 'table' ? blocks[index]?.elements?.[0]?.text : undefined
  const match = typeof text === 'string' ? /^and ([\d,]+) more, in the thread$/.exec(text) : null
  return match === null ? 0 : Number(match[1]?.replaceAll(',', ''))
}

function shrinkPlan(least: number): Shrink {
  return (blocks, excess) =>
    blocks.map((block) => {
      if (block.type !== 'plan' || block.tasks === undefined) return block
      const average = JSON.stringify(block.tasks).length / Math.max(1, block.tasks.length)
      return fitPlan(block, Math.max(least, block.tasks.length - Math.ceil((excess + 200) / average)))
    })
}

function capTexts(limit: number): Shrink {
  return (blocks) =>
    blocks.map((block) => ({
      ...block,
      ...(block.type === 'section' && block.text !== undefined ? { text: cutText(block.text, limit) } : {}),
      ...(block.fields === undefined ? {} : { fields: block.fields.map((field) => cutText(field, limit)) }),
      ...(block.type === 'context' && block.elements !== undefined
        ? { elements: block.elements.map((element) => ('text' in element ? cutText(element as TextObject, limit) : element)) }
        : {}),
    }))
}

function capCells(limit: number): Shrink {
  return (blocks) =>
    blocks.map((block) =>
      block.rows === undefined ? block : { ...block, rows: block.rows.map((row) => row.map((cell) => cutCell(cell, limit))) },
    )
}

/** The last resort: the title, the first words and the buttons. */
function essentials(blocks: readonly AnyBlock[], budget: number): readonly Block[] {
  const title = blocks.find((block) => block.type === 'header')
  const first = blocks.find((block) => block.type === 'section' && block.text !== undefined)
  const buttons = blocks.filter((block) => block.type === 'actions' || block.type === 'input')
  const note = section('The rest does not fit into one message; it is in the thread.')
  const most = [...(title ? [title] : []), ...(first ? [first] : []), note, ...buttons]
  return sizeOf(most) <= budget ? most : [...(title ? [title] : []), note]
}
