import { expect, test } from 'vitest'
import { createPace, type Order } from '../../src/slack/pace.ts'

const post = (channel: string): Order => ({ kind: 'post', channel, isUrgent: false })
const update = (isUrgent: boolean): Order => ({ kind: 'update', channel: 'C1', isUrgent })

function at(start = 1_000_000) {
  let now = start
  return { pace: createPace({ now: () => now }), pass: (ms: number) => (now += ms) }
}

test('a channel takes a short burst, then one post a second; other channels are not held up', () => {
  const { pace, pass } = at()
  expect([1, 2, 3, 4].map(() => pace.take(post('C1')))).toEqual([0, 0, 0, 1_000])
  expect(pace.take(post('C2'))).toBe(0)
  pass(400)
  expect(pace.take(post('C1'))).toBe(600)
  pass(600)
  expect([1, 2].map(() => pace.take(post('C1')))).toEqual([0, 1_000])
})

test('edits of all runs together stay at 40 a minute', () => {
  const { pace, pass } = at()
  let sent = 0
  for (let second = 0; second < 600; second++) {
    for (let run = 0; run < 5; run++) if (pace.take(update(false)) === 0) sent++
    pass(1_000)
  }
  expect(sent).toBeGreaterThan(390)
  expect(sent).toBeLessThanOrEqual(412)
})

test('progress leaves some edits to decisions and ends', () => {
  const { pace } = at()
  while (pace.take(update(false)) === 0);
  expect([1, 2, 3, 4, 5].map(() => pace.take(update(true)))).toEqual([0, 0, 0, 0, 0])
  expect(pace.take(update(true))).toBeGreaterThan(0)
})

test('what Slack says counts, for that kind of call alone', () => {
  const { pace, pass } = at()
  pace.limited(post('C1'), 30_000)
  expect(pace.take(post('C1'))).toBe(30_000)
  expect(pace.take(post('C2'))).toBe(0)
  expect(pace.take(update(false))).toBe(0)
  pass(30_000)
  expect(pace.take(post('C1'))).toBe(0)
})

test('a clock that goes back gives nothing away', () => {
  const { pace, pass } = at()
  while (pace.take(post('C1')) === 0);
  pass(-60_000)
  expect(pace.take(post('C1'))).toBe(1_000)
})
