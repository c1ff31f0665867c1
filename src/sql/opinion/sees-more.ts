import type { Finding } from '../weigh/finding.ts'
import type { Remark } from './second-opinion.ts'

/**
 * What a second opinion sees and the review does not. Left out are rules of taste and those about what Lockkeeper does itself: the timeouts
 * of the session, the transaction around a file, and files that can be run a second time, which none of its tools does. `statements`: of each
 * migration, in order.
 */
export function seesMore(
  remarks: readonly Remark[],
  findings: readonly Pick<Finding, 'migration' | 'line' | 'code'>[],
  statements: ReadonlyMap<string, readonly Statement[]>,
): readonly Finding[] {
  const said = new Set(findings.filter(({ code }) => code !== 'second-opinion').map(({ migration, line }) => `${migration}:${line}`))
  const seen = new Set<string>()
  return remarks.flatMap((remark) => {
    const statement = (statements.get(remark.migration) ?? []).findLast((one) => one.line <= remark.line)
    // of 2.66.0 only some rules know which tables were created above
    if (statement?.isOfNew === true || (statement?.isKnown === true && COVERED.test(remark.rule))) return []
    const line = statement?.line ?? remark.line
    const key = `${remark.migration}:${line}:${remark.rule}`
    if (OTHERS.test(remark.rule) || said.has(`${remark.migration}:${line}`) || seen.has(key)) return []
    seen.add(key)
    return [
      {
        code: 'second-opinion',
        weight: 'note',
        migration: remark.migration,
        line,
        table: null,
        text: `squawk, which sees the SQL alone, says (${remark.rule}): ${oneLine([remark.message, remark.help])}`,
        advice: null,
        waived: null,
      },
    ]
  })
}

/** `isOfNew`: it concerns only what the plan itself creates. `isKnown`: the rule table knows all that it does. */
type Statement = { readonly line: number; readonly isOfNew: boolean; readonly isKnown: boolean }

/** What the rule table knows better: locks, scans, rewrites, losses and the running application, for this database and its sizes. */
const COVERED =
  /^(adding-.*|changing-column-type|constraint-missing-not-valid|disallowed-unique-constraint|ban-drop-.*|renaming-.*|require-concurrent-.*|ban-(create|alter)-domain-.*)$/

const OTHERS =
  /^(prefer-.*|require-(lock-timeout|statement-timeout|timeout-settings|table-schema)|transaction-nesting|ban-uncommitted-transaction|ban-concurrent-index-creation-in-transaction|syntax-error|unused-ignore)$/

const oneLine = (parts: readonly (string | null)[]): string =>
  parts.flatMap((part) => (part === null ? [] : [part.replaceAll(/\s+/g, ' ').trim().replace(/[.!]$/, '')])).join('. ')
