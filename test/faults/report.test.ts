import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { leaveFailure } from './failure.ts'
import { createJournal } from './journal.ts'
import { planRun } from './plan.ts'
import { createReport } from './report.ts'

const SEED = 77
const plan = planRun(SEED, 3)
const root = join(import.meta.dirname, '../..')

/** A store with one request and nothing else. */
const scene = {
  store: {
    query: async (text: string) =>
      text.includes('information_schema') ? [{ name: 'lockkeeper.request' }] : [{ row: '{"id": 1, "state": "running"}' }],
  },
  log: () => '{"level":50,"msg":"it stands still"}',
} as unknown as NonNullable<Parameters<typeof leaveFailure>[0]['scene']>

test('a run that fails leaves a file with its seed, what was done to it and when, what was missed, its rows and its logs', async () => {
  let ms = 1_000
  const journal = createJournal(() => ms)
  ms += 2_250
  journal.note('waiting: the store answers slowly')
  const file = await leaveFailure({ seed: SEED, plan, journal, wrong: ['I3: migrators 4,5 at once'], scene })
  try {
    expect(file).toBe('.build/faults/seed-77-run-3.txt')
    expect(readFileSync(join(root, file), 'utf8')).toMatch(
      /^seed 77, run 3; the same plan again: npm run faults -- --seed 77 --only 3\n\nrun 3: [^]*\n\nWhat is wrong\n {2}I3: migrators 4,5 at once\n\nWhat was done and when\n {3}2\.25 s {2}waiting: the store answers slowly\n\nRows of the store\n-- lockkeeper\.request\n\{"id": 1, "state": "running"\}\n\nWhat the bots said\n\{"level":50,"msg":"it stands still"\}\n$/,
    )
  } finally {
    rmSync(join(root, file))
  }
})

test('the last line of a report says whether the walk failed, in which run, and where its file lies', () => {
  const [good, bad] = [createReport(SEED), createReport(SEED)]
  good.add(plan, { failure: null })
  bad.add(plan, { failure: null })
  bad.add(plan, { failure: 'run 3 of seed 77: I3: migrators 4,5 at once (.build/faults/seed-77-run-3.txt)' })
  const lastLine = (text: string) => text.trimEnd().split('\n').at(-1)
  expect(lastLine(good.text())).toBe('The walk broke nothing: 1 runs, seed 77.')
  expect(lastLine(bad.text())).toBe(
    'The walk failed in 1 of 2 runs: run 3 of seed 77: I3: migrators 4,5 at once (.build/faults/seed-77-run-3.txt)',
  )
})

test('a seed gives the same plan each time, and each run another', () => {
  expect(planRun(SEED, 3)).toEqual(plan)
  expect(new Set(Array.from({ length: 50 }, (_, at) => JSON.stringify({ ...planRun(SEED, at), number: 0 }))).size).toBeGreaterThan(45)
})
