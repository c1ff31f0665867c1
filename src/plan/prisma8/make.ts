import type { Target } from '../../config/config.ts'
import { withTarget } from '../../database/connect.ts'
import { readIdentity, type Identity } from '../../database/identity.ts'
import { namingWhoLocks } from '../../database/locked.ts'
import { readReactions, type Reactions } from '../../database/reactions.ts'
import { readSessionFacts, whyReadOnly, type SessionFacts } from '../../database/session-facts.ts'
import { databaseBytes, tableSizes, type TableSize } from '../../database/sizes.ts'
import type { TargetUrl } from '../../database/urls.ts'
import { isRefusal, refuse, type Refusal } from '../../lib/refusal.ts'
import type { PlanDeps } from '../deps.ts'
import { digestOf } from '../digest.ts'
import { sha256 } from '../files.ts'
import { branchNote, lfsNote, refusalOf, usableUrl, whyPointersDeployed, type PlanRequest } from '../make.ts'
import type { Evidence, Plan } from '../plan.ts'
import { fetchRepository, resolveCommit, type Repository, type ResolvedCommit } from '../repository.ts'
import type { Operation, Package } from './package.ts'
import { readRunnerFiles, type RunnerFiles } from './repository.ts'
import { reviewPackages, whyNotInOne } from './review.ts'
import { isHidden, readRunnerState, type Hidden, type RunnerState } from './state.ts'
import { runnerStatusOf, type RunnerStatus } from './status.ts'
import { hiddenText, whyNotRunnable } from './unfit.ts'

/** What Prisma 8 would do, operation by operation. */
export type RunnerPlan = {
  readonly kind: 'prisma8'
  readonly plan: Plan
  readonly digest: string
  readonly evidence: Evidence
  /** Of each migration of the list, in the order in which they would run. */
  readonly operations: readonly { readonly name: string; readonly operations: readonly Operation[] }[]
}

/** From git objects and by reading the database, as for 5 to 7: nothing is changed and no code of the repository runs. */
export async function makeRunnerPlan(deps: PlanDeps, request: PlanRequest): Promise<RunnerPlan | Refusal> {
  const { target } = request
  const read = await readRunner(deps, target, request.ref)
  if (isRefusal(read)) return read
  const { files, status, resolved, url } = read
  const unfit = whyNotRunnable({ target, files, status })
  if (unfit !== null) return unfit
  const packages = status.route.kind === 'none' ? [] : status.route.packages
  const divided = await whyNotInOne(files, packages)
  if (divided !== null) return refuse('repository_unfit', divided)
  const pointers = await whyPointersDeployed(deps, files.inLfs, request.steps)
  if (pointers !== null) return refuse('repository_unfit', pointers)
  const about = await readAbout(deps, target)
  if (isRefusal(about)) return about
  const readOnly = whyReadOnly(about.session, url)
  if (readOnly !== null) return refuse('target_unfit', `${readOnly} Then ask again; nothing was changed.`)
  const plan: Plan = {
    version: 1,
    target: target.name,
    identity: about.identity,
    commit: resolved.commit,
    ref: resolved.ref,
    baseline: baselineOf(files, status),
    list: packages.map((one) => ({
      name: one.name,
      sha256: sha256(one.files.operations),
      bytes: one.files.operations.length,
      rollbackSha256: null,
      concurrently: false,
    })),
    steps: request.steps,
    policy: request.policy,
    prisma8: {
      version: files.prisma,
      directory: files.directory,
      contract: { path: files.contract.path, hash: files.contract.hash, sha256: sha256(files.contract.content) },
      marker: status.marker,
      packages: packages.map((one) => ({
        name: one.name,
        from: one.from,
        to: one.to,
        migrationHash: one.hash.written,
        metadataSha256: sha256(one.files.metadata),
        snapshotSha256: sha256(snapshotOf(files, one)),
      })),
    },
  }
  const evidence: Evidence = {
    migrations: await reviewPackages(packages, { sizes: about.sizes, schema: url.schema, reactions: about.reactions }),
    notes: [...(await branchNote(target.source.branch, files.directory, read)), ...notesOf(status), ...lfsNote(files.inLfs, request.steps)],
    subject: resolved.subject,
    author: resolved.author,
    databaseBytes: about.bytes,
    lastBackup: request.lastBackup ?? null,
    takenAt: new Date(deps.clock.now()).toISOString(),
  }
  return {
    kind: 'prisma8',
    plan,
    digest: digestOf(plan),
    evidence,
    operations: packages.map(({ name, operations }) => ({ name, operations })),
  }
}

/** What `status` shows, from the newest commit of the target's branch. */
export async function readRunnerStatus(deps: PlanDeps, target: Target): Promise<ShownStatus | Refusal> {
  const read = await readRunner(deps, target, null)
  return isRefusal(read) ? read : { ...read.status, prisma: read.files.prisma, unfit: whyNotRunnable({ target, ...read })?.text ?? null }
}

/** `prisma`: the version that the commit settles on. `unfit`: why nothing of what is pending could run; mrkdwn. */
export type ShownStatus = RunnerStatus & { readonly prisma: string; readonly unfit: string | null }

type Read = {
  readonly files: RunnerFiles
  readonly status: RunnerStatus
  readonly repository: Repository
  readonly resolved: ResolvedCommit
  readonly url: TargetUrl
}

async function readRunner(deps: PlanDeps, target: Target, ref: string | null): Promise<Read | Refusal> {
  const url = usableUrl(deps, target)
  if (isRefusal(url)) return url
  const repository = await fetchRepository(deps, target)
  if (isRefusal(repository)) return repository
  const resolved = await resolveCommit(repository, target, ref)
  if (isRefusal(resolved)) return resolved
  const files = await readRunnerFiles(repository, target, resolved.commit)
  if (isRefusal(files)) return files
  const state = await readState(deps, target, files)
  if (isRefusal(state)) return state
  if (isHidden(state)) return refuse('target_unfit', hiddenText(target, state))
  return { files, status: runnerStatusOf(files, state), repository, resolved, url }
}

type About = {
  readonly identity: Identity
  readonly sizes: readonly TableSize[]
  readonly bytes: number
  readonly reactions: Reactions
  readonly session: SessionFacts
}

const readAbout = (deps: PlanDeps, target: Target): Promise<About | Refusal> =>
  inTarget(deps, target, async (client, url) => ({
    identity: await readIdentity(client, url),
    sizes: await tableSizes(client),
    bytes: await databaseBytes(client),
    reactions: await readReactions(client),
    session: await readSessionFacts(client),
  }))

const readState = (deps: PlanDeps, target: Target, { contract }: RunnerFiles): Promise<RunnerState | Hidden | Refusal> =>
  inTarget(deps, target, (client, url) => readRunnerState(client, url.schema, contract.namespaces))

async function inTarget<T>(deps: PlanDeps, target: Target, read: Parameters<typeof withTarget<T>>[1]): Promise<T | Refusal> {
  try {
    return await withTarget({ url: deps.secret(target.database.url), applicationName: 'lockkeeper plan' }, (client, url) =>
      namingWhoLocks(client, () => read(client, url)),
    )
  } catch (error) {
    return refusalOf(error, target)
  }
}

/** What is applied of the packages that the commit has. */
function baselineOf({ packages }: RunnerFiles, { ledger }: RunnerStatus): Plan['baseline'] {
  const applied = new Set(ledger.map(({ hash }) => hash))
  return packages.flatMap((one: Package) =>
    applied.has(one.hash.written) ? [{ name: one.name, sha256: sha256(one.files.operations) }] : [],
  )
}

function notesOf({ olderRows, unknown }: RunnerStatus): readonly string[] {
  return [
    ...(olderRows === null ? [] : ['_prisma_migrations, the record of Prisma 5 to 7, is still there; Prisma 8 does not touch it']),
    ...(unknown.length === 0 ? [] : [`${unknown.map(({ name }) => name).join(', ')} was applied and is not in this commit`]),
  ]
}

/** That each is there was looked at before. */
function snapshotOf({ snapshots }: RunnerFiles, { to }: Package): Buffer {
  const found = snapshots.get(to)
  if (found === undefined) throw new Error(`there is no snapshot of ${to}`)
  return found
}
