import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inShell } from '../../../src/lib/text/code.ts'

test.each([
  ['20260101_customers', '20260101_customers'],
  ['prisma/schema.prisma', 'prisma/schema.prisma'],
  ['add big table', "'add big table'"],
  ["it's", String.raw`'it'\''s'`],
  ['$HOME', "'$HOME'"],
  ['a;b', "'a;b'"],
  ['*', "'*'"],
  ['größe', "'größe'"],
  ['', "''"],
])('%j is %s in a command', (word, written) => {
  expect(inShell(word)).toBe(written)
})

test('a shell reads back what was written for it', () => {
  const words = fc.array(
    fc.string({ unit: 'grapheme' }).map((word) => word.replaceAll('\0', '')),
    { minLength: 1, maxLength: 20 },
  )
  fc.assert(
    fc.property(words, (all) => {
      const printed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${all.map(inShell).join(' ')}`], { encoding: 'utf8' })
      expect(printed.split('\0').slice(0, -1)).toEqual(all)
    }),
    { numRuns: 30 },
  )
})
