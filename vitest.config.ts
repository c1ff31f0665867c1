import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/helpers/longest-first.ts'

const results = process.env.LOCKKEEPER_TEST_RESULTS

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    exclude: ['test/browser/**', 'node_modules/**'],
    globalSetup: ['test/helpers/global.ts'],
    // against hanging only: some tests start a dozen programs, and machines differ by a factor of two
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // a test is mostly its children, programs that start and compute: more tests at once than cores of the smallest machine only wait for each other
    maxWorkers: 2,
    maxConcurrency: 2,
    sequence: { sequencer: LongestFirst },
    reporters: results === undefined ? ['default'] : ['default', 'json'],
    ...(results === undefined ? {} : { outputFile: { json: results } }),
  },
})
