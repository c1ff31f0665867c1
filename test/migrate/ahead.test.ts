import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createAhead, GOOD_FOR_MS } from '../../src/migrate/ahead.ts'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { fast, init, note, scene, SEED, type Scene } from '../run/scene.ts'
import { until } from '../helpers/until.ts'

const going = () => new AbortController().signal

const pending = (migrations: Readonly<Record<string, string>> = { '1_init': init, '2_note': note }) =>
  scene(migrations, { before: SEED, baseline: ['1_init'] })

/** How often Prisma was asked what it would do, by the log of the run. */
const questions = ({ run }: Scene) => readFileSync(run.context.spool, 'utf8').split('$ prisma migrate status').length - 1

test('a migration takes the answer that was kept, and asks no more', async () => {
  const scene = await pending()
  const ahead = createAhead({ mayAsk: async () => true })
  await ahead.ask(scene.run.context, going())
  expect(questions(scene)).toBe(1)
  expect(await migrateStep(fast, ahead).act(scene.run.context)).toMatchObject({
    kind: 'done',
    output: expect.stringMatching(/^1 migration in /),
  })
  expect(questions(scene)).toBe(1)
  expect(ahead.take(scene.run.context.requestId, '2_note')).toBeNull()
})

test('an answer is good for half a minute, for the run and the last migration that it was asked about', async () => {
  let now = 0
  const scene = await pending()
  const { context } = scene.run
  const ahead = createAhead({ mayAsk: async () => true, now: () => now })
  await ahead.ask(context, going())
  expect(ahead.take(context.requestId + 1, '2_note')).toBeNull()
  expect(ahead.take(context.requestId, '3_more')).toBeNull()
  await ahead.ask(context, going())
  now += GOOD_FOR_MS
  expect(ahead.take(context.requestId, '2_note')).toMatchObject({ proof: { kind: 'waiting' } })
  await ahead.ask(context, going())
  now += GOOD_FOR_MS + 1
  expect(ahead.take(context.requestId, '2_note')).toBeNull()
})

test('an answer that the world has overtaken refuses nothing: Prisma is asked again, and that is what is told', async () => {
  const scene = await pending({ '1_init': init, '2_note': note, '3_more': `INSERT INTO "tally" VALUES ('more');\n` })
  const ahead = createAhead({ mayAsk: async () => true })
  await ahead.ask(scene.run.context, going())
  // somebody applies the first of the two by hand
  await scene.sql(
    `${note}; insert into _prisma_migrations select '2', '${scene.run.context.plan.list[0]?.sha256}', now(), '2_note', null, null, now(), 1`,
  )
  expect(await migrateStep(fast, ahead).act(scene.run.context)).toMatchObject({
    kind: 'done',
    output: expect.stringMatching(/^2 migrations in /),
  })
  expect(questions(scene)).toBe(2)
})

test.each<[string, (scene: Scene) => Promise<unknown>, boolean]>([
  ['the approval no longer holds', async () => {}, false],
  ['somebody else migrates', async ({ session }) => (await session('another')).query('select pg_advisory_lock(72707369)'), true],
])('nothing is asked where %s', async (_why, make, mayAsk) => {
  const scene = await pending()
  await make(scene)
  const ahead = createAhead({ mayAsk: async () => mayAsk })
  await ahead.ask(scene.run.context, going())
  expect(ahead.take(scene.run.context.requestId, '2_note')).toBeNull()
  await expect(async () => questions(scene)).rejects.toThrow('ENOENT')
})

test('an answer that was not proved is not kept', async () => {
  // without a record there is nothing that Prisma could be seen to wait for
  const scene_ = await scene({ '1_init': init })
  const ahead = createAhead({ mayAsk: async () => true })
  await ahead.ask(scene_.run.context, going())
  expect(questions(scene_)).toBe(1)
  expect(ahead.take(scene_.run.context.requestId, '1_init')).toBeNull()
})

test('when the backup is not verified the question ends, and the record of migrations is free', async () => {
  const scene = await pending()
  const reader = await scene.session('reader')
  await reader.query('begin; select from _prisma_migrations')
  const stop = new AbortController()
  const ahead = createAhead({ mayAsk: async () => true })
  const asking = ahead.ask(scene.run.context, stop.signal)
  const waiting = `select 1 from pg_locks where relation = '_prisma_migrations'::regclass and not granted`
  await until('the record is asked for', async () => (await scene.sql(waiting)).length > 0)
  stop.abort()
  await reader.query('rollback')
  await asking
  expect(await scene.sql(`select 1 from pg_locks where relation = '_prisma_migrations'::regclass`)).toEqual([])
  expect(ahead.take(scene.run.context.requestId, '2_note')).toBeNull()
})
