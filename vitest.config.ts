import { defineConfig } from 'vitest/config'

const results = process.env.LOCKKEEPER_TEST_RESULTS

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    exclude: ['test/browser/**', 'node_modules/**'],
    globalSetup: ['test/helpers/global.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // much of a test's time is waiting for children and for Slack's pace, so one more than there are cores of the smallest machine
    maxWorkers: 3,
    maxConcurrency: 3,
    reporters: results === undefined ? ['default'] : ['default', 'json'],
    ...(results === undefined ? {} : { outputFile: { json: results } }),
  },
})
