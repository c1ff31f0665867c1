import { leadingElsewhere, routeBetween, type Route } from './graph.ts'
import type { Package } from './package.ts'
import type { RunnerFiles } from './repository.ts'
import type { LedgerRow, RunnerState } from './state.ts'

export type RunnerStatus = Pick<RunnerState, 'marker' | 'ledger' | 'spaces' | 'lockHeld' | 'olderRows'> & {
  /** `tables`: it has some and was never signed, so where they come from is not known. `fresh`: neither. */
  readonly baseline: 'signed' | 'tables' | 'fresh'
  /** The contract of the commit. */
  readonly contract: string
  readonly route: Route<Package>
  /** Packages that could run now and do not lead to the contract. */
  readonly elsewhere: readonly Package[]
  /** Applied, and there under the same name with another content. */
  readonly edited: readonly LedgerRow[]
  /** Applied, and no longer (or not yet) in the commit. */
  readonly unknown: readonly LedgerRow[]
  /** Contracts on the way of which there is no snapshot, with the package that leads there. */
  readonly withoutSnapshot: readonly Package[]
}

/** Files and the database to a status. Pure. */
export function runnerStatusOf(
  files: Pick<RunnerFiles, 'packages' | 'contract'> & { readonly snapshots: Pick<RunnerFiles['snapshots'], 'has'> },
  state: RunnerState,
): RunnerStatus {
  const { marker, ledger, spaces, lockHeld, olderRows } = state
  const { packages, snapshots } = files
  const contract = files.contract.hash
  const route = routeBetween(packages, marker, contract)
  const known = new Map(packages.map((one) => [one.name, one]))
  return {
    marker,
    ledger,
    spaces,
    lockHeld,
    olderRows,
    baseline: marker !== null ? 'signed' : state.hasTables ? 'tables' : 'fresh',
    contract,
    route,
    elsewhere: leadingElsewhere(packages, marker, contract),
    edited: ledger.filter(({ name, hash }) => known.has(name) && known.get(name)?.hash.written !== hash),
    unknown: ledger.filter(({ name }) => !known.has(name)),
    withoutSnapshot: route.kind === 'none' ? [] : route.packages.filter(({ to }) => !snapshots.has(to)),
  }
}
