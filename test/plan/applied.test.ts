import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextAction } from '../../src/migrate/decide/next-action.ts'
import { appliedOf } from '../../src/plan/status.ts'
import { compareApplied } from '../../src/plan/compare.ts'
import { migrationFile } from '../../src/plan/files.ts'
import { statusOf, type DatabaseState, type MigrationRow } from '../../src/plan/status.ts'

const names = ['1_a', '2_b', '3_c', '4_d']
const files = names.map((name) => migrationFile(name, Buffer.from(`-- ${name}\n`), null))
const sumOf = (name: string) => files.find((file) => file.name === name)?.sha256 ?? 'of nothing'
const plan = {
  baseline: [{ name: '1_a', sha256: sumOf('1_a') }],
  list: ['2_b', '3_c'].map((name) => ({ name, sha256: sumOf(name), bytes: 1, rollbackSha256: null, concurrently: false })),
}

const finished = (name: string): MigrationRow => ({
  id: name,
  name,
  checksum: sumOf(name),
  startedAt: new Date(0),
  finishedAt: new Date(1),
  rolledBackAt: null,
  logs: null,
  appliedSteps: 1,
})
const holding = (rows: readonly MigrationRow[], lockHeld = false): DatabaseState => ({
  schema: 'public',
  recorded: true,
  rows,
  lockHeld,
  schemasWithTables: [],
})
const of = (rows: readonly MigrationRow[], lockHeld?: boolean) => appliedOf(plan, statusOf(holding(rows, lockHeld), files))

test('what is applied is what was approved exactly when it is the baseline and a beginning of the list', () => {
  const allowed = new Set(['1_a', '1_a 2_b', '1_a 2_b 3_c'])
  fc.assert(
    fc.property(fc.subarray(names), (done) => {
      const key = done.join(' ')
      const status = statusOf(holding(done.map(finished)), files)
      expect(appliedOf(plan, status).kind).toBe(allowed.has(key) ? 'beginning' : 'departs')
      expect(compareApplied(plan, status, 'before-migrate').kind).toBe(allowed.has(key) ? 'same' : 'changed')
      expect(compareApplied(plan, status, 'after-migrate').kind).toBe(key === '1_a 2_b 3_c' ? 'same' : 'changed')
    }),
  )
})

test('a beginning has what is applied of the list and what is open, in order', () => {
  expect(of([finished('1_a'), finished('2_b')])).toEqual({ kind: 'beginning', applied: ['2_b'], open: [plan.list[1]] })
})

test('each departure has its names, and a record that did not end comes before all others', () => {
  const [a, b, c] = [finished('1_a'), finished('2_b'), finished('3_c')]
  const open = { ...b, finishedAt: null }
  expect(of([a, open])).toEqual({ kind: 'departs', why: 'failed', names: ['2_b'] })
  expect(of([a, open], true)).toEqual({ kind: 'departs', why: 'running', names: ['2_b'] })
  expect(of([{ ...a, checksum: 'x' }])).toEqual({ kind: 'departs', why: 'edited', names: ['1_a'] })
  expect(of([a, finished('4_d')])).toEqual({ kind: 'departs', why: 'unknown', names: ['4_d'] })
  expect(of([a, finished('9_elsewhere')])).toEqual({ kind: 'departs', why: 'unknown', names: ['9_elsewhere'] })
  expect(of([b])).toEqual({ kind: 'departs', why: 'missing', names: ['1_a'] })
  expect(of([a, c])).toEqual({ kind: 'departs', why: 'order', names: ['3_c'] })
  expect(of([open, finished('9_elsewhere')])).toMatchObject({ why: 'failed' })
})

test('before a run and between its migrations the same state has the same answer', () => {
  const row = fc.record({
    id: fc.uuid(),
    name: fc.constantFrom(...names, '9_elsewhere'),
    checksum: fc.constantFrom('x', ...names.map(sumOf)),
    startedAt: fc.integer({ min: 0, max: 1000 }).map((at) => new Date(at)),
    finishedAt: fc.option(fc.constant(new Date(2000))),
    rolledBackAt: fc.option(fc.constant(new Date(2000))),
    logs: fc.constant(null),
    appliedSteps: fc.constant(1),
  })
  fc.assert(
    fc.property(fc.uniqueArray(row, { maxLength: 6, selector: ({ id }) => id }), fc.boolean(), (rows, lockHeld) => {
      const state = holding(rows, lockHeld)
      const before = compareApplied(plan, statusOf(state, files), 'before-migrate').kind
      const between = nextAction({ plan, files, state, attempt: null, sessions: 0 }).kind
      expect(between === 'next' || between === 'all_applied').toBe(before === 'same')
    }),
  )
})
