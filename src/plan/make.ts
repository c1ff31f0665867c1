import { escapeMarkup } from '../lib/text/escape.ts'
import type { Target } from '../config/config.ts'
import { hasSqlState, sqlState } from '../lib/sqlstate.ts'
import { isRefusal, refuse, type Refusal } from '../lib/refusal.ts'
import { prismaLockHolder, type Session } from '../database/activity.ts'
import { TargetConnectionError, withTarget, type Queryable } from '../database/connect.ts'
import { readIdentity, type Identity } from '../database/identity.ts'
import { namingWhoLocks, TableLockedError } from '../database/locked.ts'
import { noReactions, readReactions, type Reactions } from '../database/reactions.ts'
import { readSessionFacts, whyReadOnly, type SessionFacts } from '../database/session-facts.ts'
import { databaseBytes, tableSizes, type TableSize } from '../database/sizes.ts'
import { detectPooler, parseTargetUrl, type TargetUrl } from '../database/urls.ts'
import type { PlanDeps } from './deps.ts'
import { digestOf } from './digest.ts'
import type { ApplicationFiles } from './files.ts'
import { gitOutput, hasGitLfs } from './git.ts'
import { comparing, whyUncertain, type Order } from './prisma/order.ts'
import { toolPlanned, worksOnCheckout, type Evidence, type Plan, type PlannedStep } from './plan.ts'
import { AppliedQueryError, readStateOf } from './record.ts'
import { forwardPart, readAnyFiles } from './listed-files.ts'
import { fetchRepository, resolveCommit, type Repository, type ResolvedCommit } from './repository.ts'
import { reviewMigrations, type ReviewedMigration } from '../sql/review.ts'
import type { Finding } from '../sql/weigh/finding.ts'
import { weighFor } from './weighed/for-target.ts'
import { statusOf, whyRecordHidden, type DatabaseState, type Status } from './status.ts'
import { firstLost, firstUnrunnable, readByServer, whyNotDeployable } from './unfit.ts'
import { code } from '../lib/text/code.ts'
import { count, listed, quoted } from '../lib/text/quoted.ts'
import { together } from '../lib/together.ts'
import { migrationsDirectory } from '../config/tool.ts'

export type PlanRequest = {
  readonly target: Target
  /** Branch, tag or SHA; null for the target's branch. */
  readonly ref: string | null
  /** Resolved configuration of the run, from whoever runs it. */
  readonly steps: readonly PlannedStep[]
  /** SHA-256 of the approval policy and guards in force. */
  readonly policy: string
  readonly lastBackup?: Evidence['lastBackup']
  /** The commit that is live, in full or shortened; null where nobody knows. */
  readonly live?: string | null
}

export type MadePlan = {
  readonly plan: Plan
  readonly digest: string
  readonly evidence: Evidence
  readonly status: Status
  readonly files: ApplicationFiles
}

/** Everything that people approve, from git objects and by reading the database; nothing is changed and no code of the repository runs. */
export async function makePlan(deps: PlanDeps, request: PlanRequest): Promise<MadePlan | Refusal> {
  const read = await readTargetState(deps, request.target, request.ref)
  if (isRefusal(read)) return read
  const { source, facts, status } = read
  const unfit = whyNotDeployable({ target: request.target, status, lock: facts.lock })
  if (unfit !== null) return unfit
  const readOnly = whyReadOnly(facts.session, facts.url)
  if (readOnly !== null) return refuse('target_unfit', `${readOnly} Then ask again; nothing was changed.`)
  const uncertain = whyUncertain(
    status.pending.map(({ name }) => name),
    source.files.order,
  )
  if (uncertain !== null) return refuse('repository_unfit', uncertain)
  const pending = new Set(status.pending.map(({ name }) => name))
  const toApply = source.files.migrations.filter(({ name }) => pending.has(name))
  const pointers = await whyPointersDeployed(deps, source.files.inLfs, request.steps)
  if (pointers !== null) return refuse('repository_unfit', pointers)
  const unrunnable = await firstUnrunnable(request.target, toApply, source.files.oneScript)
  if (unrunnable !== null) return refuse('repository_unfit', unrunnable)
  const looked = await atTarget(deps, request.target, async (client, url) => ({
    byServer: await readByServer(client, request.target, toApply, source.files.oneScript),
    weighed: await weighFor(client, deps, { target: request.target, files: toApply, url, oneScript: source.files.oneScript }),
  }))
  if (isRefusal(looked)) return looked
  const { byServer, weighed } = looked
  if (typeof byServer === 'string') return refuse('repository_unfit', byServer)
  const forward = 'command' in request.target.tool ? toApply.map((file) => ({ ...file, content: forwardPart(file.content) })) : toApply
  const reviews = await reviewMigrations(forward, {
    sizes: facts.sizes,
    schema: facts.url.schema,
    reactions: facts.reactions,
    isOneScript: source.files.oneScript,
    hasOwnSession: 'sql' in request.target.tool,
    readByServer: byServer,
    ...(weighed === null ? {} : { weighed }),
  })
  const lost = firstLost(request.target, toApply, reviews, facts.url.schema)
  if (lost !== null) return refuse('repository_unfit', lost)
  const plan: Plan = {
    version: 1,
    target: request.target.name,
    identity: facts.identity,
    commit: source.resolved.commit,
    ref: source.resolved.ref,
    baseline: status.applied.flatMap(({ name, sha256 }) => (sha256 === null ? [] : [{ name, sha256 }])),
    list: toApply.map((file) => ({
      name: file.name,
      sha256: file.sha256,
      bytes: file.content.length,
      rollbackSha256: file.rollback?.sha256 ?? null,
      // a tool of its own decides how it sends them, and applies all at once
      concurrently: !('command' in request.target.tool) && reviews.some((review) => review.name === file.name && review.concurrently),
    })),
    steps: request.steps,
    policy: request.policy,
    ...toolPlanned(request.target.tool),
  }
  const evidence = await gatherEvidence(deps, request, read, { reviews, weighed: weighed?.findings ?? [] })
  return { plan, digest: digestOf(plan), evidence, status, files: source.files }
}

/** Reads at the target, or says why that cannot be. */
async function atTarget<T>(
  deps: Pick<PlanDeps, 'secret'>,
  target: Target,
  read: (client: Queryable, url: TargetUrl) => Promise<T>,
): Promise<T | Refusal> {
  try {
    return await withTarget({ url: deps.secret(target.database.url), applicationName: 'lockkeeper plan' }, read)
  } catch (error) {
    return refusalOf(error, target)
  }
}

/** Null where git-lfs will fetch them into the checkout, or nothing is deployed from there. */
export async function whyPointersDeployed(deps: PlanDeps, inLfs: readonly string[], steps: readonly PlannedStep[]): Promise<string | null> {
  if (inLfs.length === 0 || !worksOnCheckout(steps) || (await hasGitLfs(deps))) return null
  return `${listed(inLfs, 3)} ${inLfs.length === 1 ? 'is' : 'are'} kept in Git LFS, and the checkout that would be built or deployed has pointers in place of such files, since git-lfs is not installed where Lockkeeper runs. Install it there, take the files out of LFS, let a step of ${code('prepare')} or ${code('deploy')} fetch them (one that names ${code('lfs')}), or give those steps a ${code('cwd')} that has them, and ask again.`
}

export const lfsNote = (inLfs: readonly string[], steps: readonly PlannedStep[]): readonly string[] =>
  inLfs.length > 0 && worksOnCheckout(steps)
    ? [`${count(inLfs.length, 'file')} of the application ${inLfs.length === 1 ? 'comes' : 'come'} from Git LFS`]
    : []

export type TargetState = {
  readonly source: { readonly repository: Repository; readonly resolved: ResolvedCommit; readonly files: ApplicationFiles }
  readonly facts: TargetFacts
  readonly status: Status
}

export type TargetFacts = {
  readonly url: TargetUrl
  readonly identity: Identity
  readonly state: DatabaseState
  readonly lock: Session | null
  readonly sizes: readonly TableSize[]
  readonly bytes: number
  readonly reactions: Reactions
  readonly session: SessionFacts
}

/** `status`: only what it shows, without what a review asks of the catalogue, for which somebody would wait. */
type Depth = 'status' | 'plan'

/** For `status` too, which shows what a plan would refuse. */
export async function readTargetState(
  deps: PlanDeps,
  target: Target,
  ref: string | null,
  depth: Depth = 'plan',
): Promise<TargetState | Refusal> {
  const url = usableUrl(deps, target)
  if (isRefusal(url)) return url
  const [source, facts] = await together([readSource(deps, target, ref), readFacts(deps, target, depth)])
  if (isRefusal(source)) return source
  if (isRefusal(facts)) return facts
  const hidden = whyRecordHidden(facts.state, url)
  if (hidden !== null) return refuse('target_unfit', `${hidden} Then ask again; nothing was changed.`)
  const { migrations, databaseSchemas, externalTables, order } = source.files
  const status = statusOf(facts.state, migrations, databaseSchemas, order)
  if (status.baseline !== 'missing' || externalTables.length === 0) return { source, facts, status }
  const again = await readFacts(deps, target, depth, externalTables)
  return isRefusal(again) ? again : { source, facts: again, status: statusOf(again.state, migrations, databaseSchemas, order) }
}

/** Parses the target's URL and refuses a pooler, before anything is reached for. */
export function usableUrl(deps: Pick<PlanDeps, 'secret'>, target: Target): TargetUrl | Refusal {
  const parsed = parseTargetUrl(deps.secret(target.database.url))
  const where = `The database URL of ${quoted(target.name)} (${quoted(target.database.url)})`
  if (parsed.kind === 'bad')
    return refuse('target_unfit', `${where} cannot be used: ${escapeMarkup(parsed.why)}. Correct it and ask again.`)
  const pooler = detectPooler(parsed.url)
  if (pooler === null) return parsed.url
  const direct =
    pooler.direct === null
      ? 'Use the direct URL of the same database, without pgbouncer=true.'
      : `The direct one is likely ${quoted(pooler.direct)}, with the same user and password.`
  return refuse(
    'target_unfit',
    `${where} leads to a connection pooler: ${escapeMarkup(pooler.why)}. Locks and timeouts do not hold there. ${direct}`,
  )
}

async function readSource(deps: PlanDeps, target: Target, ref: string | null): Promise<TargetState['source'] | Refusal> {
  const repository = await fetchRepository(deps, target)
  if (isRefusal(repository)) return repository
  const resolved = await resolveCommit(repository, target, ref)
  if (isRefusal(resolved)) return resolved
  const files = await readAnyFiles(repository, target, resolved.commit)
  return isRefusal(files) ? files : { repository, resolved, files }
}

const readFacts = (deps: PlanDeps, target: Target, depth: Depth, external: readonly string[] = []): Promise<TargetFacts | Refusal> =>
  atTarget(deps, target, (client, url) =>
    namingWhoLocks(client, async () => ({
      url,
      identity: await readIdentity(client, url),
      state: await readStateOf(client, target.tool, url.schema, external),
      lock: await prismaLockHolder(client),
      sizes: await tableSizes(client),
      bytes: await databaseBytes(client),
      reactions: depth === 'plan' ? await readReactions(client) : noReactions,
      session: await readSessionFacts(client),
    })),
  )

/** What stands between the bot and a target is a refusal with the next step; anything else stays a fault. */
export function refusalOf(error: unknown, target: Pick<Target, 'name'>): Refusal {
  const name = quoted(target.name)
  if (error instanceof TargetConnectionError)
    return refuse(
      error.problem === 'bad_url' ? 'target_unfit' : 'target_unreachable',
      `The database of ${name} cannot be read. ${escapeMarkup(error.message)} Nothing was changed.`,
    )
  if (error instanceof TableLockedError)
    return refuse('target_unfit', `The database of ${name} cannot be read now. ${error.message} Nothing was changed; ask again then.`)
  if (error instanceof AppliedQueryError)
    return refuse(
      'target_unfit',
      `What is applied to ${name} cannot be read by the query ${quoted(error.query, 160)}: ${escapeMarkup(error.message)}. Correct \`applied\` of its tool in lockkeeper.yaml and ask again; nothing was changed.`,
    )
  if (error instanceof Error && hasSqlState(error, sqlState.insufficientPrivilege))
    return refuse(
      'target_unfit',
      `The role of ${name} may not read what a plan needs: ${escapeMarkup(error.message)}. Grant it, or name another role in the URL.`,
    )
  if (error instanceof Error && hasSqlState(error, sqlState.undefinedColumn))
    return refuse(
      'target_unfit',
      `The record of migrations of ${name} cannot be read: ${escapeMarkup(error.message)}. A table of that name is there and is no record of migrations. Rename it, or let the URL name another schema, and ask again; nothing was changed.`,
    )
  throw error
}

async function gatherEvidence(
  deps: PlanDeps,
  request: PlanRequest,
  read: TargetState,
  { reviews, weighed }: { readonly reviews: readonly ReviewedMigration[]; readonly weighed: readonly Finding[] },
): Promise<Evidence> {
  const { source, facts } = read
  return {
    migrations: reviews.map(({ concurrently: _concurrently, leaves: _leaves, inherits: _inherits, ...review }) => review),
    findings: weighed,
    notes: [
      ...(await branchNote(
        request.target.source.branch,
        `${request.target.source.directory}/${migrationsDirectory(request.target.tool)}`,
        source,
      )),
      ...outOfOrder(read.status, source.files.order),
      ...lfsNote(source.files.inLfs, request.steps),
    ],
    subject: source.resolved.subject,
    author: source.resolved.author,
    databaseBytes: facts.bytes,
    lastBackup: request.lastBackup ?? null,
    takenAt: new Date(deps.clock.now()).toISOString(),
  }
}

/** `directory` of the migrations, from the root of the repository. */
export async function branchNote(
  branch: string,
  directory: string,
  { repository, resolved }: Pick<TargetState['source'], 'repository' | 'resolved'>,
): Promise<readonly string[]> {
  if (resolved.behind === 0) return []
  const path = directory.split('/').filter((part) => part !== '.' && part !== '')
  const input = [resolved.commit, resolved.branchHead].map((commit) => `${commit}:${path.join('/')}\n`).join('')
  const trees = (await gitOutput(repository.git, ['cat-file', '--batch-check'], { input })).toString('utf8').split('\n')
  const same = trees[0] === trees[1]
  return [`${branch} is ${count(resolved.behind, 'commit')} ahead, ${same ? 'migrations unchanged' : 'with other migrations'}`]
}

/** Prisma applies these as well; people should know that they run after younger ones. */
function outOfOrder(status: Status, order: Order): readonly string[] {
  const last = status.applied.at(-1)?.name
  const late = last === undefined ? [] : status.pending.filter(({ name }) => comparing(order)(name, last) < 0)
  const names = late.map(({ name }) => name)
  if (names.length === 0) return []
  const shown = names.length <= 2 ? names.join(' and ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
  return [`${shown} ${names.length === 1 ? 'is' : 'are'} older than ${last}, which is applied already`]
}
