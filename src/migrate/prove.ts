import { setTimeout as sleep } from 'node:timers/promises'
import { readSessionFacts, whyOtherSchema } from '../database/session-facts.ts'
import { code } from '../lib/text/code.ts'
import { count } from '../lib/text/sentences.ts'
import { statusOf } from '../plan/status.ts'
import type { StepEnd } from '../request/step.ts'
import { diagnosisContext } from './decide/tries/context.ts'
import type { NextAction } from './decide/next-action.ts'
import { failedOutcome, unclearOutcome } from './decide/outcomes.ts'
import { diagnose } from './diagnoses/diagnosis.ts'
import { lockHolder } from './observe/activity-snapshot.ts'
import { whyElsewhere, whyOther } from './observe/database-proof.ts'
import type { MigrationTask } from './observe/watch.ts'
import type { Work } from './observe/work.ts'
import { MARKER, withoutMarker } from './prisma/prisma-workspace.ts'
import type { ToolVersion } from './prisma/tool.ts'
import { askVersion } from './prisma/version.ts'
import { askStatus, sessionOf, type StatusAnswer } from './question.ts'
import { migrationsDirectory } from '../config/tool.ts'

export type Proof = { readonly kind: 'proven'; readonly version: ToolVersion } | { readonly kind: 'hindered'; readonly end: StepEnd }

/**
 * Before the first start: the database is the pinned one, nobody else migrates it, and the tool is a version that is known, works on that
 * database and sees what was approved. When something of that does not hold, nothing was started.
 */
export async function proveAll(
  work: Work,
  { remaining }: Extract<NextAction, { readonly kind: 'next' }>,
  tasks: readonly MigrationTask[],
  kept: (last: string) => StatusAnswer | null,
): Promise<Proof> {
  const { context, workspace, observer } = work
  const other = await observer.look((client) => whyOther(client, workspace.parsed, context.plan.identity))
  if (other !== null) return refused(tasks, `This is not the database that was approved: ${other}.`)
  const held = await foreignLock(work)
  if (held !== null) return notStarted(work, tasks, 'Error: P1002 advisory lock', held)
  const last = remaining.at(-1)
  if (last === undefined) throw new Error('there is nothing to start')
  if (!workspace.tool.isAsked && workspace.tool.installed !== null) return { kind: 'proven', version: workspace.tool.installed }
  const { version, said } = await askVersion(workspace, () => workspace.layoutUpTo(last.name), sessionOf(work, 'version'))
  if (version === null) return notStarted(work, tasks, said)
  if (version.major >= 8)
    return refused(
      tasks,
      `The install brought Prisma ${version.version}, which has another migration runner than the one that was approved (5 to 7).`,
    )
  const asked = { work, remaining, tasks, version }
  const known = kept(last.name)
  const proof = known === null ? null : await judge(asked, known)
  if (proof?.kind === 'proven') return proof
  context.report('Asking Prisma which database it would change, and what.')
  return judge(asked, await askStatus(work, last.name))
}

type Asked = {
  readonly work: Work
  readonly remaining: Extract<NextAction, { readonly kind: 'next' }>['remaining']
  readonly tasks: readonly MigrationTask[]
  readonly version: ToolVersion
}

/** Whether what Prisma said is what was approved, by the record as it is now. */
async function judge({ work, remaining, tasks, version }: Asked, answer: StatusAnswer): Promise<Proof> {
  const { context, workspace } = work
  const status = workspace.tool.readStatus(answer.output)
  if (status.datasource === null || status.pending === null) return notStarted(work, tasks, withoutMarker(answer.output))
  const elsewhere = whyElsewhere(status.datasource, answer.proof, context.plan.identity, workspace.parsed)
  if (elsewhere !== null) return refused(tasks, elsewhere)
  const astray = answer.proof.kind === 'not-proved' && status.datasource.adapter ? await whyAstray(work) : null
  if (astray !== null) return refused(tasks, astray)
  const pending = status.pending.filter((name) => name !== MARKER)
  // the same names elsewhere may be other SQL than what was approved
  if (pending.length === status.pending.length && status.failed.length === 0)
    return refused(
      tasks,
      `Prisma does not read its migrations from ${code(migrationsDirectory(context.target.tool))}: the repository's configuration (\`migrations.path\` in \`prisma.config.ts\`, or another place of the schema) leads it to another directory.`,
    )
  // Prisma's status leaves out what was only rolled back, though its deploy runs that again
  const rolledBack = await rolledBackIn(work)
  const pendingNames = new Set(pending)
  const expected = remaining.map(({ name }) => name).filter((name) => pendingNames.has(name) || !rolledBack.has(name))
  if (pending.join('\n') !== expected.join('\n'))
    return refused(
      tasks,
      `Prisma would apply ${count(pending.length, 'migration')} (${shown(pending)}), but what is approved and open is ${count(expected.length, 'migration')} (${shown(expected)}).`,
    )
  context.report(
    `Prisma ${version.version}, ${status.datasource.adapter ? 'WebAssembly' : 'native'} engine: ${kept(version, status.datasource.adapter)}.`,
  )
  return { kind: 'proven', version }
}

/** Without a proof nobody has seen which path a driver adapter works with. */
async function whyAstray({ workspace, observer }: Work): Promise<string | null> {
  const otherSchema = whyOtherSchema(await observer.look(readSessionFacts), workspace.parsed)
  return otherSchema === null
    ? null
    : `${otherSchema} Prisma works through a driver adapter, and whether that sets another path could not be seen; \`options=-c%20search_path%3D${workspace.parsed.schema}\` in the URL of the database does.`
}

function kept({ atomic }: ToolVersion, adapter: boolean): string {
  if (!atomic) return 'it may send a file statement by statement, so a file that fails may be applied in part'
  return adapter ? "whether each file is one transaction is up to the application's driver adapter" : 'each file is one transaction'
}

async function rolledBackIn({ workspace, observer }: Work): Promise<ReadonlySet<string>> {
  const state = await observer.look(workspace.readState)
  return new Set(statusOf(state, workspace.approved.migrations).rolledBack.map(({ name }) => name))
}

/** Somebody else's migrator is waited for, for a while; null when the lock is free. */
async function foreignLock(work: Work): Promise<{ readonly name: string; readonly relation: null } | null> {
  const { context, observer, timing } = work
  for (const began = performance.now(); ; await sleep(timing.pollMs)) {
    const lock = await observer.look(lockHolder)
    if (lock === null || !lock.here) return null
    context.report(`${lock.name} (pid ${lock.pid}) holds the migration lock. Waiting for it to end.`)
    if (context.signal.aborted || performance.now() - began > timing.silenceMs)
      return { name: `${code(lock.name)} (pid ${lock.pid})`, relation: null }
  }
}

function notStarted(
  work: Work,
  tasks: readonly MigrationTask[],
  output: string,
  blocker?: { readonly name: string; readonly relation: null },
): Proof {
  const diagnosis = diagnose({ output, context: { ...diagnosisContext(work, null), ...(blocker === undefined ? {} : { blocker }) } })
  const outcome = failedOutcome(diagnosis, tasks, null)
  return { kind: 'hindered', end: { kind: 'failed', output: 'not started', outcome, data: { migrations: tasks } } }
}

const refused = (tasks: readonly MigrationTask[], why: string): Proof => ({
  kind: 'hindered',
  end: {
    kind: 'unknown',
    output: 'not started',
    data: { migrations: tasks },
    outcome: unclearOutcome({
      headline: `${why} Nothing was started.`,
      tasks,
      notKnown: 'Why what Prisma would do differs from what was approved.',
      next: 'Compare the repository and the configuration with the target. Then cancel this request, mend it and ask again.',
    }),
  },
})

const shown = (names: readonly string[]) =>
  names.length === 0
    ? 'none'
    : names.length <= 4
      ? names.map(code).join(', ')
      : `${names.slice(0, 3).map(code).join(', ')} and ${names.length - 3} more`
