import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { invalidIndexes } from '../../src/migrate/decide/schema-diff.ts'
import { withObserver } from '../../src/guard/observer.ts'
import { defaultTiming } from '../../src/migrate/attempts/timing.ts'
import { dropInvalid } from '../../src/migrate/decide/resolve.ts'
import { isProblem, openWorkspace } from '../../src/migrate/prisma/prisma-workspace.ts'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { until } from '../helpers/until.ts'
import { fast, index, init, note, scene, SEED, sleeping } from '../run/scene.ts'

const step = migrateStep(fast)
const quietly = (error: Error) => void error // the session is ended by the test

test('a lock that is held is waited for in short tries, who holds it is named, and it goes on when it is free', async () => {
  const { run, session } = await scene({ '1_init': init, '2_note': note }, { lockTimeout: '300ms', before: SEED, baseline: ['1_init'] })
  const blocker = await session('reporting')
  await blocker.query('begin; lock table "orders" in access share mode')
  const ending = step.act(run.context)
  const retry = await until('a second try', () => run.recorded.reports.find((text) => text.startsWith('Lock timeout, try 2')))
  expect(retry).toMatch(
    /^Lock timeout, try 2 of 5\. reporting \(pid \d+, running for \d+ s\) was in the way\. Nothing was left behind; trying again in 0\.1 s\.$/,
  )
  await until('who is waited for in a later try', () =>
    run.recorded.reports.some((text) => /^Try [345] of 5\. Waiting 0\.\d s for a lock/.test(text)),
  )
  expect(run.recorded.reports).toContain('Try 2 of 5. Starting 1 migration.')
  await blocker.query('rollback')
  expect(await ending).toMatchObject({ kind: 'done' })
  expect(run.recorded.reports.find((text) => text.startsWith('Waiting'))).toMatch(
    /^Waiting 0\.\d s for a lock on orders that reporting \(pid \d+, running for \d+ s\) holds; nobody waits behind us\.$/,
  )
})

test('a lock that stays held ends as failed after five tries, with nothing left and the record free for the next run', async () => {
  const { run, session, sql } = await scene(
    { '1_init': init, '2_note': note, '3_index': index },
    { lockTimeout: '200ms', before: SEED, baseline: ['1_init'], concurrently: ['3_index'] },
  )
  const blocker = await session('reporting')
  await blocker.query('begin; lock table "orders" in access share mode')
  const { rows } = await blocker.query<{ pid: number }>('select pg_backend_pid() as pid')
  const end = await step.act(run.context)
  expect(end).toMatchObject({
    kind: 'failed',
    output: expect.stringMatching(/^lock timeout, 5 tries in \d+(\.\d)? s$/),
    outcome: {
      headline: '*`2_note` could not get its lock. None of the 2 migrations is applied.* The application was left as it was.',
      why: expect.stringMatching(
        new RegExp(
          `^It needs a lock on \`orders\` that \`reporting\` \\(pid ${rows[0]?.pid}, running for \\d+ s\\) holds\\. Waiting longer would have queued everybody else behind it\\.$`,
        ),
      ),
      next: 'Wait for that query or end it, then ask again: what has run is kept and not repeated.',
      excerpt: `ERROR: canceling statement due to lock timeout (55P03)\n${note.trim()}`,
    },
  })
  expect(
    await sql(
      "select count(*)::int as tries, count(rolled_back_at)::int as rolled_back from _prisma_migrations where migration_name = '2_note'",
    ),
  ).toEqual([{ tries: 5, rolled_back: 5 }])
})

test('a cancel in the middle undoes the running migration, keeps the others and leaves the record free', async () => {
  const { run, sql } = await scene({
    '1_init': init,
    '2_slow': `INSERT INTO "tally" VALUES ('slow');\nSELECT pg_sleep(60);\n`,
    '3_note': note,
  })
  const ending = step.act(run.context)
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  run.controls.cancelled = true
  run.controls.abort.abort()
  expect(await ending).toMatchObject({
    kind: 'cancelled',
    output: 'cancelled',
    outcome: {
      headline: '*Cancelled while migrating. 1 of 3 migrations is applied and kept.* The application was left as it was.',
      why: '`1_init` is applied. `2_slow` was running; the database undid it as a whole and it is marked as rolled back. Not started: `3_note`.',
      next: 'Ask again when the rest may run: what has run is kept and not repeated.',
    },
  })
  expect(await sql('select count(*)::int as n from tally')).toEqual([{ n: 0 }])
  expect(
    await sql(
      'select migration_name, finished_at is not null as done, rolled_back_at is not null as undone from _prisma_migrations order by 1',
    ),
  ).toEqual([
    { migration_name: '1_init', done: true, undone: false },
    { migration_name: '2_slow', done: false, undone: true },
  ])
})

test('losing the store aborts nothing in the migrator', async () => {
  const { run, sql } = await scene({ '1_init': init, '2_slow': `INSERT INTO "tally" VALUES ('slow');\nSELECT pg_sleep(1.5);\n` })
  const ending = step.act(run.context)
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  run.controls.abort.abort()
  expect(await ending).toMatchObject({ kind: 'done' })
  expect(await sql('select name from tally')).toEqual([{ name: 'slow' }])
})

test('a bot killed in mid-migration leaves the migrator alone; its successor attaches and starts no second one', async () => {
  const { application, database, run, sql } = await scene({
    '1_init': init,
    '2_slow': `SELECT pg_sleep(3);\nINSERT INTO "tally" VALUES ('slow');\n`,
    '3_note': note,
  })
  const { requestId, directory } = run.context
  const bot = spawn(
    process.execPath,
    [join(import.meta.dirname, '../helpers/bot.ts')],
    // its password must not stand in an argument list
    { stdio: 'inherit', env: { ...process.env, BOT: JSON.stringify({ application, url: database.url, requestId, directory }) } },
  )
  const dead = new Promise((resolve) => bot.on('exit', resolve))
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  bot.kill('SIGKILL')
  await dead
  expect(await step.inspect(run.context)).toEqual({ kind: 'todo' })
  const seen = new Set<number>()
  const counting = setInterval(() => {
    sql(`select pid from pg_stat_activity where application_name ~ '^lockkeeper-${requestId}-'`).then(
      (rows) => rows.forEach((row) => seen.add(Number(row['pid']))),
      quietly,
    )
  }, 50)
  const end = await step.act(run.context)
  clearInterval(counting)
  expect(end).toMatchObject({ kind: 'done', output: expect.stringMatching(/^3 migrations in /) })
  expect(await sql('select name from tally order by 1')).toEqual([{ name: 'note' }, { name: 'slow' }])
  expect(seen.size).toBe(1)
  expect(run.recorded.reports).not.toContain('Starting 3 migrations.')
})

test('the end of the wrapper alone is not the end of the migrator, which is watched on', async () => {
  const { run, sql } = await scene({ '1_init': init, '2_slow': `SELECT pg_sleep(2);\nINSERT INTO "tally" VALUES ('slow');\n` })
  const ending = step.act(run.context)
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  const claim: unknown = JSON.parse(readFileSync(join(run.context.directory, 'migrator/0001/claim.json'), 'utf8'))
  process.kill((claim as { pid: number }).pid, 'SIGKILL')
  expect(await ending).toMatchObject({ kind: 'done', output: expect.stringMatching(/^2 migrations in /) })
  expect(await sql('select name from tally')).toEqual([{ name: 'slow' }])
})

test('a migrator that disappears leaves a question for a person, with what is known', async () => {
  const { run, sql } = await scene({ '1_init': init, '2_slow': `ALTER TABLE "orders" ADD COLUMN "slow" text;\nSELECT pg_sleep(60);\n` })
  const ending = step.act(run.context)
  await until('the slow migration', async () => (await sleeping(sql)) === 1)
  const kept = (name: string) => join(run.context.directory, 'migrator/0001', name)
  // the first file was looked at too, perhaps
  await until('the slow one was looked at', () => {
    const text = existsSync(kept('transactions.json')) ? readFileSync(kept('transactions.json'), 'utf8') : '[]'
    const samples = JSON.parse(text) as readonly { readonly running: string; readonly xid: string | null }[]
    return samples.some(({ running, xid }) => running === '2_slow' && xid !== null)
  })
  const claim: unknown = JSON.parse(readFileSync(kept('claim.json'), 'utf8'))
  process.kill(-(claim as { pid: number }).pid, 'SIGKILL')
  await sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^lockkeeper-${run.context.requestId}-'`)
  const outcome = {
    headline: '*The migrator disappeared during `2_slow`. Lockkeeper will not guess.*',
    known: expect.stringMatching(
      /^`1_init` is applied\. Transaction \d+, in which it was seen at work, is undone\. Nothing in the schema is younger than its start\. Since its start no row of `orders` was inserted or updated; deleted ones do not show\. No session of this run is alive\.$/,
    ),
    notKnown: 'Whether all of `2_slow` took effect. The record says "started".',
    next: 'Compare the database with the file. If all of it is there, mark it as applied (`npx prisma migrate resolve --applied 2_slow`); if nothing is, mark it as rolled back (`npx prisma migrate resolve --rolled-back 2_slow`); if a part is, complete it or take it back by hand first. Then cancel this request and ask again.',
  }
  expect(await ending).toMatchObject({ kind: 'unknown', output: 'unclear', outcome })
  expect(await step.inspect(run.context)).toMatchObject({ kind: 'unknown', outcome })
})

test('an index that is built concurrently waits longer than the lock timeout for an old transaction, and is watched', async () => {
  const { run, session } = await scene(
    { '1_init': init, '3_index': 'CREATE INDEX CONCURRENTLY "orders_total_idx" ON "orders"("total");\n' },
    { lockTimeout: '200ms', before: SEED, baseline: ['1_init'], concurrently: ['3_index'] },
  )
  const old = await session('reporting')
  await old.query('begin; select * from "orders"; insert into "orders" (total) values (1)')
  const ending = step.act(run.context)
  const told = await until('the wait', () => run.recorded.reports.find((text) => text.startsWith('Index, waiting')))
  expect(told).toMatch(
    /^Index, waiting for older transactions to end, 0 of 1 gone\. It waits for reporting \(pid \d+, running for \d+ s\)\. Nobody is waiting behind it\.$/,
  )
  await until('more than the timeout', () => run.recorded.reports.filter((text) => text.startsWith('Index, waiting')).length > 8)
  await old.query('rollback')
  expect(await ending).toMatchObject({ kind: 'done' })
})

test('an index that cannot be built concurrently is named as invalid', async () => {
  const { run, sql } = await scene(
    { '1_init': init, '3_index': 'CREATE UNIQUE INDEX CONCURRENTLY "orders_total_key" ON "orders"("total");\n' },
    { before: `${SEED} insert into "orders" (total) values (7), (7)`, baseline: ['1_init'], concurrently: ['3_index'] },
  )
  expect(await step.act(run.context)).toMatchObject({
    kind: 'failed',
    output: 'duplicate rows',
    outcome: {
      headline: '*`3_index` stopped: rows that must be unique are not. It is not applied.* The application was left as it was.',
      next: expect.stringMatching(
        /^The index `orders_total_key` is invalid: unfinished, unused by queries and paid for by writes\. Remove it: `DROP INDEX CONCURRENTLY public\.orders_total_key;`\. /,
      ),
    },
  })
  expect(await sql(`select indisvalid from pg_index where indexrelid = '"orders_total_key"'::regclass`)).toEqual([{ indisvalid: false }])
})

test('a concurrent file that runs for longer than the guard allows is stopped, and its invalid index is named', async () => {
  const { run, session } = await scene(
    { '1_init': init, '3_index': 'CREATE INDEX CONCURRENTLY "orders_total_idx" ON "orders"("total");\n' },
    { before: SEED, baseline: ['1_init'], concurrently: ['3_index'] },
  )
  const old = await session('reporting')
  await old.query('begin; insert into "orders" (total) values (1)')
  // counted from the start of the program, which alone takes seconds on a busy machine
  expect(await migrateStep({ ...fast, concurrentMaximumMs: 6_000 }).act(run.context)).toMatchObject({
    kind: 'failed',
    outcome: {
      headline:
        '*`3_index` was stopped after 6 s, the longest that a file without timeouts may run. It is not applied.* The application was left as it was.',
      next: expect.stringContaining('The index `orders_total_idx` is invalid'),
    },
  })
})

test('only the invalid index that a file made itself is dropped before another try', async () => {
  const { run, database, sql } = await scene({ '1_init': init }, { before: `${SEED} insert into "orders" (total) values (7), (7)` })
  for (const name of ['ours', 'theirs']) await sql(`create unique index concurrently ${name} on orders (total)`).catch(quietly)
  const workspace = await openWorkspace(run.context)
  if (isProblem(workspace)) throw new Error(workspace.headline)
  const left = await withObserver({ url: database.url, applicationName: 'test' }, async (observer) => {
    const dropped = await dropInvalid({ context: run.context, workspace, observer, timing: defaultTiming }, ['public.ours'])
    return { dropped, still: (await observer.look(invalidIndexes)).map(({ name }) => name) }
  })
  expect(left).toEqual({ dropped: null, still: ['theirs'] })
})
