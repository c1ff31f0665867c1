import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { inTime } from '../lib/in-time.ts'
import { observe, type Activity, type Fact } from '../lib/telemetry.ts'
import { activeStates } from '../request/request.ts'
import type { StoreGauges } from './store-gauges.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { SlackConnection } from './parts.ts'

/** What is asked at a scrape. Each is undefined until that part is up. */
export type Sources = {
  readonly gauges?: () => Promise<StoreGauges>
  readonly pool?: () => { readonly open: number; readonly idle: number; readonly waiting: number }
  readonly slack?: () => SlackConnection
}

export type Metrics = {
  readonly scrape: () => Promise<{ readonly type: string; readonly text: string }>
  readonly close: () => void
}

/** From a look at a database to a migration of a day. */
const LONG_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400, 86_400]
/** Slack shows a failure after 3 s. */
const ACKNOWLEDGED_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 2.5, 3, 5]
const CALL_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** The store is asked at most this often, however many scrape. */
const FRESH_MS = 1_000
const STORE_MS = 2_000

/**
 * Prometheus metrics of this process. No label holds an id or a person: targets, steps and programs come from the configuration, and
 * the rest from closed lists.
 */
export function createMetrics(options: {
  readonly version: string
  readonly sources: () => Sources
  readonly onFault: (error: Error) => void
}): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name: `lockkeeper_${name}`, help, labelNames: [...labelNames], registers })
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name: `lockkeeper_${name}`, help, labelNames: [...labelNames], registers })
  const histogram = <L extends string>(name: string, help: string, buckets: readonly number[], labelNames: readonly L[] = []) =>
    new Histogram({ name: `lockkeeper_${name}`, help, buckets: [...buckets], labelNames: [...labelNames], registers })

  collectDefaultMetrics({ register: registry })
  // gauges whose names end like counters', which promtool rightly refuses; each kind of them is counted in a gauge without the suffix
  for (const kind of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${kind}_total`)
  gauge('build_info', 'Always 1; the labels say which version this is.', ['version', 'node']).set(
    { version: options.version, node: process.version },
    1,
  )
  const runsStarted = counter('runs_started_total', 'Runs that this process began.', ['target'])
  const requestsEnded = counter('requests_ended_total', 'Requests that ended, run or not, by how they stood then.', ['target', 'outcome'])
  const runSeconds = histogram('run_duration_seconds', 'From the start of a run to its end.', LONG_SECONDS, ['target', 'outcome'])
  const approvalSeconds = histogram('approval_wait_seconds', 'From a plan that people could decide about to its last vote.', LONG_SECONDS, [
    'target',
  ])
  const stepSeconds = histogram('step_duration_seconds', 'Steps that this process carried, by how they ended.', LONG_SECONDS, [
    'step',
    'outcome',
  ])
  const phaseSeconds = histogram('phase_duration_seconds', 'Planning, and the check before the run.', LONG_SECONDS, ['phase', 'outcome'])
  const slackSeconds = histogram('slack_call_duration_seconds', "Calls of Slack's Web API.", CALL_SECONDS, ['method', 'result'])
  const limited = counter('slack_rate_limited_total', 'Calls that Slack answered with 429.', ['method'])
  const retryAfter = counter('slack_retry_after_seconds_total', 'Seconds that Slack asked to wait, together.', ['method'])
  const acknowledged = histogram(
    'acknowledgement_duration_seconds',
    "From a delivery of Slack's to its acknowledgement.",
    ACKNOWLEDGED_SECONDS,
    ['type'],
  )
  const refusals = counter('refusals_total', 'Refusals that were shown to somebody.', ['code'])
  const adoptions = counter('engine_adoptions_total', 'Runs and waiting requests that were taken over from a dead process.')
  const childrenStarted = counter('children_started_total', 'Child processes.', ['program'])
  const childrenRunning = gauge('children_running', 'Child processes that this process waits for.', ['program'])
  const childrenEnded = counter('children_ended_total', 'Child processes, by how they ended.', ['program', 'outcome'])
  const storeUp = gauge('store_up', 'Whether the store answered at this scrape.')
  const poolConnections = gauge('store_pool_connections', 'Connections of the pool to the store.', ['state'])
  const poolWaiting = gauge('store_pool_waiting', 'Statements that wait for a connection.')
  const slackConnections = gauge('slack_connections', 'Open connections for events; in HTTP mode 1 while it listens.')
  // the same in every process with this store: take max, not sum
  const open = gauge('requests_open', 'Requests under way in the store, by state.', ['state'])
  const unsent = gauge('outbox_messages', 'Messages in the store that are begun and not known to stand in Slack.')
  const oldest = gauge('outbox_oldest_seconds', 'Age of the oldest of them.')
  const noticesDue = gauge('notices_due', 'Notices of maintenance windows that are due and that no bot has decided about.')
  const deliveries = gauge('deliveries', 'Mails, webhooks and pages that wait, and those that were given up in the last seven days.', [
    'state',
  ])
  const workflows = gauge('engine_workflows', 'Workflows in the store that have not ended, by the state that the engine gives them.', [
    'state',
  ])

  const begin = (activity: Activity) => {
    const started = performance.now()
    const seconds = () => (performance.now() - started) / 1_000
    if (activity.kind === 'child') {
      const { program } = activity
      childrenStarted.inc({ program })
      childrenRunning.inc({ program })
      return (outcome: string) => {
        childrenRunning.dec({ program })
        childrenEnded.inc({ program, outcome })
      }
    }
    return (outcome: string) => {
      if (activity.kind === 'step') stepSeconds.observe({ step: activity.step, outcome }, seconds())
      else if (activity.kind === 'phase') phaseSeconds.observe({ phase: activity.phase, outcome }, seconds())
      else slackSeconds.observe({ method: activity.method, result: outcome }, seconds())
    }
  }

  const take = (fact: Fact): void => {
    switch (fact.kind) {
      case 'run started':
        runsStarted.inc({ target: fact.target })
        return approvalSeconds.observe({ target: fact.target }, between(fact.askedAt, fact.grantedAt))
      case 'request ended': {
        const labels = { target: fact.target, outcome: fact.state }
        requestsEnded.inc(labels)
        if (fact.startedAt !== null) runSeconds.observe(labels, between(fact.startedAt, fact.endedAt))
        return
      }
      case 'adopted':
        return adoptions.inc(fact.runs)
      case 'refused':
        return refusals.inc({ code: fact.code })
      case 'limited':
        limited.inc({ method: fact.method })
        return retryAfter.inc({ method: fact.method }, fact.retryAfterMs / 1_000)
      case 'acknowledged':
        return acknowledged.observe({ type: fact.type }, fact.durationMs / 1_000)
      case 'child left':
        return childrenStarted.inc({ program: fact.program })
    }
  }

  const ask = oneAtATime(
    async () =>
      await options
        .sources()
        .gauges?.()
        .catch((error: Error) => {
          options.onFault(error)
          return undefined
        }),
  )
  const gaugesOf = cached(async () => {
    const answer = await inTime(ask(), STORE_MS)
    return answer.kind === 'in time' ? answer.value : undefined
  })

  async function refresh(): Promise<void> {
    const { pool, slack } = options.sources()
    const connections = pool?.()
    if (connections !== undefined) {
      poolConnections.set({ state: 'idle' }, connections.idle)
      poolConnections.set({ state: 'used' }, connections.open - connections.idle)
      poolWaiting.set(connections.waiting)
    }
    const events = slack?.()
    if (events !== undefined) slackConnections.set(events.mode === 'socket' ? events.connections : Number(events.isListening))
    const gauges = await gaugesOf()
    storeUp.set(Number(gauges !== undefined))
    // an old figure would look like a fresh one
    for (const one of [open, unsent, oldest, workflows]) one.reset()
    if (gauges === undefined) {
      for (const one of [unsent, oldest]) one.remove()
      return
    }
    for (const state of activeStates) open.set({ state }, gauges.open[state] ?? 0)
    unsent.set(gauges.unsent)
    oldest.set(gauges.oldestUnsentSeconds)
    noticesDue.set(gauges.noticesDue)
    for (const [state, count] of Object.entries(gauges.deliveries)) deliveries.set({ state }, count)
    for (const [state, count] of Object.entries(gauges.workflows)) workflows.set({ state }, count)
  }

  const unobserve = observe({ begun: ({ activity }) => begin(activity), happened: take }, options.onFault)
  return {
    async scrape() {
      await refresh()
      return { type: registry.contentType, text: await registry.metrics() }
    },
    close() {
      unobserve()
      registry.clear()
    },
  }
}

const between = (from: Date, to: Date): number => Math.max(0, to.getTime() - from.getTime()) / 1_000

/** The same answer for a second. */
function cached<T>(read: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined
  return () => {
    const now = performance.now()
    if (last === undefined || now - last.at > FRESH_MS) last = { at: now, answer: read() }
    return last.answer
  }
}
