import { expect, test } from 'vitest'
import { together } from '../../src/lib/together.ts'

test('gives what each gives, in order', async () => {
  expect(await together([Promise.resolve(1), 'two', Promise.resolve(null)])).toEqual([1, 'two', null])
})

test('when one fails, its fault is thrown after the others have ended', async () => {
  const slow = Promise.withResolvers<string>()
  let isOver = false
  const both = together([Promise.reject(new Error('failed')), slow.promise.finally(() => (isOver = true))]).catch(
    (error: Error) => `${error.message}, the other one ${isOver ? 'ended' : 'goes on'}`,
  )
  slow.resolve('done')
  expect(await both).toBe('failed, the other one ended')
})
