import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'

const root = join(import.meta.dirname, '../..')

/** Each start of the real Prisma CLI is a line of it. */
const STARTS = join(root, '.build/results/prisma-starts.log')

const SLOWEST = 20

/** Prints at the end where the time went: the slowest files, each project's sum, and how often the real Prisma CLI was started. */
export default class Summary implements Reporter {
  onInit(): void {
    mkdirSync(dirname(STARTS), { recursive: true })
    rmSync(STARTS, { force: true })
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    process.stdout.write(summary(modules.map(timed), startsIn(existsSync(STARTS) ? readFileSync(STARTS, 'utf8') : '')))
  }
}

export type Timed = { readonly project: string; readonly file: string; readonly ms: number }

const timed = (module: TestModule): Timed => {
  const { collectDuration, setupDuration, prepareDuration, environmentSetupDuration, duration } = module.diagnostic()
  return {
    project: module.project.name,
    file: relative(root, module.moduleId),
    ms: collectDuration + setupDuration + prepareDuration + environmentSetupDuration + duration,
  }
}

const startsIn = (log: string): number => log.split('\n').filter((line) => line !== '').length

export function summary(files: readonly Timed[], starts: number): string {
  const slowest = files.toSorted((one, other) => other.ms - one.ms).slice(0, SLOWEST)
  const projects = [...new Set(files.map(({ project }) => project))].map(
    (name) => `${name} ${seconds(files.filter(({ project }) => project === name).reduce((sum, { ms }) => sum + ms, 0))}`,
  )
  return [
    '',
    `The slowest files of ${files.length}:`,
    ...slowest.map(({ file, ms }) => `${seconds(ms).padStart(9)}  ${file}`),
    `All files of a project one after another: ${projects.join(', ')}`,
    `Starts of the real Prisma CLI: ${starts}`,
    '',
  ].join('\n')
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
