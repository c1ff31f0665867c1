import { STOP_MS } from '../../src/lib/clock-skew.ts'
import { stepsOf } from '../../src/request/store.ts'
import type { RunPlan } from './plan.ts'
import { endsOf, type Planned, type Played } from './play.ts'
import type { Scene } from './scene.ts'

/** What is wrong with a run that has come to rest, as sentences. */
export function wrongIn(plan: RunPlan, { request, broken, hit }: Played, clock: readonly string[]): readonly string[] {
  const ends = endsOf(plan.work, hit)
  // a fault that is no end of its own may still have been armed by the plan and hit nothing
  const all: readonly Planned[] = plan.faults
  const may = new Set([
    ...ends,
    ...(hit.length === all.length ? [] : endsOf(plan.work, all)),
    ...(isStoppedByClock(request) ? ['failed'] : []),
  ])
  return [
    ...broken,
    ...clock,
    ...(may.has(request.state)
      ? []
      : [`it ended as ${request.state}, expected ${[...may].join(' or ')}: ${JSON.stringify(request.outcome)}`]),
  ]
}

/** A clock that is off by more than a quarter of an hour is said, and where it is, nothing runs; ten minutes are worth a warning. */
export async function clockFaults(plan: RunPlan, { request }: Played, scene: Scene): Promise<readonly string[]> {
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
