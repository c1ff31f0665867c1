import { describe, expect, test, type TestContext } from 'vitest'
import { until } from '../helpers/until.ts'
import { startMaintained } from '../helpers/maintained.ts'
import { expectEnds, startScene, tallying, type SceneOptions } from './scene.ts'

describe.concurrent('a process that dies with the maintenance page up', { timeout: 240_000 }, () => {
  test('killed between on and off: whoever takes over finishes the run and switches the page off', async (context) => {
    const { scene, app } = await start(context, { fault: 'before-step-record:maintenance-on', gates: ['migration'] })
    const request = await scene.ask()
    await scene.approve(request.id)
    await scene
      .first()
      .gone(90_000)
      .catch((e) => {
        console.log(scene.log().slice(-3000))
        throw e
      })
    expect(app.isOn()).toBe(true)
    await scene.bots.start()
    await expectEnds(scene, request.id, 'succeeded')
    expect(app.switched()).toEqual(['on', 'on', 'off'])
    expect(app.isOn()).toBe(false)
  })

  test('killed in the migration, which then fails: the page goes off and the failure is told', async (context) => {
    const { scene, app } = await start(context, { fault: 'before-step-record:migrate', migrations: failing })
    const request = await scene.ask()
    await scene.approve(request.id)
    await scene
      .first()
      .gone(90_000)
      .catch((e) => {
        console.log(scene.log().slice(-3000))
        throw e
      })
    expect(app.isOn()).toBe(true)
    await scene.bots.start()
    const ended = await expectEnds(scene, request.id, 'failed')
    expect(ended.outcome?.maintenance).toMatch(/^It was on for .* and is off again: `http:\/\/127\.0\.0\.1:\d+\/` answers HTTP 200\.$/)
    expect(app.switched()).toEqual(['on', 'off'])
  })

  test('killed when the page is off and nobody has written it down: it is switched off again, and the run ends as it would have', async (context) => {
    const { scene, app } = await start(context, { fault: 'before-step-record:maintenance-off', migrations: failing })
    const request = await scene.ask()
    await scene.approve(request.id)
    await scene
      .first()
      .gone(90_000)
      .catch((e) => {
        console.log(scene.log().slice(-3000))
        throw e
      })
    await scene.bots.start()
    await expectEnds(scene, request.id, 'failed')
    expect(app.switched()).toEqual(['on', 'off', 'off'])
    expect(app.isOn()).toBe(false)
  })

  test('with two bots, the one that is left switches it off by itself', async (context) => {
    const { scene, app } = await start(context, { replicas: 2 })
    const request = await scene.ask()
    await scene.approve(request.id)
    await until('the second migration runs', async () => (await scene.migrating()).length > 0, 60_000)
    const carrier = await scene.carrier(request.id)
    await carrier.kill()
    await until('it was taken over', () => scene.adopted(), 60_000)
    await scene.open('migration')
    await expectEnds(scene, request.id, 'succeeded')
    expect(app.switched()).toEqual(['on', 'off'])
    expect(app.isOn()).toBe(false)
  })
})

const failing = {
  '20261121090000_first': tallying('20261121090000_first', 'ALTER TABLE "orders" ADD COLUMN "gift" text;'),
  '20261121091000_broken': tallying('20261121091000_broken', 'ALTER TABLE "orders" ADD COLUMN "gift" text;'),
}

async function start(context: Pick<TestContext, 'onTestFinished'>, options: SceneOptions) {
  const app = await startMaintained()
  context.onTestFinished(app.close)
  const scene = await startScene(context, { ...options, target: () => ({ maintenance: app.settings }) })
  return { app, scene }
}
