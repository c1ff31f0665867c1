import { inTime } from '../../src/lib/in-time.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { viewOf, votesOf } from '../../src/request/store.ts'
import type { View } from '../../src/slack/port.ts'
import { notConfigured } from '../break-glass/decision.ts'
import { breakGlassView, reviewView } from '../break-glass/views.ts'
import { blockerToEnd } from '../decisions/blocker.ts'
import { waiversOf } from '../blocked.ts'
import { blockersOf } from '../../src/request/blockers.ts'
import { waiveView } from '../modals/waive.ts'
import { nothingToWaive, ownWaiver, whyNotWaivable } from '../decisions/waive.ts'
import { isBlocked } from '../cards/blockers.ts'
import { whyClosed } from '../decisions/closed.ts'
import { endBlockerView } from '../modals/blocker.ts'
import { cancelView } from '../modals/cancel.ts'
import { approveView, blockedView, rejectView } from '../modals/confirm.ts'
import { sqlModal } from '../modals/sql.ts'
import { breakGlassRulesOf } from '../policy.ts'
import { whyNoApproval } from '../start-slot.ts'
import { ownBreakGlass, reviewersOf, whyNotReview, whyNotYet } from '../decisions/review.ts'
import { ownRequest } from '../decisions/vote.ts'
import { code } from '../wording.ts'
import { IN_TIME_MS, type ButtonDeps } from './deps.ts'

/** Nothing here asks Slack, since a window must open within 3 s; everything is checked again when it is sent. */
export async function viewToOpen(deps: ButtonDeps, request: RequestRow, action: string, user: string): Promise<View | Refusal> {
  switch (action) {
    case 'approve':
    case 'reject':
      return (await whyNotDecide(deps, request, action, user)) ?? confirmView(deps, request, action)
    case 'break_glass':
      return viewToBreak(deps, request, user, null)
    case 'review':
      return viewToReview(deps, request, user)
    case 'cancel':
      return cancelView(request)
    case 'end_blocker':
      return viewOfBlocker(deps, request)
    case 'waive':
      return viewToWaive(deps, request, user)
    case 'sql':
      return viewOfSql(deps, request)
    default:
      return refuse(
        'not_available_yet',
        `This button does nothing yet. Nothing was changed. ${code(`${deps.command} help`)} lists what can be typed.`,
      )
  }
}

async function confirmView(deps: ButtonDeps, request: RequestRow, action: 'approve' | 'reject'): Promise<View> {
  const view = await viewFor(deps, request)
  if (action === 'reject') return rejectView(view)
  return isBlocked(view) ? blockedView(view) : approveView(view)
}

const viewFor = (deps: ButtonDeps, request: RequestRow) =>
  viewOf(deps.db, request, {
    targetTitle: deps.targets.get(request.target)?.title ?? request.target,
    commands: deps.commands,
    tail: '',
  })

/** The window before the glass is broken, also for the command that opens it. Nothing here asks Slack. */
export async function viewToBreak(deps: ButtonDeps, request: RequestRow, user: string, reason: string | null): Promise<View | Refusal> {
  const refusal = await whyNotBreakHere(deps, request, user)
  return refusal ?? breakGlassView(await viewFor(deps, request), reason)
}

async function viewToReview(deps: ButtonDeps, request: RequestRow, user: string): Promise<View | Refusal> {
  const refusal = whyNotReviewHere(deps, request, user)
  return refusal ?? reviewView(await viewFor(deps, request))
}

async function viewToWaive(deps: ButtonDeps, request: RequestRow, user: string): Promise<View | Refusal> {
  const { humanOf } = deps.people
  const target = deps.targets.get(request.target)
  if ([request.requester, request.requesterHuman].some((one) => humanOf(one) === humanOf(user)))
    return ownWaiver(request, target === undefined ? [] : waiversOf(target))
  const view = await viewFor(deps, request)
  const { open } = blockersOf(view.request, view.events)
  return whyNotWaivable(request, request.digest ?? '') ?? (open.length === 0 ? nothingToWaive(request) : waiveView(view, open))
}

async function whyNotBreakHere(deps: ButtonDeps, request: RequestRow, user: string): Promise<Refusal | undefined> {
  const closed = await whyClosed(deps, deps.db, request, { account: user, decision: 'break_glass', digest: request.digest ?? '' })
  if (closed !== undefined) return closed
  const target = deps.targets.get(request.target)
  const isAllowed = request.policy?.breakGlass !== undefined && target !== undefined && breakGlassRulesOf(target) !== undefined
  return isAllowed ? undefined : notConfigured(request.target, deps.command, request)
}

function whyNotReviewHere(deps: ButtonDeps, request: RequestRow, user: string): Refusal | undefined {
  const { humanOf } = deps.people
  const isInvolved = request.breakGlass?.involved.some((one) => humanOf(one) === humanOf(user)) === true
  return whyNotReview(request) ?? (isInvolved ? ownBreakGlass(request, reviewersOf(deps, request)) : whyNotYet(request))
}

async function whyNotDecide(
  deps: ButtonDeps,
  request: RequestRow,
  action: 'approve' | 'reject',
  user: string,
): Promise<Refusal | undefined> {
  const closed = await whyClosed(deps, deps.db, request, {
    account: user,
    decision: action,
    digest: request.digest ?? '',
  })
  const shut = closed ?? (action === 'approve' ? await whyNoApproval(deps, deps.db, request) : undefined)
  if (shut !== undefined) return shut
  const { humanOf } = deps.people
  if (![humanOf(request.requester), humanOf(request.requesterHuman)].includes(humanOf(user))) return undefined
  const votes = (await votesOf(deps.db, request.id)).filter((vote) => vote.digest === request.digest && vote.decision === 'approve')
  return ownRequest(
    request,
    deps.command,
    action,
    votes.map((vote) => vote.human),
    request.policy?.required ?? 1,
  )
}

async function viewOfBlocker(deps: ButtonDeps, request: RequestRow): Promise<View | Refusal> {
  const blocker = await blockerToEnd(deps, request)
  return isRefusal(blocker) ? blocker : endBlockerView(request, blocker)
}

async function viewOfSql(deps: ButtonDeps, request: RequestRow): Promise<View | Refusal> {
  const read = await inTime(deps.readSql(request), IN_TIME_MS)
  if (read.kind === 'late') {
    read.value.catch(deps.onFault)
    return refuse(
      'repository_unreachable',
      `Reading the SQL of #${request.id} takes longer than Slack keeps a window waiting. It stands in the thread of the card.`,
    )
  }
  return isRefusal(read.value) ? read.value : sqlModal(request, read.value)
}
