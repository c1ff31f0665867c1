import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.ts'
import { expectEnds, startScene, type Scene } from './scene.ts'

describe('in a deploy step, and when it is asked to stop', { timeout: 120_000 }, () => {
  test('killed in a deploy step, it is not run a second time and a person is called, who reads what is certain', async (context) => {
    const scene = await startScene(context, { gates: ['migration'], target: (known) => ({ deploy: [slowStep(known.directory)] }) })
    const request = await scene.ask()
    await scene.approve(request.id)
    await scene.step(request.id, 'migrate', 'done')
    await until('the deploy step runs', () => existsSync(join(scene.directory, 'live', 'runs')))
    await scene.first().kill()
    await scene.bots.start()
    const ended = await expectEnds(scene, request.id, 'needs_human')
    expect(ended.outcome?.headline).toBe('*Lockkeeper was interrupted during "Slow switch" and does not run it a second time by itself.*')
    expect(ended.outcome?.known).toContain('The 3 migrations of this run are applied.')
    expect(ended.outcome?.notKnown).toBe('Whether it did all of its work.')
    expect(runsOf(scene)).toBe(1)
  })

  test('killed in a deploy step that may be repeated, it is run again and the run goes on', async (context) => {
    const scene = await startScene(context, {
      gates: ['migration'],
      target: (known) => ({ deploy: [{ ...slowStep(known.directory), repeatable: true }] }),
    })
    const request = await scene.ask()
    await scene.approve(request.id)
    await scene.step(request.id, 'migrate', 'done')
    await until('the deploy step runs', () => existsSync(join(scene.directory, 'live', 'runs')))
    await scene.first().kill()
    finish(scene)
    await scene.bots.start()
    await expectEnds(scene, request.id, 'succeeded')
    expect(runsOf(scene)).toBe(2)
  })

  test('asked to stop in a deploy step, it lets that step end, stops with exit code 0, and the next start finishes the run', async (context) => {
    const scene = await startScene(context, { gates: ['migration'], target: (known) => ({ deploy: [slowStep(known.directory)] }) })
    const request = await scene.ask()
    await scene.approve(request.id)
    await scene.step(request.id, 'migrate', 'done')
    await until('the deploy step runs', () => existsSync(join(scene.directory, 'live', 'runs')))
    const stopping = scene.first().stop()
    await until('it is stopping', () => scene.first().log().includes('stopping; runs go on at the next start'))
    finish(scene)
    expect(await stopping).toBe(0)
    await scene.bots.start()
    await expectEnds(scene, request.id, 'succeeded')
    expect(runsOf(scene)).toBe(1)
  })

  test('asked to stop in the migration, it stops at once, the migrator goes on alone, and the next start finishes the run', async (context) => {
    const scene = await startScene(context)
    const request = await scene.ask()
    await scene.approve(request.id)
    await until('the second migration runs', async () => (await scene.migrating()).length > 0)
    expect(await scene.first().stop()).toBe(0)
    expect(await scene.migrating()).toHaveLength(1)
    await scene.open('migration')
    await scene.bots.start()
    await expectEnds(scene, request.id, 'succeeded')
    expect(scene.starts(request.id)).toBe(1)
  })

  test('asked to stop in pg_dump, it removes the half of a backup, and the next start makes a whole one', async (context) => {
    const scene = await startScene(context, { gates: ['migration'] })
    const request = await scene.ask()
    const release = await scene.hold('lock table orders in access exclusive mode')
    await scene.approve(request.id)
    await until('pg_dump waits for the table', async () => (await scene.dumping()).length > 0)
    expect(await scene.first().stop()).toBe(0)
    expect(scene.partials()).toEqual([])
    await release()
    await scene.bots.start()
    await expectEnds(scene, request.id, 'succeeded')
  })
})

/** Notes that it runs, and ends when it is told so. */
function slowStep(directory: string) {
  const script =
    'const fs = require("fs"); fs.appendFileSync("runs", "x"); setInterval(() => fs.existsSync("finish") && process.exit(0), 20)'
  return { name: 'Slow switch', cwd: join(directory, 'live'), run: ['node', '-e', script] }
}

const finish = (scene: Scene) => writeFileSync(join(scene.directory, 'live', 'finish'), '')
const runsOf = (scene: Scene) => readFileSync(join(scene.directory, 'live', 'runs'), 'utf8').length
