import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { scene8 } from '../helpers/prisma8/scene.ts'
import { until } from '../helpers/until.ts'
import { made, otherScene, type OtherScene } from '../migrate/others/scene.ts'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { fast, init, later, note, scene as prismaScene, SEED, sleeping } from '../run/scene.ts'

const ORDERS = 'CREATE TABLE orders (id serial PRIMARY KEY, total int NOT NULL);\n'
const NOTE = 'ALTER TABLE orders ADD COLUMN note text;\n'

/** So long that only the guard ends a wait. */
const NEVER = 600_000

async function session({ database }: OtherScene, name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url, application_name: name })
  client.on('error', () => {}) // the database is dropped under it
  await client.connect()
  later(() => client.end().catch(() => {}))
  return client
}

/** A table that is there, and a migration of it that has not run yet. */
async function orders(migration: string, guard: { readonly queue: number; readonly every: number }): Promise<OtherScene> {
  const scene = await otherScene('sql', { lockTimeout: NEVER, guard })
  await scene.commit({ 'migrations/1_orders.sql': ORDERS })
  await scene.run(made(await scene.plan())).migrate()
  await scene.commit({ 'migrations/2_note.sql': migration })
  return scene
}

describe('a migration behind which the application waits', () => {
  test('is cancelled in time, tried again, and goes through when the long reader is gone', async () => {
    const scene = await orders(NOTE, { queue: 400, every: 50 })
    const run = scene.run(made(await scene.plan()))
    const reader = await session(scene, 'reporting')
    await reader.query('begin; select count(*) from orders')
    const shop = await session(scene, 'shop-web')
    const ending = run.migrate()
    await until('the migration waits', async () => {
      const rows = await scene.sql(`select 1 from pg_locks where not granted and relation = 'orders'::regclass`)
      return rows.length === 1
    })
    const began = performance.now()
    await shop.query('insert into orders (total) values (1)')
    expect(performance.now() - began).toBeLessThan(400 + 500)
    await reader.query('rollback')
    expect(await ending).toMatchObject({ kind: 'done' })
    expect(run.events.filter(({ kind }) => kind === 'tried')).toEqual([
      {
        kind: 'tried',
        data: {
          text: expect.stringMatching(
            /^Try 1 of 5: 1 query of `shop-web` waited \d+(\.\d)? s behind `ALTER TABLE orders ADD COLUMN note text`, so it was cancelled \(it waits for a lock on `orders` that `reporting` \(pid \d+, running for \d+ s\) holds\); nothing was left\. Next try in 0\.1 s\.$/,
          ),
        },
      },
    ])
  })

  test('is not tried again when it holds its own lock for too long, since it would do the same once more', async () => {
    const scene = await orders(`${NOTE}SELECT pg_sleep(60);\n`, { queue: 400, every: 50 })
    const run = scene.run(made(await scene.plan()))
    const shop = await session(scene, 'shop-web')
    const ending = run.migrate()
    await until('it holds its lock', async () => (await sleeping(scene.sql)) === 1)
    await shop.query('insert into orders (total) values (1)')
    expect(await ending).toMatchObject({
      kind: 'failed',
      output: expect.stringMatching(/^cancelled for the application, 1 try in \d+(\.\d)? s$/),
      outcome: {
        headline: expect.stringMatching(
          /^\*`2_note` was cancelled so that the application can go on: 1 query of `shop-web` waited \d+(\.\d)? s behind `ALTER TABLE orders ADD COLUMN note text; SELECT pg_sleep\(…\)`\. It is not applied\.\* The application was left as it was\.$/,
        ),
        why: 'Nobody was in its way: it held its lock for that long itself, so it was not tried again, which would have kept the application waiting once more.',
      },
      data: { guard: { cancelled: 1, most: { queue: 1 } } },
    })
    expect(run.events.filter(({ kind }) => kind === 'tried')).toEqual([])
  })

  test('goes through at once when an approver has the session in its way ended', async () => {
    const scene = await orders(NOTE, { queue: NEVER, every: 50 })
    const run = scene.run(made(await scene.plan()))
    const reader = await session(scene, 'reporting')
    await reader.query("begin; select count(*) from orders where total > 4711 and 'secret' <> ''")
    const ending = run.migrate()
    const shown = await until('who is in the way is shown', () => run.asked.shown.at(-1))
    expect(shown.shown).toMatchObject({
      name: 'reporting',
      isIdle: true,
      relation: 'orders',
      statement: "begin; select count(*) from orders where total > … and '…' <> '…'",
      whyNotEnd: null,
    })
    // what was shown, and what it is by now
    run.asked.next = { ...shown, transaction: '1' }
    await until('the first answer', () => run.asked.answers.length === 1)
    run.asked.next = shown
    expect(await ending).toMatchObject({ kind: 'done' })
    expect(run.asked.answers).toEqual([
      `\`reporting\` (pid ${shown.pid}) was not ended: since <@U0BOB> asked, it has gone or gone on to something else, and only what was shown is ended.`,
      `\`reporting\` (pid ${shown.pid}) was ended, as <@U0BOB> asked. The database takes back what it had not committed.`,
    ])
  })

  test('is watched on by a new connection when the one of the guard was ended, and is cancelled in time all the same', async () => {
    const scene = await orders(NOTE, { queue: 1_500, every: 50 })
    const run = scene.run(made(await scene.plan()))
    const reader = await session(scene, 'reporting')
    await reader.query('begin; select count(*) from orders')
    const shop = await session(scene, 'shop-web')
    const ending = run.migrate()
    await until('the migration waits', async () => {
      const rows = await scene.sql(`select 1 from pg_locks where not granted and relation = 'orders'::regclass`)
      return rows.length === 1
    })
    const waited = shop.query('insert into orders (total) values (1)')
    await scene.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'lockkeeper-watch-%'`)
    await waited
    await reader.query('rollback')
    expect(await ending).toMatchObject({
      kind: 'done',
      output: expect.stringMatching(/^1 migration in \d+(\.\d)? s; at most 1 query waited behind it, for up to \d+(\.\d)? s$/),
      data: { guard: { cancelled: 1 } },
    })
  })

  test('is undone and marked as rolled back also where Prisma runs it, and tried again', async () => {
    const scene = await prismaScene(
      { '1_init': init, '2_note': note },
      { lockTimeout: '10m', guard: { queue: '400ms', every: '50ms' }, before: SEED, baseline: ['1_init'] },
    )
    const { run, sql } = scene
    const [reader, shop] = [await scene.session('reporting'), await scene.session('shop-web')]
    await reader.query('begin; select count(*) from orders')
    const ending = migrateStep(fast).act(run.context)
    await until(
      'the migration waits',
      async () => (await sql(`select 1 from pg_locks where not granted and relation = 'orders'::regclass`)).length === 1,
    )
    await shop.query('insert into orders (total) values (1)')
    await until('the try is told', () => run.recorded.events.some(({ kind }) => kind === 'tried'))
    await reader.query('rollback')
    expect(await ending).toMatchObject({ kind: 'done', data: { guard: { tries: expect.any(Number), most: { queue: 1 } } } })
    expect(run.recorded.events.find(({ kind }) => kind === 'tried')?.data).toEqual({
      text: expect.stringMatching(
        /^Try 1 of 5: 1 query of `shop-web` waited \d+(\.\d)? s behind `ALTER TABLE "orders" ADD COLUMN "note" text; INSERT INTO …`, so it was cancelled \(it waits for a lock on `orders` that `reporting` \(pid \d+, running for \d+ s\) holds\); nothing was left\. Next try in 0\.1 s\.$/,
      ),
    })
    expect(
      await sql(
        `select (count(*) - count(rolled_back_at))::int as kept, count(rolled_back_at) > 0 as "isUndone" from _prisma_migrations where migration_name = '2_note'`,
      ),
    ).toEqual([{ kept: 1, isUndone: true }])
    expect(await sql('select name from tally')).toEqual([{ name: 'note' }])
  })

  test('leaves nothing and is tried again with Prisma 8 too', async () => {
    const scene = await scene8({ lockTimeout: NEVER, queue: 400 })
    const [reader, shop] = [await scene.session('reporting'), await scene.session('shop-web')]
    await reader.query('begin; lock table "Customer" in access share mode')
    const ending = migrateStep(fast).act(scene.context)
    await until('the migration waits', async () => {
      const rows = await scene.sql(`select 1 from pg_locks where not granted and relation = '"Customer"'::regclass`)
      return rows.length === 1
    })
    await shop.query('select count(*) from "Customer"')
    await until('the try is told', () => scene.events.some(({ kind }) => kind === 'tried'))
    await reader.query('rollback')
    expect(await ending).toMatchObject({ kind: 'done', data: { guard: { tries: 2, most: { queue: 1 } } } })
    expect(scene.events.filter(({ kind }) => kind === 'tried')).toEqual([
      {
        kind: 'tried',
        data: { text: expect.stringMatching(/^Try 1 of 5: 1 query of `shop-web` waited \d+(\.\d)? s behind `.+`, so it was cancelled /) },
      },
    ])
  })
})
