import { expect, test } from 'vitest'
import { requestCard } from '../../../approvals/cards/card.ts'
import { runCard } from '../../../src/request/render/card.ts'
import { eventMessage } from '../../../src/request/render/thread.ts'
import type { RequestView } from '../../../src/request/request.ts'
import { spoken } from '../../helpers/spoken.ts'
import { changedRow, doneView, event, viewWith, type RowChange } from '../../helpers/views.ts'

/** `approvals.required: 0`: nobody has approved it, and nothing says that somebody did or will. */
const policy = { required: 0, from: [], members: {}, expiresMs: 14_400_000, grantExpiresMs: 900_000 }
const free = (row: RowChange = {}): RequestView =>
  viewWith({ row: { policy, state: 'granted', grantedAt: new Date('2026-11-20T07:50:00Z'), ...row } })
const utc = { timezone: 'UTC' }
const lines = (view: RequestView) => spoken(requestCard(view, utc))

const slot = { notBefore: new Date('2026-11-21T02:00:00Z'), notAfter: new Date('2026-11-21T04:00:00Z') }

test('while it starts', () => {
  const view = free({ grantExpiresAt: new Date('2026-11-20T08:05:00Z') })
  expect(requestCard(view, utc).text).toBe('Deploy to Production · #42: no approval is needed, starting.')
  expect(lines(view)[1]).toBe('*No approval is needed* · starting · asked by <@U0ALICE>')
  expect(lines(view).at(-1)).toMatch(/^Plan `7f3a9c21` · it ends <!date\S+ at {time}\|[^>]+> if the run has not started$/)
})

test('while it is queued', () => {
  expect(lines(free({ ...slot, state: 'granted' }))[1]).toMatch(/^\*No approval is needed\* · queued for .+ · asked by <@U0ALICE>$/)
  expect(lines(free({ ...slot, state: 'waiting' })).find((line) => line.startsWith('*Queued for*'))).toMatch(
    /\. It starts by itself when its turn comes\.$/,
  )
})

test('with an override', () => {
  expect(lines(free({ overrideReason: 'the shop is down' }))[2]).toBe(
    '*OVERRIDE.* It may start outside of windows and in a freeze, by the right of <@U0ALICE>. It needs no approval.',
  )
  const said = (view: RequestView) =>
    eventMessage(view, event(9, { kind: 'overridden', data: { by: 'U0ALICE', reason: 'the shop is down' } }), 'UTC').text.split('\n')[0]
  expect(said(free())).toBe('*OVERRIDE.* <@U0ALICE> lets #42 start on *Production* outside of windows and in a freeze.')
  expect(said(viewWith({}))).toBe(
    '*OVERRIDE.* <@U0ALICE> lets #42 start on *Production* outside of windows and in a freeze, once it has the approvals that it needs.',
  )
})

test('when the plan changed, and at the end', () => {
  expect(eventMessage(free(), event(9, { kind: 'asked_anew', data: { why: 'A migration was added.' } }), 'UTC').text).toBe(
    'Its plan was made anew. A migration was added.',
  )
  const end = spoken(runCard({ ...doneView(), votes: [], request: changedRow(doneView().request, { policy }) }, utc))
  expect(end[end.indexOf('*Approved by*') + 1]).toBe('nobody, since none is needed')
})
