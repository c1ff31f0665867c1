import { BaseSequencer, type TestSpecification } from 'vitest/node'
import type { ProjectName } from './projects.ts'

/**
 * What takes minutes begins first, so that no core waits for one file at the end. By default files go by their size, and the longest tests
 * are the shortest files.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => order(a) - order(b) || rank(a.moduleId) - rank(b.moduleId))
  }
}

/** A process of a project goes on with the next file only when that file is of the same project. */
const ORDER: readonly string[] = ['faults', 'runs', 'parts', 'unit'] satisfies readonly ProjectName[]

const order = (file: TestSpecification): number => ORDER.indexOf(file.project.name)

const LONGEST = [
  'faults/one-bot',
  'faults/walk',
  'faults/three-bots',
  'faults/',
  'attack/canary',
  'flows/',
  'attack/',
  'plan/status-against-cli',
  'migrate/',
  'backup/',
  'run/',
  'commands/operator/',
  '',
]

const rank = (path: string): number => LONGEST.findIndex((part) => path.includes(`/test/${part}`))
