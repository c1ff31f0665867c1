import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Journal } from './journal.ts'
import { describeRun, type RunPlan } from './plan.ts'
import type { Scene } from './scene.ts'

const root = join(import.meta.dirname, '../..')

export type Failure = {
  readonly seed: number
  readonly plan: RunPlan
  readonly journal: Journal
  /** Invariants that are broken, or the wait that was missed. */
  readonly wrong: readonly string[]
  /** Undefined when it could not be set up. */
  readonly scene: Pick<Scene, 'store' | 'log'> | undefined
}

/** Leaves everything that is needed to understand a failed run, in a file of its own; gives the file's path in this repository. */
export async function leaveFailure(failure: Failure): Promise<string> {
  const { seed, plan, scene } = failure
  const directory = join(root, '.build/faults')
  const file = join(directory, `seed-${seed}-run-${plan.number}.txt`)
  mkdirSync(directory, { recursive: true })
  const rows = scene === undefined ? 'no store' : await rowsOf(scene).catch((error: Error) => `the store does not answer: ${error.message}`)
  writeFileSync(file, failureText(failure, rows))
  return relative(root, file)
}

export const failureText = ({ seed, plan, journal, wrong, scene }: Failure, rows: string): string =>
  [
    `seed ${seed}, run ${plan.number}; the same plan again: npm run faults -- --seed ${seed} --only ${plan.number}`,
    '',
    describeRun(plan),
    '',
    'What is wrong',
    ...wrong.map((one) => `  ${one}`),
    '',
    'What was done and when',
    ...journal.lines(),
    '',
    'Rows of the store',
    rows,
    '',
    'What the bots said',
    scene?.log() ?? 'nothing: none was started',
    '',
  ].join('\n')

/** Every table of the bot's own and the state of its workflows, a row a line. */
async function rowsOf({ store }: Pick<Scene, 'store'>): Promise<string> {
  const tables = await store.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and (table_schema = 'lockkeeper' or (table_schema = 'dbos' and table_name = 'workflow_status')) order by 1`,
  )
  const parts: string[] = []
  for (const { name } of tables) {
    const rows = await store.query<{ row: string }>(`select to_jsonb(t)::text as row from ${name} t`)
    if (rows.length > 0) parts.push(`-- ${name}`, ...rows.map(({ row }) => row))
  }
  return parts.join('\n')
}
