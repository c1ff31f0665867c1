import fc from 'fast-check'
import { expect, test } from 'vitest'
import { standingOf, type Standing } from '../../../src/plan/rules/after.ts'

const migration = { name: '1_orders', sha256: 'a'.repeat(64) }
const applied = (sha256: string | null) => new Map([['1_orders', sha256]])

test.each<[string, ReadonlyMap<string, string | null> | null, number | null, Standing]>([
  ['not applied', new Map(), 0, { kind: 'missing' }],
  ['applied with another content', applied('b'.repeat(64)), 0, { kind: 'different' }],
  ['applied, and no run succeeded', applied(migration.sha256), null, { kind: 'unproven' }],
  ['not there for long enough', applied(migration.sha256), 950, { kind: 'soaking', until: 1_050 }],
  ['there for exactly so long', applied(migration.sha256), 900, { kind: 'ran' }],
  ['in a record without checksums', applied(null), 900, { kind: 'ran' }],
  ['in a record that is not read', null, 900, { kind: 'ran' }],
  ['in none of its runs, where the record is not read', null, null, { kind: 'missing' }],
])('a migration that is %s', (_, record, at, standing) => {
  expect(standingOf(migration, { applied: record }, () => at, { soakMs: 100, now: 1_000 })).toEqual(standing)
})

test('what may run goes on being allowed as time passes, and longer soaking allows nothing more', () => {
  const times = fc.record({ at: fc.nat(1_000), soakMs: fc.nat(1_000), now: fc.nat(3_000), more: fc.nat(1_000) })
  fc.assert(
    fc.property(times, ({ at, soakMs, now, more }) => {
      const may = (soak: number, then: number) =>
        standingOf(migration, { applied: applied(migration.sha256) }, () => at, { soakMs: soak, now: then }).kind === 'ran'
      expect(!may(soakMs, now) || may(soakMs, now + more)).toBe(true)
      expect(!may(soakMs + more, now) || may(soakMs, now)).toBe(true)
    }),
  )
})
