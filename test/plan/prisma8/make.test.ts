import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { withTarget } from '../../../src/database/connect.ts'
import { isRefusal, type Refusal } from '../../../src/lib/refusal.ts'
import { digestOf } from '../../../src/plan/digest.ts'
import { makePlan } from '../../../src/plan/make.ts'
import { makeRunnerPlan, readRunnerStatus, type RunnerPlan } from '../../../src/plan/prisma8/make.ts'
import { makeAnyPlan, readAnyStatus } from '../../../src/plan/tool/tools.ts'
import { createDatabase, type TestDatabase } from '../../helpers/postgres.ts'
import { createOrigin, FIT, type Origin } from '../application/origin.ts'
import { applicationFiles, CUSTOMERS, NO_EMAIL, PHONE, signedDatabase } from './application.ts'

let database: TestDatabase
let origin: Origin

const run = (url: string, text: string) => withTarget({ url, applicationName: 'test' }, (client) => client.query(text))

/** One database and one repository for all: what a test changes in them, later ones do not ask about. */
beforeAll(async () => {
  database = await createDatabase()
  await run(database.url, signedDatabase())
  origin = await createOrigin(database.url)
  await origin.commit(applicationFiles())
})
afterAll(async () => {
  await database.close()
  await origin.close()
})

const request = () => ({ target: origin.target(), ref: null, steps: [], policy: 'p'.repeat(64) })
const make = () => makeRunnerPlan(origin.deps, request())
const text = (result: object): string => (isRefusal(result) ? `${result.code}: ${result.text}` : 'planned')
function made(result: RunnerPlan | Refusal): RunnerPlan {
  if (isRefusal(result)) throw new Error(result.text)
  return result
}
const ops = (name: string) => `migrations/app/${name}/ops.json`

describe('a plan of Prisma 8', () => {
  // proves plan: 8.0.0-rc.19
  test('has what would run, in the order of the graph, with the hashes of all that decides it', async () => {
    const { plan, evidence, operations } = made(await make())
    const { identity: _identity, commit: _commit, steps: _steps, policy: _policy, ...rest } = plan
    expect(rest).toMatchInlineSnapshot(`
      {
        "baseline": [
          {
            "name": "20261130T0316_customers",
            "sha256": "8794fab5bda8d036fd85dc2f9733c3af4587bbae981e5f77f8b80a5f62bddfbe",
          },
        ],
        "list": [
          {
            "bytes": 1251,
            "concurrently": false,
            "name": "20261130T0319_phone",
            "rollbackSha256": null,
            "sha256": "038ff123cea0de3b09801ede4b3edf6a3f4f42ead61769435458a22434bb3269",
          },
          {
            "bytes": 2859,
            "concurrently": false,
            "name": "20261130T0319_no_email",
            "rollbackSha256": null,
            "sha256": "f1b75c5aecdda5b2d0889190af5f69367b6e7afe74624c4046fb61627b0b76cd",
          },
        ],
        "prisma8": {
          "contract": {
            "hash": "c3bf7ce541aa7c95f093bcaf9539a0c1b66c2d98530fc8952ccf49202e435597",
            "path": "src/prisma/contract.json",
            "sha256": "5f69349a10540bd236e67c28ac7e4a5aa29f3ea03ef979891b0e3fdb6e889267",
          },
          "directory": "migrations",
          "marker": "d61aaa75cc150c621530a3f5bffe052b6685864e06546b23bf811c61a6f79574",
          "packages": [
            {
              "from": "d61aaa75cc150c621530a3f5bffe052b6685864e06546b23bf811c61a6f79574",
              "metadataSha256": "e4ef4605521e9895df9043e80e7e8175943ab5aa6a669e2bc6ee561542445286",
              "migrationHash": "f9f1b71c2fa873cead8209b25daba15df910b444338f0290f999bd9c7ba88db2",
              "name": "20261130T0319_phone",
              "snapshotSha256": "78fd25fcf29967612253eba4fc7d4dd798fa5609cd6778b4b203d1eef6f96e7a",
              "to": "f6d704da0e3034f6ea056a6c328d50de640114f3fca4b833aa9868af226106e8",
            },
            {
              "from": "f6d704da0e3034f6ea056a6c328d50de640114f3fca4b833aa9868af226106e8",
              "metadataSha256": "032dcb4c295f212e9cd849cc410e864fe0fec9e9fdba3257ab0574194c3e9c96",
              "migrationHash": "9c653b452e3b41a5421347a64965a85ed26d250f4a478c870794c38871323bf2",
              "name": "20261130T0319_no_email",
              "snapshotSha256": "778d7ce517cd9b7fd3f68416ff1571f93fc9e86ea7975b27e8abe2861bc1f31c",
              "to": "c3bf7ce541aa7c95f093bcaf9539a0c1b66c2d98530fc8952ccf49202e435597",
            },
          ],
          "version": "8.0.0-rc.19",
        },
        "ref": "main",
        "target": "prod",
        "version": 1,
      }
    `)
    expect(evidence.migrations).toMatchInlineSnapshot(`
      [
        {
          "class": "additive",
          "findings": [],
          "name": "20261130T0319_phone",
          "rows": null,
          "summary": "adds Customer.phone, nullable",
          "tables": [
            "Customer",
          ],
        },
        {
          "class": "breaking",
          "findings": [
            "Customer.email is dropped with what it holds",
          ],
          "name": "20261130T0319_no_email",
          "rows": null,
          "summary": "drops Customer.email; drops constraint Customer_email_key of Customer",
          "tables": [
            "Customer",
          ],
        },
      ]
    `)
    expect(operations.map((one) => [one.name, one.operations.map(({ label, class: kind }) => `${kind}: ${label}`)])).toMatchInlineSnapshot(`
      [
        [
          "20261130T0319_phone",
          [
            "additive: Add column "phone" to "Customer"",
          ],
        ],
        [
          "20261130T0319_no_email",
          [
            "destructive: Drop constraint "Customer_email_key" on "Customer"",
            "destructive: Drop column "email" from "Customer"",
          ],
        ],
      ]
    `)
  })

  test('has another digest for other bytes of metadata, operations and contract, also where Prisma counts them as the same', async () => {
    const before = made(await make())
    const files = applicationFiles()
    const paths = [`migrations/app/${PHONE}/migration.json`, ops(PHONE), 'src/prisma/contract.json']
    await origin.commit(Object.fromEntries(paths.map((path) => [path, `${files[path] ?? ''}\n`])))
    const after = made(await make())
    const sums = ({ plan }: RunnerPlan) => [plan.list[0]?.sha256, plan.prisma8?.packages[0]?.metadataSha256, plan.prisma8?.contract.sha256]
    expect(new Set([...sums(before), ...sums(after)]).size).toBe(6)
    expect(digestOf({ ...after.plan, commit: before.plan.commit })).not.toBe(before.digest)
  })

  test('of an empty database has everything', async () => {
    const fresh = await createDatabase()
    const deps = { ...origin.deps, secret: () => fresh.url }
    const { plan } = made(await makeRunnerPlan(deps, request()))
    expect([plan.prisma8?.marker, plan.list.map(({ name }) => name)]).toEqual([null, [CUSTOMERS, PHONE, NO_EMAIL]])
    await fresh.close()
  })

  test('is that of the tool which the commit brings', async () => {
    expect(text(await makePlan(origin.deps, request())).replace(/`[0-9a-f]{10}`/, '`COMMIT`')).toBe(
      'other_runner: Commit `COMMIT` brings Prisma 8, whose migrations are other files than those of 5 to 7. Ask again.',
    )
    expect(await makeAnyPlan(origin.deps, request())).toMatchObject({ kind: 'prisma8' })
  })

  test('runs nothing that the repository brings', async () => {
    await origin.commit({
      'prisma.config.ts': 'throw new Error("run")\n',
      [`migrations/app/${PHONE}/migration.ts`]: 'throw new Error("run")\n',
    })
    expect(text(await make())).toBe('planned')
  })
})

describe('the state of a database', () => {
  const status = async () => {
    const read = await readRunnerStatus(origin.deps, origin.target())
    if (isRefusal(read)) return text(read)
    const { baseline, marker, olderRows, lockHeld, ledger, route } = read
    return [
      baseline,
      marker?.slice(0, 7),
      ledger.map(({ name }) => name),
      route.kind === 'none' ? 'none' : route.packages.length,
      olderRows,
      lockHeld,
    ]
  }

  // proves status: 8.0.0-rc.19
  test('is that of marker and ledger', async () => expect(await status()).toEqual(['signed', 'd61aaa7', [CUSTOMERS], 2, null, false]))

  test('is not that everything is pending where the role may not see them', async () => {
    const role = `reader_${database.name}`
    await run(database.url, `create role ${role} login password 'x'`)
    const url = new URL(database.url)
    ;[url.username, url.password] = [role, 'x']
    const deps = { ...origin.deps, secret: () => url.href }
    try {
      const answer = async () => text(await readRunnerStatus(deps, origin.target())).replaceAll(role, 'ROLE')
      expect(await answer()).toMatchInlineSnapshot(
        `"target_unfit: The role \`ROLE\` of \`prod\` may not read the schema \`prisma_contract\`, Prisma 8's record, so it cannot be said what is applied and what is pending. Grant it (\`grant usage on schema prisma_contract to "ROLE"; grant select on all tables in schema prisma_contract to "ROLE"\`) and ask again."`,
      )
      await run(database.url, `grant usage on schema prisma_contract to ${role}; grant select on prisma_contract.marker to ${role}`)
      expect(await answer()).toMatch(/^target_unfit: The role `ROLE` of `prod` may not read `prisma_contract\.ledger`/)
      await run(database.url, `grant select on prisma_contract.ledger to ${role}`)
      expect(await answer()).toBe('planned')
      await run(database.url, `alter table prisma_contract.marker enable row level security`)
      expect(await answer()).toBe(
        "target_unfit: Row-level security may hide rows of `prisma_contract`, Prisma 8's record, from the role `ROLE` of `prod`, so it cannot be said what is applied. Take it off its tables, or let the URL name their owner or a role with BYPASSRLS.",
      )
    } finally {
      await run(database.url, `alter table prisma_contract.marker disable row level security`)
      await run(database.url, `drop owned by ${role}; drop role ${role}`)
    }
  })

  test('is seen while Prisma holds its lock', async () => {
    await withTarget({ url: database.url, applicationName: 'test' }, async (client) => {
      await client.query(`select pg_advisory_lock(hashtext('prisma_8.contract.marker:public:app'))`)
      expect(await status()).toEqual(['signed', 'd61aaa7', [CUSTOMERS], 2, null, true])
    })
  })

  test('is one to be handed over where the older runner keeps it', async () => {
    await run(
      database.url,
      `drop schema prisma_contract cascade; create table _prisma_migrations (id text, checksum text, finished_at timestamptz, migration_name text, logs text,
        rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int); insert into _prisma_migrations (rolled_back_at) values (null), (now())`,
    )
    expect(await status()).toEqual(['tables', undefined, [], 3, 1, false])
    expect(await readAnyStatus(origin.deps, origin.target())).toMatchObject({ kind: 'runner' })
  })
})

test('a commit of Prisma 6 is planned as ever', async () => {
  await origin.commit({ migrations: null, src: null, ...FIT })
  const fresh = await createDatabase()
  const deps = { ...origin.deps, secret: () => fresh.url }
  const plan = await makeAnyPlan(deps, request())
  expect(isRefusal(plan) ? plan.text : Object.keys(plan.plan)).toEqual([
    'version',
    'target',
    'identity',
    'commit',
    'ref',
    'baseline',
    'list',
    'steps',
    'policy',
  ])
  expect(await readAnyStatus(deps, origin.target())).toMatchObject({ kind: 'files' })
  await fresh.close()
})
