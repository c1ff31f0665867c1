import { roughly } from '../../lib/text/sentences.ts'
import { oneLine } from '../../lib/text/text.ts'
import type { Operation, Package } from '../../plan/prisma8/package.ts'
import { sentenceOf, type Activity } from '../observe/activity-snapshot.ts'
import type { MigrationTask } from '../observe/watch.ts'

/** Which operation a statement belongs to; `number` counts from 1 over all packages. */
export type OperationAt = { readonly package: string; readonly operation: Operation; readonly number: number; readonly of: number }

/** Null for what Prisma asks for itself, or where two operations have the same text. `query` as `Session` has it. */
export function operationOf(packages: readonly Package[], query: string | null): OperationAt | null {
  if (query === null || query.trim() === '') return null
  const all = packages.flatMap(({ name, operations }) => operations.map((operation) => ({ package: name, operation })))
  const found = all.flatMap((one, at) => {
    const { precheck, execute, postcheck } = one.operation
    const isOf = [...precheck, ...execute, ...postcheck].some(({ sql }) => shortened(sql) === query.trim())
    return isOf ? [{ ...one, number: at + 1, of: all.length }] : []
  })
  return found.length === 1 ? (found[0] ?? null) : null
}

/** As `Session.query` shortens it. */
const shortened = (sql: string): string => sql.replace(/\s+/g, ' ').slice(0, 200).trim()

/** Up to the one that is at work they run, and none of them is done before all are. */
export function runningTasks(packages: readonly Package[], at: OperationAt | null): readonly MigrationTask[] {
  const index = at === null ? 0 : packages.findIndex(({ name }) => name === at.package)
  return packages.map(({ name }, own) => task(name, own <= index ? 'running' : 'pending'))
}

/** After the end: all done, or nothing; `failed` is the one whose operation ended it. */
export const endedTasks = (
  packages: readonly Package[],
  end: 'applied' | { readonly failed: string | null; readonly line: string },
): readonly MigrationTask[] =>
  packages.map(({ name }) => {
    if (end === 'applied') return { ...task(name, 'done'), output: 'in one transaction' }
    return name === end.failed ? { ...task(name, 'failed'), output: end.line } : task(name, 'pending')
  })

const task = (name: string, state: MigrationTask['state']): MigrationTask => ({ name, state, seconds: null, output: null })

/** One sentence for the card; null before it works. Plain text. */
export function progressSentence(activity: Activity, at: OperationAt | null): string | null {
  const said = sentenceOf(activity)
  if (said !== null) return said
  if (at === null) return null
  const time = activity.worker?.transactionMs == null ? '' : `, for ${roughly(activity.worker.transactionMs)}`
  return `Operation ${at.number} of ${at.of} in one transaction${time}: ${oneLine(at.operation.label)}. Nobody is waiting behind it.`
}
