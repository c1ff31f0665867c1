import type { Log } from '../lib/log.ts'
import { observe } from '../lib/telemetry.ts'

/** A line in the log for what happens to requests and runs; calls and children only where `debug` is wanted. */
export function keepActivityLog(log: Log, onFault: (error: Error) => void): () => void {
  return observe(
    {
      begun({ activity }) {
        const started = performance.now()
        return (outcome) => {
          const ended = { outcome, ms: Math.round(performance.now() - started) }
          if (activity.kind === 'step') log.info({ ...ended, attempt: activity.attempt }, 'a step has ended')
          else if (activity.kind === 'phase') log.info({ ...ended, phase: activity.phase }, 'a phase has ended')
          else if (activity.kind === 'child') log.debug({ ...ended, program: activity.program }, 'a child process has ended')
          else log.debug({ ...ended, method: activity.method }, 'Slack was called')
        }
      },
      happened(fact) {
        if (fact.kind === 'run started') log.info({ run: fact.request }, 'the run has started')
        else if (fact.kind === 'request ended') log.info({ outcome: fact.state }, 'the request has ended')
        else if (fact.kind === 'refused') log.info({ code: fact.code }, 'somebody was refused')
        else if (fact.kind === 'limited') log.warn({ method: fact.method, ms: fact.retryAfterMs }, 'Slack asks to wait')
      },
    },
    onFault,
  )
}
