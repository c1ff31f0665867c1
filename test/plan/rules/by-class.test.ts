import { expect, test } from 'vitest'
import { digestOf } from '../../../src/plan/digest.ts'
import { classOf, stepsUnder, withClassRules } from '../../../src/plan/rules/by-class.ts'
import type { PlannedStep } from '../../../src/plan/plan.ts'
import type { MigrationClass } from '../../../src/sql/effects/effect.ts'
import { targetFor } from '../../helpers/run-context.ts'
import { evidence, planOf } from '../../helpers/views.ts'

const steps: readonly PlannedStep[] = (['maintenance-on', 'deploy', 'health', 'maintenance-off', 'maintenance-probe'] as const).map(
  (phase) => ({ phase, name: phase, settings: {} }),
)

/** A plan of migrations of these classes, as it is made before its class is known. */
function made(...classes: readonly MigrationClass[]) {
  const plan = planOf(undefined, { steps })
  const migrations = classes.map((kind, at) => ({ name: `m${at}`, class: kind, summary: '', rows: null, tables: [] }))
  return { plan, digest: digestOf(plan), evidence: { ...evidence, migrations } }
}

test.each<[readonly MigrationClass[], string]>([
  [[], 'additive'],
  [['additive'], 'additive'],
  [['transformative', 'additive'], 'transformative'],
  [['additive', 'breaking', 'transformative'], 'breaking'],
  [['additive', 'unclear'], 'breaking'],
])('a plan of %j is %s', (classes, of) => {
  expect(classOf(classes)).toBe(of)
})

test('where nothing differs by class, a plan has no more in it than it ever had', () => {
  const before = made('breaking')
  expect(withClassRules(before, targetFor('/'))).toBe(before)
})

test('the rules of its class are part of a plan: order, and maintenance mode for breaking changes alone', () => {
  const target = targetFor('/', {
    classes: { additive: { maintenance: 'off' }, transformative: { maintenance: 'off' }, breaking: { order: 'app-first' } },
  })
  const additive = withClassRules(made('additive'), target)
  expect(additive.plan).toMatchObject({ rules: { class: 'additive', order: 'migrate-first', maintenance: 'off' } })
  expect(additive.plan.steps.map(({ phase }) => phase)).toEqual(['deploy', 'health'])
  const breaking = withClassRules(made('additive', 'breaking'), target)
  expect(breaking.plan).toMatchObject({ rules: { class: 'breaking', order: 'app-first', maintenance: 'on' } })
  expect(breaking.plan.steps).toEqual(steps)
  expect(breaking.digest).toBe(digestOf(breaking.plan))
  expect(new Set([made().digest, additive.digest, breaking.digest]).size).toBe(3)
})

test('the order of the target is that of every class that has none of its own', () => {
  const target = targetFor('/', { order: 'app-first', classes: { additive: { order: 'migrate-first' } } })
  expect(withClassRules(made('additive'), target).plan.rules?.order).toBe('migrate-first')
  expect(withClassRules(made('breaking'), target).plan.rules?.order).toBe('app-first')
  expect(withClassRules(made('breaking'), targetFor('/', { order: 'app-first' })).plan.rules?.order).toBe('app-first')
})

test('steps stay as they are where maintenance mode is not left out', () => {
  expect(stepsUnder(steps, undefined)).toBe(steps)
  expect(stepsUnder(steps, { class: 'breaking', order: 'app-first', maintenance: 'on' })).toBe(steps)
})
