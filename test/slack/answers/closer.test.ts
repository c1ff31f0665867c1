import { expect, test } from 'vitest'
import { createCloser } from '../../../src/slack/answers/closer.ts'

test('what is closed within a moment is closed by one statement, and what comes after it by the next', async () => {
  const statements: (readonly string[])[] = []
  const close = createCloser(async (ids) => void statements.push(ids), 1)
  await Promise.all([close('a'), close('b'), close('c')])
  await close('d')
  expect(statements).toEqual([['a', 'b', 'c'], ['d']])
})

test('while one is written the others gather for the next', async () => {
  const statements: (readonly string[])[] = []
  const later: Promise<void>[] = []
  const close = createCloser(async (ids) => {
    statements.push(ids)
    if (ids.includes('a')) later.push(close('b'), close('c'))
  }, 1)
  await close('a')
  await Promise.all(later)
  expect(statements).toEqual([['a'], ['b', 'c']])
})

test('a store that is away fails all of a moment, and what is given again is closed', async () => {
  let isAway = true
  const closed: string[] = []
  const close = createCloser(async (ids) => {
    if (isAway) throw new Error('away')
    closed.push(...ids)
  }, 1)
  expect((await Promise.allSettled([close('a'), close('b')])).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  isAway = false
  await Promise.all([close('a'), close('b')])
  expect(closed).toEqual(['a', 'b'])
})
