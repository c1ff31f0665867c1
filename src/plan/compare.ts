import { escapeMarkup } from '../lib/text/escape.ts'
import type { Target } from '../config/config.ts'
import { isRefusal } from '../lib/refusal.ts'
import { together } from '../lib/together.ts'
import { TargetConnectionError, withTarget, type Queryable } from '../database/connect.ts'
import { namingWhoLocks, TableLockedError } from '../database/locked.ts'
import { readIdentity, sameIdentity } from '../database/identity.ts'
import type { TargetUrl } from '../database/urls.ts'

import type { PlanDeps } from './deps.ts'
import type { ApplicationFiles } from './files.ts'
import { readAnyFiles } from './listed-files.ts'
import { toolPlanned, type Plan } from './plan.ts'
import { AppliedQueryError, readStateOf } from './record.ts'
import { fetchRepository, isReachable, type Repository } from './repository.ts'
import { appliedOf, statusOf, whyRecordHidden, type Applied, type Status } from './status.ts'
import { canonicalJson } from '../lib/canonical.ts'
import { listed, quoted } from '../lib/text/quoted.ts'

/** `why` is mrkdwn, outside parts escaped. `unknown` means that it could not be found out; nothing may be started on it. */
export type Comparison =
  /** `applied`: migrations of the list that are applied already, in order. */
  | { readonly kind: 'same'; readonly applied: readonly string[] }
  | { readonly kind: 'changed'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string }

/** Whether what was approved is still what would run. Before the migration a prefix of the list may be applied; after it, all of it must be. */
export async function compareWithPlan(
  deps: PlanDeps & { readonly target: Target },
  plan: Plan,
  phase: 'before-migrate' | 'after-migrate',
): Promise<Comparison> {
  if (canonicalJson(toolPlanned(deps.target.tool).tool ?? null) !== canonicalJson(plan.tool ?? null))
    return changed('The settings of `tool` in lockkeeper.yaml are no longer what they were when this was asked.')
  const [files, found] = await together([filesNow(deps, plan), databaseNow(deps)])
  if ('kind' in files) return files
  const otherFiles = compareFiles(plan, files)
  if (otherFiles !== null) return changed(otherFiles)
  if ('kind' in found) return found
  const identity = sameIdentity(plan.identity, found.identity)
  if (!identity.same) return changed(`It is no longer the same database: ${identity.why}.`)
  const hidden = whyRecordHidden(found.state, found.url)
  if (hidden !== null) return { kind: 'unknown', why: hidden }
  const status = statusOf(found.state, files.migrations, files.databaseSchemas, files.order)
  if (found.state.lockHeld)
    return { kind: 'unknown', why: 'Another Prisma holds the migration lock of the database, so its state may change at any moment.' }
  return compareApplied(plan, status, phase)
}

/** Before the migration a beginning of the list may be applied; after it, all of it must be. Pure. */
export function compareApplied(
  plan: Pick<Plan, 'baseline' | 'list'>,
  status: Status,
  phase: 'before-migrate' | 'after-migrate',
): Comparison {
  const found = appliedOf(plan, status)
  if (found.kind === 'departs') return changed(departureText(found, plan, status))
  const open = found.open.map(({ name }) => name)
  if (phase === 'after-migrate' && open.length > 0)
    return changed(`${listed(open)} should be applied by now and ${open.length === 1 ? 'is' : 'are'} not.`)
  return { kind: 'same', applied: found.applied }
}

function departureText({ why, names }: Extract<Applied, { kind: 'departs' }>, plan: Pick<Plan, 'list'>, status: Status): string {
  const one = names.length === 1
  const [is, was] = one ? ['is', 'was'] : ['are', 'were']
  const before = () => plan.list.find(({ name }) => !status.applied.some((applied) => applied.name === name))?.name ?? ''
  const said = {
    failed: () => `${is} recorded as failed`,
    running: () => `${is} recorded as running`,
    edited: () => `${was} applied with another content`,
    unknown: () => `${is} in the database but not in the approved commit`,
    missing: () => `${was} applied when this was asked and no longer ${is}`,
    order: () => `${is} applied, but ${quoted(before())} before it is not`,
  }[why]()
  return `${listed(names)} ${said}.`
}

async function filesNow(deps: PlanDeps & { readonly target: Target }, plan: Plan): Promise<ApplicationFiles | Comparison> {
  const repository = await repositoryNow(deps, plan)
  if ('kind' in repository) return repository
  const files = await readAnyFiles(repository, deps.target, plan.commit)
  return isRefusal(files) ? changed(files.text) : files
}

/** Fetched anew, with the commit of the plan still on a branch that may be deployed. */
export async function repositoryNow(
  deps: PlanDeps & { readonly target: Target },
  plan: Pick<Plan, 'commit'>,
): Promise<Repository | Comparison> {
  const repository = await fetchRepository(deps, deps.target)
  if (isRefusal(repository)) return { kind: 'unknown', why: repository.text }
  if (await isReachable(repository, deps.target, plan.commit)) return repository
  return changed(
    `Commit ${quoted(plan.commit.slice(0, 10))} is no longer part of ${listed([deps.target.source.branch, ...deps.target.source.refs])}.`,
  )
}

/** The same commit hashes the same unless the configuration reads it from another directory, or an object is damaged. */
function compareFiles(plan: Plan, files: ApplicationFiles): string | null {
  const now = new Map(files.migrations.map((file) => [file.name, file]))
  const differs = plan.baseline.filter(({ name, sha256 }) => now.get(name)?.sha256 !== sha256).map(({ name }) => name)
  const listDiffers = plan.list.filter(
    ({ name, sha256, rollbackSha256 }) => now.get(name)?.sha256 !== sha256 || (now.get(name)?.rollback?.sha256 ?? null) !== rollbackSha256,
  )
  const all = [...differs, ...listDiffers.map(({ name }) => name)]
  if (all.length > 0) return `The files of ${listed(all)} are no longer what they were when this was asked.`
  const expected = new Set([...plan.baseline, ...plan.list].map(({ name }) => name))
  const more = files.migrations.filter(({ name }) => !expected.has(name)).map(({ name }) => name)
  return more.length === 0
    ? null
    : `${listed(more)} ${more.length === 1 ? 'is' : 'are'} there now and ${more.length === 1 ? 'was' : 'were'} not when this was asked.`
}

const databaseNow = (deps: PlanDeps & { readonly target: Target }) =>
  readNow(deps, async (client, url) => ({
    url,
    identity: await readIdentity(client, url),
    state: await readStateOf(client, deps.target.tool, url.schema),
  }))

/** What cannot be read is `unknown`. */
export async function readNow<T>(
  deps: PlanDeps & { readonly target: Target },
  read: (client: Queryable, url: TargetUrl) => Promise<T>,
): Promise<T | Extract<Comparison, { kind: 'unknown' }>> {
  try {
    return await withTarget({ url: deps.secret(deps.target.database.url), applicationName: 'lockkeeper check' }, (client, url) =>
      namingWhoLocks(client, () => read(client, url)),
    )
  } catch (error) {
    if (error instanceof AppliedQueryError)
      return { kind: 'unknown', why: `What is applied cannot be read: ${escapeMarkup(deps.redactor.text(error.message))}.` } as const
    if (error instanceof TargetConnectionError || error instanceof TableLockedError) return { kind: 'unknown', why: error.message } as const
    // the server answered that it cannot: a right that was taken away, a statement that took too long, no memory
    if (isServersFault(error))
      return { kind: 'unknown', why: `The database cannot be read: ${escapeMarkup(deps.redactor.text(error.message))}.` } as const
    throw error
  }
}

const isServersFault = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)

const changed = (why: string): Comparison => ({ kind: 'changed', why })
