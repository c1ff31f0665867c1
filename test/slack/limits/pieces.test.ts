import fc from 'fast-check'
import { expect, test } from 'vitest'
import { visibleSql } from '../../../src/plan/pending-sql.ts'
import { preformattedPieces } from '../../../src/slack/limits/pieces.ts'
import { sizeOf } from '../../../src/slack/limits/size.ts'
import type { Block } from '../../../src/slack/port.ts'
import { preformattedText } from '../preformatted.ts'

const sql = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom(
        'alter table "orders" add "note" text;\n',
        'x'.repeat(2_499),
        '😀'.repeat(1_251),
        '"\\\n'.repeat(900),
        '\n'.repeat(300),
        '\u202e',
        '\ufe00',
        '❤\ufe0f',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => visibleSql(parts.join('').toWellFormed()))

const textOf = (blocks: readonly Block[]): string => blocks.map(preformattedText).join('')

test('pieces joined are the text, and what does not fit is its end', () => {
  fc.assert(
    fc.property(sql, fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 0, max: 9 }), (text, budget, most) => {
      const { blocks, rest } = preformattedPieces(text, { budget, most })
      expect(textOf(blocks) + rest).toBe(text)
      expect(blocks.length).toBeLessThanOrEqual(most)
      expect(blocks.length === 0 ? 0 : sizeOf(blocks)).toBeLessThanOrEqual(budget + 2)
      for (const block of blocks) expect(preformattedText(block).length).toBeLessThanOrEqual(2_500)
    }),
  )
})

test('with room enough nothing is left, and lines stay whole', () => {
  const text = 'alter table "orders" add column "note" text;\n'.repeat(400)
  const { blocks, rest } = preformattedPieces(text, { budget: 60_000 })
  expect(rest).toBe('')
  expect(blocks.map((block) => preformattedText(block).endsWith(';\n'))).toEqual(blocks.map(() => true))
})
