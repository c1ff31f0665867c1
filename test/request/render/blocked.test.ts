import { expect, test } from 'vitest'
import { runCard } from '../../../src/request/render/card.ts'
import { detailsOf } from '../../../src/request/render/figures.ts'
import { eventMessage } from '../../../src/request/render/thread.ts'
import type { Blocker, ShownBlocker } from '../../../src/request/blocker.ts'
import type { RequestEvent } from '../../../src/request/request.ts'
import { spoken } from '../../helpers/spoken.ts'
import { event, now, runningView } from '../../helpers/views.ts'

const shown: ShownBlocker = {
  name: 'reporting',
  role: 'analyst',
  isIdle: false,
  transactionMs: 38 * 60_000,
  statement: 'SELECT date_trunc(…), sum(total) FROM orders',
  relation: 'orders',
  queue: 14,
  whyNotEnd: null,
}
const blockerOf = (change: Partial<ShownBlocker> = {}, askedBy: string | null = null): Blocker => ({
  id: 7,
  pid: 4711,
  backend: '1',
  transaction: '2',
  seenAt: now,
  askedBy,
  shown: { ...shown, ...change },
})

/** What the card of a run says about who is in its way, and its buttons. */
function said(blocker: Blocker): readonly string[] {
  const lines = spoken(runCard({ ...runningView(), blocker }, { timezone: 'UTC' }))
  const at = lines.findIndex((line) => line.startsWith('*`reporting`'))
  const own = lines.slice(at, -1)
  const isButton = (line: string) => line.startsWith('[')
  return [own.filter((line) => !isButton(line)).join('\n'), own.filter(isButton).join(' ')]
}

test('the card names who is in the way, for how long, what it runs and who waits, with three buttons', () => {
  expect(said(blockerOf())).toEqual([
    '*`reporting` is in the way* (role `analyst`, pid 4711). It holds a lock on `orders`, in a transaction that has been open for 38 min. It runs: `SELECT date_trunc(…), sum(total) FROM orders`. 14 queries of the application wait behind the migration.',
    '[Wait] [End blocker] [Abort]',
  ])
})

test('a session that was left open is said to be idle', () => {
  expect(said(blockerOf({ isIdle: true, queue: 1, role: 'reporting' }))[0]).toBe(
    '*`reporting` is in the way* (pid 4711). It holds a lock on `orders`, in a transaction that has been open for 38 min. It runs nothing at the moment: its application has left the transaction open. Its last statement: `SELECT date_trunc(…), sum(total) FROM orders`. 1 query of the application waits behind the migration.',
  )
})

test('where it cannot be ended from here, the card says why instead of offering it', () => {
  const whyNotEnd = "Lockkeeper's role `app` may not end sessions of others: `GRANT pg_signal_backend TO app;` lets it."
  const [text, buttons] = said(blockerOf({ whyNotEnd }))
  expect(text?.split('\n').at(-1)).toBe(whyNotEnd)
  expect(buttons).toBe('[Wait] [Abort]')
  expect(said(blockerOf({}, 'U0BOB'))[1]).toBe('[Wait] [Abort]')
})

test('what it does and what the server bears stand in the task of the migration', () => {
  const guard = { walBytes: 1_200_000_000, connections: { used: 41, most: 100 }, lagMs: 300 }
  expect(detailsOf({ details: 'Applying 2_note, 1 of 2, for 12 s.', data: { guard } })).toBe(
    'Applying 2_note, 1 of 2, for 12 s. Server: 41 of 100 connections in use, 1.2 GB of WAL (its log of changes) written since the start, replicas 0.3 s behind.',
  )
  expect(detailsOf({ details: null, data: { guard: { walBytes: 0, connections: null, lagMs: null } } })).toBeNull()
  expect(detailsOf({ details: 'Waiting.', data: null })).toBe('Waiting.')
})

test.each<[RequestEvent, string]>([
  [{ kind: 'waits_on', data: { by: 'U0ALICE', name: 'reporting' } }, '<@U0ALICE> waits on for `reporting`: one more try.'],
  [
    { kind: 'end_asked', data: { by: 'U0BOB', name: 'reporting', pid: 4711 } },
    '<@U0BOB> asked to end `reporting` (pid 4711), which is in the way.',
  ],
])('the thread has one line for what people decide about it', (what, text) => {
  expect(eventMessage(runningView(), event(9, what), 'UTC').text).toBe(text)
})
