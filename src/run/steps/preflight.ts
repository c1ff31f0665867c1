import { escapeMarkup } from '../../lib/text/escape.ts'
import { appendFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { BackupStore } from '../../backup/catalogue.ts'
import type { Reading } from '../../lib/clock-skew.ts'
import { findClients } from '../../backup/providers/clients.ts'
import { applicationPath } from '../../deploy/command.ts'
import { LOCK_WAIT_MS } from '../../backup/providers/pg-dump.ts'
import type { GitDeps } from '../../plan/deps.ts'
import { isRefusal } from '../../lib/refusal.ts'
import { longTransactions, prismaLockHolder } from '../../database/activity.ts'
import { TargetConnectionError, withTarget, type Queryable } from '../../database/connect.ts'
import { withLooks, type Look } from '../../database/looks.ts'
import { readIdentity } from '../../database/identity.ts'
import { readRights } from '../../database/rights.ts'
import { readSessionFacts } from '../../database/session-facts.ts'
import { databaseBytes } from '../../database/sizes.ts'
import { parseTargetUrl, prismaDialect, type TargetUrl } from '../../database/urls.ts'
import { diskFindings, directoryFindings, estimateBackup, estimateFindings, freeBytes, type Estimate } from '../preflight/backup.ts'
import {
  activityFindings,
  backupPoolerFindings,
  guardFindings,
  identityFindings,
  notLookedFinding,
  poolerFindings,
  prismaLockFindings,
  readTimeLimit,
  rightsFindings,
  sessionFindings,
  timeLimitFindings,
} from '../preflight/database.ts'
import { clockFindings } from '../preflight/clocks.ts'
import { connectionFindings, LEAST_OF_BACKUP, readCapacity, roomFindings } from '../preflight/capacity.ts'
import { stop, summary, type Check, type Finding } from '../preflight/finding.ts'
import { healthFindings, type Probe } from '../preflight/health.ts'
import { liveCheckoutFindings, switchesIn } from '../preflight/live-checkout.ts'
import { ofBackup, readableFindings, standbyFindings } from '../preflight/readable.ts'
import { runnerLockFindings, runnerRightsFindings } from '../preflight/runner.ts'
import { roomOf, serverDiskFindings } from '../preflight/server-disk.ts'
import { recordTable } from '../../plan/record.ts'
import { commitFindings, treeFindings } from '../preflight/source.ts'
import type { RunContext, Step, StepEnd } from '../../request/step.ts'
import { together } from '../../lib/together.ts'

export type PreflightDeps = {
  readonly store: Pick<BackupStore, 'list'>
  /** Of the configuration: `home` and `varDirectory`. */
  readonly directories: Pick<GitDeps, 'home' | 'varDirectory'>
  readonly probe: Probe
  /** The clocks of this machine, the store and Slack, as far as they answer. */
  readonly clocks: () => Promise<readonly Reading[]>
  /** False when this run makes no backup, so that what only a backup needs does not stop it. */
  readonly backsUp: boolean
  /** Parallel sessions of pg_dump. */
  readonly jobs?: number
}

/** `dataOf('preflight')`. */
type PreflightData = { readonly checks: number; readonly names: readonly string[]; readonly findings: readonly Finding[] }

/** Everything that can be known before the run touches anything, all of it at once. It reads only, so it is never found done. */
export const preflightStep = (deps: PreflightDeps): Step => ({
  name: 'preflight',
  title: 'Preflight',
  changes: 'nothing',
  inspect: () => Promise.resolve({ kind: 'todo' }),
  act: (context) => act(deps, context),
})

async function act(deps: PreflightDeps, context: RunContext): Promise<StepEnd> {
  const url = context.secret(context.target.database.url)
  const backupUrl = context.secret(context.target.backup.url ?? context.target.database.url)
  return withLooks(connectionTo(context, url), (target) =>
    backupUrl === url
      ? look(deps, context, { target, backup: target })
      : withLooks(connectionTo(context, backupUrl), (backup) => look(deps, context, { target, backup })),
  )
}

/** By the URL of the database and by that of the backup. */
type Looks = { readonly target: Look; readonly backup: Look }

async function look(deps: PreflightDeps, context: RunContext, looks: Looks): Promise<StepEnd> {
  const { database, own } = checksFor(deps, context, looks)
  const checks = [...database, ...own]
  const findings = await together([findAll(context, database), findAll(context, own)])
  if (context.signal.aborted) return cancelled
  const distinctFindings = distinct(findings.flat())
  await writeToSpool(context, distinctFindings)
  const output = summary(checks.length, distinctFindings)
  const stops = distinctFindings.filter(({ level }) => level === 'stop')
  const warnings = distinctFindings.filter(({ level, brief }) => level === 'warn' && brief === undefined)
  for (const { text } of warnings) await context.note({ kind: 'finding', data: { text } })
  const data: PreflightData = { checks: checks.length, names: checks.map(({ name }) => name), findings: distinctFindings }
  return stops.length > 0 ? { ...stopped(output, stops), data } : { kind: 'done', output, data }
}

/** One that fails takes no other with it. */
async function findAll(context: RunContext, checks: readonly Check[]): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { name, find } of checks) {
    if (context.signal.aborted) break
    context.report(name)
    findings.push(...(await findSafely(context, name, find)))
  }
  return findings
}

/** In the order in which they are told. Those that ask the database share its session; the others are made meanwhile. */
function checksFor(
  deps: PreflightDeps,
  context: RunContext,
  looks: Looks,
): { readonly database: readonly Check[]; readonly own: readonly Check[] } {
  const { target, plan, signal } = context
  const { directory } = target.backup
  const parsed = parseTargetUrl(context.secret(target.database.url))
  const git: GitDeps = { ...deps.directories, redactor: context.redactor, env: context.env }
  const live = { name: target.name, path: applicationPath(target, context.env) }
  const switches = switchesIn(plan, deps.directories.home)
  const ownChecks: readonly Check[] = [
    { name: 'the commit', find: () => commitFindings(git, target, plan.commit) },
    { name: 'the checkout', find: () => treeFindings(git, context.checkout, plan.commit) },
    ...(switches.length === 0 ? [] : [{ name: 'the live checkout', find: () => liveCheckoutFindings(git, live, plan.commit, switches) }]),
    ...(deps.backsUp ? [{ name: 'the backup directory', find: () => directoryFindings(directory) }] : []),
    { name: 'the health before', find: () => healthFindings(target.health, deps.probe, signal) },
  ]
  const urlCheck: Check = {
    name: 'the database URL',
    find: () =>
      Promise.resolve(parsed.kind === 'url' ? [] : [stop('url_unusable', `The database URL cannot be used: ${escapeMarkup(parsed.why)}.`)]),
  }
  return { database: [urlCheck, ...(parsed.kind === 'url' ? databaseChecks(deps, context, looks, parsed.url) : [])], own: ownChecks }
}

function databaseChecks(deps: PreflightDeps, context: RunContext, looks: Looks, url: TargetUrl): readonly Check[] {
  const { plan, target } = context
  const ask = looks.target
  const backupUrl = deps.backsUp ? context.target.backup.url : undefined
  const ownUrl = backupUrl === undefined ? null : context.secret(backupUrl)
  const most = deps.backsUp && ownUrl === null ? Math.max(SESSIONS, LEAST_OF_BACKUP + jobsOf(deps)) : SESSIONS
  const isRunner = plan.prisma8 !== undefined
  const isConcurrent = plan.list.some(({ concurrently }) => concurrently)
  return [
    { name: 'the clocks', find: () => clockFindings(deps.clocks, target.name, ask) },
    { name: 'poolers', find: () => Promise.resolve([...poolerFindings(url), ...(ownUrl === null ? [] : backupPoolerFindings(ownUrl))]) },
    { name: 'the identity', find: () => ask(async (client) => identityFindings(plan.identity, await readIdentity(client, url))) },
    {
      name: "the role's rights",
      find: () =>
        ask(async (client) => {
          const rights = await readRights(client, url.schema, recordTable(target.tool))
          const forTool = isRunner ? await runnerRightsFindings(client, rights, url.schema) : rightsFindings(rights, url.schema)
          return [...forTool, ...guardFindings(rights)]
        }),
    },
    {
      name: 'long transactions',
      find: () =>
        ask(async (client) => activityFindings(await longTransactions(client, isConcurrent ? LONG_FOR_INDEXES_MS : LONG_MS), isConcurrent)),
    },
    {
      name: "Prisma's lock",
      find: () => ask(isRunner ? runnerLockFindings : async (client) => prismaLockFindings(await prismaLockHolder(client))),
    },
    {
      name: 'the session of the migrator',
      find: async () => [
        ...(await sessionOf(context, url)),
        ...(await ask(async (client) => timeLimitFindings(await readTimeLimit(client)))),
      ],
    },
    { name: 'free connections', find: () => ask(async (client) => connectionFindings(await readCapacity(client), SESSIONS, most)) },
    ...(deps.backsUp ? backupChecks(deps, context, looks, url) : []),
  ]
}

function backupChecks(deps: PreflightDeps, context: RunContext, looks: Looks, url: TargetUrl): readonly Check[] {
  const { target, plan } = context
  const askBackup: Look = (work) =>
    looks.backup(work).catch((error: unknown) => {
      throw target.backup.url !== undefined && error instanceof TargetConnectionError ? ofBackup(error) : error
    })
  const room = {
    lockWaitMs: target.backup.lockWait ?? LOCK_WAIT_MS,
    ownRole: target.backup.url === undefined ? null : { jobs: jobsOf(deps) },
  }
  return [
    { name: 'pg_dump', find: () => askBackup((client) => clientFindings(context, client)) },
    {
      name: 'what the backup reads',
      find: () =>
        askBackup(async (client, at) => {
          const found = await readIdentity(client, at)
          const { systemIdentifier, databaseOid } = plan.identity
          if (found.systemIdentifier !== systemIdentifier || found.databaseOid !== databaseOid)
            return [
              stop('backup_elsewhere', 'The URL of the backup leads to another database than the approved one. Correct `backup.url`.'),
            ]
          const standby = room.ownRole === null ? [] : await standbyFindings(client)
          return [...standby, ...(await readableFindings(client)), ...(await roomFindings(client, room))]
        }),
    },
    { name: 'the disk', find: () => looks.target((client) => spaceFindings(deps, context, client, url)) },
  ]
}

/** Long enough that a migration with a lock timeout of seconds would run into it. */
const LONG_MS = 10_000
/** An index that is built CONCURRENTLY waits without a timeout. */
const LONG_FOR_INDEXES_MS = 2_000
/** Of a migration: the lock of the target, Prisma, and the two that prove where Prisma leads. */
const SESSIONS = 4

const jobsOf = (deps: PreflightDeps): number => deps.jobs ?? availableParallelism()

async function clientFindings(context: RunContext, client: Queryable): Promise<readonly Finding[]> {
  const { rows } = await client.query<{ version: string }>(`select current_setting('server_version_num') as version`)
  const clients = await findClients({
    directory: context.target.backup.clients,
    serverMajor: Math.floor(Number(rows[0]?.version) / 10_000),
    env: context.env,
    redactor: context.redactor,
  })
  return isRefusal(clients) ? [stop('backup_clients', clients.text)] : []
}

async function spaceFindings(deps: PreflightDeps, context: RunContext, client: Queryable, url: TargetUrl): Promise<readonly Finding[]> {
  const { directory } = context.target.backup
  if ((await directoryFindings(directory)).length > 0) return [] // told by its own check
  const [bytes, past] = await together([databaseBytes(client), deps.store.list(context.target.name)])
  const estimate: Estimate = estimateBackup(bytes, past)
  return [
    ...diskFindings(await freeBytes(directory), bytes, estimate, directory),
    ...(await serverDiskFindings(client, url, directory, () => roomOf(context, url, deps.directories.varDirectory))),
    ...estimateFindings(estimate),
  ]
}

/** Through the very URL that the migrator gets, nothing of ours added. */
async function sessionOf(context: RunContext, url: TargetUrl): Promise<readonly Finding[]> {
  const { lockTimeout, statementTimeout } = context.target.database
  const migrators = prismaDialect(url, {
    applicationName: applicationName(context),
    lockTimeoutMs: lockTimeout,
    statementTimeoutMs: statementTimeout,
  })
  const found = await withTarget(
    { url: migrators, applicationName: applicationName(context), lockTimeoutMs: null, signal: context.signal },
    readSessionFacts,
  )
  return sessionFindings(found, url, lockTimeout)
}

const connectionTo = (context: RunContext, url: string) => ({ url, applicationName: applicationName(context), signal: context.signal })

const applicationName = (context: RunContext) => `lockkeeper-preflight-${context.requestId}`

/** That the database does not answer is one finding, however many checks meet it. */
async function findSafely(context: RunContext, name: string, find: Check['find']): Promise<readonly Finding[]> {
  try {
    return await find()
  } catch (error) {
    if (context.signal.aborted) return []
    if (error instanceof TargetConnectionError) return [stop('unreachable', escapeMarkup(error.message))]
    const notLooked = notLookedFinding(name, error)
    if (notLooked === null) throw error
    return [notLooked]
  }
}

const distinct = (findings: readonly Finding[]): readonly Finding[] => [
  ...new Map(findings.map((finding) => [`${finding.code} ${finding.text}`, finding])).values(),
]

async function writeToSpool(context: RunContext, findings: readonly Finding[]): Promise<void> {
  const lines = findings.map(({ level, text }) => `preflight: ${level}: ${text}\n`).join('')
  if (lines !== '') await appendFile(context.spool, context.redactor.text(lines), { mode: 0o600 })
}

const cancelled: StepEnd = {
  kind: 'cancelled',
  output: 'stopped',
  outcome: { headline: '*Cancelled during the preflight.* Nothing was changed.' },
}

const stopped = (output: string, stops: readonly Finding[]): StepEnd => ({
  kind: 'failed',
  output,
  outcome: {
    headline: `*The preflight found ${stops.length === 1 ? 'a reason' : `${stops.length} reasons`} not to start.* Nothing was changed, and the application runs as before.`,
    why: stops.length === 1 ? (stops[0]?.text ?? '') : stops.map(({ text }) => `• ${text}`).join('\n'),
    next: stops.length === 1 ? 'Mend that and ask again.' : 'Mend these and ask again.',
  },
})
