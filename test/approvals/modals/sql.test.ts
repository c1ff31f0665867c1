import { limits } from '../../../src/slack/limits/shapes.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sqlModal } from '../../../approvals/modals/sql.ts'
import { bytesText } from '../../../src/lib/text/text.ts'
import { fitView } from '../../../src/slack/limits/limits.ts'
import { sizeOf } from '../../../src/slack/limits/size.ts'
import { spoken } from '../../helpers/spoken.ts'
import { waitingView } from '../../helpers/views.ts'
import { preformattedText } from '../../slack/preformatted.ts'

const { request } = waitingView()
const line = 'alter table "orders" add column "note" text default \'😀\';\n'

test('the window shows each migration whole, and counts what does not fit', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 120 }), (lengths) => {
      const files = lengths.map((length, index) => ({ name: `m${index}`, sql: line.repeat(length) }))
      const view = fitView(sqlModal(request, files))
      const shown = view.blocks.map(preformattedText).join('')
      const all = files.map(({ sql }) => (sql === '' ? '-- empty' : sql)).join('')
      expect(all.startsWith(shown)).toBe(true)
      expect(view.blocks.length).toBeLessThanOrEqual(limits.viewBlocks)
      expect(sizeOf(view.blocks)).toBeLessThanOrEqual(limits.viewBudget)
      if (shown === all) expect(spoken({ text: '', blocks: view.blocks }).join('\n')).not.toContain('more;')
    }),
    { numRuns: 30 },
  )
})

test('what is missing is said in bytes', () => {
  const view = fitView(sqlModal(request, [{ name: 'm1', sql: line.repeat(2_000) }]))
  const missing = Buffer.byteLength(line.repeat(2_000)) - Buffer.byteLength(view.blocks.map(preformattedText).join(''))
  expect(spoken({ text: '', blocks: view.blocks }).at(-1)).toBe(
    `and ${bytesText(missing)} more; the whole of it stands in the thread of the card`,
  )
})

test('without a migration it says so', () => {
  expect(spoken({ text: '', blocks: sqlModal(request, []).blocks })).toEqual([
    'Plan `7f3a9c21`, commit `a1b9f02`',
    'No migration is pending, so there is no SQL.',
  ])
})
