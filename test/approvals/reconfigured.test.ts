import { expect, test } from 'vitest'
import { policyHash } from '../../approvals/policy.ts'
import { whyReconfigured } from '../../approvals/reconfigured.ts'
import type { Target } from '../../src/config/config.ts'
import { configSchema } from '../../src/config/schema.ts'
import { plannedSteps, withoutApp } from '../../src/deploy/planned.ts'
import { requestRow } from '../helpers/views.ts'
import { baseTarget } from './fixture.ts'

const RESTART = { name: 'Restart', run: ['pm2', 'restart', 'shop'] }

function targetWith(change: Readonly<Record<string, unknown>>): Target {
  const { prod } = configSchema.parse({ targets: { prod: { ...baseTarget, deploy: [RESTART], ...change } } }).targets
  if (prod === undefined) throw new Error('there is no target')
  return { ...prod, name: 'prod', title: prod.label ?? 'prod' }
}

const approved = targetWith({})
const { ask } = requestRow()
const skipping = { ask: { ...ask, skipApp: true } }
const planned = (request: Pick<typeof skipping, 'ask'>) => ({
  target: 'prod',
  policy: policyHash(approved),
  steps: plannedSteps(withoutApp(approved, request.ask)),
})

test('maintenance mode that the class of the plan leaves out is no change', () => {
  const touch = [{ run: ['touch', '/srv/page'] }]
  const target = targetWith({ maintenance: { on: touch, off: touch }, classes: { additive: { maintenance: 'off' } } })
  const all = plannedSteps(target)
  const rules = { class: 'additive', order: 'migrate-first', maintenance: 'off' } as const
  const plan = { target: 'prod', policy: policyHash(target), steps: all.filter(({ phase }) => phase === 'deploy'), rules }
  const targets = new Map([['prod', target]])
  expect(whyReconfigured(targets, plan, { ask })).toBe(null)
  expect(whyReconfigured(targets, { ...plan, steps: all }, { ask })).toBe('The configured steps of this target were changed since.')
  expect(policyHash(targetWith({}))).not.toBe(policyHash(targetWith({ classes: {} })))
})

test.each([
  ['as it was', targetWith({}), { ask }, null],
  [
    'another step',
    targetWith({ deploy: [{ ...RESTART, run: ['true'] }] }),
    { ask },
    'The configured steps of this target were changed since.',
  ],
  ['another step, which it skips', targetWith({ deploy: [{ ...RESTART, run: ['true'] }] }), skipping, null],
  [
    'another rule',
    targetWith({ approvals: { ...baseTarget.approvals, required: 2 } }),
    { ask },
    'The rules, the guards, the source or the tool of this target were configured otherwise since.',
  ],
  ['no target', undefined, { ask }, 'The target is no longer configured.'],
])('what was approved, and %s', (_, now, request, why) => {
  const targets = new Map(now === undefined ? [] : [['prod', now]])
  expect(whyReconfigured(targets, planned(request), request)).toBe(why)
})
