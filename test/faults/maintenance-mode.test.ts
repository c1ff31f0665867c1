import { describe, expect, test, type TestContext } from 'vitest'
import type { RequestState } from '../../src/request/request.ts'
import { startMaintained, type Maintained } from '../helpers/maintained.ts'
import { until } from '../helpers/until.ts'
import { expectEnds, startScene, tallying, type Scene, type SceneOptions } from './scene.ts'

describe.concurrent('a process that dies with the maintenance page up', { timeout: 240_000 }, () => {
  test('killed when the page is on and nobody has written it down: it is switched on again, and off at the end', async (context) => {
    const { scene, app } = await start(context, { failpoint: 'before-step-record:maintenance-on', gates: ['migration'] })
    const id = await runUntilDeath(scene)
    expect(app.isOn()).toBe(true)
    await scene.bots.start()
    await endsWithPageOff(scene, app, id, 'succeeded')
    expect(app.switched()).toEqual(['on', 'on', 'off'])
  })

  test('killed between on and the migration: whoever takes over migrates and switches the page off', async (context) => {
    const { scene, app } = await start(context, { failpoint: 'before-migrator-start', gates: ['migration'] })
    const id = await runUntilDeath(scene)
    expect(app.isOn()).toBe(true)
    await scene.bots.start()
    await endsWithPageOff(scene, app, id, 'succeeded')
    expect(app.switched()).toEqual(['on', 'off'])
  })

  test('killed in the migration: of two bots the one that is left waits for it and switches the page off', async (context) => {
    const { scene, app } = await start(context, { replicas: 2 })
    const { id } = await scene.ask()
    await scene.approve(id)
    await until('the second migration runs', async () => (await scene.migrating()).length > 0)
    const carrier = await scene.carrier(id)
    await carrier.kill()
    await until('it was taken over', () => scene.adopted())
    expect(app.isOn()).toBe(true)
    await scene.open('migration')
    await endsWithPageOff(scene, app, id, 'succeeded')
    expect(app.switched()).toEqual(['on', 'off'])
  })

  test('killed when a migration has failed and nobody has written it down: the page goes off and the failure is told', async (context) => {
    const { scene, app } = await start(context, { failpoint: 'before-step-record:migrate', migrations: failing })
    const id = await runUntilDeath(scene)
    expect(app.isOn()).toBe(true)
    await scene.bots.start()
    await endsWithPageOff(scene, app, id, 'failed')
    expect(app.switched()).toEqual(['on', 'off'])
  })

  test('killed while it switches the page off: it is switched off again, and the run ends as it would have', async (context) => {
    const { scene, app } = await start(context, { gates: ['migration'] })
    app.breakOff('hangs')
    const { id } = await scene.ask()
    await scene.approve(id)
    await until('it is being switched off', () => app.switched().includes('off'), 120_000)
    await scene.first().kill()
    app.breakOff('works')
    expect(app.isOn()).toBe(true)
    await scene.bots.start()
    await endsWithPageOff(scene, app, id, 'succeeded')
    expect(app.switched()).toEqual(['on', 'off', 'off'])
  })

  test('killed when the page is off and nobody has written it down: it is switched off again, and the run ends as it would have', async (context) => {
    const { scene, app } = await start(context, { failpoint: 'before-step-record:maintenance-off', migrations: failing })
    const id = await runUntilDeath(scene)
    expect(app.isOn()).toBe(false)
    await scene.bots.start()
    await endsWithPageOff(scene, app, id, 'failed')
    expect(app.switched()).toEqual(['on', 'off', 'off'])
  })

  test('killed together with the migrator, so that nobody knows what it did: the page stays on and the card says so, until somebody closes the request', async (context) => {
    const { scene, app } = await start(context, { migrations: withIndex })
    const { id } = await scene.ask()
    const release = await scene.hold('lock table orders in row exclusive mode')
    await scene.approve(id)
    await until('the index waits for the open transaction', async () => (await scene.sql(INDEXING)).length > 0)
    await scene.first().kill()
    scene.killMigrator()
    await scene.sql(`select pg_terminate_backend(pid) from (${INDEXING}) waiting`)
    await scene.bots.start()
    await expectEnds(scene, id, 'needs_human')
    await release()
    await scene.drawn(id)
    expect(scene.cardText(id)).toContain(
      '*Maintenance mode.* It is still on, since it is not clear what the database is doing. Closing this request switches it off, so make sure of the database first.',
    )
    expect([app.switched(), app.isOn()]).toEqual([['on'], true])
    await scene.bots.all().at(-1)?.kill()
    await scene.bots.start()
    expect(await scene.answer(`cancel ${id}`, 'U0BOB')).toContain(`#${id} closes as soon as maintenance mode is off`)
    await scene.reaches(id, ['cancelled'])
    expect([app.switched(), app.isOn()]).toEqual([['on', 'off'], false])
    await scene.drawn(id)
    expect(scene.cardText(id)).toMatch(OFF_AGAIN)
  })
})

const OFF_AGAIN =
  /\*Maintenance mode\.\* It (was on for \{duration\} and is off again|is off): `http:\/\/(127\.0\.0\.1:\d+|\{host\})\/` answers HTTP 200\./

/** Asks and approves, and waits until the first bot has died at its failpoint. */
async function runUntilDeath(scene: Scene): Promise<number> {
  const { id } = await scene.ask()
  await scene.approve(id)
  await scene.step(id, 'verify-backup', 'done')
  expect(await scene.first().gone()).toBe('SIGKILL')
  return id
}

/** That it ended so, with the page off; that this was told once, and stands on the card. */
async function endsWithPageOff(scene: Scene, app: Maintained, id: number, state: RequestState): Promise<void> {
  await expectEnds(scene, id, state)
  expect(app.isOn()).toBe(false)
  await scene.drawn(id)
  expect(scene.cardText(id)).toMatch(OFF_AGAIN)
  expect(scene.thread(id).filter((post) => post.startsWith('*Maintenance off*'))).toEqual([
    '*Maintenance off* · off again, {duration}, the probe says HTTP 200',
  ])
}

const failing = {
  '20261121090000_first': tallying('20261121090000_first', 'ALTER TABLE "orders" ADD COLUMN "gift" text;'),
  '20261121091000_broken': tallying(
    '20261121091000_broken',
    'ALTER TABLE "orders" ADD CONSTRAINT "gifted" CHECK ("gift" IS NOT NULL);', // by the rows alone, which no review knows
  ),
}

const withIndex = {
  '20261121090000_first': tallying('20261121090000_first', 'ALTER TABLE "products" ADD COLUMN "gift" text;'),
  '20261121091000_index': 'CREATE INDEX CONCURRENTLY "orders_placed_at_idx" ON "orders" ("placed_at");',
}

const INDEXING = `select pid from pg_stat_progress_create_index where phase like 'waiting%' and datname = current_database()`

async function start(context: Pick<TestContext, 'onTestFinished'>, options: SceneOptions) {
  const app = await startMaintained()
  context.onTestFinished(app.close)
  const scene = await startScene(context, { ...options, target: () => ({ maintenance: app.settings }) })
  return { app, scene }
}
