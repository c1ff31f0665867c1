import type { EventRow, StepRow } from '../../request/request.ts'
import type { ChainLink, TimelineEntry, TimelinePart } from './document.ts'
import { plainText } from './plain.ts'
import type { AuditRow, EvidenceRows } from './rows.ts'

/** More than a long run with hundreds of migrations has. */
const MOST_ENTRIES = 2_000

/** What happened, oldest first: every event, every step's beginning, and every row of the audit log that names this request. */
export function timelineOf(rows: Pick<EvidenceRows, 'events' | 'audit' | 'steps'>): TimelinePart {
  const all = [...rows.steps.flatMap(stepEntries), ...rows.events.map(eventEntry), ...rows.audit.map(auditEntry)].sort((a, b) =>
    a.at < b.at ? -1 : a.at > b.at ? 1 : order[a.source] - order[b.source] || a.id - b.id,
  )
  return { entries: all.slice(0, MOST_ENTRIES), cut: Math.max(0, all.length - MOST_ENTRIES) }
}

/** At the same millisecond, what began comes before what followed from it. */
const order: Readonly<Record<TimelineEntry['source'], number>> = { step: 0, event: 1, audit: 2 }

const stepEntries = (step: StepRow): readonly TimelineEntry[] =>
  step.startedAt === null
    ? []
    : [
        {
          at: step.startedAt.toISOString(),
          source: 'step',
          id: step.ordinal + 1,
          what: `"${step.title}" begins`,
          data: { step: step.name },
          chain: null,
        },
      ]

const eventEntry = (event: EventRow): TimelineEntry => ({
  at: event.at.toISOString(),
  source: 'event',
  id: event.id,
  what: plainText(eventText(event)),
  data: event.data,
  chain: null,
})

function eventText(event: EventRow): string {
  switch (event.kind) {
    case 'requested':
      return 'The plan is made, and approval is asked for'
    case 'approved':
      return `Approved by ${event.data.by}, ${event.data.count} of ${event.data.required}`
    case 'rejected':
      return `Rejected by ${event.data.by}: ${event.data.reason}`
    case 'asked_anew':
      return `Asked anew: ${event.data.why}`
    case 'expired':
      if (event.data.what === 'window') return 'The window closed before its turn came'
      return event.data.what === 'request' ? 'The request expired' : 'The approval expired before it was used'
    case 'reminded':
      return `Reminded of the missing approvals, ${event.data.count} of ${event.data.required}`
    case 'glass_broken':
      return `${event.data.by} breaks the glass with ${event.data.count} of ${event.data.required} approvals: ${event.data.reason}`
    case 'waived':
      return `${event.data.by} lets ${event.data.findings.length === 1 ? 'a finding' : `${event.data.findings.length} findings`} pass: ${event.data.reason}`
    case 'review_due':
      return 'The review of the broken glass is due'
    case 'reviewed':
      return `${event.data.by} reviews it: ${event.data.note}`
    case 'paged':
      return `On-call is paged, ${event.data.count === 1 ? 'for the first time' : `${event.data.count} times by now`}`
    case 'page_acknowledged':
      return `${event.data.by} acknowledges the page`
    case 'cancel_requested':
      return `${event.data.by} asks to cancel`
    case 'started':
      return 'The run starts'
    case 'finding':
      return `Found: ${event.data.text}`
    case 'tried':
    case 'blocker':
      return event.data.text
    case 'step_done':
      return `"${event.data.title}" is done: ${event.data.output}`
    case 'migration_done':
      return `Migration ${event.data.name} is applied, ${event.data.at} of ${event.data.of}: ${event.data.output}`
    case 'waits_on':
      return `${event.data.by} waits on for ${event.data.name}: one more try`
    case 'end_asked':
      return `${event.data.by} asks to end ${event.data.name} (pid ${event.data.pid}), which is in the way`
    case 'adopted':
      return `Another process takes the run over${event.data.step === null ? '' : ` in "${event.data.step}"`}`
    case 'escalated':
      return `Nobody has answered, ${event.data.count} of ${event.data.required}: ${event.data.to.join(', ')} is told`
    case 'checked':
      return 'Compared again before its turn: the plan is unchanged'
    case 'overridden':
      return `${event.data.by} overrides windows and freezes: ${event.data.reason}`
    case 'no_standby':
      return 'Its turn has come, and nobody has confirmed to stand by'
    case 'window_moved':
      return 'Its window has other hours now'
    case 'overrun':
      return 'The window closed while the run went on'
    case 'ended':
      return `The request ends: ${event.data.state}`
    default:
      // a newer version's event keeps its name and its data
      return String((event as { readonly kind: unknown }).kind)
  }
}

const auditEntry = (row: AuditRow): TimelineEntry => ({
  at: row.at.toISOString(),
  source: 'audit',
  id: row.id,
  what: `Audit: ${row.actor} ${row.act}, ${row.result}`,
  data: { human: row.human, entry: row.entry, digest: row.digest, data: row.data },
  chain: chainOf(row),
})

/** Null for a row that was written beside the chain. */
export const chainOf = ({ seq, prev, hash, line }: Pick<AuditRow, 'seq' | 'prev' | 'hash' | 'line'>): ChainLink | null =>
  seq === null || prev === null || hash === null ? null : { seq, prev, hash, line }
