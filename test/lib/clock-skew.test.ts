import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeClocks, ownReading, readClock, STOP_MS, WARN_MS, type Reading } from '../../src/lib/clock-skew.ts'

const at = (whose: string, aheadMs: number, errorMs = 5): Reading => ({ whose, aheadMs, errorMs })

describe('clocks are compared all with all', () => {
  test.each([
    ['all agree', [ownReading, at('Slack’s clock', 900, 600), at('the store’s clock', -400)], null],
    ['half a minute and what the way took are allowed', [ownReading, at('the store’s clock', WARN_MS + 5)], null],
    [
      'of two nobody can say which is wrong',
      [ownReading, at('the store’s clock', 45_000)],
      "warn: This machine's clock and the store’s clock are 45 s apart. Times in the record may be that far off. Set it right (NTP).",
    ],
    [
      'of three the one that is alone is named',
      [ownReading, at('the store’s clock', 3_600_000), at('Slack’s clock', 200, 500)],
      'stop: The store’s clock is 60 min ahead of the others. Times in the record and of approvals cannot be trusted, so nothing runs. Set it right (NTP) and ask again.',
    ],
    [
      'this machine may be the one',
      [ownReading, at('the store’s clock', 86_400_000 * 3), at('Slack’s clock', 86_400_000 * 3)],
      "stop: This machine's clock is 3 d behind the others. Times in the record and of approvals cannot be trusted, so nothing runs. Set it right (NTP) and ask again.",
    ],
  ])('%s', (_, readings, verdict) => {
    const found = judgeClocks(readings)
    expect(found === null ? null : `${found.level}: ${found.text}`).toBe(verdict)
  })

  test('whatever the clocks say, it stops exactly when two are certainly more than 15 minutes apart', () => {
    const reading = fc.record({
      whose: fc.constantFrom('one', 'two', 'three'),
      aheadMs: fc.integer({ min: -2 * STOP_MS, max: 2 * STOP_MS }),
      errorMs: fc.integer({ min: 0, max: 5_000 }),
    })
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 5 }), (readings) => {
        const apart = readings.flatMap((one) =>
          readings.map((other) => Math.abs(one.aheadMs - other.aheadMs) - one.errorMs - other.errorMs),
        )
        const most = readings.length < 2 ? 0 : Math.max(0, ...apart)
        expect(judgeClocks(readings)?.level ?? null).toBe(most > STOP_MS ? 'stop' : most > WARN_MS ? 'warn' : null)
      }),
    )
  })

  test('a reading knows how wrong it may be, and no answer is no reading', async () => {
    const clock = { now: () => 1_000_000 }
    const found = await readClock('a', async () => 1_060_000, clock, 500)
    expect(found?.errorMs).toBeGreaterThanOrEqual(500)
    expect(Math.abs((found?.aheadMs ?? 0) - 60_000)).toBeLessThan(100)
    expect(await readClock('a', async () => undefined, clock)).toBeUndefined()
    expect(await readClock('a', async () => Number.NaN, clock)).toBeUndefined()
  })
})
