import type { Plan, PlannedMigration } from './plan.ts'
import type { Status } from './status.ts'

/** How far a database has come with a plan, or how it departs from it. */
export type Applied =
  /** What is applied is the baseline and a beginning of the list. `applied` is that beginning, `open` the rest, both in order. */
  | { readonly kind: 'beginning'; readonly applied: readonly string[]; readonly open: readonly PlannedMigration[] }
  | { readonly kind: 'departs'; readonly why: Departure; readonly names: readonly string[] }

/**
 * `failed` and `running`: a record that did not end. `edited`: applied with another content. `unknown`: recorded, but no part of the plan.
 * `missing`: of the baseline, and applied no longer. `order`: applied although one before it is not.
 */
export type Departure = 'failed' | 'running' | 'edited' | 'unknown' | 'missing' | 'order'

/** Whether what is applied is the approved beginning. Pure, and the only answer to that: asked before a run, between its migrations and after it. */
export function appliedOf({ baseline, list }: Pick<Plan, 'baseline' | 'list'>, status: Status): Applied {
  const planned = new Set([...baseline, ...list].map(({ name }) => name))
  const applied = new Set(status.applied.map(({ name }) => name))
  const end = list.findIndex(({ name }) => !applied.has(name))
  const [beginning, open] = end === -1 ? [list, []] : [list.slice(0, end), list.slice(end)]
  const found: Readonly<Record<Departure, readonly { readonly name: string }[]>> = {
    failed: status.failed,
    running: status.running,
    edited: status.edited.filter(({ name }) => planned.has(name)),
    unknown: [...status.applied, ...status.unknown].filter(({ name }) => !planned.has(name)),
    missing: baseline.filter(({ name }) => !applied.has(name)),
    order: open.filter(({ name }) => applied.has(name)),
  }
  for (const why of WHYS)
    if (found[why].length > 0) return { kind: 'departs', why, names: [...new Set(found[why].map(({ name }) => name))] }
  return { kind: 'beginning', applied: beginning.map(({ name }) => name), open }
}

/** What blocks every other comes first. */
const WHYS = ['failed', 'running', 'edited', 'unknown', 'missing', 'order'] as const satisfies readonly Departure[]
