import type { TextObject } from '../blocks/blocks.ts'
import type { Block } from '../port.ts'
import { truncate } from '../../lib/text/text.ts'

/** Slack's limits, measured or documented; the lower where both are known. Counted in UTF-16 units, of which Slack never counts more. */
export const limits = {
  /** `text` beyond 4,000 cannot be edited any more. */
  text: 3_900,
  messageBlocks: 50,
  viewBlocks: 100,
  /** All blocks of a message as JSON: about 13,200 were accepted, once only 11,341. */
  budget: 9_000,
  viewBudget: 60_000,
  section: 3_000,
  field: 2_000,
  fields: 10,
  header: 150,
  contextElements: 10,
  contextText: 2_000,
  actionElements: 25,
  buttonText: 75,
  viewTitle: 24,
  privateMetadata: 3_000,
  inputLabel: 2_000,
  tableRows: 100,
  tableColumns: 20,
  cell: 500,
  planTitle: 150,
  tasks: 50,
  taskTitle: 150,
  task: 256,
  preformatted: 3_000,
} as const

export type Rich = {
  readonly type: 'rich_text'
  readonly elements: readonly { readonly type: string; readonly elements: readonly { readonly text?: string }[] }[]
}

export type TaskBlock = Block & { readonly title: string; readonly status: string; readonly details?: Rich; readonly output?: Rich }

export type AnyBlock = Block & {
  readonly text?: TextObject
  readonly title?: unknown
  readonly fields?: readonly TextObject[]
  readonly elements?: readonly AnyElement[]
  readonly rows?: readonly (readonly Cell[])[]
  readonly tasks?: readonly TaskBlock[]
  readonly label?: TextObject
}

type AnyElement = { readonly type: string; readonly text?: unknown; readonly elements?: unknown }

export type Cell = { readonly type: string; readonly text?: string }

export const cut = (text: string, limit: number): string => truncate(text, limit)
