import { describe, expect, test } from 'vitest'
import { expectEnds, openScene } from './scene.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

describe.concurrent('the clock of the only bot, with every library in it,', { timeout: 180_000 }, () => {
  test.each([
    ['a day ahead', DAY, "This machine's clock is 24 h ahead of the others."],
    ['a day behind', -DAY, "This machine's clock is 24 h behind the others."],
  ] as const)('is %s: it says so and runs nothing', async (_how, ms, said) => {
    const scene = await opened(ms)
    try {
      expect(scene.log()).toContain(said)
      const request = await scene.ask()
      await scene.approve(request.id)
      const ended = await expectEnds(scene, request.id, 'failed')
      expect(ended.outcome?.why).toBe(
        `${said} Times in the record and of approvals cannot be trusted, so nothing runs. Set it right (NTP) and ask again.`,
      )
      expect(scene.starts(request.id)).toBe(0)
    } finally {
      await scene.close()
    }
  })

  test('is ten minutes ahead: it says so and runs', async () => {
    const scene = await opened(10 * MINUTE)
    try {
      expect(scene.log()).toContain("This machine's clock is 10 min ahead of the others. Times in the record may be that far off.")
      const request = await scene.ask()
      await scene.approve(request.id)
      await expectEnds(scene, request.id, 'succeeded')
    } finally {
      await scene.close()
    }
  })
})

const opened = (clockMs: number) => openScene({ gates: ['migration'], env: { LOCKKEEPER_TEST_CLOCK: String(clockMs) } })
