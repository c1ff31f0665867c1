import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fault } from './catalogue.ts'
import { leaveFailure } from './failure.ts'
import { createJournal } from './journal.ts'
import { clockFaults, wrongIn } from './judge.ts'
import { planRun, type RunPlan } from './plan.ts'
import { play, type Played } from './play.ts'
import { createReport, writeReport } from './report.ts'
import { shareOf, walkLength } from './shares.ts'
import { openScene, type Scene } from './scene.ts'
import { startServer, type OwnServer } from './server.ts'

/** `npm run faults` sets these; without them a short walk with a fixed seed. */
const seed = Number(process.env['FAULT_SEED'] ?? 7)
const runs = Number(process.env['FAULT_RUNS'] ?? walkLength(shareOf(process.env['FAULTS'])))
const only = process.env['FAULT_ONLY'] === undefined ? undefined : Number(process.env['FAULT_ONLY'])
const LANES = Number(process.env['FAULT_LANES'] ?? 2)
/** A run waits for outages to pass and for Slack's rate limit. */
const RUN_MS = 240_000

type Lane = { readonly store: OwnServer; readonly target: OwnServer | undefined }

const lanes: Lane[] = []
const numbers = only === undefined ? Array.from({ length: runs }, (_, at) => at + 1) : [only]

beforeAll(async () => {
  const needsTarget = numbers.some((number) => needs(planRun(seed, number), 'own target'))
  await Promise.all(
    Array.from({ length: Math.min(LANES, numbers.length) }, async (_, at) => {
      const [store, target] = await Promise.all([startServer({ onSmallDisk: true }), needsTarget ? startServer() : undefined])
      lanes[at] = { store, target }
    }),
  )
})
afterAll(async () => {
  await Promise.all(
    lanes.flatMap(({ store, target }) => (target === undefined ? [store] : [store, target])).map((server) => server.close()),
  )
})

test(
  `a random walk over the faults breaks no invariant (${numbers.length} runs, seed ${seed})`,
  async () => {
    const report = createReport(seed)
    await Promise.all(
      lanes.map(async (lane, at) => {
        // not whoever is free first: what earlier runs left in a lane's servers is the same each time
        for (const number of numbers.filter((_, place) => place % lanes.length === at)) {
          const plan = planRun(seed, number)
          report.add(plan, await walk(plan, lane))
        }
      }),
    )
    const text = report.text()
    console.info(text)
    writeReport(text)
    expect(report.failures()).toEqual([])
    expect(report.injected()).toBeGreaterThan(0)
    expect(report.late()).toEqual([])
  },
  RUN_MS * numbers.length,
)

type Walked = Played & { readonly scene: Pick<Scene, 'acknowledged'>; readonly extra: readonly string[]; readonly failure: string | null }

async function walk(plan: RunPlan, lane: Lane): Promise<Walked | { readonly failure: string }> {
  const journal = createJournal()
  let scene: Scene | undefined
  const failed = async (wrong: readonly string[]) =>
    `run ${plan.number} of seed ${seed}: ${firstLine(wrong[0])} (${await leaveFailure({ seed, plan, journal, wrong, scene })})`
  try {
    scene = await openScene({
      replicas: plan.replicas,
      supervised: true,
      deploy: 'gated',
      disk: needs(plan, 'small disk'),
      storeOn: lane.store, // of its own also where it does not crash: three bots need many connections
      ...(lane.target !== undefined && needs(plan, 'own target') ? { targetOn: lane.target } : {}),
      env: {
        ...(plan.failpoint === null ? {} : { LOCKKEEPER_FAULT: plan.failpoint }),
        ...(plan.clockMs === 0 ? {} : { LOCKKEEPER_TEST_CLOCK: String(plan.clockMs) }),
      },
    })
    journal.note('the bots are up')
    const [first] = scene.bots.all()
    const played = await play(scene, plan.work, plan.faults, journal)
    const extra = [
      ...(plan.clockMs === 0 ? [] : [`clock: wrong by ${plan.clockMs / 60_000} min`]),
      ...(plan.failpoint !== null && first?.diedByItself() === true ? [`process: killed at ${plan.failpoint}`] : []),
    ]
    const wrong = wrongIn(plan, played, await clockFaults(plan, played, scene))
    return { ...played, extra, scene, failure: wrong.length === 0 ? null : await failed(wrong) }
  } catch (error) {
    return { failure: await failed([(error as Error).stack ?? String(error)]) }
  } finally {
    await scene?.close().catch((error: Error) => console.error(`run ${plan.number} could not be cleaned up: ${error.message}`))
  }
}

const needs = (plan: RunPlan, what: Fault['needs']): boolean => plan.faults.some(({ fault }) => fault.needs === what)

const firstLine = (text = ''): string => text.split('\n')[0] ?? ''
