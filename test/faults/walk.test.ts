import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { STOP_MS } from '../../src/lib/clock-skew.ts'
import { stepsOf } from '../../src/request/store.ts'
import { describeRun, planRun, type RunPlan } from './plan.ts'
import { endsOf, play, type Planned, type Played } from './play.ts'
import { createReport } from './report.ts'
import { openScene, type Scene } from './scene.ts'
import { startServer, type OwnServer } from './server.ts'

/** `npm run faults` sets these; without them a short walk with a fixed seed. */
const seed = Number(process.env['FAULT_SEED'] ?? 7)
const runs = Number(process.env['FAULT_RUNS'] ?? 20)
const only = process.env['FAULT_ONLY'] === undefined ? undefined : Number(process.env['FAULT_ONLY'])
const LANES = Number(process.env['FAULT_LANES'] ?? 2)
/** A run waits for outages to pass and for Slack's pace. */
const RUN_MS = 240_000

type Lane = { readonly store: OwnServer; readonly target: OwnServer }

const lanes: Lane[] = []
const numbers = only === undefined ? Array.from({ length: runs }, (_, at) => at + 1) : [only]

beforeAll(async () => {
  const make = async () => lanes.push({ store: await startServer({ onSmallDisk: true }), target: await startServer() })
  await Promise.all(Array.from({ length: Math.min(LANES, numbers.length) }, make))
})
afterAll(async () => {
  await Promise.all(lanes.flatMap(({ store, target }) => [store.close(), target.close()]))
})

test(
  `a random walk over the faults breaks no invariant (${numbers.length} runs, seed ${seed})`,
  async () => {
    const report = createReport(seed)
    const queue = [...numbers]
    await Promise.all(
      lanes.map(async (lane) => {
        for (let number = queue.shift(); number !== undefined; number = queue.shift()) {
          const plan = planRun(seed, number)
          report.add(plan, await walk(plan, lane))
        }
      }),
    )
    const text = report.text()
    console.info(text)
    mkdirSync(join(import.meta.dirname, '../../.build/faults'), { recursive: true })
    writeFileSync(join(import.meta.dirname, '../../.build/faults/report.txt'), text)
    expect(report.failures()).toHaveLength(0)
    expect(report.injected()).toBeGreaterThan(0)
    expect(report.late()).toEqual([])
  },
  RUN_MS * numbers.length,
)

type Walked = Played & {
  readonly scene: Pick<Scene, 'acknowledged'>
  readonly extra: readonly string[]
  readonly fault: string | null
  readonly seconds: number
}

async function walk(plan: RunPlan, lane: Lane): Promise<Walked | { readonly fault: string; readonly seconds: number }> {
  const began = performance.now()
  const needs = (what: string) => plan.faults.some(({ fault }) => fault.needs === what)
  const seconds = () => Math.round((performance.now() - began) / 1_000)
  let scene: Scene | undefined
  try {
    scene = await openScene({
      replicas: plan.replicas,
      supervised: true,
      deploy: 'gated',
      disk: needs('small disk'),
      storeOn: lane.store, // of its own also where it does not crash: three bots need many connections
      ...(needs('own target') ? { targetOn: lane.target } : {}),
      env: {
        ...(plan.killPoint === null ? {} : { LOCKKEEPER_FAULT: plan.killPoint }),
        ...(plan.clockMs === 0 ? {} : { LOCKKEEPER_TEST_CLOCK: String(plan.clockMs) }),
      },
    })
    const [first] = scene.bots.all()
    const played = await play(scene, plan.work, plan.faults)
    const extra = [
      ...(plan.clockMs === 0 ? [] : [`clock: wrong by ${plan.clockMs / 60_000} min`]),
      ...(plan.killPoint !== null && first?.diedByItself() === true ? [`process: killed at ${plan.killPoint}`] : []),
    ]
    const fault = faultOf(plan, played, await clockFaults(plan, played, scene))
    return { ...played, extra, scene, fault: fault === null ? null : `${fault}\n${warnings(scene)}`, seconds: seconds() }
  } catch (error) {
    return { fault: `${describeRun(plan)}\n${(error as Error).stack}\n${scene === undefined ? '' : warnings(scene)}`, seconds: seconds() }
  } finally {
    await scene?.close().catch((error: Error) => console.error(`run ${plan.number} could not be cleaned up: ${error.message}`))
  }
}

/** What the bots warned of, without the rest. */
const warnings = (scene: Scene): string =>
  scene
    .log()
    .split('\n')
    .filter((line) => !/^\{"level":[123]0|^$/.test(line))
    .slice(-60)
    .map((line) => line.slice(0, 400))
    .join('\n')

/** A clock that is off by more than a quarter of an hour is said, and where it is, nothing runs; ten minutes are worth a warning. */
async function clockFaults(plan: RunPlan, { request }: Played, scene: Scene): Promise<readonly string[]> {
  const bots = scene.bots.all()
  const isFar = Math.abs(plan.clockMs) > STOP_MS
  if (request.startedAt === null) return []
  const ran = (await stepsOf(scene.store, request.id)).filter(({ name, state }) => name !== 'preflight' && state !== 'pending')
  if (isStoppedByClock(request))
    return [
      ...(isFar ? [] : ['it was stopped for a clock that is not so far off']),
      ...ran.map(({ name }) => `${name} ran although a clock is a day off`),
    ]
  return isFar && bots.length === 1 && ran.length > 0 ? ['the only bot has a clock that is a day off, and it ran'] : []
}

const isStoppedByClock = ({ state, outcome }: Played['request']): boolean =>
  state === 'failed' && /clock.* (ahead of the others|behind the others|apart)\./.test(JSON.stringify(outcome))

function faultOf(plan: RunPlan, { request, broken, hit }: Played, clock: readonly string[]): string | null {
  const ends = endsOf(plan.work, hit)
  // a fault that is no end of its own may still have been armed by the plan and hit nothing
  const all: readonly Planned[] = plan.faults
  const may = new Set([
    ...ends,
    ...(hit.length === all.length ? [] : endsOf(plan.work, all)),
    ...(isStoppedByClock(request) ? ['failed'] : []),
  ])
  const wrong = [
    ...broken,
    ...clock,
    ...(may.has(request.state)
      ? []
      : [`it ended as ${request.state}, expected ${[...may].join(' or ')}: ${JSON.stringify(request.outcome)}`]),
  ]
  return wrong.length === 0 ? null : [describeRun(plan), ...wrong.map((one) => `  ! ${one}`)].join('\n')
}
