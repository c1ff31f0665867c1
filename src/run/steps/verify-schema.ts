import { code } from '../../lib/text/code.ts'
import { appliedOf, statusOf, type Status } from '../../plan/status.ts'
import { isPrisma, prismaOf } from '../../config/tool.ts'
import { openAnyWorkspace } from '../../migrate/others/workspace.ts'
import { escapeMarkup } from '../../lib/text/escape.ts'
import { readSchemaLines, type SchemaLine } from '../../live-schema/lines.ts'
import { withTarget } from '../../database/connect.ts'
import { invalidIndexes, type InvalidIndex } from '../../migrate/decide/schema-diff.ts'
import { unclearOutcome } from '../../migrate/decide/outcomes.ts'
import { isProblem, type Workspace } from '../../migrate/prisma/prisma-workspace.ts'
import { compareLive, type Drift } from '../../migrate/prisma/drift.ts'
import { askVersion } from '../../migrate/prisma/version.ts'
import { isOfRunner, type OfRunner } from '../../plan/prisma8/compare.ts'
import { runnerDriftFinding, skippedFinding, verifyRunner } from '../../migrate/prisma8/verify.ts'
import { agreementOf } from '../../migrate/decide/agreement.ts'
import { tasksOf } from '../../migrate/observe/watch.ts'
import { count, list } from '../../lib/text/sentences.ts'
import type { RunContext, Step, StepEnd } from '../../request/step.ts'

/**
 * After the migration: our reader and Prisma agree that all is applied, no index is left invalid, and the live schema is compared with
 * the one that the commit describes. A difference of schemas is told and stops nothing: it may be older than this run.
 */
export const verifySchemaStep = (ports: VerifyPorts): Step => ({
  name: 'verify-schema',
  title: 'Verify the schema',
  changes: 'nothing',
  inspect: async () => ({ kind: 'todo' }),
  act: async (context) => {
    const end = await (isOfRunner(context.plan) ? verifyContract(context, context.plan) : verifySchema(context))
    if (end.kind === 'done') await keepLive(context, ports)
    return end
  },
})

export type VerifyPorts = {
  /** So that later changes by others show. */
  readonly keepSchema: (context: RunContext, lines: readonly SchemaLine[]) => Promise<void>
}

/** A server that will not say now stops no run: the schema is then not compared until the next one. */
async function keepLive(context: RunContext, { keepSchema }: VerifyPorts): Promise<void> {
  const connection = {
    url: context.secret(context.target.database.url),
    applicationName: `lockkeeper-verify-${context.requestId}`,
    signal: context.signal,
  }
  let lines: readonly SchemaLine[]
  try {
    lines = await withTarget(connection, readSchemaLines)
  } catch (error) {
    context.signal.throwIfAborted()
    const text = `The live schema could not be kept, so what others change from now on will not show: ${escapeMarkup(context.redactor.text((error as Error).message))}`
    return context.note({ kind: 'finding', data: { text } })
  }
  await keepSchema(context, lines)
}

/** By Prisma 8's own record and its own comparison. */
async function verifyContract(context: RunContext, plan: OfRunner): Promise<StepEnd> {
  const verified = await verifyRunner(context, plan)
  if (verified.kind === 'end') return verified.end
  const { contract, applied, invalid, drift, skipped, version } = verified
  for (const one of skipped) await context.note({ kind: 'finding', data: { text: skippedFinding(one) } })
  await noteInvalid(context, invalid)
  if (drift.kind === 'differs') await context.note({ kind: 'finding', data: { text: runnerDriftFinding(drift.issues) } })
  return {
    kind: 'done',
    output: `contract ${contract.slice(0, 12)}, ${comparedText(drift, invalid)}`,
    data: { applied, invalid: invalid.map(({ name }) => name), drift: drift.kind, prisma: version },
  }
}

const noteInvalid = async (context: RunContext, invalid: readonly InvalidIndex[]): Promise<void> => {
  for (const index of invalid) await context.note({ kind: 'finding', data: { text: invalidFinding(index) } })
}

async function verifySchema(context: RunContext): Promise<StepEnd> {
  const workspace = await openAnyWorkspace(context)
  if (isProblem(workspace)) return failed('not verified', `${workspace.headline} The schema could not be verified.`, workspace.next)
  const connection = { url: workspace.url, applicationName: `lockkeeper-verify-${context.requestId}`, signal: context.signal }
  const { status, invalid } = await withTarget(connection, async (client) => ({
    status: statusOf(await workspace.readState(client), workspace.approved.migrations),
    invalid: await invalidIndexes(client),
  }))
  const applied = appliedOf(context.plan, status)
  const wrong = applied.kind === 'departs' ? applied.names : applied.open.map(({ name }) => name)
  if (wrong.length > 0) return notAsApproved(context, workspace, status, wrong)
  const last = workspace.approved.migrations.at(-1)?.name
  if (last === undefined) return { kind: 'done', output: 'no migrations' }
  if (!isPrisma(context.target.tool)) return byRecord(context, workspace, status, invalid)
  const cwd = workspace.layoutUpTo(last)
  context.report('Asking Prisma whether it sees the same, and comparing the live schema.')
  const asked = { workspace, cwd, session: session(context) }
  const [agreement, { version }] = [
    await agreementOf({ ...asked, plan: context.plan }),
    await askVersion(workspace, () => cwd, asked.session),
  ]
  if (!agreement.agrees)
    return {
      kind: 'unknown',
      output: 'Prisma disagrees',
      outcome: unclearOutcome({
        headline: `Prisma does not agree that ${count(status.applied.length, 'migration')} ${status.applied.length === 1 ? 'is' : 'are'} applied.`,
        tasks: tasksOf(status, context.plan.list, workspace.base),
        notKnown: 'Why the record of the database and Prisma differ.',
        next: 'Read what Prisma said in the thread. Then cancel this request, and ask again when both agree.',
        excerpt: agreement.said.trim().split('\n').slice(-5).join('\n'),
      }),
    }
  const drift: Drift =
    version === null
      ? { kind: 'not-compared' }
      : await compareLive({
          ...asked,
          schema: prismaOf(context.target.tool).schema,
          directory: context.directory,
          major: version.major,
          adapter: agreement.adapter,
        })
  await noteInvalid(context, invalid)
  if (drift.kind === 'differs') await context.note({ kind: 'finding', data: { text: driftFinding(drift.summary) } })
  return {
    kind: 'done',
    output: outputOf(status, invalid, drift),
    data: {
      applied: status.applied.length,
      invalid: invalid.map(({ name }) => name),
      drift: drift.kind,
      ...(version === null ? {} : { prisma: version.version }),
    },
  }
}

/** Of a tool that has no schema to compare with. */
async function byRecord(context: RunContext, { tool }: Workspace, status: Status, invalid: readonly InvalidIndex[]): Promise<StepEnd> {
  for (const index of invalid) await context.note({ kind: 'finding', data: { text: invalidFinding(index) } })
  const broken = invalid.length === 0 ? '' : `, ${count(invalid.length, 'invalid index', 'invalid indexes')}`
  return {
    kind: 'done',
    output: `${status.applied.length} applied by the record, schema not compared${broken}`,
    data: { applied: status.applied.length, invalid: invalid.map(({ name }) => name), drift: 'not-compared', tool: tool.name },
  }
}

const session = ({ requestId, target }: RunContext) => ({
  applicationName: `lockkeeper-${requestId}-verify`,
  lockTimeoutMs: target.database.lockTimeout,
  statementTimeoutMs: target.database.statementTimeout,
})

function notAsApproved(context: RunContext, workspace: Workspace, status: Status, names: readonly string[]): StepEnd {
  return {
    kind: 'unknown',
    output: 'not as approved',
    outcome: unclearOutcome({
      headline: `After migrating, the record does not show what was approved: ${list(names.slice(0, 5).map(code))}.`,
      tasks: tasksOf(status, context.plan.list, workspace.base),
      notKnown: 'Who else has changed this database meanwhile.',
      next: `Look at \`${context.command} status\`. Then cancel this request, and ask again for what is there now.`,
    }),
  }
}

const failed = (output: string, headline: string, next: string): StepEnd => ({
  kind: 'failed',
  output,
  outcome: { headline: `*${headline}*`, next },
})

const invalidFinding = (index: InvalidIndex): string =>
  `The index ${code(index.name)} on ${code(index.table)} is invalid: queries do not use it and writes pay for it. Drop it with \`DROP INDEX CONCURRENTLY\` and build it again.`

function driftFinding(summary: string): string {
  const lines = summary.split('\n').filter((line) => line.trim() !== '')
  const shown = lines
    .slice(0, 12)
    .map((line) => `• ${code(line.trim())}`)
    .join('\n')
  const more = lines.length > 12 ? `\n… and ${count(lines.length - 12, 'more line')}` : ''
  return `The live schema differs from the one that the commit describes. To make it equal, this would have to change:\n${shown}${more}`
}

const outputOf = (status: Status, invalid: readonly InvalidIndex[], drift: Drift): string =>
  `${status.applied.length} applied, Prisma agrees, ${comparedText(drift, invalid)}`

function comparedText({ kind }: Pick<Drift, 'kind'>, invalid: readonly InvalidIndex[]): string {
  const compared = {
    same: 'live schema as described',
    differs: 'live schema differs, see the thread',
    'not-compared': 'live schema not compared',
  }[kind]
  return `${compared}${invalid.length === 0 ? '' : `, ${count(invalid.length, 'invalid index', 'invalid indexes')}`}`
}
