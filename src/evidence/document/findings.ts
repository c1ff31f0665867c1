import { blockersOf } from '../../request/blockers.ts'
import type { EvidenceDocument } from './document.ts'
import { plainText } from './plain.ts'
import type { EvidenceRows } from './rows.ts'

/** What the review found, with who let it pass; no key where it weighed nothing. */
export function findingsPart({ request, events }: Pick<EvidenceRows, 'request' | 'events'>): Pick<EvidenceDocument, 'findings'> {
  const { findings = [] } = request.evidence ?? {}
  if (findings.length === 0) return {}
  const waived = new Map(blockersOf(request, events).waived.map((one) => [one.finding, one]))
  return {
    findings: findings.map((finding) => {
      const { code, weight, migration, line, table, text } = finding
      const by = waived.get(finding)
      return {
        code,
        weight,
        migration,
        line,
        table,
        text: plainText(text),
        waived: by === undefined ? null : { by: by.by, reason: by.reason, at: by.at?.toISOString() ?? null },
      }
    }),
  }
}
