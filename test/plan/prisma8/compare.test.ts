import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { withTarget } from '../../../src/database/connect.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { isOfRunner } from '../../../src/plan/prisma8/compare.ts'
import { makeRunnerPlan } from '../../../src/plan/prisma8/make.ts'
import { compareWithAnyPlan } from '../../../src/plan/tool/tools.ts'
import type { Plan } from '../../../src/plan/plan.ts'
import { createDatabase, type TestDatabase } from '../../helpers/postgres.ts'
import { createOrigin, type Origin } from '../application/origin.ts'
import { applicationFiles, FIRST, NO_EMAIL, PHONE, signedDatabase, THIRD } from './application.ts'

let database: TestDatabase
let origin: Origin
let plan: Plan

const run = (text: string) => withTarget({ url: database.url, applicationName: 'test' }, (client) => client.query(text))

beforeAll(async () => {
  database = await createDatabase()
  await run(signedDatabase())
  origin = await createOrigin(database.url)
  await origin.commit(applicationFiles())
  const made = await makeRunnerPlan(origin.deps, { target: origin.target(), ref: null, steps: [], policy: 'p'.repeat(64) })
  if (isRefusal(made)) throw new Error(made.text)
  plan = made.plan
})
beforeEach(() => run(`update prisma_contract.marker set core_hash = '${FIRST}'; delete from prisma_contract.ledger where id > 1`))
afterAll(async () => {
  await database.close()
  await origin.close()
})

const compare = (phase: 'before-migrate' | 'after-migrate' = 'before-migrate', of = plan, target = origin.target()) =>
  compareWithAnyPlan({ ...origin.deps, target }, of, phase)
const LED = `update prisma_contract.marker set core_hash = '${THIRD}'`

describe('what was approved is still what would run', () => {
  test('while nothing has changed', async () => expect(await compare()).toEqual({ kind: 'same', applied: [] }))

  test('when this run has applied it', async () => {
    const packages = isOfRunner(plan) ? plan.prisma8.packages : []
    for (const { name, migrationHash, to } of packages)
      await run(
        `insert into prisma_contract.ledger (id, space, migration_name, migration_hash, destination_core_hash, operations)
         values (${name === PHONE ? 2 : 3}, 'app', '${name}', '${migrationHash}', '${to}', '[]')`,
      )
    await run(LED)
    const all = { kind: 'same', applied: [PHONE, NO_EMAIL] }
    expect([await compare(), await compare('after-migrate')]).toEqual([all, all])
  })
})

describe('it is another thing', () => {
  test('after the migration, when it is not applied', async () =>
    expect(await compare('after-migrate')).toEqual({
      kind: 'changed',
      why: '`20261130T0319_phone` and `20261130T0319_no_email` should be applied by now and are not.',
    }))

  test('when somebody led the database elsewhere, or signed it', async () => {
    await run(`update prisma_contract.marker set core_hash = '${'e'.repeat(64)}'`)
    expect(await compare()).toEqual({
      kind: 'changed',
      why: 'The database has the contract `eeeeeeeeeeee` now, and had `d61aaa75cc15` when this was asked.',
    })
    await run(LED)
    expect(await compare()).toEqual({
      kind: 'changed',
      why: 'The database has the contract already, but by its ledger not from `20261130T0319_phone` and `20261130T0319_no_email`: it was signed, or led there by other migrations.',
    })
    await run('delete from prisma_contract.marker')
    expect(await compare()).toEqual({
      kind: 'changed',
      why: 'The database has the contract of nothing now, and had `d61aaa75cc15` when this was asked.',
    })
    await run(
      `insert into prisma_contract.marker (space, core_hash, profile_hash) values ('app', '${FIRST}', 'x'), ('pgvector', '${FIRST}', 'x')`,
    )
    expect(await compare()).toMatchObject({
      why: 'The database has got the contracts of extensions (`pgvector`), which this does not read.',
    })
    await run(`delete from prisma_contract.marker where space = 'pgvector'`)
  })

  test('when it would be read from other files', async () => {
    if (!isOfRunner(plan)) throw new Error('the plan is of Prisma 8')
    const { prisma8 } = plan
    const changed = (over: Partial<typeof prisma8>) => compare('before-migrate', { ...plan, prisma8: { ...prisma8, ...over } })
    const [first] = prisma8.packages
    if (first === undefined) throw new Error('there are packages')
    expect([
      await changed({ packages: [{ ...first, metadataSha256: '0' }] }),
      await changed({ packages: [{ ...first, snapshotSha256: '0' }] }),
      await changed({ contract: { ...prisma8.contract, sha256: '0' } }),
      await changed({ directory: 'db/migrations' }),
      await changed({ version: '8.0.0-rc.18' }),
      await compare('before-migrate', { ...plan, list: plan.list.map((one) => ({ ...one, sha256: '0' })) }),
    ]).toEqual(
      [
        'The files of `20261130T0319_phone` are no longer what they were when this was asked.',
        'The files of `20261130T0319_phone` are no longer what they were when this was asked.',
        'The contract `src/prisma/contract.json` is no longer what it was when this was asked.',
        'The migrations are read from `migrations` now, and from `db/migrations` when this was asked.',
        'The commit settles Prisma at `8.0.0-rc.19` now, and at `8.0.0-rc.18` when this was asked.',
        'The files of `20261130T0319_phone` and `20261130T0319_no_email` are no longer what they were when this was asked.',
      ].map((why) => ({ kind: 'changed', why })),
    )
  })

  test('when it is another database, or the commit is gone from its branch', async () => {
    const identity = { ...plan.identity, databaseOid: 1 }
    expect(await compare('before-migrate', { ...plan, identity })).toMatchObject({
      kind: 'changed',
      why: expect.stringMatching(/^It is no longer the same database: /),
    })
    expect(await compare('before-migrate', { ...plan, commit: 'f'.repeat(40) })).toEqual({
      kind: 'changed',
      why: 'Commit `ffffffffff` is no longer part of `main`.',
    })
  })
})

test('while Prisma holds its lock, or the record cannot be read, it is not known', async () => {
  await withTarget({ url: database.url, applicationName: 'test' }, async (client) => {
    await client.query(`select pg_advisory_lock(hashtext('prisma_8.contract.marker:public:app'))`)
    expect(await compare()).toEqual({
      kind: 'unknown',
      why: 'Another Prisma holds the migration lock of the database, so its state may change at any moment.',
    })
  })
  await run('alter table prisma_contract.ledger rename column space to place')
  expect(await compare()).toEqual({
    kind: 'unknown',
    why: "`prisma_contract` in the database of `prod` has another shape than Prisma 8's release candidate writes, so it cannot be said what is applied.",
  })
  await run('alter table prisma_contract.ledger rename column place to space')
})
