import { describe, test } from 'vitest'
import { startScene } from './scene.ts'

describe('around the approval', { timeout: 120_000 }, () => {
  test('killed while it waits for approval and started again, the run goes on once it is approved', async (context) => {
    const scene = await startScene(context, { gates: ['migration'] })
    const request = await scene.ask()
    await scene.first().kill()
    await scene.bots.start()
    await scene.approve(request.id)
    await scene.ends(request.id, 'succeeded')
  })

  test('a vote counts though the process dies before it looks at it', async (context) => {
    const scene = await startScene(context, { gates: ['migration'], fault: 'before-claim' })
    const request = await scene.ask()
    await scene.approve(request.id)
    await scene.first().gone()
    await scene.bots.start()
    await scene.ends(request.id, 'succeeded')
  })

  test('killed right after the grant was used, the run goes on without asking again', async (context) => {
    const scene = await startScene(context, { gates: ['migration'], fault: 'after-claim' })
    const request = await scene.ask()
    await scene.approve(request.id)
    await scene.first().gone()
    await scene.bots.start()
    await scene.ends(request.id, 'succeeded')
  })

  test('a post that arrived just before the process died stands in the thread once', async (context) => {
    const scene = await startScene(context, { gates: ['migration'], fault: 'after-post:event' })
    await scene.type('deploy prod')
    await scene.first().gone()
    await scene.bots.start()
    const request = await scene.asked()
    await scene.approve(request.id)
    await scene.ends(request.id, 'succeeded')
  })
})
