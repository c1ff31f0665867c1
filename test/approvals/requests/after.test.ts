import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { whyNotAfter } from '../../../approvals/requests/after.ts'
import { isRefusal, refuse, type Refusal } from '../../../src/lib/refusal.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { readOtherRecord, type OtherRecord } from '../../../src/plan/rules/after.ts'
import { transition } from '../../../src/request/store.ts'
import { createDatabase, createStore } from '../../helpers/postgres.ts'
import { targetFor } from '../../helpers/run-context.ts'
import { planOf } from '../../helpers/views.ts'
import { baseTarget, createFixture, type Fixture, type Store } from '../fixture.ts'

let store: Store
let fixture: Fixture

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  await clock('2026-11-30 12:00')
  fixture = await createFixture({
    store,
    targets: { staging: baseTarget, prod: { ...baseTarget, after: 'staging', soak: '24h' } },
  })
})

const clock = (at: string) =>
  store.db.query(`update lockkeeper.store set clock_offset = $1::timestamptz - clock_timestamp()`, [`${at} UTC`])

const plan = planOf(['1_orders', '2_totals'])
const [orders, totals] = plan.list
const record = (...applied: readonly (readonly [string, string])[]): OtherRecord => ({ identity: plan.identity, applied: new Map(applied) })
const both = record(...plan.list.map(({ name, sha256 }) => [name, sha256] as const))

async function asked(found: OtherRecord | Refusal, of = plan): Promise<string | null> {
  const target = fixture.targets.get('prod')
  if (target === undefined) throw new Error('no target')
  const refusal = await whyNotAfter({ ...fixture.deps, readOtherRecord: async () => found }, target, of)
  return refusal === undefined ? null : `${refusal.code}: ${refusal.text.replace(/<!date[^>]*>/g, '{time}')}`
}

/** A run of staging that has succeeded now. */
async function ran(list: typeof plan.list, baseline: typeof plan.baseline = []) {
  const request = await fixture.waiting({ target: 'staging' })
  await transition(store.db, request.id, ['waiting'], 'succeeded', {
    plan: { ...plan, target: 'staging', list, baseline },
    identityKey: `${plan.identity.systemIdentifier}/${plan.identity.databaseOid}`,
  })
}

test('what has not run on the target that comes first is refused, with what to do', async () => {
  expect(await asked(record([orders?.name ?? '', orders?.sha256 ?? '']))).toBe(
    'against_policy: What runs on `prod` runs on `staging` first (`after: staging`), and `2_totals` has not run there. Nothing was started. Run it there first, with `/migrate deploy staging`; from then on it takes 1 d.',
  )
  expect(await asked(record(['1_orders', 'e'.repeat(64)], ['2_totals', totals?.sha256 ?? '']))).toBe(
    'against_policy: What runs on `prod` runs on `staging` first (`after: staging`), and `1_orders` ran there with another content. Nothing was started. An applied file is not edited: take the change back, or bring it in a new migration, and run that on `staging` first.',
  )
  expect(await asked(both)).toBe(
    'against_policy: What runs on `prod` runs on `staging` first (`after: staging`). `1_orders` and `2_totals` are applied there, but no run of Lockkeeper has succeeded there since. Nothing was started. `/migrate deploy staging` makes one, with what it checks; from then on it takes 1 d.',
  )
})

test('it has to be there for as long as the target says, from the first run that succeeded on', async () => {
  await ran([...plan.list])
  await clock('2026-11-30 18:00')
  await ran([], plan.list)
  expect(await asked(both)).toBe(
    'against_policy: What runs on `prod` runs on `staging` first (`after: staging`) and has to be live there for 1 d (`soak`). `1_orders` and `2_totals` have not been there for so long. Nothing was started. It is possible from {time} (Tue 1 Dec 12:01 UTC) on, in 18 h.',
  )
  await clock('2026-12-01 12:01')
  expect(await asked(both)).toBe(null)
  // in a database that is another one now, that run says nothing
  expect(await asked({ ...both, identity: { ...plan.identity, databaseOid: 7 } })).toMatch(/no run of Lockkeeper has succeeded there since/)
  // taken back there since
  expect(await asked(record())).toMatch(/have not run there/)
})

test('without migrations nothing is asked, and what cannot be read is refused', async () => {
  expect(await asked(refuse('target_unreachable', 'not asked'), planOf([]))).toBe(null)
  expect(await asked(refuse('target_unreachable', 'Nothing listens at db:5432.'))).toBe(
    'target_unreachable: What runs on `prod` runs on `staging` first (`after: staging`), and what ran there cannot be read now, so nothing is started here. Nothing listens at db:5432.',
  )
})

test('its record is read with what counts as applied', async () => {
  const database = await createDatabase()
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(`create table _prisma_migrations (id text, checksum text, finished_at timestamptz, migration_name text, logs text,
    rolled_back_at timestamptz, started_at timestamptz default now(), applied_steps_count int default 1)`)
  await client.query(`insert into _prisma_migrations (id, checksum, finished_at, migration_name, rolled_back_at)
    values ('1', 'aa', now(), '1_orders', null), ('2', 'bb', null, '2_totals', now()), ('3', 'cc', now(), '2_totals', null), ('4', 'dd', null, '3_states', null)`)
  await client.end()
  const deps = {
    home: '/',
    varDirectory: '/',
    secret: () => database.url,
    redactor: createRedactor([]),
    clock: { now: () => 0 },
    env: {},
  }
  const found = await readOtherRecord(deps, targetFor('/'), {})
  await database.close()
  expect(isRefusal(found) ? found.text : [...(found.applied ?? [])]).toEqual([
    ['1_orders', 'aa'],
    ['2_totals', 'cc'],
  ])
  const gone = await readOtherRecord(deps, targetFor('/'), {})
  expect(gone).toMatchObject({ kind: 'refusal', code: 'target_unreachable' })
})
