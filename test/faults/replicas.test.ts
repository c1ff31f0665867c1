import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.ts'
import { expectEnds, startScene } from './scene.ts'

describe('two processes, and the session that proves one alive', { timeout: 120_000 }, () => {
  test('the process that carries the run is killed, and the other one goes on within 5 s', async (context) => {
    const scene = await startScene(context)
    const second = await scene.bots.start()
    const request = await scene.ask()
    await scene.approve(request.id)
    const migrator = await until('the second migration runs', async () => (await scene.migrating())[0])
    const victim = await scene.carrier(request.id)
    await victim.kill()
    const killed = performance.now()
    await until('the other one has taken over', () => scene.adopted())
    expect(performance.now() - killed).toBeLessThan(5_000)
    expect(await scene.carrier(request.id)).toBe(victim === second ? scene.first() : second)
    expect(await scene.migrating()).toEqual([migrator])
    await scene.open('migration')
    await expectEnds(scene, request.id, 'succeeded')
    expect(scene.starts(request.id)).toBe(1)
  })

  test('the session that proves the process alive is ended in the migration: the run goes on in it, and nothing happens twice', async (context) => {
    const scene = await startScene(context)
    const request = await scene.ask()
    await scene.approve(request.id)
    await until('the second migration runs', async () => (await scene.migrating()).length > 0)
    const [ended] = await scene.store.query<{ pid: number }>(ALIVE)
    expect(await scene.store.query(`select pg_terminate_backend(pid) as ended from (${ALIVE}) alive`)).toEqual([{ ended: true }])
    await until('it has another one', async () => (await scene.store.query<{ pid: number }>(ALIVE)).some(({ pid }) => pid !== ended?.pid))
    await scene.open('migration')
    await expectEnds(scene, request.id, 'succeeded')
    expect(scene.starts(request.id)).toBe(1)
    expect(await scene.adopted()).toBe(false)
  })

  test('the same in pg_dump: that dump is given up, another one is made, and nobody is told that a process has gone', async (context) => {
    const scene = await startScene(context, { gates: ['migration'] })
    const request = await scene.ask()
    const release = await scene.hold('lock table orders in access exclusive mode')
    await scene.approve(request.id)
    const before = await until('pg_dump waits for the table', async () => (await scene.dumping())[0])
    await scene.store.query(`select pg_terminate_backend(pid) from (${ALIVE}) alive`)
    await until('another pg_dump waits', async () => (await scene.dumping()).some(({ pid }) => pid !== before.pid))
    await release()
    await expectEnds(scene, request.id, 'succeeded')
    expect(await scene.adopted()).toBe(false)
    expect(await scene.store.query('select count(*)::int as count from lockkeeper.backup')).toEqual([{ count: 1 }])
  })

  test('every session of the store is ended at once in the migration: the run goes on, and nothing happens twice', async (context) => {
    const scene = await startScene(context)
    const request = await scene.ask()
    await scene.approve(request.id)
    await until('the second migration runs', async () => (await scene.migrating()).length > 0)
    await scene.store.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    await scene.open('migration')
    await expectEnds(scene, request.id, 'succeeded')
    expect(scene.starts(request.id)).toBe(1)
    expect(await scene.adopted()).toBe(false)
  })
})

const ALIVE = `select pid from pg_stat_activity where datname = current_database() and application_name = 'lockkeeper-alive'`
