import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { planRequest } from '../../../approvals/requests/plan-request.ts'
import { gateFor } from '../../../approvals/gate.ts'
import { openRequest } from '../../../approvals/requests/request.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { digestOf } from '../../../src/plan/digest.ts'
import type { MadePlan } from '../../../src/plan/make.ts'
import type { MigrationClass } from '../../../src/sql/effects/effect.ts'
import { createStore } from '../../helpers/postgres.ts'
import { evidence, planOf } from '../../helpers/views.ts'
import { ALICE, baseTarget, createFixture, type Fixture, type Store } from '../fixture.ts'

let store: Store
let fixture: Fixture

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  // a Monday
  await store.db.query(`update lockkeeper.store set clock_offset = '2026-11-30 12:00 UTC'::timestamptz - clock_timestamp()`)
})

/** Asks for a plan of one migration of this class. */
async function plan(
  target: object,
  kind: MigrationClass,
  how: { readonly rollback?: boolean; readonly at?: number; readonly tool?: object } = {},
) {
  fixture = await createFixture({ store, targets: { prod: { ...baseTarget, ...target } } })
  const prod = fixture.targets.get('prod')
  if (prod === undefined) throw new Error('no target')
  const opened = await openRequest(fixture.deps, {
    target: prod,
    ask: { ref: null, reason: null, skipApp: false },
    account: ALICE,
    askedIn: 'C0DEPLOYS',
    entry: 'slash',
    ...(how.at === undefined ? {} : { slot: { at: how.at } }),
  })
  if (isRefusal(opened)) return `not asked: ${said(opened.text)}`
  const list = planOf(['1_orders', '2_totals'], how.tool ?? {}).list.map((one) => ({
    ...one,
    rollbackSha256: how.rollback === true ? 'd'.repeat(64) : null,
  }))
  const made = planOf(undefined, { list, ...how.tool })
  const migrations = [{ name: '1_orders', class: kind, summary: '', rows: null, tables: [] }]
  const outcome = await planRequest(
    {
      ...fixture.deps,
      readOtherRecord: async () => Promise.reject(new Error('no target comes first')),
      makePlan: async () => ({ plan: made, digest: digestOf(made), evidence: { ...evidence, migrations } }) as unknown as MadePlan,
    },
    await fixture.request(opened.id),
  )
  return isRefusal(outcome) ? `${outcome.code}: ${said(outcome.text)}` : 'planned'
}

const said = (text: string) => text.replace(/<!date[^|]*\|([^>]*)>/g, '$1')

describe('rollback SQL', () => {
  const rule = { classes: { breaking: { rollback: 'required' } } }

  test('is required for the classes that say so', async () => {
    expect(await plan(rule, 'additive')).toBe('planned')
    expect(await plan(rule, 'breaking', { rollback: true })).toBe('planned')
    expect(await plan(rule, 'breaking')).toBe(
      'against_policy: `prod` takes no plan that is breaking without rollback SQL (`classes.breaking.rollback`), and `1_orders` and `2_totals` have none. Nothing was started. Put a `rollback.sql` beside each, commit that, and ask again.',
    )
    expect(await plan(rule, 'unclear')).toMatch(/^against_policy: `prod` takes no plan that is breaking without rollback SQL/)
  })

  test('cannot be required of a tool whose files Lockkeeper does not read', async () => {
    const tool = { kind: 'command', name: 'Drizzle Kit', run: ['x'], applied: 'select 1', undone: true } as const
    expect(await plan(rule, 'breaking', { tool: { tool } })).toBe(
      'against_policy: `prod` takes no plan that is breaking without rollback SQL (`classes.breaking.rollback`), and Lockkeeper reads none of Drizzle Kit. Nothing was started. Take the rule out for this target.',
    )
  })
})

describe('a window', () => {
  const hours = { windows: { allow: 'Tue 02:00-04:00' } }
  const TUESDAY = Date.UTC(2026, 11, 1, 2, 30)

  test('that a class needs has to be open, or is named', async () => {
    const rule = { classes: { breaking: { window: 'required' } } }
    expect(await plan(rule, 'additive')).toBe('planned')
    expect(await plan(rule, 'breaking')).toBe(
      'outside_window: `prod` is closed: a plan that is breaking runs in a window only (`classes.breaking.window`). Nothing was started. No window is scheduled. Schedule a maintenance window, and ask for it by its name with `--in-window`.',
    )
  })

  test('that a class does not need lets it run at any hour, and no other', async () => {
    const rule = { ...hours, classes: { additive: { window: 'optional' }, breaking: { window: 'required' } } }
    expect(await plan(rule, 'additive')).toBe('planned')
    expect(await plan(rule, 'transformative')).toMatch(
      /^outside_window: `prod` is closed: runs start `Tue 02:00-04:00` only\. Nothing was started\. It opens /,
    )
    expect(await plan(rule, 'breaking')).toMatch(
      /^outside_window: `prod` is closed: a plan that is breaking runs in a window only \(`classes\.breaking\.window`\), `Tue 02:00-04:00`\. Nothing was started\. It opens /,
    )
    expect(await plan(rule, 'breaking', { at: TUESDAY })).toBe('planned')
  })

  test('is asked for again by the run, by the class that was approved', async () => {
    fixture = await createFixture({ store, targets: { prod: { ...baseTarget, classes: { breaking: { window: 'required' } } } } })
    const additive = await fixture.waiting()
    expect(await gateFor(fixture.deps, store.db, additive)).toMatchObject({ kind: 'open' })
    await store.db.query(`update lockkeeper.request set state = 'cancelled', ended_at = now() where id = $1`, [additive.id])
    const breaking = await fixture.waiting({ classes: ['breaking'] })
    expect(await gateFor(fixture.deps, store.db, breaking)).toMatchObject({ kind: 'shut', refusal: { code: 'outside_window' } })
    await store.db.query(
      `insert into lockkeeper.maintenance (token, targets, timezone, state, starts_at, ends_at, opened_at, owner, owner_human, channels, reason)
       select 'm_1', '{prod}', 'UTC', 'open', lockkeeper.now() - interval '1 hour', lockkeeper.now() + interval '1 hour', lockkeeper.now(),
         'U0BOB', 'U0BOB', '{C0DEPLOYS}', 'x'`,
    )
    expect(await gateFor(fixture.deps, store.db, breaking)).toMatchObject({ kind: 'open', windowId: 1 })
  })
})

test('an assertion that would write is told before anybody approves it', async () => {
  expect(await plan({ assert: [{ name: 'Clean <up>', sql: 'delete from orders', expect: [] }] }, 'additive')).toBe(
    'target_unfit: The assertion “Clean &lt;up&gt;” of `prod` cannot be asked: it is no SELECT, VALUES, TABLE or WITH. Nothing was started. Correct it under `assert` in lockkeeper.yaml and ask again.',
  )
})
