import { join } from 'node:path'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import { filesInShare, shareOf } from '../faults/shares.ts'
import { projectNames, projectsOf, testFiles, type ProjectName } from './projects.ts'

const at = (name: string): string => join(import.meta.dirname, name)

/** Started once for all projects that name it, and looked through at the end. */
export const withServer = { globalSetup: [at('server.ts')], setupFiles: [at('scratch.ts')] }

/** With `LOCKKEEPER_TEST_RESULTS` also as JSON into that file, for the count of CI. */
export function reporters(results: string | undefined) {
  const people = ['default', at('summary.ts')]
  return results === undefined ? { reporters: people } : { reporters: [...people, 'json'], outputFile: { json: results } }
}

export const testProjects = (env: Readonly<Record<string, string | undefined>>): TestProjectInlineConfiguration[] =>
  projectNames.map((name) => ({ extends: true, test: { name, include: filesOf(name, env['FAULTS']), ...waysToRun[name] } }))

/**
 * As the bot is started: V8 does not compile the parser of SQL a second time, which takes seconds of a core and 540 MB in each process that
 * reads one statement.
 */
const execArgv = ['--liftoff-only']

/**
 * What a process loaded serves all files of its project that it runs: loading the product and warming it up takes longer than most files.
 * So nothing may be registered or remembered by a module of helpers for the file that loaded it first. Files of `faults` are few and long.
 */
const waysToRun: Readonly<Record<ProjectName, TestProjectInlineConfiguration['test']>> = {
  unit: { pool: 'threads', isolate: false },
  parts: { pool: 'forks', isolate: false, execArgv, ...withServer },
  runs: { pool: 'forks', isolate: false, execArgv, ...withServer },
  faults: { pool: 'forks', execArgv, ...withServer },
}

function filesOf(name: ProjectName, faults: string | undefined): string[] {
  const own = testFiles().filter((file) => projectsOf(file)[0] === name)
  return (name === 'faults' ? filesInShare(shareOf(faults), own) : own).map((file) => `test/${file}`)
}
