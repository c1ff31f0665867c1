import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

/** `npm run faults -- --runs 200 --seed N [--only RUN] [--lanes 3]`: the random walk over the faults, and its report. */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    lanes: { type: 'string', default: '3' },
  },
})
const wrong = Object.entries(values).filter(([, value]) => value !== undefined && !/^[1-9]\d*$/.test(value))
if (wrong.length > 0) {
  console.error(
    `${wrong.map(([name, value]) => `--${name} ${value}`).join(', ')} is not a number from 1 on. Example: npm run faults -- --runs 200 --seed 7`,
  )
  process.exit(2)
}
const root = join(import.meta.dirname, '../..')
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/faults/walk.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    FAULT_RUNS: values.runs,
    FAULT_SEED: values.seed,
    FAULT_LANES: values.lanes,
    ...(values.only === undefined ? {} : { FAULT_ONLY: values.only }),
  },
})
process.exit(status ?? 1)
