import type { RequestRow, StepRow } from '../../src/request/request.ts'
import { stepsOf } from '../../src/request/store.ts'
import type { Flow } from '../../test/helpers/flow.ts'
import { epochMs } from './children.ts'

export type Run = {
  /** When the button of the window was pressed that approves; milliseconds since the epoch. */
  readonly clickedAt: number
  readonly endedAt: number
  readonly request: RequestRow
  readonly steps: readonly StepRow[]
}

/** Asks, approves with Slack's own clicks, and waits for the success. Reading the card and opening the window come before the click. */
export async function runIn(flow: Flow, target = 'prod', withinMs = 600_000): Promise<Run> {
  const asked = await flow.ask(`deploy ${target}`)
  await flow.drawn(asked.id) // on a busy machine the card has its buttons later
  await flow.press(asked.id, 'approve', APPROVER)
  const viewId = flow.slack.modal(APPROVER)?.viewId
  if (viewId === undefined) throw new Error(`the window of #${asked.id} did not open`)
  const clickedAt = epochMs()
  const answer = await flow.slack.as(APPROVER).submit(viewId)
  if (!answer.ok) throw new Error(`the approval of #${asked.id} was not taken: ${answer.error}`)
  const request = await flow.reaches(asked.id, ['succeeded', 'failed', 'needs_human', 'cancelled', 'refused', 'expired'], withinMs)
  if (request.state !== 'succeeded' || request.endedAt === null)
    throw new Error(`#${asked.id} ended as ${request.state}: ${JSON.stringify(request.outcome)}`)
  return { clickedAt, endedAt: request.endedAt.getTime(), request, steps: await stepsOf(flow.store, asked.id) }
}

const APPROVER = 'U0BOB'

/** Such as `preflight 0.4, install 0.2`, in seconds. */
export const stepTimes = ({ steps }: Pick<Run, 'steps'>): string =>
  steps
    .filter(({ startedAt, endedAt }) => startedAt !== null && endedAt !== null)
    .map(({ name, startedAt, endedAt }) => `${name} ${(((endedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0)) / 1000).toFixed(1)}`)
    .join(', ')
