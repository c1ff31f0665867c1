import { describe, expect, test } from 'vitest'
import { backupStore } from '../../src/backup/catalogue.ts'
import { plannedSteps } from '../../src/deploy/planned.ts'
import { againPhrase, migrationsSentence } from '../../src/run/order.ts'
import { stepsOf } from '../../src/run/steps/steps-of.ts'
import { targetFor } from '../helpers/run-context.ts'
import { planOf } from '../helpers/views.ts'

const rules = { class: 'breaking', order: 'app-first', maintenance: 'on' } as const
const touch = [{ run: ['touch', '/srv/page'] }]
const target = targetFor('/', {
  maintenance: { on: touch, off: touch },
  deploy: [
    { name: 'Switch', run: ['true'] },
    { name: 'Restart', run: ['true'] },
  ],
  health: [{ http: 'http://127.0.0.1:1' }],
  assert: [{ name: 'Totals', sql: 'select 1', equal: true }],
})
const ports = {
  config: { home: '/', varDirectory: '/var' },
  backups: backupStore({
    query: async () => {
      throw new Error('nothing is asked')
    },
  }),
  clocks: async () => [],
  lastCommit: async () => null,
  keepSchema: async () => {},
  ahead: { ask: async () => {}, take: () => null },
}
const named = (change: Parameters<typeof planOf>[1], skipApp = false) =>
  stepsOf(ports, target, planOf(undefined, { steps: plannedSteps(target), ...change }), { skipApp }).map(({ name }) => name)

const before = ['preflight', 'install', 'backup', 'verify-backup', 'maintenance-on', 'assert-before']

test('the migrations come first, unless the plan says that the application does', () => {
  expect(named({})).toEqual([...before, 'migrate', 'verify-schema', 'assert-after', 'deploy-1', 'deploy-2', 'health', 'maintenance-off'])
  expect(named({ rules })).toEqual([
    ...before,
    'deploy-1',
    'deploy-2',
    'health',
    'migrate',
    'verify-schema',
    'assert-after',
    'health-again',
    'maintenance-off',
  ])
})

test('without migrations there is nothing to come after', () => {
  expect(named({ rules, list: [] })).toEqual([
    'preflight',
    'install',
    'maintenance-on',
    'deploy-1',
    'deploy-2',
    'health',
    'migrate',
    'maintenance-off',
  ])
})

describe('what is said of the migrations beside the application', () => {
  const one = planOf(['1_a'])
  test.each([
    [planOf([]), 'The database was not changed.', 'runs the steps again'],
    [one, 'The migration of this run is applied.', 'finds nothing pending and runs only the steps'],
    [planOf(), 'The 3 migrations of this run are applied.', 'finds nothing pending and runs only the steps'],
    [{ ...one, rules }, 'The migration of this run was not started.', 'runs the steps again, and then the migrations'],
    [planOf(undefined, { rules }), 'The 3 migrations of this run were not started.', 'runs the steps again, and then the migrations'],
  ])('%#', (plan, sentence, phrase) => {
    expect(migrationsSentence(plan)).toBe(sentence)
    expect(againPhrase(plan)).toBe(phrase)
  })
})
