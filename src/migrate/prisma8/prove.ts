import { setTimeout as sleep } from 'node:timers/promises'
import { code } from '../../lib/text/code.ts'
import { count, list } from '../../lib/text/sentences.ts'
import { together } from '../../lib/together.ts'
import { runnerLockHolder, sessionsOf } from '../../database/activity.ts'
import { withTarget } from '../../database/connect.ts'
import { runnerName } from '../../plan/prisma8/version.ts'
import type { StepEnd } from '../../request/step.ts'
import { failedOutcome } from '../decide/outcomes.ts'
import { nameOf } from '../../guard/words.ts'
import { patient, proveDatabase, whyOther, type DatabaseProof } from '../observe/database-proof.ts'
import { diagnoseRunner } from './diagnose.ts'
import { refusedEnd } from './outcomes.ts'
import { readAnswer, readRoute } from './output.ts'
import { endedTasks } from './progress.ts'
import { shortSession, type RunnerWork } from './work.ts'

/**
 * Before the first start, null when all holds: the database is the pinned one, nobody else migrates it, and Prisma, led by the repository's
 * configuration, would run just the packages that were approved, by the hashes of all that they hold, from the contract that is there.
 */
export async function proveRunner(work: RunnerWork): Promise<StepEnd | null> {
  const { context, workspace, observer } = work
  const { plan } = workspace
  const other = await observer.look((client) => whyOther(client, workspace.parsed, plan.identity))
  if (other !== null) return refusedEnd(work, `This is not the database that was approved: ${other}.`)
  const holder = await lockHolder(work)
  if (holder !== null)
    return notStarted(work, {
      code: 'migrator_lock_held',
      headline: `Another session holds Prisma's migration lock on ${code(workspace.parsed.database)}, so nothing was started.`,
      why: `Prisma 8 lets one migrator at a time into a database, by an advisory lock, and ${holder} holds it.`,
      next: 'Wait until that session has ended, or find out whose it is and end it; then ask again.',
      excerpt: '',
    })
  context.report('Asking Prisma which database it would change, and what.')
  const { output, proof } = await askWhere(work)
  const answer = readAnswer(output)
  if (answer?.kind !== 'answer') return notStarted(work, diagnoseRunner(work, output))
  const route = readRoute(answer.result)
  if (route === null) return refusedEnd(work, 'What Prisma says that it would run cannot be read.')
  const elsewhere = whyElsewhere(work, proof)
  if (elsewhere !== null) return refusedEnd(work, elsewhere)
  const approved = plan.prisma8.packages.map(({ name, migrationHash }) => ({ name, hash: migrationHash }))
  const told = (all: readonly { readonly name: string; readonly hash: string }[]) =>
    all.map(({ name, hash }) => `${code(name)} (${hash.slice(0, 12)})`).join(', ') || 'none'
  if (told(route) !== told(approved) || route.some(({ hash }, at) => hash !== approved[at]?.hash))
    return refusedEnd(
      work,
      `Prisma would apply ${count(route.length, 'migration')}, ${told(route)}, but what is approved is ${count(approved.length, 'migration')}, ${told(approved)}.`,
    )
  context.report(`${runnerName(plan.prisma8.version)}: all of it is one transaction.`)
  return null
}

type WhereProof = DatabaseProof | { readonly kind: 'seen' }

/**
 * Where the database is signed, Prisma reads the marker, and while that is held it must be seen to wait. Where there is none, or it cannot be
 * held, its session must be seen there, which is short, so that it is asked again when it was missed.
 */
async function askWhere(work: RunnerWork): Promise<{ readonly output: string; readonly proof: WhereProof }> {
  for (let at = 1; ; at++) {
    const asked = await askOnce(work, at > 1 || work.workspace.plan.prisma8.marker === null)
    const again = asked.proof.kind === 'not-proved' && readAnswer(asked.output)?.kind === 'answer' && at < MOST_STARTS
    if (!again) return asked
  }
}

const MOST_STARTS = 3

async function askOnce(work: RunnerWork, looksForSession: boolean): Promise<{ readonly output: string; readonly proof: WhereProof }> {
  const { context, workspace } = work
  const session = patient(shortSession(work, 'show'))
  const cwd = workspace.layout()
  const running = { ended: false, seen: false }
  const { output, proof } = await proveDatabase({
    url: workspace.url,
    applicationName: `lockkeeper-probe-${context.requestId}`,
    toolName: session.applicationName,
    schema: workspace.parsed.schema,
    record: { schema: 'prisma_contract', table: 'marker' },
    status: async () => {
      const show = workspace.run(workspace.commands.show, cwd, session).finally(() => (running.ended = true))
      const looking = looksForSession ? sessionSeen(work, session.applicationName, running) : Promise.resolve(false)
      const [{ output }, isSeen] = await together([show, looking])
      running.seen = isSeen
      return output
    },
  })
  return { output, proof: proof.kind === 'not-proved' && running.seen ? { kind: 'seen' } : proof }
}

async function sessionSeen({ context, workspace }: RunnerWork, toolName: string, running: { readonly ended: boolean }): Promise<boolean> {
  const connection = { url: workspace.url, applicationName: `lockkeeper-probe-${context.requestId}-watch` }
  return withTarget(connection, async (client) => {
    while (!running.ended) {
      if ((await sessionsOf(client, toolName)).length > 0) return true
      await sleep(SEEN_EVERY_MS)
    }
    return false
  })
}

/** On the same machine the session lives for 6 ms. */
const SEEN_EVERY_MS = 2

/** Null when it may be let at it. */
function whyElsewhere({ workspace }: RunnerWork, proof: WhereProof): string | null {
  const config = code('prisma.config.ts')
  const database = code(workspace.parsed.database)
  if (proof.kind === 'not-proved')
    return `No session of Prisma with the ${code('application_name')} of its URL was seen in ${database} while it looked what it would run. The repository's ${config} leads it to another database, or drops the name, by which it is watched and stopped: let it pass the URL on as it is.`
  if (proof.kind !== 'unseen') return null
  return proof.strangers.length > 0
    ? `While Prisma looked what it would run, no session with the ${code('application_name')} of its URL (${code(proof.toolName)}) was seen to wait for ${code('prisma_contract.marker')} of ${database}; ${list(proof.strangers)} did. If one of them is Prisma, the repository's ${config} drops the name, by which it is watched and stopped: let it pass the URL on as it is. If not, it leads Prisma elsewhere.`
    : `Prisma said what it would run while this product held ${code('prisma_contract.marker')} of ${database}, so it does not read that table. The repository's ${config} leads it to another database.`
}

/** Somebody else's migrator is waited for, for a while; null when the lock is free. Mrkdwn. */
async function lockHolder({ context, observer, timing }: RunnerWork): Promise<string | null> {
  for (const began = performance.now(); ; await sleep(timing.pollMs)) {
    const holder = await observer.look(runnerLockHolder)
    if (holder === null) return null
    context.report(`${nameOf(holder)} (pid ${holder.pid}) holds Prisma's migration lock. Waiting for it to end.`)
    if (context.signal.aborted || performance.now() - began > timing.silenceMs) return `${code(nameOf(holder))} (pid ${holder.pid})`
  }
}

function notStarted(work: RunnerWork, diagnosis: Parameters<typeof failedOutcome>[0]): StepEnd {
  const tasks = endedTasks(work.workspace.approved, { failed: null, line: '' })
  return {
    kind: 'failed',
    output: 'not started',
    data: { migrations: tasks },
    outcome: failedOutcome(diagnosis, tasks, null),
  }
}
