import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { comparing, orderOf, PRISMA_LOCALE, prismaVersions, sendsOneScript, whyUncertain } from '../../src/plan/order.ts'

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

describe('which Prisma it is', () => {
  test.each([
    ['6.19.3', 'by-language'],
    ['^6.6.0', 'by-language'],
    ['~6.6', 'by-language'],
    ['>=6.7.0', 'by-language'],
    ['7', 'by-language'],
    ['7.x', 'by-language'],
    ['6.19.x', 'by-language'],
    ['^7.0.0-dev.3', 'by-language'],
    ['6.5.0', 'by-bytes'],
    ['~6.5.0', 'by-bytes'],
    ['^5.22.0', 'by-bytes'],
    ['4', 'by-bytes'],
    ['^6.0.0', 'unknown'],
    ['6', 'unknown'],
    ['>=5', 'unknown'],
    ['latest', 'unknown'],
    ['*', 'unknown'],
    ['catalog:', 'unknown'],
    ['^5 || ^6', 'unknown'],
    ['npm:other@1.0.0', 'unknown'],
  ])('package.json asks for %s', (range, order) => {
    expect(orderOf(prismaVersions([range], []))).toBe(order)
  })

  test.each([
    ['npm', '{"packages":{"node_modules/prisma":{\n  "version": "6.19.3"}}}'],
    ['npm, in a workspace', '{"packages":{"apps/api/node_modules/prisma":{\n  "version": "6.19.3"}}}'],
    ['pnpm', 'packages:\n\n  prisma@6.19.3(typescript@5.9.2):\n    resolution: {}\n'],
    ['pnpm 8', 'packages:\n\n  /prisma@6.19.3:\n    resolution: {}\n'],
    ['Yarn', 'prisma@^6.0.0:\n  version "6.19.3"\n'],
    ['Yarn 4', '"prisma@npm:^6.0.0":\n  version: 6.19.3\n'],
    ['Bun', '{"packages":{"prisma": ["prisma@6.19.3", "", {}]}}'],
  ])('the lock file of %s settles it', (_, lock) => {
    expect(orderOf(prismaVersions(['^6.0.0'], [lock]))).toBe('by-language')
    expect(orderOf(prismaVersions(['^6.0.0'], [lock.replaceAll('6.19.3', '6.2.1')]))).toBe('by-bytes')
    expect(orderOf(prismaVersions(['^6.0.0'], [lock, lock.replaceAll('6.19.3', '6.2.1')]))).toBe('unknown')
    expect(orderOf(prismaVersions(['^6.0.0'], [lock.replaceAll('prisma', '@other/prisma')]))).toBe('unknown')
  })
})

test('a lock file of empty lines takes no longer than its length', () => {
  const started = performance.now()
  expect(orderOf(prismaVersions(['^6.0.0'], ['\n \t'.repeat(1_000_000)]))).toBe('unknown')
  expect(performance.now() - started).toBeLessThan(5_000)
})

test.each([
  ['6.19.3', true],
  ['^6.19.3', true],
  ['7.3.1', true],
  ['~7.3', true],
  ['^7.0.0', false],
  ['7.4.0', false],
  ['latest', false],
])('prisma %s is certain to send a file as one script: %s', (range, is) => {
  expect(sendsOneScript(prismaVersions([range], []))).toBe(is)
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
