import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectEnds, startScene } from './scene.ts'

describe('around the approval and at every record', { timeout: 120_000 }, () => {
  test('killed while it waits for approval and started again, the run goes on once it is approved', async (context) => {
    const scene = await startScene(context, { gates: ['migration'] })
    const request = await scene.ask()
    await scene.first().kill()
    await scene.bots.start()
    await scene.approve(request.id)
    await expectEnds(scene, request.id, 'succeeded')
  })

  test.for<readonly [string, readonly string[]]>([
    [
      'five times before the migration',
      ['after-post:event', 'before-claim', 'after-claim', 'before-step-record:backup', 'before-step-record:verify-backup'],
    ],
    [
      'four times from the migration on',
      ['before-migrator-start', 'after-migrator-exit', 'before-step-record:migrate', 'before-step-record:deploy-1'],
    ],
  ])('killed %s in one run, each time between an act and its record, it still does everything once', async ([, points], context) => {
    const scene = await startScene(context, {
      gates: ['migration'],
      failpoint: points[0] ?? '',
      target: ({ directory }) => ({ deploy: [{ cwd: join(directory, 'live'), run: ['sh', '-c', 'printf x >> runs'] }] }),
    })
    await scene.type('deploy prod')
    const isKilledFirst = points[0] === 'after-post:event' // before the card is there
    let bot = scene.first()
    const [, ...others] = [...points, undefined]
    const nextLife = async (next: string | undefined) => {
      expect(await bot.gone()).toBe('SIGKILL')
      bot = await scene.bots.start(next === undefined ? {} : { LOCKKEEPER_FAULT: next })
    }
    if (isKilledFirst) await nextLife(others.shift())
    const request = await scene.asked()
    await scene.approve(request.id)
    for (const next of others) await nextLife(next)
    await expectEnds(scene, request.id, 'succeeded')
    expect(scene.bots.all()).toHaveLength(points.length + 1)
    expect(scene.starts(request.id)).toBe(1)
    expect(readFileSync(join(scene.directory, 'live', 'runs'), 'utf8')).toBe('x')
    expect(await scene.store.query('select state from lockkeeper.backup')).toEqual([{ state: 'verified' }])
  })
})
