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

const waysToRun: Readonly<Record<ProjectName, TestProjectInlineConfiguration['test']>> = {
  unit: { pool: 'threads', isolate: false },
  parts: { pool: 'forks', ...withServer },
  runs: { pool: 'forks', ...withServer },
  faults: { pool: 'forks', ...withServer },
}

function filesOf(name: ProjectName, faults: string | undefined): string[] {
  const own = testFiles().filter((file) => projectsOf(file)[0] === name)
  return (name === 'faults' ? filesInShare(shareOf(faults), own) : own).map((file) => `test/${file}`)
}
