import type { RunContext } from '../../request/step.ts'
import type { RunPorts } from './ports.ts'
import { writeReport, type Report } from './step-rows.ts'

/** At most one write a second for what a step reports. */
const REPORT_MS = 1_000

/**
 * The newest report wins; in between nothing is written, and never two at once, or an older one could arrive last. Losing one is no loss,
 * so a store that is away is only logged.
 */
export function reporter(ports: RunPorts, id: number, name: string): Pick<RunContext, 'report' | 'progress'> {
  let next: Report | undefined
  let isPlanned = false
  const write = async () => {
    const report = next ?? {}
    next = undefined
    await writeReport(ports, { id, name }, report)
  }
  const written = () => {
    isPlanned = false
    if (next !== undefined) plan(next)
  }
  const lost = (error: Error) => ports.log.debug({ error: error.message }, 'a report was not written')
  const plan = (news: Report) => {
    next = { ...next, ...news }
    if (isPlanned) return
    isPlanned = true
    setTimeout(() => {
      write().catch(lost).finally(written)
    }, REPORT_MS).unref()
  }
  return { report: (details) => plan({ details }), progress: (data) => plan({ data }) }
}
