import type { Plan } from '../../plan/plan.ts'
import { codeText, listText, oneLine, personText, pluralText } from '../../lib/text/text.ts'
import type { RequestRow, RequestView, StepRow, VoteRow } from '../request.ts'

/** Phrases that all cards and posts share. */

/** `Deploy to Production · #42`, plain; marked as long as it ran without enough approvals and nobody has reviewed it. */
export const titleOf = (view: RequestView): string =>
  `${isUnreviewed(view.request) ? 'BREAK GLASS · ' : ''}Deploy to ${oneLine(view.targetTitle)} · #${view.request.id}`

/** The glass was broken, and no second person has looked at it. */
export const isUnreviewed = ({ breakGlass }: Pick<RequestRow, 'breakGlass'>): boolean =>
  breakGlass?.brokenBy != null && breakGlass.reviewedBy === null

export const shortDigest = (digest: string): string => digest.slice(0, 8)
export const shortCommit = (commit: string): string => commit.slice(0, 7)

export const approvalsOf = (view: RequestView): readonly VoteRow[] =>
  view.votes.filter((vote) => vote.digest === view.request.digest && vote.decision === 'approve')

/** `<@U0BOB> and <@U0CAROL>`; empty when nobody has. */
export const approvedBy = (view: RequestView): string => listText(approvalsOf(view).map((vote) => personText(vote.actor)))

/** Whoever broke the glass for this plan; null when nobody did. */
export const brokenBy = ({ request: { breakGlass, digest } }: RequestView): string | null =>
  breakGlass?.brokenBy == null || breakGlass.digest !== digest ? null : personText(breakGlass.brokenBy)

export const changesApplication = (plan: Plan): boolean => plan.steps.some((step) => step.phase === 'deploy')

/** What is asked for: `run *3 migrations* and deploy`. */
export function askOf(request: RequestRow): string {
  const { plan, ask } = request
  if (plan === null) return 'deploy'
  const count = plan.list.length
  const app = changesApplication(plan) && !ask.skipApp
  const migrations = count === 0 ? '' : `run *${pluralText(count, 'migration')}*`
  if (app) return migrations === '' ? 'deploy' : `${migrations} and deploy`
  return migrations === '' ? 'check' : `${migrations} of`
}

/** `a1b9f02` from `main`. */
export function commitOf(request: RequestRow): string {
  const { plan, ask } = request
  if (plan === null) return ask.ref === null ? 'the newest commit' : codeText(ask.ref)
  const ref = shortRef(plan.ref)
  return ref === '' || plan.commit.startsWith(ref)
    ? codeText(shortCommit(plan.commit))
    : `${codeText(shortCommit(plan.commit))} from ${codeText(ref)}`
}

const shortRef = (ref: string): string => ref.replace(/^refs\/(heads|tags)\//, '')

/** A headline in bold, unless it has bold parts of its own; of a long one the first sentence. */
export function bold(mrkdwn: string): string {
  const text = mrkdwn.trim()
  if (text === '' || text.includes('*')) return mrkdwn
  if (text.length <= 200) return `*${text}*`
  const first = /^[^\n]{10,200}?[.!?](?=\s)/.exec(text)?.[0]
  return first === undefined ? text : `*${first}*${text.slice(first.length)}`
}

/** The first of several sentences in bold, unless something is bold already. */
export function firstBold(mrkdwn: string): string {
  const [, first, rest] = /^(.+?[.!?])(\s+[\p{Lu}`<].*)$/su.exec(mrkdwn.trim()) ?? []
  return first === undefined || rest === undefined ? bold(mrkdwn) : mrkdwn.includes('*') ? mrkdwn : `*${first}*${rest}`
}

/** Milliseconds between the start of the run and its end, or now. */
export const elapsedOf = (view: RequestView): number =>
  (view.request.endedAt ?? endOfLastStep(view) ?? view.now).getTime() - (view.request.startedAt ?? view.request.createdAt).getTime()

/** A request that waits for a person has stopped, though it has not ended. */
const endOfLastStep = (view: RequestView): Date | undefined =>
  view.request.state === 'needs_human'
    ? view.steps.reduce<Date | undefined>(
        (last, step) => (step.endedAt !== null && (last === undefined || step.endedAt > last) ? step.endedAt : last),
        undefined,
      )
    : undefined

/** What the bot heals by itself needs no words; here is what the migrate step tells about its files. */
export type MigrationProgress = {
  readonly name: string
  readonly state: 'pending' | 'running' | 'done' | 'failed'
  readonly seconds?: number
}

/** `data.migrations` of the migrate step, or the plan's list while there is nothing yet. */
export function progressOf(step: StepRow, request: RequestRow): readonly MigrationProgress[] {
  const migrations = (step.data as { readonly migrations?: unknown } | null)?.migrations
  if (Array.isArray(migrations)) {
    const known = migrations.filter(isProgress)
    if (known.length > 0) return known
  }
  return (request.plan?.list ?? []).map(({ name }) => ({ name, state: step.state === 'done' ? 'done' : 'pending' }))
}

const isProgress = (value: unknown): value is MigrationProgress =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as { name?: unknown }).name === 'string' &&
  ['pending', 'running', 'done', 'failed'].includes(String((value as { state?: unknown }).state))

/** What a run has done that has come to its end. Steps that were left out on request are not in the plan. */
export function doneHeadline(plan: Plan, skipApp = false): string {
  const count = plan.list.length
  const applied =
    count === 0 ? 'Nothing was pending, so the database is unchanged' : `${count} ${count === 1 ? 'migration' : 'migrations'} applied`
  const live = plan.steps.some((step) => step.phase === 'deploy')
  if (!live) return `*${applied}.*${skipApp ? ' The application was left alone, as asked.' : ''}`
  return `*${applied}${count === 0 ? ';' : ' and'} \`${plan.commit.slice(0, 7)}\` is live.*`
}
