import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { REPORT } from './report.ts'

/**
 * `npm run faults -- --runs 200 --seed N [--only RUN] [--lanes 3]`: the random walk over the faults, and its report.
 * `npm run faults -- --all`: every fault by name, with one bot and with three.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    only: { type: 'string' },
    lanes: { type: 'string', default: '3' },
    all: { type: 'boolean', default: false },
  },
})
const { all, ...numbers } = values
const wrong = Object.entries(numbers).filter(([, value]) => value !== undefined && !/^[1-9]\d*$/.test(value))
if (wrong.length > 0) {
  console.error(
    `${wrong.map(([name, value]) => `--${name} ${value}`).join(', ')} is not a number from 1 on. Example: npm run faults -- --runs 200 --seed 7`,
  )
  process.exit(2)
}
const root = join(import.meta.dirname, '../..')
const files = (all ? ['one-bot', 'three-bots'] : ['walk']).map((name) => `test/faults/${name}.test.ts`)
rmSync(REPORT, { force: true })
const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=verbose', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    ...(all ? { FAULT_ALL: 'yes' } : {}),
    FAULT_RUNS: values.runs,
    FAULT_SEED: values.seed,
    FAULT_LANES: values.lanes,
    ...(values.only === undefined ? {} : { FAULT_ONLY: values.only }),
  },
})
if (!all) console.log(existsSync(REPORT) ? readFileSync(REPORT, 'utf8').trimEnd().split('\n').at(-1) : 'The walk did not come to its end.')
process.exit(status ?? 1)
