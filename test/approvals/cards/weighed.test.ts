import { describe, expect, test } from 'vitest'
import { requestCard } from '../../../approvals/cards/card.ts'
import { approveView } from '../../../approvals/modals/confirm.ts'
import type { RequestView } from '../../../src/request/request.ts'
import { fit, fitView } from '../../../src/slack/limits/limits.ts'
import { limits } from '../../../src/slack/limits/shapes.ts'
import { sizeOf } from '../../../src/slack/limits/size.ts'
import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { spoken } from '../../helpers/spoken.ts'
import { evidence, planOf, viewWith } from '../../helpers/views.ts'

const finding = (change: Partial<Finding> = {}): Finding => ({
  code: 'index-build',
  weight: 'note',
  migration: '1_orders',
  line: 3,
  table: 'orders',
  text: 'builds the index `i` from all 200 rows of `orders` (59 kB); nobody can write to it meanwhile',
  advice: null,
  waived: null,
  ...change,
})
const advice = {
  text: 'Build it CONCURRENTLY, alone in a migration of its own',
  files: [{ name: 'build_i', sql: 'CREATE INDEX CONCURRENTLY "i" ON "orders"("total");\n' }],
}
const viewOf = (findings: readonly Finding[]): RequestView =>
  viewWith({ row: { plan: planOf(['1_orders', '2_customers']), evidence: { ...evidence, findings } } })

describe('findings that were weighed by this database', () => {
  test('the five gravest stand on the card with migration and line, and what to do about the first', () => {
    const view = viewOf([
      finding({
        weight: 'blocker',
        advice,
        text: 'builds the index `i` from all 41,000,000 rows of `orders` (12 GB); nobody can write to it meanwhile',
      }),
      finding({ weight: 'warning', migration: '2_customers', line: 1, text: 'renames `customers.name` to `full_name`' }),
      finding({ line: 5 }),
      finding({ line: 6 }),
      finding({ line: null, text: 'who is connected could not be seen' }),
      finding({ line: 8 }),
      finding({ line: 9, waived: { by: 'comment', reason: 'it is empty' } }),
    ])
    const lines = spoken(requestCard(view, { timezone: 'UTC' }))
    expect(lines.slice(lines.indexOf('*What the review found*'), lines.indexOf('Migration | Class | What it does | Rows')))
      .toMatchInlineSnapshot(`
      [
        "*What the review found*",
        "• *1_orders*, *blocker*, line 3: builds the index \`i\` from all 41,000,000 rows of \`orders\` (12 GB); nobody can write to it meanwhile",
        "• *2_customers*, warning, line 1: renames \`customers.name\` to \`full_name\`",
        "*1_orders*",
        "• note, line 5: builds the index \`i\` from all 200 rows of \`orders\` (59 kB); nobody can write to it meanwhile",
        "• note, line 6: builds the index \`i\` from all 200 rows of \`orders\` (59 kB); nobody can write to it meanwhile",
        "• note: who is connected could not be seen",
        "and 2 more, beside the SQL in the thread",
        "*Instead of line 3 of 1_orders.* Build it CONCURRENTLY, alone in a migration of its own.",
        "*1 blocker: this plan cannot be approved as it is.* Change the SQL the safe way, which Read the SQL shows, and ask again.",
      ]
    `)
  })

  test('the window of the vote has all of them, and the safe way as SQL; the same advice is said once', () => {
    const view = viewOf([
      finding({ weight: 'blocker', advice }),
      finding({
        weight: 'warning',
        line: 7,
        advice: { ...advice, files: [{ name: 'build_j', sql: 'CREATE INDEX CONCURRENTLY "j" ON "orders"("note");\n' }] },
      }),
      finding({ line: 9, waived: { by: 'comment', reason: 'it is <empty>' } }),
    ])
    expect(spoken(approveView(view)).slice(1, 12)).toMatchInlineSnapshot(`
      [
        "*What the review found*",
        "*1_orders*",
        "• *blocker*, line 3: builds the index \`i\` from all 200 rows of \`orders\` (59 kB); nobody can write to it meanwhile",
        "• warning, line 7: builds the index \`i\` from all 200 rows of \`orders\` (59 kB); nobody can write to it meanwhile",
        "• note, waived (“it is &lt;empty&gt;”), line 9: builds the index \`i\` from all 200 rows of \`orders\` (59 kB); nobody can write to it meanwhile",
        "*1 blocker: this plan cannot be approved as it is.* Change the SQL the safe way, which Read the SQL shows, and ask again.",
        "*Instead of line 3 of 1_orders and line 7 of 1_orders.* Build it CONCURRENTLY, alone in a migration of its own.",
        "-- a migration: build_i",
        "CREATE INDEX CONCURRENTLY "i" ON "orders"("total");",
        "",
        "-- a migration: build_j",
      ]
    `)
  })

  test('however much was found, card and window fit, and nothing is left out without a word', () => {
    const long = {
      text: `Do it ${'slowly '.repeat(60)}`,
      files: Array.from({ length: 5 }, (_one, at) => ({ name: `f${at}`, sql: 'SELECT 1;\n'.repeat(400) })),
    }
    const many = Array.from({ length: 120 }, (_one, at) =>
      finding({ weight: 'blocker', line: at, text: `finding ${at} ${'x'.repeat(400)}`, advice: { ...long, text: `${long.text}${at}` } }),
    )
    const card = fit(requestCard(viewOf(many), { timezone: 'UTC' }))
    expect(sizeOf(card.blocks ?? [])).toBeLessThanOrEqual(limits.budget)
    const window = fitView(approveView(viewOf(many)))
    expect(sizeOf(window['blocks'])).toBeLessThanOrEqual(limits.viewBudget)
    expect(spoken(window).filter((line) => /^(and \d+ more|The safe way for)/.test(line))).toMatchInlineSnapshot(`
      [
        "and 114 more, beside the SQL in the thread",
        "The safe way for 119 more stands beside the SQL in the thread",
      ]
    `)
  })
})
