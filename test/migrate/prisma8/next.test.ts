import { expect, test } from 'vitest'
import type { Attempt, AttemptState } from '../../../src/migrate/attempts/attempt.ts'
import { nextRunnerAction, type RunnerFacts } from '../../../src/migrate/prisma8/next.ts'
import type { RunnerState } from '../../../src/plan/prisma8/state.ts'

const FROM = 'a'.repeat(64)
const TO = 'b'.repeat(64)
const prisma8 = {
  version: '8.0.0-rc.19',
  directory: 'migrations',
  contract: { path: 'src/prisma/contract.json', hash: TO, sha256: 'c'.repeat(64) },
  marker: FROM,
  packages: [],
}
const attempt: Attempt = {
  number: 1,
  directory: '/nowhere',
  intent: { migrations: ['1'], concurrently: false, sinceXid: '1', startedAt: 0, atomic: true },
}
const state = (marker: string | null): RunnerState => ({
  marker,
  ledger: [],
  spaces: [],
  lockHeld: false,
  hasTables: true,
  olderRows: null,
})
const ended = (exitCode: number | null): AttemptState => ({ kind: 'ended', exit: { exitCode, signal: null } })

/** By the marker, how the attempt stands, whether it was settled, and sessions. */
const action = (marker: string | null, of: AttemptState | null = null, settled = false, sessions = 0) => {
  const facts: RunnerFacts = { state: state(marker), attempt: of === null ? null : { attempt, state: of, settled }, sessions }
  return nextRunnerAction({ prisma8 }, facts).kind
}

test('as long as something of this run lives, nothing is decided', () => {
  for (const marker of [FROM, TO, null]) {
    expect(action(marker, { kind: 'living' })).toBe('living')
    expect(action(marker, ended(2), false, 1)).toBe('living')
    expect(action(marker, { kind: 'vanished' }, false, 1)).toBe('living')
  }
})

test('a marker that has moved to the contract is applied as a whole, whatever the program said', () => {
  for (const of of [null, ended(0), ended(2), ended(null), { kind: 'vanished' } as const, { kind: 'void' } as const])
    expect(action(TO, of)).toBe('all_applied')
})

test('a marker that has not moved means that nothing stayed', () => {
  expect(action(FROM)).toBe('next')
  expect(action(FROM, ended(2))).toBe('failed')
  expect(action(FROM, ended(null))).toBe('failed')
  expect(action(FROM, ended(2), true)).toBe('next') // it was decided to try again
  expect(action(FROM, { kind: 'vanished' })).toBe('next')
  expect(action(FROM, { kind: 'void' })).toBe('next')
})

test('who says that it succeeded while the marker stands still was elsewhere', () => expect(action(FROM, ended(0))).toBe('not_here'))

test('any other marker, and one that cannot be read, is for a person', () => {
  expect(action('e'.repeat(64))).toBe('other_contract')
  expect(action(null, ended(2))).toBe('other_contract')
  const hidden: RunnerFacts = { state: { kind: 'hidden', what: 'marker', role: 'x' }, attempt: null, sessions: 0 }
  expect(nextRunnerAction({ prisma8 }, hidden).kind).toBe('hidden')
})
