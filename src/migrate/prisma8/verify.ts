import { withTarget } from '../../database/connect.ts'
import { code } from '../../lib/text/code.ts'
import { count } from '../../lib/text/sentences.ts'
import { oneLine } from '../../lib/text/text.ts'
import { compareMarker, type OfRunner } from '../../plan/prisma8/compare.ts'
import { isHidden, readRunnerState } from '../../plan/prisma8/state.ts'
import { hiddenText } from '../../plan/prisma8/unfit.ts'
import type { RunContext, StepEnd } from '../../request/step.ts'
import { unclearOutcome } from '../decide/outcomes.ts'
import { invalidIndexes } from '../decide/schema-diff.ts'
import { isProblem } from '../prisma/prisma-workspace.ts'
import { readAnswer } from './output.ts'
import { shortSession } from './work.ts'
import { openRunner } from './workspace.ts'

export type RunnerDrift =
  | { readonly kind: 'same' }
  /** `issues`: paths in Prisma's words. */
  | { readonly kind: 'differs'; readonly issues: readonly string[] }
  | { readonly kind: 'not-compared' }

export type RunnerVerified =
  | { readonly kind: 'end'; readonly end: StepEnd }
  | {
      readonly kind: 'verified'
      readonly contract: string
      readonly applied: number
      readonly invalid: Awaited<ReturnType<typeof invalidIndexes>>
      readonly drift: RunnerDrift
      readonly skipped: readonly Skipped[]
      readonly version: string
    }

/** Marker and ledger show what was approved, and Prisma compares the live schema with the contract. */
export async function verifyRunner(context: RunContext, plan: OfRunner): Promise<RunnerVerified> {
  const workspace = await openRunner(context, plan)
  if (isProblem(workspace))
    return end({
      kind: 'failed',
      output: 'not verified',
      outcome: { headline: `*${workspace.headline} The schema could not be verified.*`, next: workspace.next },
    })
  const connection = { url: workspace.url, applicationName: `lockkeeper-verify-${context.requestId}`, signal: context.signal }
  const hashes = plan.prisma8.packages.map(({ migrationHash }) => migrationHash)
  const { state, invalid } = await withTarget(connection, async (client) => ({
    state: await readRunnerState(client, workspace.parsed.schema, workspace.files.contract.namespaces),
    invalid: await invalidIndexes(client),
  }))
  if (isHidden(state)) return notAsApproved(context, hiddenText(context.target, state))
  const compared = compareMarker(plan, state, 'after-migrate')
  if (compared.kind !== 'same') return notAsApproved(context, compared.why)
  context.report('Comparing the live schema with the contract.')
  const answer = await workspace.run(workspace.commands.verify, workspace.layout(), shortSession({ context, workspace }, 'verify'))
  const skipped = await withTarget(connection, async (client) => (await client.query<Skipped>(SKIPPED, [hashes])).rows)
  return {
    kind: 'verified',
    contract: plan.prisma8.contract.hash,
    applied: state.ledger.length,
    invalid,
    drift: driftOf(answer),
    skipped,
    version: plan.prisma8.version,
  }
}

/** An operation of which Prisma found that its work was done, and which it therefore left out. */
type Skipped = { readonly migration: string; readonly label: string }

const SKIPPED = `select migration_name as migration, operation ->> 'label' as label
  from prisma_contract.ledger, jsonb_array_elements(operations) operation
  where space = 'app' and migration_hash = any ($1) and operation #>> '{meta,runner,skipped}' = 'true' order by id`

export const skippedFinding = ({ migration, label }: Skipped): string =>
  `${code(oneLine(label))} of ${code(migration)} was skipped: what it brings about was there before. Somebody had made it by hand, or by another tool.`

/** 0: the same, 4: it differs, anything else: it was not compared. */
export function driftOf({ exitCode, output }: { readonly exitCode: number | null; readonly output: string }): RunnerDrift {
  const answer = readAnswer(output)
  if (answer?.kind !== 'answer') return { kind: 'not-compared' }
  if (exitCode === 0) return { kind: 'same' }
  if (exitCode !== 4) return { kind: 'not-compared' }
  return { kind: 'differs', issues: answer.faults.flatMap(({ summary, issues }) => (issues.length > 0 ? issues : [summary])) }
}

const notAsApproved = (context: RunContext, why: string): RunnerVerified =>
  end({
    kind: 'unknown',
    output: 'not as approved',
    outcome: unclearOutcome({
      headline: `After migrating, the record does not show what was approved. ${why}`,
      tasks: [],
      notKnown: 'Who else has changed this database meanwhile.',
      next: `Look at ${code(`${context.command} status`)}. Then cancel this request, and ask again for what is there now.`,
    }),
  })

const end = (of: StepEnd): RunnerVerified => ({ kind: 'end', end: of })

export function runnerDriftFinding(issues: readonly string[]): string {
  const shown = issues
    .slice(0, 12)
    .map((line) => `• ${code(line.trim())}`)
    .join('\n')
  const more = issues.length > 12 ? `\n… and ${count(issues.length - 12, 'more line')}` : ''
  return `The live schema differs from the contract. ${code('prisma db verify')} says:\n${shown}${more}`
}
