import type { Target } from '../../config/config.ts'
import { readIdentity, sameIdentity } from '../../database/identity.ts'
import { isRefusal } from '../../lib/refusal.ts'
import { listed, quoted } from '../../lib/text/quoted.ts'
import { readNow, repositoryNow, type Comparison } from '../compare.ts'
import type { PlanDeps } from '../deps.ts'
import { sha256 } from '../files.ts'
import type { Plan, RunnerPlanned } from '../plan.ts'
import { readRunnerFiles, short, type RunnerFiles } from './repository.ts'
import { isHidden, readRunnerState, type RunnerState } from './state.ts'
import { hiddenText } from './unfit.ts'

export type OfRunner = Plan & { readonly prisma8: RunnerPlanned }

export const isOfRunner = (plan: Plan): plan is OfRunner => plan.prisma8 !== undefined

/**
 * Planned anew from the commit, and the state read anew. The marker is that of the plan, or the contract already: one transaction knows
 * nothing between them.
 */
export async function compareWithRunnerPlan(
  deps: PlanDeps & { readonly target: Target },
  plan: OfRunner,
  phase: 'before-migrate' | 'after-migrate',
): Promise<Comparison> {
  const files = await filesNow(deps, plan)
  if ('kind' in files) return files
  const otherFiles = whyOtherFiles(plan, files)
  if (otherFiles !== null) return changed(otherFiles)
  const found = await databaseNow(deps, files)
  if ('kind' in found) return found
  const identity = sameIdentity(plan.identity, found.identity)
  if (!identity.same) return changed(`It is no longer the same database: ${identity.why}.`)
  if (isHidden(found.state)) return { kind: 'unknown', why: hiddenText(deps.target, found.state) }
  if (found.state.lockHeld)
    return { kind: 'unknown', why: 'Another Prisma holds the migration lock of the database, so its state may change at any moment.' }
  return compareMarker(plan, found.state, phase)
}

/** Pure. */
export function compareMarker(
  { prisma8, list }: Pick<OfRunner, 'prisma8' | 'list'>,
  { marker, spaces, ledger }: Pick<RunnerState, 'marker' | 'spaces' | 'ledger'>,
  phase: 'before-migrate' | 'after-migrate',
): Comparison {
  if (spaces.length > 0) return changed(`The database has got the contracts of extensions (${listed(spaces)}), which this does not read.`)
  if (marker === prisma8.contract.hash) {
    const missing = prisma8.packages.filter(({ migrationHash }) => !ledger.some(({ hash }) => hash === migrationHash))
    return missing.length === 0
      ? { kind: 'same', applied: list.map(({ name }) => name) }
      : changed(
          `The database has the contract already, but by its ledger not from ${listed(missing.map(({ name }) => name))}: it was signed, or led there by other migrations.`,
        )
  }
  if (marker !== prisma8.marker)
    return changed(
      `The database has the contract ${marker === null ? 'of nothing' : short(marker)} now, and had ${prisma8.marker === null ? 'none' : short(prisma8.marker)} when this was asked.`,
    )
  return phase === 'before-migrate'
    ? { kind: 'same', applied: [] }
    : changed(`${listed(list.map(({ name }) => name))} should be applied by now and ${list.length === 1 ? 'is' : 'are'} not.`)
}

/** Also for whoever is about to run them: null when these are the files that were approved. */
export function whyOtherFiles(
  { list, baseline, prisma8 }: Pick<OfRunner, 'list' | 'baseline' | 'prisma8'>,
  files: RunnerFiles,
): string | null {
  const now = new Map(files.packages.map((one) => [one.name, one]))
  const operations = (name: string) => sumOf(now.get(name)?.files.operations)
  const differs = [
    ...[...baseline, ...list].filter(({ name, sha256: sum }) => operations(name) !== sum),
    ...prisma8.packages.filter(
      ({ name, from, to, metadataSha256, snapshotSha256 }) =>
        now.get(name)?.from !== from ||
        now.get(name)?.to !== to ||
        sumOf(now.get(name)?.files.metadata) !== metadataSha256 ||
        sumOf(files.snapshots.get(to)) !== snapshotSha256,
    ),
  ]
  const names = [...new Set(differs.map(({ name }) => name))]
  if (names.length > 0) return `The files of ${listed(names)} are no longer what they were when this was asked.`
  const { contract, version, directory } = prisma8
  if (files.contract.path !== contract.path || files.contract.hash !== contract.hash || sumOf(files.contract.content) !== contract.sha256)
    return `The contract ${quoted(contract.path)} is no longer what it was when this was asked.`
  if (files.directory !== directory)
    return `The migrations are read from ${quoted(files.directory)} now, and from ${quoted(directory)} when this was asked.`
  return files.prisma === version
    ? null
    : `The commit settles Prisma at ${quoted(files.prisma)} now, and at ${quoted(version)} when this was asked.`
}

const sumOf = (content: Buffer | undefined): string | null => (content === undefined ? null : sha256(content))

async function filesNow(deps: PlanDeps & { readonly target: Target }, plan: Plan): Promise<RunnerFiles | Comparison> {
  const repository = await repositoryNow(deps, plan)
  if ('kind' in repository) return repository
  const files = await readRunnerFiles(repository, deps.target, plan.commit)
  return isRefusal(files) ? changed(files.text) : files
}

const databaseNow = (deps: PlanDeps & { readonly target: Target }, { contract }: RunnerFiles) =>
  readNow(deps, async (client, url) => ({
    identity: await readIdentity(client, url),
    state: await readRunnerState(client, url.schema, contract.namespaces),
  }))

const changed = (why: string): Comparison => ({ kind: 'changed', why })
