import { describe, expect, test } from 'vitest'
import { backupStore } from '../../src/backup/catalogue.ts'
import { plannedSteps } from '../../src/deploy/planned.ts'
import { failedOutcome } from '../../src/run/assertions/words.ts'
import { APPLICATION } from '../../src/migrate/decide/outcomes.ts'
import { againPhrase, migrationsSentence, withOrder } from '../../src/run/order.ts'
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

test('a migration that fails after the application says what is live', () => {
  const headline = `*The column is not there. Nothing was applied.* ${APPLICATION}`
  const failed = { kind: 'failed', output: 'failed', outcome: { headline } } as const
  const plan = planOf(undefined, { steps: plannedSteps(target) })
  expect(withOrder(plan, failed)).toBe(failed)
  expect(withOrder({ ...plan, rules }, failed).outcome.headline).toBe(
    '*The column is not there. Nothing was applied.* The new application was deployed before and runs on the schema as it is now.',
  )
  // nothing was deployed
  expect(withOrder({ ...plan, rules, steps: [] }, failed)).toBe(failed)
})

test('an assertion that fails after them says it too', () => {
  const failure = { kind: 'not-asked', name: 'Totals', why: 'It is gone.' } as const
  const context = { command: '/migrate', target, plan: planOf(['1_a'], { steps: plannedSteps(target), rules }) }
  expect(failedOutcome(context, 'after', [failure], 1)).toEqual({
    headline: '*"Totals" could not be asked after the migrations.* The migration of this run is applied.',
    why: 'It is gone.',
    next: 'The deploy steps had run before the migrations, so the new application is live. Look at the rows. If the data is right, correct `assert` in lockkeeper.yaml; `/migrate deploy prod` then finds nothing pending. If it is wrong, put it right with a new migration; to go back there is rollback SQL beside each of them, and the backup.',
  })
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
