import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { killPoint } from '../lib/failpoint.ts'
import { code } from '../lib/mrkdwn.ts'
import { diagnose } from './diagnoses/diagnosis.ts'
import { readDatabaseState, statusOf } from '../plan/status.ts'
import { count } from '../lib/sentences.ts'
import type { StepEnd } from '../request/step.ts'
import type { Judgement } from './decide/next-action.ts'
import { MARKER } from './prisma/prisma-workspace.ts'
import type { Work } from './observe/work.ts'
import { startAttempt, stateOf } from './attempts/attempt.ts'
import { nextTransaction } from './decide/schema-diff.ts'
import { diagnosisContext, tryText } from './decide/failure-analysis.ts'
import type { Group } from './attempts/groups.ts'
import { failedOutcome, unclearOutcome } from './decide/outcomes.ts'
import { provePlace, whyElsewhere, whyOther } from './observe/place.ts'
import { sight } from './observe/activity-snapshot.ts'
import type { ToolVersion } from './prisma/tool.ts'
import { keepVersion, keptVersion } from './prisma/version.ts'
import type { MigrationTask } from './observe/watch.ts'

/**
 * Before the first start: the database is the pinned one, nobody else migrates it, and the tool works on it, sees what was approved and
 * is a version that is known. Null when all of that holds; otherwise nothing was started.
 */
export async function proveAll(
  work: Work,
  { remaining }: Extract<Judgement, { readonly kind: 'next' }>,
  tasks: readonly MigrationTask[],
): Promise<StepEnd | null> {
  const { context, site, observer } = work
  const other = await observer.look((client) => whyOther(client, site.parsed, context.plan.identity))
  if (other !== null) return refused(work, tasks, `This is not the database that was approved: ${other}.`)
  const held = await foreignLock(work)
  if (held !== null) return notStarted(work, tasks, 'Error: P1002 advisory lock', held)
  const last = remaining.at(-1)
  if (last === undefined) return null
  const cwd = site.markedLayout(last.name)
  context.report('Asking Prisma which database it would change, and what.')
  const named = (suffix: string) => ({ applicationName: `${site.applicationName}-${suffix}`, ...timeouts(work) })
  const [version, place] = await Promise.all([
    site.run(site.tool.commands.version, cwd, named('version')),
    provePlace({
      url: site.url,
      applicationName: `lockkeeper-probe-${context.requestId}`,
      toolName: named('status').applicationName,
      schema: site.parsed.schema,
      status: async () => (await site.run(site.tool.commands.status, cwd, named('status'))).output,
    }),
  ])
  const tool = site.tool.readVersion(version.output)
  if (tool === null) return notStarted(work, tasks, version.output)
  if (tool.major >= 8)
    return refused(
      work,
      tasks,
      `The application brings Prisma ${tool.version}, which has another migration runner than this product knows (5 to 7).`,
    )
  const status = site.tool.readStatus(place.output)
  if (status.datasource === null || status.pending === null) return notStarted(work, tasks, place.output)
  const elsewhere = whyElsewhere(status, place.seen, context.plan.identity, site.parsed)
  if (elsewhere !== null) return refused(work, tasks, elsewhere)
  const pending = status.pending.filter((name) => name !== MARKER)
  // the same names elsewhere may be other SQL than what was approved
  if (pending.length === status.pending.length && status.failed.length === 0)
    return refused(
      work,
      tasks,
      `Prisma does not read its migrations from ${code(context.target.tool.prisma.migrations)}: the repository's configuration (\`migrations.path\` in \`prisma.config.ts\`, or another place of the schema) leads it to another directory.`,
    )
  // Prisma's status leaves out what was only rolled back, though its deploy runs that again
  const rolledBack = await rolledBackIn(work)
  const seen = new Set(pending)
  const expected = remaining.map(({ name }) => name).filter((name) => seen.has(name) || !rolledBack.has(name))
  if (pending.join('\n') !== expected.join('\n'))
    return refused(
      work,
      tasks,
      `Prisma would apply ${count(pending.length, 'migration')} (${shown(pending)}), but what is approved and open is ${count(expected.length, 'migration')} (${shown(expected)}).`,
    )
  noteVersion(work, tool)
  return null
}

async function rolledBackIn({ site, observer }: Work): Promise<ReadonlySet<string>> {
  const state = await observer.look((client) => readDatabaseState(client, site.parsed.schema))
  return new Set(statusOf(state, site.approved.migrations).rolledBack.map(({ name }) => name))
}

/** Starts one `migrate deploy`, detached, and waits until it has begun. */
export async function startGroup(work: Work, group: Group): Promise<void> {
  const { context, site, observer } = work
  const last = group.migrations.at(-1)
  if (last === undefined) return
  const other = await observer.look((client) => whyOther(client, site.parsed, context.plan.identity))
  if (other !== null) throw new Error(`the database is no longer the one that was approved: ${other}`)
  const cwd = site.layoutUpTo(last.name)
  const session = group.concurrently
    ? { applicationName: site.applicationName, lockTimeoutMs: 0, statementTimeoutMs: 0 }
    : { applicationName: site.applicationName, ...timeouts(work) }
  killPoint('before-migrator-start')
  appendFileSync(context.spool, `$ prisma ${site.tool.commands.deploy.slice(1).join(' ')}\n`, { mode: 0o600 })
  await context.audit('migrator', 'started', { migrations: group.migrations.map(({ name }) => name) })
  const attempt = startAttempt(
    site.base,
    {
      migrations: group.migrations.map(({ name }) => name),
      concurrently: group.concurrently,
      sinceXid: await observer.look(nextTransaction),
      startedAt: Date.now(),
      atomic: keptVersion(site.base)?.atomic ?? false,
    },
    { argv: site.tool.commands.deploy, cwd, env: site.environment(session) },
  )
  const what = group.concurrently ? `${last.name}, outside a transaction` : count(group.migrations.length, 'migration')
  context.report(`${tryText(work, attempt)}Starting ${what}.`)
  await stateOf(attempt)
}

const timeouts = ({ context }: Work) => ({
  lockTimeoutMs: context.target.database.lockTimeout,
  statementTimeoutMs: context.target.database.statementTimeout,
})

/** Somebody else's migrator is waited for, for a while; null when the lock is free. */
async function foreignLock(work: Work): Promise<{ readonly name: string; readonly relation: null } | null> {
  const { context, site, observer, pace } = work
  for (const began = performance.now(); ; await sleep(pace.pollMs)) {
    const { lock } = await observer.look((client) => sight(client, site.parsed.schema, site.applicationName))
    if (lock === null || !lock.here) return null
    context.report(`Another migrator, ${lock.name} (pid ${lock.pid}), holds Prisma's lock. Waiting for it to end.`)
    if (context.signal.aborted || performance.now() - began > pace.silenceMs)
      return { name: `${code(lock.name)} (pid ${lock.pid})`, relation: null }
  }
}

function noteVersion({ site, context }: Work, tool: ToolVersion): void {
  keepVersion(site.base, tool)
  const engine = { native: 'native engine', wasm: 'WebAssembly engine', unknown: 'unknown engine' }[tool.engine]
  context.report(
    tool.atomic
      ? `Prisma ${tool.version}, ${engine}: each file is one transaction.`
      : `Prisma ${tool.version}, ${engine}: it may send a file statement by statement, so a file that fails may be applied in part.`,
  )
}

function notStarted(
  work: Work,
  tasks: readonly MigrationTask[],
  output: string,
  blocker?: { readonly name: string; readonly relation: null },
): StepEnd {
  const diagnosis = diagnose({ output, context: { ...diagnosisContext(work, null), ...(blocker === undefined ? {} : { blocker }) } })
  return { kind: 'failed', output: 'not started', outcome: failedOutcome(diagnosis, tasks, null), data: { migrations: tasks } }
}

const refused = (_work: Work, tasks: readonly MigrationTask[], why: string): StepEnd => ({
  kind: 'unknown',
  output: 'not started',
  data: { migrations: tasks },
  outcome: unclearOutcome({
    headline: `${why} Nothing was started.`,
    tasks,
    notKnown: 'Why what Prisma would do differs from what was approved.',
    next: 'Compare the repository and the configuration with the target. Then cancel this request, mend it and ask again.',
  }),
})

const shown = (names: readonly string[]) =>
  names.length === 0
    ? 'none'
    : names.length <= 4
      ? names.map(code).join(', ')
      : `${names.slice(0, 3).map(code).join(', ')} and ${names.length - 3} more`
