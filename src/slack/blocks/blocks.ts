import { plainText } from '../../lib/text/escape.ts'
import type { Block, View } from '../port.ts'

/** Builders for Block Kit. Arguments named `mrkdwn` are markup whose outside parts are escaped; all others are plain text. */

export type TextObject =
  { readonly type: 'mrkdwn'; readonly text: string } | { readonly type: 'plain_text'; readonly text: string; readonly emoji: false }

const mrkdwnObject = (text: string): TextObject => ({ type: 'mrkdwn', text })
const plainObject = (text: string): TextObject => ({ type: 'plain_text', text: plainText(text), emoji: false })

export const header = (text: string): Block => ({ type: 'header', text: plainObject(text) })

export const section = (mrkdwn: string, accessory?: Element): Block => ({
  type: 'section',
  text: mrkdwnObject(mrkdwn),
  ...(accessory === undefined ? {} : { accessory }),
})

/** Pairs in two columns; a pair without a value is left out. */
export const fields = (pairs: readonly (readonly [name: string, mrkdwn: string | null])[]): readonly Block[] => {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== null && pair[1] !== '')
  return shown.length === 0 ? [] : [{ type: 'section', fields: shown.map(([name, value]) => mrkdwnObject(`*${name}*\n${value}`)) }]
}

export const context = (...mrkdwn: readonly string[]): Block => ({ type: 'context', elements: mrkdwn.map(mrkdwnObject) })

export const divider: Block = { type: 'divider' }

export type Column = { readonly title: string; readonly wrapped?: boolean; readonly align?: 'left' | 'right' }

/** The first row names the columns. Slack refuses empty cells, so they show a dash. */
export const table = (columns: readonly Column[], rows: readonly (readonly string[])[]): Block => ({
  type: 'table',
  column_settings: columns.map((column) => ({
    ...(column.wrapped === true ? { is_wrapped: true } : {}),
    ...(column.align === undefined ? {} : { align: column.align }),
  })),
  rows: [columns.map((column) => cell(column.title)), ...rows.map((row) => row.map(cell))],
})

const cell = (text: string) => ({ type: 'raw_text', text: plainText(text).trim() || '–' })

export type TaskStatus = 'pending' | 'in_progress' | 'complete' | 'error'

export type Task = {
  readonly id: string
  readonly status: TaskStatus
  readonly title: string
  /** What it is doing or waiting for. */
  readonly details?: string | null
  /** One line of numbers. */
  readonly output?: string | null
}

export const plan = (title: string, tasks: readonly Task[]): Block => ({
  type: 'plan',
  title: plainText(title),
  tasks: tasks.map(taskCard),
})

export const taskCard = (task: Task): Block => ({
  type: 'task_card',
  task_id: task.id,
  status: task.status,
  title: plainText(task.title) || '–',
  ...(task.details ? { details: richText(task.details) } : {}),
  ...(task.output ? { output: richText(task.output) } : {}),
})

export const richText = (text: string): Block => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: plainText(text) }] }],
})

/** Output as it came: not markup, so nothing in it can act. */
export const preformatted = (text: string): Block => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: plainText(text) }] }],
})

/** An interactive element of Block Kit. */
export type Element = { readonly type: string; readonly [key: string]: unknown }

export const actions = (...elements: readonly Element[]): Block => ({ type: 'actions', elements })

/** `value` is a random id and nothing else; the meaning is looked up. */
export const button = (text: string, action: string, value: string, style?: 'primary' | 'danger'): Element => ({
  type: 'button',
  text: plainObject(text),
  action_id: action,
  value,
  ...(style === undefined ? {} : { style }),
})

/** A small menu behind three dots. Its values carry a random id, as those of buttons do. */
export const overflow = (action: string, choices: readonly Choice[]): Element => ({
  type: 'overflow',
  action_id: action,
  options: choices.map(option),
})

export const linkButton = (text: string, action: string, url: string): Element => ({
  type: 'button',
  text: plainObject(text),
  action_id: action,
  url,
})

export const textInput = (options: {
  readonly id: string
  readonly label: string
  readonly multiline?: boolean
  readonly optional?: boolean
  readonly placeholder?: string
  readonly initial?: string
  readonly maximum?: number
}): Block => ({
  type: 'input',
  block_id: options.id,
  label: plainObject(options.label),
  optional: options.optional ?? false,
  element: {
    type: 'plain_text_input',
    action_id: options.id,
    multiline: options.multiline ?? false,
    ...(options.placeholder === undefined ? {} : { placeholder: plainObject(options.placeholder) }),
    ...(options.initial === undefined ? {} : { initial_value: plainText(options.initial) }),
    max_length: options.maximum ?? 1000,
  },
})

export type Choice = { readonly value: string; readonly label: string }

/** `choices` must not be empty; Slack takes at most 100. */
export const selectInput = (options: {
  readonly id: string
  readonly label: string
  readonly choices: readonly Choice[]
  readonly initial?: string
  readonly optional?: boolean
}): Block => {
  const choices = options.choices.map(option)
  const initial = choices.find((choice) => choice.value === options.initial)
  return {
    type: 'input',
    block_id: options.id,
    label: plainObject(options.label),
    optional: options.optional ?? false,
    element: {
      type: 'static_select',
      action_id: options.id,
      options: choices,
      ...(initial === undefined ? {} : { initial_option: initial }),
    },
  }
}

/** One of at most ten. */
export const radioInput = (options: {
  readonly id: string
  readonly label: string
  readonly choices: readonly Choice[]
  readonly optional?: boolean
}): Block => ({
  type: 'input',
  block_id: options.id,
  label: plainObject(options.label),
  optional: options.optional ?? false,
  element: { type: 'radio_buttons', action_id: options.id, options: options.choices.map(option) },
})

export const checkboxInput = (options: {
  readonly id: string
  readonly label: string
  readonly choices: readonly Choice[]
  /** Values that are ticked already. */
  readonly chosen?: readonly string[]
}): Block => {
  const choices = options.choices.map(option)
  const initial = choices.filter(({ value }) => options.chosen?.includes(value) === true)
  return {
    type: 'input',
    block_id: options.id,
    label: plainObject(options.label),
    optional: true,
    element: {
      type: 'checkboxes',
      action_id: options.id,
      options: choices,
      ...(initial.length === 0 ? {} : { initial_options: initial }),
    },
  }
}

const option = (choice: Choice) => ({ text: plainObject(choice.label), value: choice.value })

/** `metadata` comes back with the submission; a view's id may change, so what matters travels here. */
export const modal = (options: {
  readonly callback: string
  readonly title: string
  readonly submit?: string
  readonly close?: string
  readonly metadata?: string
  readonly blocks: readonly Block[]
}): View => ({
  type: 'modal',
  callback_id: options.callback,
  title: plainObject(options.title),
  ...(options.submit === undefined ? {} : { submit: plainObject(options.submit) }),
  close: plainObject(options.close ?? 'Back'),
  ...(options.metadata === undefined ? {} : { private_metadata: options.metadata }),
  blocks: options.blocks,
})

export const home = (blocks: readonly Block[]): View => ({ type: 'home', blocks })
