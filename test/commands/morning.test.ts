import { expect, test } from 'vitest'
import { morningLines } from '../../commands/verbs/status/morning.ts'
import type { TargetStatus } from '../../commands/verbs/reply.ts'
import { refuse } from '../../src/lib/refusal.ts'
import type { Target } from '../../src/config/config.ts'

type Deps = Parameters<typeof morningLines>[0]

const status = (names: readonly string[]): TargetStatus => ({
  baseline: 'present',
  applied: [],
  pending: names.map((name) => ({ name })),
  running: [],
  failed: [],
  rolledBack: [],
  edited: [],
  unknown: [],
  record: [],
})

const told = (deps: Partial<Deps> = {}) =>
  morningLines(
    {
      readStatus: async () => status([]),
      commitsNotLive: async () => null,
      lookLive: async () => null,
      onFault: () => {},
      db: {} as never, // only asked for the time of what was set aside
      command: '/migrate',
      ...deps,
    },
    { name: 'prod', timezone: 'UTC' } as Target,
  )

test('what is merged and not live is told with the command that runs it', async () => {
  const commits = { live: 'a'.repeat(40), count: 2, newest: [], authors: [{ name: 'Ann <x>', commits: 2 }], lost: 0 }
  expect(
    await told({ readStatus: async () => status(['1_a', '2_b', '3_c', '4_d', '5_e', '6_f']), commitsNotLive: async () => commits }),
  ).toEqual([
    '• Merged and not applied: `1_a`, `2_b`, `3_c`, `4_d`, `5_e` and 1 more. To run them: `/migrate deploy prod`.',
    '• Commits merged and not live: 2 since the live `aaaaaaa`, by Ann &lt;x&gt;.',
  ])
})

test('where all is as it should be nothing is told', async () => {
  expect(await told()).toEqual([])
  expect(await told({ commitsNotLive: async () => ({ live: 'a'.repeat(40), count: 0, newest: [], authors: [], lost: 0 }) })).toEqual([])
})

test('a target that cannot be read says so, and hides no other', async () => {
  expect(await told({ readStatus: async () => refuse('target_unreachable', 'The database of `prod` cannot be read.') })).toEqual([
    '• The database of `prod` cannot be read.',
  ])
  const faults: unknown[] = []
  const onFault = (error: unknown) => void faults.push(error)
  expect(await told({ readStatus: () => Promise.reject(new Error('oops')), onFault })).toEqual([
    '• It could not be read; the log of Lockkeeper says why.',
  ])
  expect(await told({ commitsNotLive: () => Promise.reject(new Error('git')), onFault })).toEqual([])
  expect(faults.map(String)).toEqual(['Error: oops', 'Error: git'])
})
