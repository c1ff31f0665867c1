import { code, list, mention, shown, stateSince, when } from '../../approvals/wording.ts'
import { breakGlassLines } from './break-glass.ts'
import { refuse } from '../../src/lib/refusal.ts'
import type { RequestRow, StepRow, VoteRow } from '../../src/request/request.ts'
import { requestById, stepsOf, votesOf } from '../../src/request/store.ts'
import { cleanMrkdwn } from '../../src/lib/text/text.ts'
import type { Command } from '../parse/command.ts'
import { say, type Reply, type VerbDeps } from './reply.ts'
import { notInDirect, whyNotHere, type Asker } from '../parse/channel-scope.ts'

export async function show(deps: VerbDeps, command: Extract<Command, { verb: 'show' }>, asker: Asker): Promise<Reply> {
  if (asker.origin?.isDirect === true) return notInDirect
  const request = await requestById(deps.db, command.id)
  if (request === undefined)
    return refuse('unknown_request', `There is no request #${command.id}. ${code(`${deps.command} history`)} lists those there are.`)
  const target = deps.targets.get(request.target)
  const elsewhere = target === undefined ? undefined : whyNotHere(target, asker)
  if (elsewhere !== undefined) return elsewhere
  const [votes, steps] = await Promise.all([votesOf(deps.db, request.id), stepsOf(deps.db, request.id)])
  return say(describe(request, votes, steps).join('\n'))
}

function describe(request: RequestRow, votes: readonly VoteRow[], steps: readonly StepRow[]): readonly string[] {
  const { plan, outcome } = request
  return [
    `*#${request.id}* ${code(request.target)}: ${stateSince(request)}`,
    ...(outcome === null
      ? []
      : [cleanMrkdwn(outcome.headline), ...(outcome.why === undefined ? [] : [`Why: ${cleanMrkdwn(outcome.why)}`])]),
    ...(outcome?.next === undefined ? [] : [`Next: ${cleanMrkdwn(outcome.next)}`]),
    `Asked by ${mention(request.requester)} ${when(request.createdAt)}${request.ask.reason === null ? '' : `: “${shown(request.ask.reason)}”`}`,
    ...(plan === null
      ? []
      : [
          `Commit ${code(plan.commit.slice(0, 7))} from ${code(plan.ref)}${request.digest === null ? '' : `, plan ${code(request.digest.slice(0, 8))}`}`,
        ]),
    ...(plan === null ? [] : [migrations(plan.list.map((migration) => migration.name))]),
    ...votesLine(request, votes),
    ...breakGlassLines(request),
    ...steps.map(stepLine),
    ...(request.cancelRequestedBy === null ? [] : [`Cancel asked for by ${mention(request.cancelRequestedBy)}`]),
  ]
}

const MOST_NAMES = 10

export function migrations(names: readonly string[]): string {
  if (names.length === 0) return 'No migration is pending'
  const more = names.length - MOST_NAMES
  return `${names.length === 1 ? '1 migration' : `${names.length} migrations`}: ${names
    .slice(0, MOST_NAMES)
    .map((name) => code(name))
    .join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function votesLine(request: RequestRow, votes: readonly VoteRow[]): readonly string[] {
  const counted = votes.filter((vote) => vote.digest === request.digest)
  const rejection = counted.find((vote) => vote.decision === 'reject')
  const approvals = counted.filter((vote) => vote.decision === 'approve')
  return [
    ...(request.policy === null && approvals.length === 0
      ? []
      : [
          request.policy?.required === 0
            ? 'Approvals: none needed'
            : `Approvals ${approvals.length} of ${request.policy?.required ?? approvals.length}${approvals.length === 0 ? '' : `: ${list(approvals.map((vote) => mention(vote.actor)))}`}`,
        ]),
    ...(rejection === undefined
      ? []
      : [`Rejected by ${mention(rejection.actor)}${rejection.reason === null ? '' : `: “${shown(rejection.reason)}”`}`]),
  ]
}

const stepWords: Readonly<Record<StepRow['state'], string>> = {
  pending: 'not started',
  running: 'running',
  done: 'done',
  skipped: 'not needed',
  failed: 'failed',
  cancelled: 'cancelled',
  unknown: 'unclear',
}

function stepLine(step: StepRow): string {
  const text = step.state === 'running' ? step.details : (step.output ?? step.details)
  return `• ${shown(step.title)}: ${stepWords[step.state]}${text === null || text === '' ? '' : `, ${shown(text)}`}`
}
