import { catalogue, moments, type Fault } from './catalogue.ts'
import type { Planned, Work } from './play.ts'

/** One run of the random walk, decided before it begins. */
export type RunPlan = {
  readonly number: number
  readonly replicas: 1 | 3
  readonly work: Work
  /** Where the processes die by themselves, and how many of the first bots do; null for nowhere. */
  readonly failpoint: string | null
  /** How far one bot's clock is wrong, in milliseconds; 0 for not at all. */
  readonly clockMs: number
  readonly faults: readonly Planned[]
}

const failpoints = [
  'before-answer:deploy',
  'after-vote',
  'before-claim',
  'after-claim',
  'before-step-record:backup',
  'before-step-record:verify-backup',
  'before-migrator-start',
  'after-migrator-exit',
  'before-step-record:migrate',
  'after-post:card',
  'after-post:event',
] as const

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const clocks = [-DAY, -10 * MINUTE, 10 * MINUTE, DAY] as const

/** The same seed gives the same plan; each run has its own stream, so that one can be repeated alone. */
export function planRun(seed: number, number: number): RunPlan {
  const random = stream(seed * 1_000_003 + number)
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const work = pick<Work>([
    'approve',
    'approve',
    'approve',
    'approve',
    'approve',
    'reject',
    'cancel while it waits',
    'cancel while it runs',
  ])
  const early: ReadonlySet<string> = new Set(['asking', 'waiting', 'voting'])
  const late = work === 'approve' ? new Set<string>(moments) : work === 'cancel while it runs' ? new Set([...early, 'dumping']) : early
  const faults: Planned[] = []
  const wanted = 1 + Math.floor(random() * 4)
  for (let tries = 0; faults.length < wanted && tries < 50; tries++) {
    const fault = pick(catalogue)
    const places = fault.at.filter((at) => late.has(at))
    if (places.length === 0 || faults.some((one) => one.fault.name === fault.name) || clash(faults, fault)) continue
    faults.push({ fault, at: pick(places) })
  }
  return {
    number,
    replicas: pick([1, 3] as const),
    work,
    failpoint: random() < 0.3 ? pick(failpoints) : null,
    clockMs: random() < 0.25 ? pick(clocks) : 0,
    faults: faults.toSorted((one, other) => moments.indexOf(one.at) - moments.indexOf(other.at)),
  }
}

export const describeRun = (plan: RunPlan): string =>
  [
    `run ${plan.number}: ${plan.work}, ${plan.replicas} ${plan.replicas === 1 ? 'replica' : 'replicas'}`,
    ...(plan.failpoint === null ? [] : [`  the first bots die at ${plan.failpoint}`]),
    ...(plan.clockMs === 0 ? [] : [`  the first bot’s clock is wrong by ${plan.clockMs / MINUTE} min`]),
    ...plan.faults.map(({ fault, at }) => `  ${at}: ${fault.name}`),
  ].join('\n')

/** Two that would hide each other. */
function clash(faults: readonly Planned[], next: Fault): boolean {
  const all = [...faults.map(({ fault }) => fault), next]
  const ends = all.filter(({ kind }) => kind === 'backup')
  if (ends.length > 1 || (next.kind === 'backup' && faults.length > 1)) return true
  // a store that refuses what another fault is done with, or a second one that ends it
  return (
    all.some(({ needs }) => needs === 'store on a small disk') &&
    all.filter(({ kind }) => kind === 'store' || kind === 'process').length > 1
  )
}

/** Mulberry32: small, and the same everywhere. */
function stream(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
