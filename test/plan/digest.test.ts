import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../src/lib/canonical.ts'
import { digestOf, hashOf } from '../../src/plan/digest.ts'
import type { Plan } from '../../src/plan/plan.ts'

const plan: Plan = {
  version: 1,
  target: 'prod',
  identity: { host: 'db', port: 5432, database: 'shop', systemIdentifier: '7300000000000000001', databaseOid: 16384 },
  commit: 'a'.repeat(40),
  ref: 'main',
  baseline: [{ name: '1_a', sha256: 'b'.repeat(64) }],
  list: [{ name: '2_b', sha256: 'c'.repeat(64), bytes: 10, rollbackSha256: null, concurrently: false }],
  steps: [{ phase: 'deploy', name: 'Restart', settings: { run: ['pm2', 'restart', 'shop'] } }],
  policy: 'd'.repeat(64),
}

/** Every path to a leaf. */
function leaves(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, part]) => leaves(part, [...path, key]))
}

function withOther(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${String(value)}x`
  if (Array.isArray(value)) return value.map((part: unknown, at) => (String(at) === key ? withOther(part, rest) : part))
  return Object.fromEntries(Object.entries(Object(value)).map(([name, part]) => [name, name === key ? withOther(part, rest) : part]))
}

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, part]) => [key, shuffled(part)]),
  )
}

describe('canonical JSON and the digest', () => {
  test('a plan has one spelling', () => {
    expect(canonicalJson({ b: [1, null, true], a: { d: 'x', c: -0 } })).toBe('{"a":{"c":0,"d":"x"},"b":[1,null,true]}')
  })

  test('the digest of a plan is SHA-256 in hex and does not depend on the order of keys', () => {
    expect(digestOf(plan)).toMatch(/^[0-9a-f]{64}$/)
    expect(hashOf(shuffled(plan))).toBe(digestOf(plan))
  })

  test.each(leaves(plan).map((path) => path.join('.')))('changing %s changes the digest', (path) => {
    expect(hashOf(withOther(plan, path.split('.')))).not.toBe(digestOf(plan))
  })

  test('the order of keys never matters, and what is parsed again is the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value)
        expect(canonicalJson(shuffled(value))).toBe(text)
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
    )
  })

  test('different values have different texts', () => {
    const normal = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.jsonValue(),
        (a, b) => (canonicalJson(a) === canonicalJson(b)) === isDeepStrictEqual(normal(a), normal(b)),
      ),
    )
  })

  test.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, new Date(0), () => 1, 1n, { a: undefined }, [undefined]])(
    'what JSON would drop or bend is a fault: %s',
    (value) => expect(() => canonicalJson(value)).toThrow(TypeError),
  )
})
