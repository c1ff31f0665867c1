import { expect, test } from 'vitest'
import { requestCard } from '../../../approvals/cards/card.ts'
import { approveView, blockedView } from '../../../approvals/modals/confirm.ts'
import { waivedIn, waiveView } from '../../../approvals/modals/waive.ts'
import { blockersOf, findingKey } from '../../../src/request/blockers.ts'
import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { spoken } from '../../helpers/spoken.ts'
import { digest, event, evidence, requestRow, viewWith } from '../../helpers/views.ts'

const finding = (line: number, over: Partial<Finding> = {}): Finding => ({
  code: 'index-build',
  weight: 'blocker',
  migration: '20261120_index_discount',
  line,
  table: 'orders',
  text: `statement ${line} keeps orders from being written`,
  advice: null,
  waived: null,
  ...over,
})
const findings = [finding(1), finding(2, { waived: { by: 'comment', reason: 'empty in <prod>' } }), finding(3)]
const policy = { required: 1, from: ['user:U0BOB'], members: {}, expiresMs: 1, grantExpiresMs: 1, waive: ['group:S0DBA', 'user:U0CAROL'] }
const request = requestRow({ evidence: { ...evidence, findings }, policy })
const waived = event(7, {
  kind: 'waived',
  data: {
    by: 'U0CAROL',
    digest,
    reason: 'nobody writes at night',
    findings: [findingKey(finding(3))],
    texts: ['20261120_index_discount: statement 3'],
  },
})

test('the card says what blocks, who may let it pass, and what was let pass by whom and why', () => {
  const view = viewWith({ request, events: [waived] })
  const lines = spoken(requestCard(view, { timezone: 'UTC' }))
  const from = lines.indexOf('*What the review found*')
  expect(lines.slice(from, from + 11)).toEqual([
    '*What the review found*',
    '*20261120_index_discount*',
    '• *blocker*, line 1: statement 1 keeps orders from being written',
    '• blocker, waived (“empty in &lt;prod&gt;”), line 2: statement 2 keeps orders from being written',
    '• blocker, waived (“nobody writes at night”), line 3: statement 3 keeps orders from being written',
    '*1 blocker: this plan cannot be approved as it is.* Change the SQL the safe way, which Read the SQL shows, and ask again. Or <!subteam^S0DBA> or <@U0CAROL> may let it pass with a reason, by Waive.',
    '*Waived*',
    '• *20261120_index_discount*, line 2: statement 2 keeps orders from being written',
    '    by a comment in the file: “empty in &lt;prod&gt;”',
    '• *20261120_index_discount*, line 3: statement 3 keeps orders from being written',
    '    by <@U0CAROL>: “nobody writes at night”',
  ])
  expect(lines).toContain('[Waive]')
  expect(spoken(approveView(view))).toContain('*Waived*')
})

test('while something blocks, the window of Approve says so and has nothing to send', () => {
  const view = blockedView(viewWith({ request }))
  expect(view['submit']).toBeUndefined()
  expect(spoken(view)).toContain('*What the review found*')
})

test('without blockers there is no button', () => {
  expect(spoken(requestCard(viewWith({ request: requestRow() }), { timezone: 'UTC' }))).not.toContain('[Waive]')
})

test('the window carries what stood in it, and nothing that others wrote', () => {
  const { open } = blockersOf(request, [])
  const view = waiveView({ request }, open)
  expect(spoken(view).slice(0, 3)).toEqual([
    '*2 findings of this plan block it.*',
    '• *20261120_index_discount*, line 1: statement 1 keeps orders from being written',
    '• *20261120_index_discount*, line 3: statement 3 keeps orders from being written',
  ])
  expect(waivedIn(String(view['private_metadata']))).toEqual({ token: request.token, digest, findings: open.map(findingKey) })
  expect(waivedIn('{"token":"r_1","digest":"zz","findings":["a"]}')).toEqual({ token: '', digest: '', findings: [] })
  expect(waivedIn('no json')).toEqual({ token: '', digest: '', findings: [] })
})
