import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * What takes minutes begins first, so that no core waits for one file at the end. By default files go by their size, and the longest tests
 * are the shortest files.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rank(a.moduleId) - rank(b.moduleId))
  }
}

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
