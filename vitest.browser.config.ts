import { defineConfig } from 'vitest/config'
import { reporters, withServer } from './test/runner/configuration.ts'

export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    ...withServer,
    testTimeout: 240_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    pool: 'forks',
    ...reporters(process.env['LOCKKEEPER_TEST_RESULTS']),
  },
})
