import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pauseAfter } from '../../src/guard/guard.ts'
import { decide, mayPass, STEADY_MS, type Limits, type Seen } from '../../src/guard/decide.ts'

const worker = {
  pid: 1,
  role: 'app',
  applicationName: 'migrator',
  state: 'active',
  backend: '1',
  transaction: '2',
  statement: '3',
  transactionMs: 10,
  statementMs: 10,
  query: 'ALTER TABLE orders ADD COLUMN note text',
}
const calm: Seen = {
  atMs: 0,
  worker,
  waiting: null,
  queue: { count: 0, longestMs: 0, applications: [], relation: null },
  lagMs: null,
  connections: { used: 10, most: 100 },
  freeBytes: null,
}
const none: Limits = { queueMs: null, lagMs: null, connectionsPercent: null, freeBytes: null }

const number = fc.integer({ min: 0, max: 100_000 })
const seen: fc.Arbitrary<Seen> = fc.record({
  atMs: number,
  worker: fc.constantFrom(worker, { ...worker, state: 'idle in transaction' }, undefined),
  waiting: fc.option(fc.record({ ms: number, relation: fc.constant('orders'), prismaLock: fc.boolean(), blocker: fc.constant(null) })),
  queue: fc
    .record({ count: fc.integer({ min: 0, max: 200 }), longestMs: number })
    .map(({ count, longestMs }) => ({ count, longestMs: count === 0 ? 0 : longestMs, applications: ['shop'], relation: 'orders' })),
  lagMs: fc.option(number),
  connections: fc.option(fc.record({ used: fc.integer({ min: 0, max: 100 }), most: fc.constant(100) })),
  freeBytes: fc.option(number),
})
const history = fc.array(seen, { maxLength: 20 }).map((all) => all.toSorted((a, b) => a.atMs - b.atMs))
const limits: fc.Arbitrary<Limits> = fc.record({
  queueMs: fc.option(number),
  lagMs: fc.option(number),
  connectionsPercent: fc.option(fc.integer({ min: 1, max: 100 })),
  freeBytes: fc.option(number),
})

test('a slow look puts the next one off, for a second at most, and never while somebody waits', () => {
  const times = fc.record({ everyMs: fc.integer({ min: 50, max: 1_000 }), tookMs: fc.integer({ min: 0, max: 60_000 }) })
  fc.assert(
    fc.property(times, (look) => {
      expect(pauseAfter({ ...look, isTense: true })).toBe(look.everyMs)
      const pause = pauseAfter({ ...look, isTense: false })
      expect(pause).toBeGreaterThanOrEqual(look.everyMs)
      expect(pause).toBeLessThanOrEqual(1_000)
    }),
  )
  expect(pauseAfter({ everyMs: 250, tookMs: 100, isTense: false })).toBe(400)
})

describe('the decision of the guard', () => {
  test('without limits nothing is ever cancelled', () => {
    fc.assert(fc.property(history, (all) => decide(all, none).kind !== 'cancel'))
  })

  test('only a statement that runs is cancelled', () => {
    fc.assert(fc.property(history, limits, (all, set) => all.at(-1)?.worker?.state === 'active' || decide(all, set).kind === 'go_on'))
  })

  test('it is cancelled for the queue exactly when somebody has waited for as long as the limit', () => {
    fc.assert(
      fc.property(history, number, (all, queueMs) => {
        const now = all.at(-1)
        const isDue = now?.worker?.state === 'active' && now.queue.count > 0 && now.queue.longestMs >= queueMs
        expect(decide(all, { ...none, queueMs }).kind === 'cancel').toBe(isDue)
      }),
    )
  })

  test('stricter limits never let go on what looser ones cancel', () => {
    fc.assert(
      fc.property(history, number, number, (all, a, b) => {
        const [strict, loose] = [Math.min(a, b), Math.max(a, b)]
        const cancels = (set: Partial<Limits>) => decide(all, { ...none, ...set }).kind === 'cancel'
        expect(cancels({ queueMs: strict }) || !cancels({ queueMs: loose })).toBe(true)
        expect(cancels({ lagMs: strict }) || !cancels({ lagMs: loose })).toBe(true)
        expect(cancels({ freeBytes: loose }) || !cancels({ freeBytes: strict })).toBe(true)
      }),
    )
  })

  test('a figure that comes and goes has to be past its limit for a second', () => {
    const at = (atMs: number, lagMs: number): Seen => ({ ...calm, atMs, lagMs })
    const set = { ...none, lagMs: 500 }
    expect(decide([at(0, 900)], set)).toEqual({ kind: 'go_on' })
    expect(decide([at(0, 900), at(250, 100), at(STEADY_MS, 900)], set)).toEqual({ kind: 'go_on' })
    expect(decide([at(0, 900), at(250, 900), at(STEADY_MS, 950)], set)).toEqual({ kind: 'cancel', why: { kind: 'lag', ms: 950 } })
  })

  test('a wait of half a second is shown before anything is cancelled', () => {
    const waiting = { ms: 600, relation: 'orders', prismaLock: false, blocker: null }
    expect(decide([{ ...calm, waiting }], { ...none, queueMs: 2_000 })).toEqual({ kind: 'tell' })
    expect(decide([calm], { ...none, queueMs: 2_000 })).toEqual({ kind: 'go_on' })
  })

  test('only what waited for somebody is worth another try', () => {
    const queue = { kind: 'queue', count: 3, ms: 2_100, applications: [], relation: null } as const
    expect(mayPass({ ...queue, isWaiting: true })).toBe(true)
    expect(mayPass({ ...queue, isWaiting: false })).toBe(false)
    expect(mayPass({ kind: 'lag', ms: 1 })).toBe(false)
    expect(mayPass({ kind: 'disk', freeBytes: 1 })).toBe(false)
  })
})
