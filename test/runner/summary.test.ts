import { expect, test } from 'vitest'
import { summary } from './summary.ts'

test('the end of a run names the slowest files, the time of each project and the starts of Prisma', () => {
  const files = [
    { project: 'unit', file: 'test/a.test.ts', ms: 120 },
    { project: 'runs', file: 'test/b.test.ts', ms: 61_000 },
    { project: 'unit', file: 'test/c.test.ts', ms: 1_500 },
  ]
  expect(summary(files, 3)).toBe(`
The slowest files of 3:
   61.0 s  test/b.test.ts
    1.5 s  test/c.test.ts
    0.1 s  test/a.test.ts
All files of a project one after another: unit 1.6 s, runs 61.0 s
Starts of the real Prisma CLI: 3
`)
})

test('of many files twenty are named', () => {
  const files = Array.from({ length: 30 }, (_, at) => ({ project: 'unit', file: `test/${at}.test.ts`, ms: at }))
  expect(summary(files, 0).match(/test\/\d+\.test\.ts/g)).toHaveLength(20)
})
