import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Placed } from './placed.ts'
import { sha256 } from './situation.ts'

const root = join(import.meta.dirname, '../../..')

/** One line for each start of a real CLI: the test file, or `?`, and what it was asked. */
export const STARTS = join(root, '.build/results/prisma-starts.log')

type Which = 'recorded' | 'real'

/** The test file that asked for it; this module may outlive it, since files of a process share what they loaded. */
let realFor: string | undefined

/** For a test file whose subject is the CLI itself. */
export function useRealPrisma(): void {
  realFor = testFile()
}

/**
 * `LOCKKEEPER_TEST_PRISMA=real` runs every test with the real one, `=record` also keeps what it answers and nobody has recorded. Outside of
 * tests, as in the bench, it is the real one.
 */
const whichPrisma = (): Which =>
  realFor === testFile() || process.env['VITEST'] === undefined || process.env['LOCKKEEPER_TEST_PRISMA'] === 'real' ? 'real' : 'recorded'

/**
 * A `node_modules` with the packages of `base` and the Prisma that this test file gets; to be linked or copied, not written into. Where the
 * real one may not be asked, what the recorded one does not know is an error.
 */
export function modulesWithPrisma(base: string, which: Which = whichPrisma(), mayAskReal = true): string {
  const real = realpathSync(join(base, 'prisma'))
  const { version } = JSON.parse(readFileSync(join(real, 'package.json'), 'utf8')) as { version: string }
  const placed = whatIsTold(real, version, mayAskReal)
  const told = JSON.stringify([base, which, placed, readdirSync(base)])
  const place = join(root, '.build/recorded-prisma/modules', sha256(`${told}${which === 'real' ? '' : bundled()}`).slice(0, 16))
  makeOnce(place, (partial) => placeModules(join(partial, 'node_modules'), base, program(placed, which)))
  return join(place, 'node_modules')
}

/** The same with the recorded one of a version that need not be installed, and which may then not be asked. */
export function recordedModules(version: string): string {
  const base = join(root, 'node_modules')
  const own = JSON.parse(readFileSync(join(base, 'prisma/package.json'), 'utf8')) as { version: string }
  if (own.version === version) return modulesWithPrisma(base, 'recorded', false)
  const code = program(whatIsTold('', version, false), 'recorded')
  const place = join(root, '.build/recorded-prisma/modules', sha256(`${version} ${code}`).slice(0, 16))
  makeOnce(place, (partial) => {
    const into = join(partial, 'node_modules')
    linkAll(base, into, ['prisma', '.bin'])
    writePackage(into, JSON.stringify({ name: 'prisma', version, bin: { prisma: 'build/index.js' } }), code)
  })
  return join(place, 'node_modules')
}

/**
 * A `node_modules` at `into` with the packages of `base` as links, but for `prisma`: a package of the same name, version and program whose
 * program is the recorded one, or counts the start and goes on as the real one.
 */
function placeModules(into: string, base: string, code: string): void {
  linkAll(base, into, ['prisma', '.bin'])
  linkAll(join(base, '.bin'), join(into, '.bin'), ['prisma'])
  const real = realpathSync(join(base, 'prisma'))
  linkAll(real, join(into, 'prisma'), ['package.json', 'build'])
  linkAll(join(real, 'build'), join(into, 'prisma/build'), ['index.js'])
  writePackage(into, readFileSync(join(real, 'package.json'), 'utf8'), code)
}

function writePackage(modules: string, description: string, code: string): void {
  for (const name of ['prisma/build', '.bin']) mkdirSync(join(modules, name), { recursive: true })
  writeFileSync(join(modules, 'prisma/package.json'), description)
  writeFileSync(join(modules, 'prisma/build/index.js'), code, { mode: 0o755 })
  symlinkSync('../prisma/build/index.js', join(modules, '.bin/prisma'))
}

function linkAll(from: string, to: string, except: readonly string[]): void {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(from)) if (!except.includes(name)) symlinkSync(join(from, name), join(to, name))
}

function program(placed: Placed, which: Which): string {
  mkdirSync(dirname(STARTS), { recursive: true })
  const start = which === 'real' ? 'real()' : `require(${JSON.stringify(bundled())})`
  return `#!/usr/bin/env node
globalThis.recordedPrisma = ${JSON.stringify(placed)}
${start}

function real() {
  const { real, starts, test } = globalThis.recordedPrisma
  require('node:fs').appendFileSync(starts, [test, ...process.argv.slice(2, 5)].join(' ') + '\\n')
  process.argv[1] = real
  require('node:module').runMain()
}
`
}

function whatIsTold(real: string, version: string, mayAskReal: boolean): Placed {
  return {
    real: join(real, 'build/index.js'),
    version,
    tap: join(import.meta.dirname, 'tap.cjs'),
    starts: STARTS,
    test: testFile(),
    recordings: join(import.meta.dirname, 'recordings', version),
    mayAskReal,
    isRecording: process.env['LOCKKEEPER_TEST_PRISMA'] === 'record',
    configs: {
      shop: contentSum('examples/shop/prisma.config.ts'),
      inSchema: contentSum('test/plan/application/prisma.config.ts'),
      withEngine: contentSum('test/helpers/prisma-versions/7/prisma.config.ts'),
    },
  }
}

const contentSum = (path: string): string => sha256(readFileSync(join(root, path), 'utf8'))

/** The program in one file, made once for its sources. */
function bundled(): string {
  const sources = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts'))
  const sum = sha256(sources.map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('\0')).slice(0, 16)
  const place = join(root, '.build/recorded-prisma', sum)
  makeOnce(place, (partial) =>
    execFileSync(process.execPath, [join(import.meta.dirname, 'bundle.ts'), partial], { stdio: ['ignore', 'inherit', 'inherit'] }),
  )
  return join(place, 'main.cjs')
}

/** Whoever comes second at the same time throws its own away. */
function makeOnce(place: string, make: (partial: string) => void): void {
  if (existsSync(place)) return
  const partial = `${place}.${randomBytes(4).toString('hex')}`
  make(partial)
  try {
    renameSync(partial, place)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(place)) throw error
  }
}

/** Relative to the repository, where the test runner tells it. */
function testFile(): string {
  const worker = (globalThis as { __vitest_worker__?: { filepath?: string } }).__vitest_worker__
  return worker?.filepath === undefined ? '?' : relative(root, worker.filepath)
}
