import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.ts'
import { expectEnds, startScene, tallying, type Scene } from './scene.ts'

describe('in the migration', { timeout: 120_000 }, () => {
  test('killed inside the transaction of a migration, the migrator goes on alone and the next process waits for it', async (context) => {
    const scene = await startScene(context)
    const request = await scene.ask()
    await scene.approve(request.id)
    const [migrator] = await until('the second migration runs', async () => (await scene.migrating()).length > 0 && scene.migrating())
    await scene.first().kill()
    await scene.bots.start()
    await until('the next process has taken over', () => scene.adopted())
    expect((await scene.migrating())[0]).toEqual(migrator)
    await scene.open('migration')
    await expectEnds(scene, request.id, 'succeeded')
  })

  test('killed in CREATE INDEX CONCURRENTLY, the index is built to its end and the run goes on', async (context) => {
    const scene = await startScene(context, { migrations: withIndex })
    const request = await scene.ask()
    const release = await scene.hold('lock table orders in row exclusive mode')
    await scene.approve(request.id)
    await until('the index waits for the open transaction', async () => (await indexing(scene)).length > 0)
    await scene.first().kill()
    await scene.bots.start()
    await until('the next process has taken over', () => scene.adopted())
    await release()
    await expectEnds(scene, request.id, 'succeeded')
    expect(await scene.sql(`select indisvalid as valid from pg_index where indexrelid = 'orders_placed_at_idx'::regclass`)).toEqual([
      { valid: true },
    ])
  })

  test('killed in CREATE INDEX CONCURRENTLY together with the migrator, a person is called and the invalid index is named', async (context) => {
    const scene = await startScene(context, { migrations: withIndex })
    const request = await scene.ask()
    const release = await scene.hold('lock table orders in row exclusive mode')
    await scene.approve(request.id)
    await until('the index waits for the open transaction', async () => (await indexing(scene)).length > 0)
    await scene.first().kill()
    scene.killMigrator()
    await scene.sql(`select pg_terminate_backend(pid) from pg_stat_progress_create_index`)
    await scene.bots.start()
    const ended = await expectEnds(scene, request.id, 'needs_human')
    await release()
    expect(ended.outcome?.headline).toBe('*The migrator disappeared during `20261121091000_index`. Lockkeeper will not guess.*')
    expect(ended.outcome?.known).toContain('`orders_placed_at_idx` is invalid')
  })

  test('the wrapper of the migrator is killed alone: the migrator goes on, and what it applied is found', async (context) => {
    const scene = await startScene(context)
    const request = await scene.ask()
    await scene.approve(request.id)
    await until('the second migration runs', async () => (await scene.migrating()).length > 0)
    scene.killWrapper()
    await scene.open('migration')
    await expectEnds(scene, request.id, 'succeeded')
    expect(scene.starts(request.id)).toBe(1)
  })
})

const withIndex = {
  '20261121090000_first': tallying('20261121090000_first', 'ALTER TABLE "products" ADD COLUMN "gift" text;'),
  '20261121091000_index': 'CREATE INDEX CONCURRENTLY "orders_placed_at_idx" ON "orders" ("placed_at");',
}

const indexing = (scene: Scene) =>
  scene.sql(`select pid from pg_stat_progress_create_index where phase like 'waiting%' and datname = current_database()`)
