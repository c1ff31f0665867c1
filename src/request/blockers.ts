import { canonicalJson } from '../lib/canonical.ts'
import { createHash } from 'node:crypto'
import type { Evidence } from '../plan/plan.ts'
import type { Finding } from '../sql/weigh/finding.ts'
import type { EventRow, RequestRow } from './request.ts'

/** What keeps a plan from being approved, and who has let it pass. Pure. */

export type Waived = {
  readonly finding: Finding
  /** The account that waived it in Slack; null for a comment in the file. */
  readonly by: string | null
  readonly reason: string
  readonly at: Date | null
}

export type Blockers = { readonly open: readonly Finding[]; readonly waived: readonly Waived[] }

type Said = Pick<EventRow, 'at'> & Extract<EventRow, { readonly kind: 'waived' }>

export function blockersOf({ evidence, digest }: Pick<RequestRow, 'evidence' | 'digest'>, events: readonly EventRow[]): Blockers {
  const waivers = events.filter((event): event is Said => event.kind === 'waived' && event.data.digest === digest)
  const blocking = (evidence?.findings ?? []).filter(({ weight }) => weight === 'blocker')
  const told = blocking.map((finding): Finding | Waived => {
    if (finding.waived !== null) return { finding, by: null, reason: finding.waived.reason, at: null }
    const key = findingKey(finding)
    const waiver = waivers.find(({ data }) => data.findings.includes(key))
    return waiver === undefined ? finding : { finding, by: waiver.data.by, reason: waiver.data.reason, at: waiver.at }
  })
  return {
    open: told.flatMap((one) => ('finding' in one ? [] : [one])),
    waived: told.flatMap((one) => ('finding' in one ? [one] : [])),
  }
}

/** The evidence as it is drawn: what somebody waived in Slack is marked like what a comment waives. */
export function drawnEvidence(request: Pick<RequestRow, 'evidence' | 'digest'>, events: readonly EventRow[]): Evidence | null {
  const { evidence } = request
  if (evidence?.findings === undefined) return evidence
  const waived = new Map(blockersOf(request, events).waived.map((one) => [one.finding, one]))
  const findings = evidence.findings.map((finding): Finding => {
    const by = waived.get(finding)
    return by === undefined || by.by === null ? finding : { ...finding, waived: { by: 'person', reason: by.reason } }
  })
  return { ...evidence, findings }
}

/** Of one finding as it was told, numbers included: what became worse is another one, and has to be waived anew. */
export const findingKey = ({ code, migration, line, table, text }: Finding): string =>
  createHash('sha256')
    .update(canonicalJson([code, migration, line, table, text]))
    .digest('hex')
    .slice(0, 12)
