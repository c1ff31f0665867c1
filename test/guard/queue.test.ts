import fc from 'fast-check'
import { expect, test } from 'vitest'
import { behindUs, inOurWay } from '../../src/guard/queue.ts'
import type { SeenSession, Waiter } from '../../src/guard/session.ts'
import { shownStatement } from '../../src/guard/words.ts'

const waiter = (pid: number, ms: number, ...blockers: number[]): Waiter => ({
  pid,
  ms,
  kind: 'relation',
  relation: 'orders',
  name: 'shop',
  blockers,
})
const session = (pid: number, transactionMs: number): SeenSession => ({
  pid,
  role: 'app',
  applicationName: `session ${pid}`,
  state: 'active',
  backend: '1',
  transaction: '2',
  statement: '3',
  transactionMs,
  statementMs: null,
  query: null,
})
const ours = new Set([1])
const behind = (...waiters: readonly Waiter[]) => behindUs(ours, waiters).map(({ pid, ms }) => [pid, ms])

test('who waits for us is behind us, and who waits for him, and nobody else', () => {
  expect(behind(waiter(2, 300, 1), waiter(3, 200, 2), waiter(4, 900, 9))).toEqual([
    [2, 300],
    [3, 200],
  ])
})

test('who has waited for long already is behind us no longer than whoever stands between', () => {
  expect(behind(waiter(2, 100, 1), waiter(3, 10_000, 2))).toEqual([
    [2, 100],
    [3, 100],
  ])
  expect(behind(waiter(2, 100, 1), waiter(3, 700, 1), waiter(4, 10_000, 2, 3))).toContainEqual([4, 700])
})

test('the same holds for every graph of waits, circles too: the best of all ways to us counts', () => {
  const graph = fc.array(fc.record({ ms: fc.nat(1_000), blockers: fc.uniqueArray(fc.integer({ min: 1, max: 8 })) }), { maxLength: 7 })
  fc.assert(
    fc.property(graph, (nodes) => {
      const waiters = nodes.map(({ ms, blockers }, at) => waiter(at + 2, ms, ...blockers))
      const by = new Map(waiters.map((one) => [one.pid, one]))
      // every way without a circle, one by one
      const best = (pid: number, seen: readonly number[]): number => {
        const one = by.get(pid)
        if (one === undefined || seen.includes(pid)) return -1
        return Math.max(-1, ...one.blockers.map((next) => (next === 1 ? one.ms : Math.min(one.ms, best(next, [...seen, pid])))))
      }
      const expected = waiters.flatMap(({ pid }) => (best(pid, []) < 0 ? [] : [[pid, best(pid, [])]]))
      expect(behind(...waiters)).toEqual(expected)
    }),
  )
})

test('in our way is whoever does not wait himself, the oldest transaction first', () => {
  const sessions = [session(5, 100), session(6, 900)]
  expect(inOurWay(waiter(1, 10, 2), [waiter(2, 20, 5)], sessions)?.pid).toBe(5)
  expect(inOurWay(waiter(1, 10, 5, 6), [], sessions)?.pid).toBe(6)
  expect(inOurWay(waiter(1, 10, 2), [waiter(2, 20, 1)], sessions)).toBeNull()
  expect(inOurWay(waiter(1, 10, 0), [], sessions)?.applicationName).toBe('a prepared transaction')
})

test.each([
  ["select * from customers where email = 'ann@example.com' and id = 4711;", "select * from customers where email = '…' and id = …"],
  ["update t set a = E'it''s', b = $$x 'y'$$, c2 = -1.5e3", "update t set a = E'…', b = '…', c2 = -…"],
  ["select 'cut off in the middle of a val", "select '…'"],
  ['ALTER TABLE "orders"\n  ADD COLUMN "note" text;', 'ALTER TABLE "orders" ADD COLUMN "note" text'],
  [null, ''],
])('of a statement people see no value: %s', (query, shown) => {
  expect(shownStatement(query)).toBe(shown)
})

test('no literal of any statement is shown', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{12}$/), fc.nat({ max: 30 }), (secret, cut) => {
      const query = `select a from t where b = '${secret}' and c = '${secret}'`
      expect(shownStatement(query.slice(0, query.length - cut))).not.toContain(secret)
    }),
  )
})
