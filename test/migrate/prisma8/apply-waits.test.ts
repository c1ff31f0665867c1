import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { attemptsIn } from '../../../src/migrate/attempts/attempt.ts'
import { readJson } from '../../../src/lib/durable-file.ts'
import { migrateStep } from '../../../src/run/steps/migrate.ts'
import { scene8, type Scene8 } from '../../helpers/prisma8/scene.ts'
import { until } from '../../helpers/until.ts'
import { FIRST, NO_EMAIL, PHONE, THIRD } from '../../plan/prisma8/application.ts'
import { fast } from '../../run/scene.ts'

const step = migrateStep(fast)
const marker = 'select core_hash from prisma_contract.marker'
const attemptsOf = ({ context }: Scene8) => attemptsIn(join(context.directory, 'migrator'))

/** The run's own session, which waits for the table. */
const waiting = ({ context, sql }: Scene8) =>
  until('the migrator waits', async () => {
    const rows = await sql(
      `select pid from pg_stat_activity where application_name = 'lockkeeper-${context.requestId}-${context.digest.slice(0, 8)}' and wait_event_type = 'Lock'`,
    )
    return rows.length === 1
  })

async function held(scene: Scene8) {
  const blocker = await scene.session('reporting')
  await blocker.query('begin; lock table "Customer" in access share mode')
  return blocker
}

// proves lock: 8.0.0-rc.19
test('a lock that is held is waited for in short tries, who holds it is named, and it goes on when it is free', async () => {
  const scene = await scene8({ lockTimeout: 600 })
  const blocker = await held(scene)
  const ending = step.act(scene.context)
  const retry = await until('a second try', () => scene.reports.find((text) => text.startsWith('Lock timeout, try 2')))
  expect(retry).toMatch(
    /^Lock timeout, try 2 of 5\. reporting \(pid \d+, running for \d+ s\) was in the way\. Nothing was left behind; trying again in 0\.1 s\.$/,
  )
  await blocker.query('rollback')
  expect(await ending).toMatchObject({ kind: 'done' })
  expect(scene.reports).toContain('Try 2 of 5. Starting 2 migrations in one transaction.')
  expect(scene.reports.find((text) => text.startsWith('Waiting'))).toMatch(
    /^Waiting 0\.\d s for a lock on Customer that reporting \(pid \d+, running for \d+ s\) holds; nobody waits behind us\.$/,
  )
})

test('a lock that stays held ends as failed after five tries, with nothing left', async () => {
  const scene = await scene8({ lockTimeout: 600 })
  const blocker = await held(scene)
  const { rows } = await blocker.query<{ pid: number }>('select pg_backend_pid() as pid')
  expect(await step.act(scene.context)).toMatchObject({
    kind: 'failed',
    output: expect.stringMatching(/^lock timeout, 5 tries in \d+(\.\d)? s$/),
    data: {
      migrations: [
        { name: PHONE, state: 'failed' },
        { name: NO_EMAIL, state: 'pending' },
      ],
    },
    outcome: {
      headline: '*`20261130T0319_phone` could not get its lock. None of the 2 migrations is applied.* The application was left as it was.',
      why: expect.stringMatching(
        new RegExp(
          `^It needs a lock on \`Customer\` that \`reporting\` \\(pid ${rows[0]?.pid}, running for \\d+ s\\) holds\\. Waiting longer would have queued everybody else behind it\\. Prisma 8 runs all that is pending in one transaction, and the database undid it: nothing of it stayed\\.$`,
        ),
      ),
      next: 'Wait for that query or end it, then ask again.',
    },
  })
  expect(await scene.sql(marker)).toEqual([{ core_hash: FIRST }])
})

// proves lock: 8.0.0-rc.19
test("Prisma's lock in other hands is waited for, and when it stays there nothing is started", async () => {
  const scene = await scene8()
  const other = await scene.session('deploy-script')
  await other.query(`select pg_advisory_lock(hashtext('prisma_8.contract.marker:public:app'))`)
  expect(await step.act(scene.context)).toMatchObject({
    kind: 'failed',
    output: 'not started',
    outcome: {
      headline: `*Another session holds Prisma's migration lock on \`${scene.database.name}\`, so nothing was started. None of the 2 migrations is applied.* The application was left as it was.`,
      why: expect.stringMatching(
        /^Prisma 8 lets one migrator at a time into a database, by an advisory lock, and `deploy-script` \(pid \d+\) holds it\.$/,
      ),
      next: 'Wait until that session has ended, or find out whose it is and end it; then ask again.',
    },
  })
  expect(scene.reports.at(-1)).toMatch(/^deploy-script \(pid \d+\) holds Prisma's migration lock\. Waiting for it to end\.$/)
  expect(attemptsOf(scene)).toEqual([])
})

// proves cancel: 8.0.0-rc.19
test('what waits is said with its operation, and a cancel in the middle leaves nothing', async () => {
  const scene = await scene8({ lockTimeout: 60_000 })
  await held(scene)
  const ending = step.act(scene.context)
  await waiting(scene)
  scene.controls.cancelled = true
  scene.controls.abort.abort()
  expect(await ending).toMatchObject({
    kind: 'cancelled',
    output: 'cancelled',
    data: {
      migrations: [
        { name: PHONE, state: 'pending' },
        { name: NO_EMAIL, state: 'pending' },
      ],
    },
    outcome: {
      headline: '*Cancelled while migrating. None of the 2 migrations is applied.* The application was left as it was.',
      why: 'It was running. Prisma 8 runs all that is pending in one transaction, and the database undid it: nothing of it stayed.',
      next: 'Ask again when it may run.',
    },
  })
  expect(await scene.sql(marker)).toEqual([{ core_hash: FIRST }])
  expect(
    await scene.sql(
      `select count(*)::int as n from pg_stat_activity where application_name like 'lockkeeper-${scene.context.requestId}-%'`,
    ),
  ).toEqual([{ n: 0 }])
})

test('a cancel before the start starts nothing', async () => {
  const scene = await scene8()
  scene.controls.cancelled = true
  expect(await step.act(scene.context)).toMatchObject({ kind: 'cancelled', outcome: { why: 'Nothing was running.' } })
  expect(attemptsOf(scene)).toEqual([])
})

// proves crash: 8.0.0-rc.19
test('a successor attaches to the migrator that is at work and starts no second one', async () => {
  const scene = await scene8({ lockTimeout: 60_000 })
  const blocker = await held(scene)
  const first = step.act(scene.context)
  await waiting(scene)
  expect(await step.inspect(scene.successor())).toEqual({ kind: 'todo' })
  const second = step.act(scene.successor())
  await until('both watch', () => scene.reports.filter((text) => text.startsWith('Waiting')).length > 3)
  await blocker.query('rollback')
  expect([await first, await second]).toMatchObject([{ kind: 'done' }, { kind: 'done' }])
  expect(attemptsOf(scene)).toHaveLength(1)
  expect(await scene.sql('select count(*)::int as n from prisma_contract.ledger')).toEqual([{ n: 3 }])
})

// proves crash: 8.0.0-rc.19
test('a migrator and its wrapper that are killed leave nothing, and what was approved is started again', async () => {
  const scene = await scene8({ lockTimeout: 60_000 })
  const blocker = await held(scene)
  const ending = step.act(scene.context)
  await waiting(scene)
  const [attempt] = attemptsOf(scene)
  const { pid } = readJson(join(attempt?.directory ?? '', 'claim.json')) as { pid: number }
  process.kill(-pid, 'SIGKILL') // its whole group
  await until('its processes are gone', () => scene.reports.some((text) => text.startsWith('Waiting')))
  await blocker.query('rollback') // its session ends its statement and finds nobody to answer
  expect(await ending).toMatchObject({ kind: 'done' })
  expect(readdirSync(join(scene.context.directory, 'migrator')).filter((name) => /^\d+$/.test(name))).toEqual(['0001', '0002'])
  expect(await scene.sql('select migration_name, count(*)::int as n from prisma_contract.ledger group by 1 having count(*) > 1')).toEqual(
    [],
  )
  expect(await scene.sql(marker)).toEqual([{ core_hash: THIRD }])
})

test('a migrator that was killed after its commit has applied everything, whoever says what', async () => {
  const scene = await scene8()
  expect(await step.act(scene.context)).toMatchObject({ kind: 'done' })
  const [attempt] = attemptsOf(scene)
  const { writeWholeSync } = await import('../../../src/lib/durable-file.ts')
  writeWholeSync(join(attempt?.directory ?? '', 'exit.json'), JSON.stringify({ exitCode: null, signal: 'SIGKILL' }))
  writeWholeSync(join(attempt?.directory ?? '', 'output.log'), '')
  expect(await step.inspect(scene.successor())).toMatchObject({
    kind: 'done',
    output: expect.stringMatching(/^2 migrations in one transaction/),
  })
})
