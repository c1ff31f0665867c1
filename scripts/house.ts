import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readImports } from './house/imports.ts'
import { measure, type Measured } from './house/measure.ts'
import { most } from './house/plan.ts'
import { forbiddenImports, whyMisplaced } from './house/rules.ts'

/**
 * `node scripts/house.ts` counts how the product's own code is built and ends with 1 when an aim is missed or a file lies outside of the
 * plan, or an import runs against it. `--root DIR` counts another checkout, `--free` without the plan and its aims; `--names` also lists
 * what was counted.
 */
const { values } = parseArgs({
  options: { root: { type: 'string' }, free: { type: 'boolean', default: false }, names: { type: 'boolean', default: false } },
})
const root = resolve(values.root ?? join(import.meta.dirname, '..'))
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src', 'commands', 'approvals'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file) && existsSync(join(root, file)))
const lines = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8').split('\n').length - 1]))
const imports = readImports(root, files)
const measured = measure(lines, imports, most)
const broken = values.free ? [] : [...files.flatMap((file) => whyMisplaced(file) ?? []), ...forbiddenImports(files, imports)]

const rows: readonly (readonly [string, number | readonly unknown[], number | null])[] = [
  ['files', files.length, null],
  ['rooms (folders with files)', measured.rooms, null],
  ['arrows between rooms', measured.arrows, null],
  ['arrows back up', measured.backUp, 0],
  ['circles of files, types included', measured.circles, 0],
  ['loose files in src/', measured.loose, 0],
  [`folders with more than ${most.files} files`, measured.crowded, 0],
  [`files over ${most.lines} lines`, measured.long, 0],
]
for (const [what, found, aim] of rows) {
  const count = typeof found === 'number' ? found : found.length
  console.log(`${what.padEnd(36)}${String(count).padStart(5)}${aim === null ? '' : `   aim ${aim}`}`)
  const isMissed = aim !== null && count > aim
  if (typeof found !== 'number' && (values.names || (isMissed && !values.free)))
    for (const one of found) console.log(`    ${Array.isArray(one) ? one.join(' <-> ') : String(one)}`)
}
for (const sentence of broken) console.log(sentence)

const isMissed = (Object.keys(measured) as (keyof Measured)[]).some(
  (key) => key !== 'rooms' && key !== 'arrows' && measured[key].length > 0,
)
if (!values.free && (isMissed || broken.length > 0)) process.exitCode = 1
