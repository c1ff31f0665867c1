import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aimText, atLeast, atMost, isMet, median, percentile, under, type Result } from '../../bench/figure.ts'
import { jsonLine, tableText } from '../../bench/report.ts'
import { coveredMs, type Life } from '../../bench/stage/children.ts'
import { callsOf } from '../../bench/stage/statements.ts'

const result = (over: Partial<Result> = {}): Result => ({
  name: 'click-to-child-ms',
  unit: 'ms',
  aim: under(1_000),
  value: 139.6,
  note: 'median of 7 runs',
  ...over,
})

describe('a figure', () => {
  test('meets its aim on the right side of it only', () => {
    expect(isMet({ value: 15, aim: atLeast(15) })).toBe(true)
    expect(isMet({ value: 14.9, aim: atLeast(15) })).toBe(false)
    expect(isMet({ value: 0.6, aim: atMost(0.6) })).toBe(true)
    expect(isMet({ value: 0.61, aim: atMost(0.6) })).toBe(false)
    expect(isMet({ value: 999, aim: under(1_000) })).toBe(true)
    expect(isMet({ value: 1_000, aim: under(1_000) })).toBe(false)
    expect([atLeast(15), atMost(0.6), under(5_000), null].map(aimText)).toEqual(['>= 15', '<= 0.6', '< 5000', null])
  })

  test('without an aim has nothing to meet; one that was not measured, or does not count, meets nothing', () => {
    expect(isMet({ value: 7, aim: null })).toBe(null)
    expect(isMet({ value: null, aim: under(1_000) })).toBe(false)
    expect(isMet({ value: 1, aim: under(1_000), isVoid: true })).toBe(false)
  })

  test('is one line of JSON with five keys', () => {
    expect(jsonLine(result())).toBe('{"name":"click-to-child-ms","value":140,"unit":"ms","aim":"< 1000","met":true}')
    expect(jsonLine(result({ value: null, aim: null }))).toBe('{"name":"click-to-child-ms","value":null,"unit":"ms","aim":null,"met":null}')
  })

  test('is one row of a table', () => {
    expect(tableText([result(), result({ name: 'run-ratio', unit: 'times', value: 0.7312, aim: atMost(0.6), note: 'why\nso' })])).toBe(
      [
        '| figure            | value | unit  | aim    | met | how it came about |',
        '| ----------------- | ----- | ----- | ------ | --- | --- |',
        '| click-to-child-ms | 140   | ms    | < 1000 | yes | median of 7 runs |',
        '| run-ratio         | 0.731 | times | <= 0.6 | no  | why so |',
      ].join('\n'),
    )
  })
})

const someNumbers = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 })

test('half of the values lie on either side of the median, and so many of a hundred below a percentile', () => {
  fc.assert(
    fc.property(someNumbers, fc.integer({ min: 1, max: 100 }), (values, percent) => {
      const middle = median(values)
      expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2)
      expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2)
      const high = percentile(values, percent)
      expect(values).toContain(high)
      expect(values.filter((value) => value <= high).length).toBeGreaterThanOrEqual((percent / 100) * values.length)
    }),
  )
})

test('time that several children share counts once, and what lies outside does not count', () => {
  const life = (from: number, to: number): Life => ({ pid: 1, name: '', from, to })
  expect(coveredMs([life(10, 20), life(15, 30), life(50, 60)], 0, 100)).toBe(30)
  expect(coveredMs([life(-10, 20), life(90, 200)], 0, 100)).toBe(30)
  expect(coveredMs([], 0, 100)).toBe(0)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 50 }))), (spans) => {
      const lives = spans.map(([from, length]) => life(from, from + length))
      const ticks = Array.from({ length: 100 }, (_, tick) => 50 + tick).filter((tick) =>
        lives.some(({ from, to }) => from <= tick && tick < to),
      )
      expect(coveredMs(lives, 50, 150)).toBe(ticks.length)
    }),
  )
})

test('the statements of a second are those of all kinds together', () => {
  expect(
    callsOf([
      { query: 'begin', calls: 2 },
      { query: 'select 1', calls: 3 },
    ]),
  ).toBe(5)
})
