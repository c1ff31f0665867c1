import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.ts'
import { made, otherScene, type OtherScene } from '../migrate/others/scene.ts'
import { later } from '../run/scene.ts'

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
            /^Try 1 of 5: 1 query of `shop-web` waited 0\.[4-9] s behind `ALTER TABLE orders ADD COLUMN note text`, so it was cancelled \(it waits for a lock on `orders` that `reporting` \(pid \d+, running for \d+ s\) holds\); nothing was left\. Next try in 0\.1 s\.$/,
          ),
        },
      },
    ])
  })
})
