import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { superfluous, type Kept } from '../../src/backup/retention.ts'

const backup = (day: number, over: Partial<Kept> = {}): Kept => ({
  name: `prod-202611${String(day).padStart(2, '0')}T071420Z`,
  createdAt: new Date(Date.UTC(2026, 10, day, 7, 14, 20)),
  isVerified: true,
  isUnsettled: false,
  ...over,
})

test('the newest ten are kept, the others go oldest first', () => {
  const days = Array.from({ length: 13 }, (_, index) => backup(index + 1))
  expect(superfluous(days, 10)).toEqual([backup(1).name, backup(2).name, backup(3).name])
})

test('the backup of a run that waits for a person is kept, however old', () => {
  expect(superfluous([backup(1, { isUnsettled: true }), backup(2), backup(3)], 1)).toEqual([backup(2).name])
})

test('the newest verified one is kept when everything newer could not be verified', () => {
  const damaged = [3, 4, 5].map((day) => backup(day, { isVerified: false }))
  expect(superfluous([backup(1), backup(2), ...damaged], 2)).toEqual([backup(1).name, backup(3).name])
})

describe('whatever there is,', () => {
  const backups = fc.uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[a-z]{6}$/),
      createdAt: fc.date({ min: new Date('2026-01-01'), max: new Date('2026-12-31'), noInvalidDate: true }),
      isVerified: fc.boolean(),
      isUnsettled: fc.boolean(),
    }),
    { selector: ({ name }) => name, maxLength: 30 },
  )

  test('the newest verified backup survives, and so do those of unsettled runs', () => {
    fc.assert(
      fc.property(backups, fc.integer({ min: 1, max: 12 }), (all, newest) => {
        const gone = new Set(superfluous(all, newest))
        const left = all.filter(({ name }) => !gone.has(name))
        const times = (some: readonly Kept[]) => some.filter(({ isVerified }) => isVerified).map(({ createdAt }) => createdAt.getTime())
        expect(Math.max(...times(left))).toBe(Math.max(...times(all)))
        expect(all.filter(({ isUnsettled, name }) => isUnsettled && gone.has(name))).toEqual([])
      }),
    )
  })

  test('at least as many stay as are to be kept, and a second look removes nothing', () => {
    fc.assert(
      fc.property(backups, fc.integer({ min: 1, max: 12 }), (all, newest) => {
        const gone = superfluous(all, newest)
        const left = all.filter(({ name }) => !gone.includes(name))
        expect(left.length).toBeGreaterThanOrEqual(Math.min(newest, all.length))
        expect(superfluous(left, newest)).toEqual([])
      }),
    )
  })

  test('the order in which they are listed does not matter', () => {
    fc.assert(
      fc.property(backups, fc.integer({ min: 1, max: 12 }), (all, newest) => {
        expect(superfluous(all.toReversed(), newest)).toEqual(superfluous(all, newest))
      }),
    )
  })
})
