import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joined, type NoticeDigest } from '../../../src/windows/notices/notice-digest.ts'

const shown = fc.record({
  id: fc.nat(),
  stage: fc.constantFrom('start', 'end', 'before:3600000'),
  planNo: fc.nat(),
  targets: fc.constant(['prod']),
  startsAt: fc.nat(),
  endsAt: fc.nat(),
  timezone: fc.constant('UTC'),
  isLate: fc.boolean(),
})
/** As they are written: the first twenty are shown, the rest is counted. */
const list: fc.Arbitrary<NoticeDigest> = fc
  .record({
    shown: fc.array(shown, { minLength: 1, maxLength: 20 }),
    more: fc.nat({ max: 500 }),
    people: fc.uniqueArray(fc.constantFrom('U0A', 'U0B', 'U0C')),
  })
  .map(({ shown, more, people }) => ({ count: shown.length < 20 ? shown.length : 20 + more, shown, people }))

test('a list that another one joins counts every notice of both, shows the first twenty, and tells each person once', () => {
  fc.assert(
    fc.property(list, list, (one, other) => {
      const both = joined(one, other)
      expect(both.count).toBe(one.count + other.count)
      expect(both.shown).toEqual([...one.shown, ...other.shown].slice(0, 20))
      expect(new Set(both.people)).toEqual(new Set([...one.people, ...other.people]))
      expect(both.people).toHaveLength(new Set(both.people).size)
    }),
  )
})

test('three lists come to the same whichever two are joined first', () => {
  fc.assert(
    fc.property(list, list, list, (a, b, c) => {
      expect(joined(joined(a, b), c)).toEqual(joined(a, joined(b, c)))
    }),
  )
})
