import { limits } from '../../../src/slack/limits/shapes.ts'
import { escapeText } from '../../../src/lib/text/escape.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  actions,
  button,
  context,
  fields,
  header,
  plan,
  preformatted,
  section,
  table,
  type TaskStatus,
} from '../../../src/slack/blocks/blocks.ts'
import { fit, fitView } from '../../../src/slack/limits/limits.ts'
import { sizeOf } from '../../../src/slack/limits/size.ts'
import type { Block, Message } from '../../../src/slack/port.ts'

const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('x'.repeat(10_000), '😀'.repeat(3_000), '&'.repeat(4_000), '"\\\n'.repeat(2_000)),
)
const block: fc.Arbitrary<Block> = fc.oneof(
  word.map(header),
  word.map((text) => section(escapeText(text))),
  fc.array(word, { maxLength: 14 }).map((words) => fields(words.map((text) => ['Name', escapeText(text)] as const))[0] ?? section('–')),
  fc.array(word, { maxLength: 14 }).map((words) => context(...words.map(escapeText))),
  word.map(preformatted),
  fc.tuple(fc.integer({ min: 0, max: 400 }), word).map(([rows, text]) =>
    table(
      [{ title: 'a' }, { title: 'b' }],
      Array.from({ length: rows }, () => [text, text]),
    ),
  ),
  fc
    .tuple(fc.array(fc.constantFrom<TaskStatus>('pending', 'complete', 'in_progress', 'error'), { maxLength: 400 }), word)
    .map(([states, text]) =>
      plan(
        text,
        states.map((status, index) => ({ id: `t${index}`, status, title: text, output: text, details: text })),
      ),
    ),
  fc.array(word, { maxLength: 30 }).map((words) => actions(...words.map((text, index) => button(text || 'x', `a${index}`, 'r_1')))),
)

function check({ text, blocks = [] }: Message): void {
  expect(text.length).toBeLessThanOrEqual(limits.text)
  expect(text.trim()).not.toBe('')
  expect(blocks.length).toBeLessThanOrEqual(limits.messageBlocks)
  expect(sizeOf(blocks)).toBeLessThanOrEqual(limits.budget)
  expect(JSON.stringify(blocks).isWellFormed()).toBe(true)
  expect(blocks.filter((part) => part.type === 'table').length).toBeLessThanOrEqual(1)
  for (const part of blocks) checkBlock(part)
}

function checkBlock(part: Block): void {
  const textOf = (value: unknown) => (value as { text: string }).text
  if (part.type === 'section' && 'text' in part) expect(textOf(part['text']).length).toBeLessThanOrEqual(3_000)
  if (part.type === 'section' && 'fields' in part) {
    expect((part['fields'] as unknown[]).length).toBeLessThanOrEqual(10)
    for (const field of part['fields'] as unknown[]) expect(textOf(field).length).toBeLessThanOrEqual(2_000)
  }
  if (part.type === 'header') expect(textOf(part['text']).length).toBeLessThanOrEqual(150)
  if (part.type === 'actions') expect((part['elements'] as unknown[]).length).toBeLessThanOrEqual(25)
  if (part.type === 'context') expect((part['elements'] as unknown[]).length).toBeLessThanOrEqual(10)
  if (part.type === 'table') {
    const rows = part['rows'] as readonly { readonly text: string }[][]
    expect(rows.length).toBeLessThanOrEqual(100)
    for (const cell of rows.flat()) expect(cell.text).not.toBe('')
  }
  if (part.type === 'plan')
    for (const task of part['tasks'] as readonly { readonly title: string; readonly details?: unknown; readonly output?: unknown }[]) {
      expect(task.title).not.toBe('')
      for (const rich of [task.details, task.output])
        if (rich !== undefined)
          expect((rich as { elements: { elements: { text: string }[] }[] }).elements[0]?.elements[0]?.text.length).toBeLessThanOrEqual(256)
    }
}

/** Without the row that names the columns. */
function rowsIn(message: Message): number {
  const rows = message.blocks?.find((part) => part.type === 'table')?.['rows']
  return Array.isArray(rows) ? rows.length - 1 : 0
}

describe('any message', () => {
  test('is brought within the limits of Slack', () => {
    fc.assert(
      fc.property(word, fc.array(block, { maxLength: 70 }), (text, blocks) => check(fit({ text, blocks }))),
      { numRuns: 150 },
    )
  })
  test('that fits comes back as it was', () => {
    const message = {
      text: 'Deploy',
      blocks: [header('Deploy'), section('*3 migrations*'), table([{ title: 'a' }], [['x']]), actions(button('Approve', 'approve', 'r_1'))],
    }
    expect(fit(message)).toEqual(message)
  })
  test('keeps its buttons when it is cut', () => {
    const blocks = [
      header('Deploy'),
      ...Array.from({ length: 90 }, () => section('x'.repeat(3_000))),
      actions(button('Approve', 'approve', 'r_1')),
    ]
    const fitted = fit({ text: 'Deploy', blocks })
    check(fitted)
    expect(fitted.blocks?.at(-1)).toEqual(actions(button('Approve', 'approve', 'r_1')))
    expect(fitted.blocks?.[0]).toEqual(header('Deploy'))
  })
})

describe('what is left out is counted', () => {
  const shop = (count: number) =>
    table(
      [{ title: 'Migration' }, { title: 'What it does' }],
      Array.from({ length: count }, (_, index) => [`2026_${index}_add_column_to_a_table`, 'adds a column']),
    )
  test('in a table of 400 migrations', () => {
    const fitted = fit({ text: 'x', blocks: [section('*400 migrations*'), shop(400), actions(button('Approve', 'approve', 'r_1'))] })
    check(fitted)
    const rows = rowsIn(fitted)
    expect(rows).toBeGreaterThan(30)
    expect(fitted.blocks?.[2]).toEqual(context(`and ${400 - rows} more, in the thread`))
  })
  test('also when a table is cut twice', () => {
    const blocks = [...Array.from({ length: 7 }, () => section('"'.repeat(1_500))), shop(400)]
    const fitted = fit({ text: 'x', blocks })
    check(fitted)
    const rows = rowsIn(fitted)
    const notes = fitted.blocks?.filter((part) => part.type === 'context')
    expect(notes).toEqual([context(rows === 0 ? '400, listed in the thread' : `and ${400 - rows} more, in the thread`)])
  })
  test('in a plan of 400 tasks, of which the running one and its neighbours stay', () => {
    const tasks = Array.from({ length: 400 }, (_, index) => ({
      id: `m${index}`,
      title: `migration_${index}`,
      output: 'x'.repeat(200),
      status: index < 200 ? ('complete' as const) : index === 200 ? ('in_progress' as const) : ('pending' as const),
    }))
    const fitted = fit({ text: 'x', blocks: [plan('Running', tasks)] })
    check(fitted)
    const shown = fitted.blocks?.[0]?.['tasks'] as readonly { readonly title: string; readonly status: string }[]
    expect(shown.map((task) => task.title)).toContain('migration_200')
    expect(shown.map((task) => task.title)).toContain('migration_199')
    expect(shown.map((task) => task.title)).toContain('migration_399')
    const missing = 400 - (shown.length - 1)
    expect(shown.find((task) => task.title.startsWith('and '))?.title).toMatch(
      new RegExp(`^and ${missing} more: \\d+ done, \\d+ not done$`),
    )
  })
  test('in output, of which the end stays', () => {
    const fitted = fit({ text: 'x', blocks: [preformatted(`${'x\n'.repeat(20_000)}ERROR: the end`)] })
    check(fitted)
    expect(JSON.stringify(fitted.blocks)).toContain('ERROR: the end')
  })
})

test('a view keeps within its own limits', () => {
  const view = fitView({
    type: 'modal',
    title: { type: 'plain_text', text: 'x'.repeat(60), emoji: false },
    blocks: Array.from({ length: 300 }, () => section('x'.repeat(4_000))),
  })
  expect((view['title'] as { text: string }).text.length).toBe(24)
  expect(view.blocks.length).toBeLessThanOrEqual(100)
})
