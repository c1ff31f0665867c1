import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dealt } from '../../../src/backup/providers/decode.ts'

const file = (path: string, bytes: number) => ({ path, bytes, sha256: 'a'.repeat(64) })
const list = (...entries: number[]) =>
  `;\n; Archive created at 2026-11-20 07:14:20 UTC\n;     Compression: 1\n;\n${entries.map((id) => `${id}; 0 16392 TABLE DATA public t${id} shop\n`).join('')}`

test('entries are dealt out by the size of their data, the rest to whom has least', () => {
  const files = [file('12.dat.gz', 500), file('14.dat.gz', 400), file('13.dat.gz', 150), file('toc.dat', 9)]
  expect(dealt(list(1, 2, 12, 13, 14, 30), files, 2)).toEqual([
    [1, 2, 12, 30],
    [13, 14],
  ])
})

test('one table is read whole by one', () => {
  expect(dealt(list(1, 12), [file('12.dat.gz', 500), file('toc.dat', 9)], 8)).toEqual(['all'])
})

test('a data file that belongs to no entry, or a list that cannot be read, leaves the backup undivided', () => {
  const files = [file('12.dat.gz', 500), file('13.dat.zst', 400), file('14.dat', 1)]
  expect(dealt(list(12, 13), files, 2)).toEqual(['all'])
  expect(dealt('', files, 2)).toEqual(['all'])
})

test('each entry is read, and by one alone, however many there are', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 400 }), { minLength: 2, maxLength: 60 }),
      fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 60 }),
      fc.integer({ min: 2, max: 16 }),
      (entries, sizes, most) => {
        const files = entries.slice(0, sizes.length).map((entry, at) => file(`${entry}.dat.gz`, sizes[at] ?? 0))
        const shares = dealt(list(...entries), files, most)
        expect(shares.length).toBeLessThanOrEqual(most)
        expect(shares.flatMap((share) => (share === 'all' ? [] : share)).toSorted((a, b) => a - b)).toEqual(
          entries.toSorted((a, b) => a - b),
        )
      },
    ),
  )
})
