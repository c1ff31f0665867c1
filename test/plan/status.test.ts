import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { migrationFile } from '../../src/plan/files.ts'
import { statusOf, type MigrationRow } from '../../src/plan/status.ts'

const names = ['1_a', '2_b', '3_c', '4_d']
const files = names.map((name) => migrationFile(name, Buffer.from(`-- ${name}\n`), null))
const sumOf = (name: string) => files.find((file) => file.name === name)?.sha256 ?? 'of nothing'

const moment = fc.integer({ min: 0, max: 1000 }).map((at) => new Date(at))
const row: fc.Arbitrary<MigrationRow> = fc.record({
  id: fc.uuid(),
  name: fc.constantFrom(...names, '9_elsewhere'),
  checksum: fc.constantFrom('x', ...names.map(sumOf)),
  startedAt: moment,
  finishedAt: fc.option(moment),
  rolledBackAt: fc.option(moment),
  logs: fc.constant(null),
  appliedSteps: fc.constant(1),
})
const state = fc.record({
  schema: fc.constant('public'),
  recorded: fc.constant(true),
  rows: fc.uniqueArray(row, { maxLength: 12, selector: ({ id }) => id }),
  lockHeld: fc.boolean(),
  schemasWithTables: fc.constant([]),
})

describe('a status', () => {
  test('puts each migration into one state, lists each file once, and finds something running only while the lock is held', () => {
    fc.assert(
      fc.property(state, (found) => {
        const status = statusOf(found, files)
        const parts = [status.applied, status.pending, status.failed, status.running].flat().map(({ name }) => name)
        expect(parts.toSorted()).toEqual(status.migrations.map(({ name }) => name).toSorted())
        expect(new Set(parts).size).toBe(parts.length)
        expect(names.every((name) => parts.includes(name))).toBe(true)
        expect(status.running.length).toBeLessThanOrEqual(found.lockHeld ? 1 : 0)
        expect(status.pending.every(({ unknown }) => !unknown)).toBe(true)
      }),
    )
  })

  test('does not depend on the order of the rows, nor on rows that were rolled back', () => {
    fc.assert(
      fc.property(state, (found) => {
        const rows = found.rows.map((one, at) => ({ ...one, startedAt: new Date(at) }))
        const states = (list: readonly MigrationRow[]) =>
          statusOf({ ...found, rows: list }, files).migrations.map(({ name, state: is, edited }) => [name, is, edited])
        expect(states(rows.toReversed())).toEqual(states(rows))
        expect(states(rows.filter(({ rolledBackAt }) => rolledBackAt === null))).toEqual(states(rows))
      }),
    )
  })

  test('without a record, tables of any schema of the datasource mean that the baseline is missing', () => {
    const empty = { schema: 'public', recorded: false, rows: [], lockHeld: false, schemasWithTables: ['shop'] }
    expect(statusOf(empty, files).baseline).toBe('fresh')
    expect(statusOf(empty, files, ['shop']).baseline).toBe('missing')
    expect(statusOf({ ...empty, schema: 'shop' }, files).baseline).toBe('missing')
  })
})
