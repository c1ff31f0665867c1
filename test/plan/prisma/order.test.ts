import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { comparing, PRISMA_LOCALE, whyUncertain } from '../../../src/plan/prisma/order.ts'

const byLanguage = comparing('by-language')
const byBytes = comparing('by-bytes')

/** As the command line of Prisma does it, in a process with the environment that Prisma gets. */
function asPrisma(names: readonly string[]): unknown {
  const program = 'console.log(JSON.stringify(JSON.parse(process.argv[1]).sort((a, b) => a.localeCompare(b))))'
  return JSON.parse(execFileSync(process.execPath, ['-e', program, JSON.stringify(names)], { env: { ...PRISMA_LOCALE }, encoding: 'utf8' }))
}

/** Each once byte-wise wrong for Prisma 6. */
const KINDS = [
  ['numbers of other lengths', ['10_c', '1_init', '2_b'], ['1_init', '10_c', '2_b']],
  ['capital letters', ['1_Beta', '1_alpha'], ['1_alpha', '1_Beta']],
  ['a day beside a second', ['20260101094500_b', '20260101_a'], ['20260101_a', '20260101094500_b']],
  ['a dash and an underscore', ['1-b', '1_a'], ['1_a', '1-b']],
  ['a letter with an accent', ['1_f', '1_é'], ['1_é', '1_f']],
  ['a name that begins another', ['1_a.b', '1_ab', '1_a b'], ['1_a b', '1_a.b', '1_ab']],
  ['ch, which is one letter in Czech', ['1_create', '1_change'], ['1_change', '1_create']],
  ['an o with dots, which ends the Swedish alphabet', ['1_z', '1_ö'], ['1_ö', '1_z']],
] as const

describe('the order is that of Prisma', () => {
  test.each(KINDS)('%s', (_, names, sorted) => {
    expect(names.toSorted(byLanguage)).toEqual(sorted)
    expect(asPrisma(names)).toEqual(sorted)
  })

  test('before 6.6 it is that of the bytes', () => {
    expect(['1_init', '2_b', '10_c'].toSorted(byBytes)).toEqual(['10_c', '1_init', '2_b'])
  })

  test('names with timestamps have one order, whichever Prisma runs', () => {
    const word = fc.stringMatching(/^[\w-]{1,20}$/)
    const stamp = fc.integer({ min: 20_000_101_000_000, max: 99_991_231_235_959 }).map(String)
    const names = fc.uniqueArray(fc.tuple(stamp, word), { selector: ([at]) => at, maxLength: 12 })
    fc.assert(
      fc.property(names, (pairs) => {
        const all = pairs.map(([at, about]) => `${at}_${about}`)
        expect(all.toSorted(byLanguage)).toEqual(all.toSorted(byBytes))
        expect(whyUncertain(all, 'unknown')).toBeNull()
      }),
    )
  })

  test('every order is total: two names are never both first', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => (byLanguage(a, b) === 0) === (a === b)),
    )
  })
})

describe('what is not certain is said', () => {
  test('two orders, and nobody knows which', () => {
    expect(whyUncertain(['1_init', '10_c', '2_b'], 'unknown')).toBe(
      'Prisma 6.6 and later runs `1_init` before `10_c`, an older one runs them the other way, and neither package.json nor a lock file says which it is. Pin it (`npm install --save-dev --save-exact prisma`) and commit the lock file, or rename migrations that are not applied anywhere yet so that their numbers have the same length.',
    )
    expect(whyUncertain(['1_init', '10_c'], 'by-language')).toBeNull()
    expect(whyUncertain(['1_init', '10_c'], 'by-bytes')).toBeNull()
    expect(whyUncertain(['1_init', '2_b'], 'unknown')).toBeNull()
  })

  test('two names that are one word', () => {
    expect(whyUncertain(['1_caf\u00e9', '1_cafe\u0301'], 'by-language')).toBe(
      '`1_cafe\u0301` and `1_caf\u00e9` are the same word for Prisma, written in different characters, so either may run first. Rename one that is not applied anywhere yet.',
    )
    expect(whyUncertain(['1_caf\u00e9', '1_cafe\u0301'], 'by-bytes')).toBeNull()
  })
})
