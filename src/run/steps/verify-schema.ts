import { join } from 'node:path'
import { code } from '../../lib/mrkdwn.ts'
import { readDatabaseState, statusOf, type Status } from '../../plan/status.ts'
import { withTarget } from '../../database/connect.ts'
import { invalidIndexes, type InvalidIndex } from '../../migrate/decide/schema-diff.ts'
import { writeWhole } from '../../migrate/attempts/files.ts'
import { departureFrom } from '../../migrate/decide/next-action.ts'
import { unclearOutcome } from '../../migrate/decide/outcomes.ts'
import { isProblem, openSite, type Site } from '../../migrate/prisma/prisma-workspace.ts'
import type { ToolVersion } from '../../migrate/prisma/tool.ts'
import { keptVersion } from '../../migrate/prisma/version.ts'
import { tasksOf } from '../../migrate/observe/watch.ts'
import { count, list } from '../../lib/sentences.ts'
import type { RunContext, Step, StepEnd } from '../../request/step.ts'

/**
 * After the migration: our reader and Prisma agree that all is applied, no index is left invalid, and the live schema is compared with
 * the one that the commit describes. A difference of schemas is told and stops nothing: it may be older than this run.
 */
export const verifySchemaStep = (): Step => ({
  name: 'verify-schema',
  title: 'Verify the schema',
  changes: 'nothing',
  inspect: async () => ({ kind: 'todo' }),
  act: verifySchema,
})

async function verifySchema(context: RunContext): Promise<StepEnd> {
  const site = await openSite(context)
  if (isProblem(site)) return failed('not verified', `${site.headline} The schema could not be verified.`, site.next)
  const connection = { url: site.url, applicationName: `lockkeeper-verify-${context.requestId}`, signal: context.signal }
  const { status, invalid } = await withTarget(connection, async (client) => ({
    status: statusOf(await readDatabaseState(client, site.parsed.schema), site.approved.migrations),
    invalid: await invalidIndexes(client),
  }))
  const open = [...status.failed, ...status.running, ...status.pending]
  const departure = departureFrom(context.plan, status)
  if (departure !== null || open.length > 0) return notAsApproved(context, site, status, departure?.names ?? open.map(({ name }) => name))
  const last = site.approved.migrations.at(-1)?.name
  if (last === undefined) return { kind: 'done', output: 'no migrations' }
  const cwd = site.layoutUpTo(last)
  context.report('Asking Prisma whether it sees the same, and comparing the live schema.')
  const [said, drift] = await Promise.all([site.run(site.tool.commands.status, cwd, session(context)), compareSchemas(context, site, cwd)])
  const tool = site.tool.readStatus(said.output)
  if (said.exitCode !== 0 || tool.pending === null || tool.pending.length > 0)
    return {
      kind: 'unknown',
      output: 'Prisma disagrees',
      outcome: unclearOutcome({
        headline: `Prisma does not agree that the ${count(status.applied.length, 'migration')} are applied.`,
        tasks: tasksOf(status, context.plan.list, site.base),
        notKnown: 'Why the record of the database and Prisma differ.',
        next: 'Read what Prisma said in the thread. Then cancel this request, and ask again when both agree.',
        excerpt: said.output.trim().split('\n').slice(-5).join('\n'),
      }),
    }
  for (const index of invalid) await context.note({ kind: 'finding', data: { text: invalidFinding(index) } })
  if (drift.kind === 'differs') await context.note({ kind: 'finding', data: { text: driftFinding(drift.summary) } })
  return {
    kind: 'done',
    output: outputOf(status, invalid, drift),
    data: {
      applied: status.applied.length,
      invalid: invalid.map(({ name }) => name),
      drift: drift.kind,
      ...(drift.prisma === undefined ? {} : { prisma: drift.prisma }),
    },
  }
}

type Drift = ({ readonly kind: 'same' | 'not-compared' } | { readonly kind: 'differs'; readonly summary: string }) & {
  /** The version that the application brings; undefined when it could not be read. */
  readonly prisma: string | undefined
}

/** Without a shadow database: what `db pull` finds against the commit's schema. */
async function compareSchemas(context: RunContext, site: Site, cwd: string): Promise<Drift> {
  const [tool, pulled] = await Promise.all([versionOf(context, site, cwd), site.ask(site.tool.commands.pull, cwd, session(context))])
  const [prisma, major] = [tool?.version, tool?.major]
  const live = site.tool.readPulled(pulled.stdout)
  if (pulled.exitCode !== 0 || live === null || major === undefined) return { kind: 'not-compared', prisma }
  const path = join(context.directory, 'live.prisma')
  writeWhole(path, live)
  const { schema } = context.target.tool.prisma
  const diff = await site.ask(site.tool.commands.diff(path, schema, major), cwd, session(context))
  if (diff.exitCode === 0) return { kind: 'same', prisma }
  return diff.exitCode === 2 ? { kind: 'differs', summary: diff.stdout.trim(), prisma } : { kind: 'not-compared', prisma }
}

/** Asked before the migration; a run that came here from another machine has to ask again. */
const versionOf = async (context: RunContext, site: Site, cwd: string): Promise<ToolVersion | null> =>
  keptVersion(site.base) ?? site.tool.readVersion((await site.ask(site.tool.commands.version, cwd, session(context))).stdout)

const session = ({ requestId, target }: RunContext) => ({
  applicationName: `lockkeeper-${requestId}-verify`,
  lockTimeoutMs: target.database.lockTimeout,
  statementTimeoutMs: target.database.statementTimeout,
})

function notAsApproved(context: RunContext, site: Site, status: Status, names: readonly string[]): StepEnd {
  return {
    kind: 'unknown',
    output: 'not as approved',
    outcome: unclearOutcome({
      headline: `After migrating, the record does not show what was approved: ${list(names.slice(0, 5).map(code))}.`,
      tasks: tasksOf(status, context.plan.list, site.base),
      notKnown: 'Who else has changed this database meanwhile.',
      next: 'Look at `/migrate status`. Then cancel this request, and ask again for what is there now.',
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

function outputOf(status: Status, invalid: readonly InvalidIndex[], drift: Drift): string {
  const compared = {
    same: 'live schema as described',
    differs: 'live schema differs, see the thread',
    'not-compared': 'live schema not compared',
  }[drift.kind]
  const broken = invalid.length === 0 ? '' : `, ${count(invalid.length, 'invalid index', 'invalid indexes')}`
  return `${status.applied.length} applied, Prisma agrees, ${compared}${broken}`
}
