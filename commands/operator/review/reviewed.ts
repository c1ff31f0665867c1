import type { Finding } from '../../../src/sql/weigh/finding.ts'

export type Reviewed = {
  /** Paths, in the order in which they run. */
  readonly files: readonly string[]
  /** `migration` is a path. */
  readonly findings: readonly Finding[]
  /** A sentence about what they are weighed by. */
  readonly by: string
}

export const isBlocking = ({ weight, waived }: Finding): boolean => weight === 'blocker' && waived === null

/** `2 migrations: 1 blocker, 3 warnings`; what somebody waived is counted by itself. */
export function counted({ files, findings }: Reviewed): string {
  const of = (weight: Finding['weight']) => findings.filter((one) => one.weight === weight && one.waived === null).length
  const waived = findings.filter((one) => one.waived !== null).length
  const parts = [
    ...some(of('blocker'), 'blocker'),
    ...some(of('warning'), 'warning'),
    ...some(of('note'), 'note'),
    ...(waived > 0 ? [`${waived} waived`] : []),
  ]
  return `${plural(files.length, 'migration')}: ${parts.length === 0 ? 'nothing to say' : parts.join(', ')}`
}

const some = (count: number, what: string): readonly string[] => (count === 0 ? [] : [plural(count, what)])
export const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

export const findingsOf = ({ findings }: Reviewed, file: string): readonly Finding[] =>
  findings.filter(({ migration }) => migration === file).toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))

/** For people who read from top to bottom: the same advice stands there once. */
export function withoutRepeats(findings: readonly Finding[]): readonly Finding[] {
  const told = new Map<string, Finding>()
  return findings.map((finding) => {
    if (finding.advice === null || finding.waived !== null) return finding
    const key = JSON.stringify(finding.advice)
    const before = told.get(key)
    if (before === undefined) told.set(key, finding)
    return before === undefined ? finding : { ...finding, advice: { text: `As said above (${before.code})`, files: [] } }
  })
}

/** With an end, since a finding's text has none. */
export const sentence = (text: string): string => (/[.!?:]$/.test(text) ? text : `${text}.`)

/** What a finding says in one line: `waived (reason)` where somebody did. */
export const markOf = ({ weight, waived }: Finding): string => (waived === null ? weight : `${weight}, waived (${waived.reason})`)
