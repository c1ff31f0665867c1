import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { policyHash } from '../../approvals/policy.ts'
import { loadConfig } from '../../src/config/load.ts'
import { withTarget } from '../../src/database/connect.ts'
import { identityKey, readIdentity } from '../../src/database/identity.ts'
import { digestOf } from '../../src/plan/digest.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { launchBots } from '../helpers/bots.ts'
import { startFlow, type Flow, type Launched } from '../helpers/flow.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { commitTo } from '../helpers/sample.ts'
import { setClock } from '../helpers/windows.ts'

/**
 * `test/store/before/store.sql` is a dump of the store of the build that went before the rooms, made while #1 waited for votes, #2 was
 * approved and queued for Tuesday night, and #3 ran: its bot was killed while it installed dependencies.
 */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const target = () => ({ deploy: [{ name: 'Switch', run: ['true'] }], health: [] })
const gifts = {
  '20261121090000_gift': 'ALTER TABLE "orders" ADD COLUMN "gift" text;',
  '20261121091000_wrapping': 'ALTER TABLE "orders" ADD COLUMN "wrapping" text;',
  '20261121092000_ribbon': 'ALTER TABLE "orders" ADD COLUMN "ribbon" text;',
}
let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    pending: 1,
    orders: 0,
    target,
    targets: {
      later: {
        pending: 1,
        orders: 0,
        target: () => ({ ...target(), windows: { allow: 'Tue,Wed 02:00-04:00 America/New_York' }, timezone: 'America/New_York' }),
      },
      busy: {
        pending: 0,
        orders: 0,
        target,
        async prepare({ repository }) {
          const files = Object.entries(gifts).map(([name, sql]) => [`prisma/migrations/${name}/migration.sql`, `${sql}\n`])
          await commitTo(repository, { subject: 'Columns for gifts', files: { ...Object.fromEntries(files), 'package-lock.json': null } })
        },
      },
    },
    store: storeOfBefore,
    launch(known): Launched {
      const bots = launchBots({}, () => {})(known)
      return {
        ...bots,
        async start() {
          await moveHere(known)
          await bots.start()
        },
      }
    },
  })
})
afterAll(() => flow?.close())

test('a run that a bot of before was killed in is adopted and ends', async () => {
  const run = await flow.reaches(3, ['succeeded', 'needs_human', 'failed'])
  expect({ state: run.state, outcome: run.outcome }).toMatchObject({ state: 'succeeded' })
  expect(await eventsOf(3)).toEqual(expect.arrayContaining(['adopted', 'ended']))
})

test('a request that waited can be approved, and runs', async () => {
  await flow.drawn(1)
  await flow.approve(1)
  expect((await flow.reaches(1, 'succeeded')).outcome).not.toBeNull()
})

test('one that was approved and queued starts in its turn', async () => {
  expect((await flow.reaches(2, 'granted')).startedAt).toBeNull()
  await setClock(flow.store, '2026-12-01 02:00:01 America/New_York')
  await flow.reaches(2, 'succeeded')
})

const eventsOf = async (id: number) =>
  (await flow.store.query<{ kind: string }>('select kind from lockkeeper.event where request_id = $1 order by id', [id])).map(
    ({ kind }) => kind,
  )

async function storeOfBefore(): Promise<TestDatabase> {
  const database = await createDatabase()
  const dump = readFileSync(join(import.meta.dirname, '../store/before/store.sql'), 'utf8')
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(dump)
  await client.end()
  return database
}

/** The targets are other databases than those of then, the repositories lie elsewhere, and the Slack of then is gone. */
async function moveHere({ configPath, env }: Parameters<NonNullable<Parameters<typeof startFlow>[0]>['launch'] & {}>[0]): Promise<void> {
  const config = loadConfig(configPath, env)
  const client = new pg.Client({ connectionString: env['STORE_URL'] })
  await client.connect()
  const { rows } = await client.query<{ id: string; target: string; plan: Plan }>('select id, target, plan from lockkeeper.request')
  for (const { id, target: name, plan } of rows) {
    const here = config.targets.get(name) ?? expect.fail(`no target ${name}`)
    const url = config.secret(here.database.url)
    const identity = await withTarget({ url, applicationName: 'test' }, (target, parsed) => readIdentity(target, parsed))
    const moved: Plan = { ...plan, identity, policy: policyHash(here) }
    const digest = digestOf(moved)
    await client.query('update lockkeeper.request set plan = $2, digest = $3, identity_key = $4 where id = $1', [
      id,
      JSON.stringify(moved),
      digest,
      identityKey(identity),
    ])
    await client.query('update lockkeeper.vote set digest = $2 where request_id = $1', [id, digest])
  }
  await client.query('delete from lockkeeper.message')
  await client.query(`update lockkeeper.request set draw_after = clock_timestamp(), draw_lease = null`)
  await client.query(`update lockkeeper.store set clock_offset = '2026-11-30 12:00 America/New_York'::timestamptz - clock_timestamp()`)
  await client.end()
}
