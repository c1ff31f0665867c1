import { code, list, shown } from '../../approvals/wording.ts'
import { dateTime } from '../../src/calendar/say.ts'
import type { RunnerPlanned } from '../../src/plan/plan.ts'
import type { Operation } from '../../src/plan/prisma8/package.ts'
import type { LedgerRow } from '../../src/plan/prisma8/state.ts'
import type { ShownStatus } from '../../src/plan/prisma8/make.ts'
import { runnerName } from '../../src/plan/prisma8/version.ts'
import { count } from '../../src/lib/text/quoted.ts'
import type { RunnerShown, TargetStatus } from './reply.ts'

export const isRunner = (status: TargetStatus | RunnerShown): status is RunnerShown => 'kind' in status

/** `Prisma 8.0.0-rc.19, a release candidate; 1 applied, 2 pending.` */
export function runnerHeadline({ prisma, baseline, ledger, route }: ShownStatus): string {
  const name = runnerName(prisma)
  if (baseline === 'tables') return `${name}; the database has tables and was never signed by it.`
  const applied = ledger.length === 0 && baseline === 'signed' ? 'signed' : `${ledger.length} applied`
  if (route.kind === 'none') return `${name}; ${applied}, and no way to the contract of the commit.`
  return `${name}; ${applied}, ${route.packages.length === 0 ? 'nothing pending' : `${route.packages.length} pending`}.`
}

export const pendingOfRunner = ({ route, baseline }: ShownStatus): readonly { readonly name: string }[] =>
  route.kind === 'none' || baseline === 'tables' ? [] : route.packages

export function runnerFindings(status: ShownStatus): readonly string[] {
  const { marker, contract, unknown, olderRows, baseline, unfit } = status
  const pending = pendingOfRunner(status)
  return [
    ...(pending.length === 0 ? [] : [`• Pending: ${names(pending)}.`]),
    marker === contract
      ? `• Contract: ${hash(contract)}, in the database and in the commit`
      : `• Contract: ${marker === null ? 'none' : hash(marker)} in the database, ${hash(contract)} in the commit`,
    ...(unknown.length === 0 ? [] : [`• Applied but not in the commit: ${names(unknown)}.`]),
    ...(olderRows === null || baseline === 'tables'
      ? []
      : [
          `• ${code('_prisma_migrations')}, the record of Prisma 5 to 7, is there too, with ${count(olderRows, 'row')}; Prisma 8 does not touch it.`,
        ]),
    ...(unfit === null ? [] : [`• Nothing could run: ${unfit}`]),
  ]
}

const MOST_ROWS = 10

/** The newest rows of Prisma 8's own record, newest first. A run writes all of its rows at the time at which it began. */
export function ledgerLines(ledger: readonly LedgerRow[], zone: string): readonly string[] {
  if (ledger.length === 0) return []
  const newest = ledger.toReversed().slice(0, MOST_ROWS)
  return [
    `• ${code('prisma_contract.ledger')}, ${newest.length < ledger.length ? `the last ${newest.length} of ${ledger.length} rows` : count(ledger.length, 'row')}, times in ${zone}`,
    ...newest.map((row) => `    ◦ ${code(row.name)} in a run that began ${dateTime(Math.floor(+row.appliedAt / 1000) * 1000, zone)}`),
  ]
}

/** What the plan is of, and how far it would lead. */
export const runnerPlanLine = ({ version, marker, contract }: RunnerPlanned): string =>
  `*${runnerName(version)}*: from ${marker === null ? 'an empty database' : `the contract ${hash(marker)}`} to the contract ${hash(contract.hash)}, all in one transaction`

const MOST_OPERATIONS = 10

/** What Prisma says that each does, with what it looks at before and after. */
export function operationLines(operations: readonly Operation[]): readonly string[] {
  const more = operations.length - MOST_OPERATIONS
  return [
    ...operations.slice(0, MOST_OPERATIONS).map((one) => `    ◦ ${one.class}: ${shown(one.label)}${checks(one)}`),
    ...(more > 0 ? [`    ◦ … and ${more} more`] : []),
  ]
}

function checks({ precheck, postcheck }: Operation): string {
  const said = [
    ...(precheck.length === 0 ? [] : [`before: ${precheck.map(({ description }) => shown(description)).join(', ')}`]),
    ...(postcheck.length === 0 ? [] : [`after: ${postcheck.map(({ description }) => shown(description)).join(', ')}`]),
  ]
  return said.length === 0 ? '' : ` (${said.join('; ')})`
}

const names = (all: readonly { readonly name: string }[]): string =>
  list(
    [...all.slice(0, MOST_ROWS).map(({ name }) => code(name)), ...(all.length > MOST_ROWS ? [`${all.length - MOST_ROWS} more`] : [])],
    'and',
  )

const hash = (contract: string): string => code(contract.slice(0, 12))
