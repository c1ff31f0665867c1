import { defineConfig } from 'vitest/config'
import { reporters, testProjects } from './test/runner/configuration.ts'
import { LongestFirst } from './test/runner/longest-first.ts'

export default defineConfig({
  test: {
    projects: testProjects(process.env),
    // against hanging only: some tests start a dozen programs, and machines differ by a factor of two
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    // a test is mostly its children, and half of them wait, for a lock, a time or each other: twice the cores of the smallest machine
    maxWorkers: 4,
    maxConcurrency: 2,
    sequence: { sequencer: LongestFirst },
    ...reporters(process.env['LOCKKEEPER_TEST_RESULTS']),
  },
})
