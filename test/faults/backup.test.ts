import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.ts'
import { expectEnds, startScene } from './scene.ts'

describe('before and in the backup', { timeout: 120_000 }, () => {
  test('killed in pg_dump, the half of a backup is removed and a whole one is made', async (context) => {
    const scene = await startScene(context, { gates: ['migration'] })
    const request = await scene.ask()
    const release = await scene.hold('lock table orders in access exclusive mode')
    await scene.approve(request.id)
    await until('pg_dump waits for the table', async () => (await scene.dumping()).length > 0)
    await scene.first().kill()
    await release()
    await scene.bots.start()
    await expectEnds(scene, request.id, 'succeeded')
    expect(await scene.store.query('select count(*)::int as count from lockkeeper.backup')).toEqual([{ count: 1 }])
  })

  test('killed while it installs, what the installer had started ends too, and the install is done anew', async (context) => {
    const scene = await startScene(context, { gates: ['migration'], install: 'hangs once' })
    const request = await scene.ask()
    await scene.approve(request.id)
    await until('the installer is at work', () => scene.hangs())
    await scene.first().kill()
    await scene.bots.start()
    await expectEnds(scene, request.id, 'succeeded')
  })
})
