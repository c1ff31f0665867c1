import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RequestState } from '../../src/request/request.ts'
import { invariantNames, lateAcknowledgements } from './invariants.ts'
import type { RunPlan } from './plan.ts'
import type { Planned } from './play.ts'

type Walked = {
  readonly failure: string | null
  readonly hit?: readonly Planned[]
  readonly extra?: readonly string[]
  readonly request?: { readonly state: RequestState }
  readonly scene?: { readonly acknowledged: () => readonly number[] }
}

/** What a random walk found, counted. */
export function createReport(seed: number) {
  const hits = new Map<string, number>()
  const ends = new Map<string, number>()
  const failures: string[] = []
  const acknowledged: number[] = []
  let [runs, checked, planned, untouched] = [0, 0, 0, 0]
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  const injected = () => [...hits.values()].reduce((sum, one) => sum + one, 0)
  return {
    add(plan: RunPlan, walked: Walked) {
      runs += 1
      planned += plan.faults.length
      const all = [...(walked.hit ?? []).map(({ fault }) => `${fault.kind}: ${fault.name}`), ...(walked.extra ?? [])]
      for (const one of all) count(hits, one)
      if (all.length === 0) untouched += 1
      if (walked.request !== undefined) {
        count(ends, walked.request.state)
        checked += 1
      }
      acknowledged.push(...(walked.scene?.acknowledged() ?? []))
      if (walked.failure !== null) failures.push(walked.failure)
    },
    failures: () => failures,
    injected,
    /** Judged over all runs: one of them has too few. */
    late: () => lateAcknowledgements(acknowledged),
    text: () =>
      [
        '',
        `Random walk over the faults: ${runs} runs, seed ${seed}`,
        `  ${injected()} injections that hit, of ${planned} planned faults beside failpoints and clocks; ${untouched} runs met none`,
        ...[...hits]
          .toSorted(([one], [other]) => (one < other ? -1 : 1))
          .map(([name, times]) => `    ${String(times).padStart(4)}  ${name}`),
        `  ends: ${[...ends].map(([state, times]) => `${times} ${state}`).join(', ')}`,
        `  invariants checked after each of ${checked} runs: ${invariantNames.join(' ')}`,
        `  acknowledgements outside of faults: ${acknowledged.length}, p50 ${quantile(acknowledged, 0.5)} ms, p99 ${quantile(acknowledged, 0.99)} ms`,
        `  violations: ${failures.length}`,
        ...failures.map((one) => `    ${one}`),
        verdict(runs, seed, failures),
        '',
      ].join('\n'),
  }
}

/** The last line, for whoever reads no other. */
const verdict = (runs: number, seed: number, failures: readonly string[]): string =>
  failures.length === 0
    ? `The walk broke nothing: ${runs} runs, seed ${seed}.`
    : `The walk failed in ${failures.length} of ${runs} runs: ${failures[0]}`

export const REPORT = join(import.meta.dirname, '../../.build/faults/report.txt')

export function writeReport(text: string): void {
  mkdirSync(dirname(REPORT), { recursive: true })
  writeFileSync(REPORT, text)
}

function quantile(all: readonly number[], share: number): number {
  const sorted = all.toSorted((one, other) => one - other)
  return Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0)
}
