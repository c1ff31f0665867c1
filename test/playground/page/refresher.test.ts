import { expect, test, vi } from 'vitest'
import { createRefresher } from '../../../playground/page/refresher.ts'

const TIMES = { retryMs: 1, gapMs: 0 }

test('requests during a refresh become one more refresh', async () => {
  const release: (() => void)[] = []
  const refresh = vi.fn(() => new Promise<void>((resolve) => release.push(resolve)))
  const refresher = createRefresher(refresh, TIMES)
  for (let count = 0; count < 5; count += 1) refresher.request()
  expect(refresh).toHaveBeenCalledTimes(1)
  release[0]?.()
  await vi.waitFor(() => expect(refresh).toHaveBeenCalledTimes(2))
  release[1]?.()
  refresher.request()
  await vi.waitFor(() => expect(refresh).toHaveBeenCalledTimes(3))
  refresher.stop()
  release[2]?.()
})

test('a refresh that failed is tried again by itself', async () => {
  const refresh = vi.fn(() => (refresh.mock.calls.length < 3 ? Promise.reject(new Error('down')) : Promise.resolve()))
  const refresher = createRefresher(refresh, TIMES)
  refresher.request()
  await vi.waitFor(() => expect(refresh).toHaveBeenCalledTimes(3))
  refresher.stop()
})
