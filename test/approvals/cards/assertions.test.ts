import { expect, test } from 'vitest'
import { requestCard } from '../../../approvals/cards/card.ts'
import { approveView } from '../../../approvals/modals/confirm.ts'
import { targetFor } from '../../helpers/run-context.ts'
import { plannedSteps } from '../../../src/deploy/planned.ts'
import { spoken } from '../../helpers/spoken.ts'
import { planOf, requestRow, viewWith } from '../../helpers/views.ts'

const assert = [
  { name: 'Every order has a <total>', sql: 'select id from orders where total is null', when: 'both', expect: [] },
  { name: 'Orders keep their totals', sql: 'select sum(total) from orders', equal: true },
  { name: 'One state each', sql: 'select 1', expect: 1 },
]
const view = viewWith({ request: requestRow({ plan: planOf(undefined, { steps: plannedSteps(targetFor('/', { assert })) }) }) })

test('the card counts the assertions and names them', () => {
  const lines = spoken(requestCard(view, { timezone: 'UTC' }))
  expect(lines[lines.indexOf('*Assertions*') + 1]).toBe(
    '2 before and 3 after the migrations: Every order has a &lt;total&gt;, Orders keep their totals, One state each',
  )
})

test('the card says which comes first, and that maintenance mode stays off for this class', () => {
  const rules = { class: 'additive', order: 'app-first', maintenance: 'off' } as const
  const lines = spoken(requestCard(viewWith({ request: requestRow({ plan: planOf(undefined, { rules }) }) }), { timezone: 'UTC' }))
  expect(lines[lines.indexOf('*Maintenance mode*') + 1]).toBe('off, as for every plan that is additive')
  expect(lines[lines.indexOf('*Application*') + 1]).toBe('Switch, Restart and 1 health check, before the migrations')
})

test('the approval window shows what is asked, in SQL, and what it has to give', () => {
  const lines = spoken(approveView(view))
  const from = lines.indexOf('*What has to be true of the data*')
  expect(lines.slice(from + 1, from + 7)).toEqual([
    '*Every order has a &lt;total&gt;*: `no rows` before and after the migrations',
    'select id from orders where total is null',
    '*Orders keep their totals*: the same rows before and after the migrations',
    'select sum(total) from orders',
    '*One state each*: `1` after the migrations',
    'select 1',
  ])
})

test('SQL that does not fit into the window is counted', () => {
  const long = assert.map((one) => ({ ...one, sql: `select ${"'x', ".repeat(1_500)} 1` }))
  const plan = planOf(undefined, { steps: plannedSteps(targetFor('/', { assert: long })) })
  expect(spoken(approveView(viewWith({ request: requestRow({ plan }) }))).join('\n')).toContain(
    'and 2 more, in `assert` of lockkeeper.yaml',
  )
})
