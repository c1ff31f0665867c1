import type { RequestRow, RequestState } from '../../src/request/request.ts'
import { CHANNEL, textOf } from '../helpers/flow.ts'
import { until } from '../helpers/until.ts'
import { moments, NothingHit, UNHURT, type Fault, type Moment } from './catalogue.ts'
import { createJournal, type Journal } from './journal.ts'
import type { Scene } from './scene.ts'

export type Planned = { readonly fault: Fault; readonly at: Moment }

/** What people do with the request. */
export type Work = 'approve' | 'reject' | 'cancel while it waits' | 'cancel while it runs'

export type Played = {
  readonly request: RequestRow
  readonly broken: readonly string[]
  /** Those that really hit something. */
  readonly hit: readonly Planned[]
}

/** Brings one request from asking to rest, is patient as people are, and does each fault at its moment. */
export async function play(scene: Scene, work: Work, planned: readonly Planned[], { note }: Journal = createJournal()): Promise<Played> {
  const hit: Planned[] = []
  const at = (moment: Moment) => planned.filter((one) => one.at === moment)
  const strike = async (moment: Moment, id: number | null, act: () => Promise<void> = async () => {}) => {
    const mine = at(moment)
    if (mine.length === 0) return act()
    const settled = scene.disturbed()
    const heals: (() => Promise<void>)[] = []
    for (const one of mine) {
      note(`${moment}: ${one.fault.name}`)
      const heal = await one.fault.inject(scene, id, moment)
      note(heal === null ? '  there was nothing to hit' : '  done')
      if (heal === null) continue
      heals.push(() =>
        heal().then(
          () => {
            hit.push(one)
            note(`${moment}: ${one.fault.name}, put right`)
          },
          (error: unknown) => {
            if (!(error instanceof NothingHit)) throw error
            note(`${moment}: ${one.fault.name}, hit nothing`)
          },
        ),
      )
    }
    const acting = act()
    acting.catch(() => {}) // awaited below, after what hinders it is put right
    const lasts = Math.max(0, ...mine.map(({ fault }) => fault.lastsMs ?? 0))
    await new Promise((done) => setTimeout(done, lasts))
    for (const heal of heals.toReversed()) await heal()
    if (mine.some(({ fault }) => fault.kind === 'Slack'))
      await until('Slack is connected again', () => scene.slack.socket.connections() > 0, 60_000)
    await acting
    settled()
  }

  const releases = new Map<Moment, () => Promise<unknown>>()
  if (at('migrating').length === 0 && work !== 'cancel while it runs') await scene.open('migration')
  if (at('deploying').length === 0) scene.finish()
  if (at('probing').length > 0) scene.health.status = 503

  await strike('asking', null, () => ask(scene))
  const id = await newest(scene)
  if (id === undefined) throw new Error('nobody could ask')
  note(`request ${id} is written`)
  const stateOf = async () =>
    (await scene.store.query<{ state: RequestState }>('select state from lockkeeper.request where id = $1', [id]))[0]?.state
  const isOver = async () => OVER.has((await settled(stateOf)) ?? 'planning')

  await until('it waits for a decision', async () => (await isOver()) || (await settled(stateOf)) === 'waiting', 90_000)
  if (!(await isOver())) {
    await strike('waiting', id)
    // not earlier: planning looks at the table as well
    if (at('dumping').length > 0) releases.set('dumping', await scene.hold('lock table orders in access exclusive mode'))
    await strike('voting', id, () => decide(scene, id, work))
    note(`${work} is heard`)
  }
  const reached: Readonly<Record<string, () => Promise<boolean>>> = {
    dumping: async () => (await scene.dumping()).length > 0,
    migrating: async () => (await scene.migrating()).length > 0,
    deploying: async () => scene.deployed() > 0,
    probing: () => scene.probing(id), // the preflight looks at the health as well
  }
  for (const moment of moments.filter((one) => one in reached)) {
    const isThere = reached[moment] ?? (async () => false)
    const wanted = at(moment).length > 0 || (moment === 'migrating' && work === 'cancel while it runs')
    if (!wanted) continue
    const arrived = await until(
      `it is ${moment}, or over`,
      async () => ((await settled(isThere)) === true ? 'there' : (await isOver()) && 'over'),
      120_000,
    )
    note(arrived === 'there' ? `it is ${moment}` : `it is over before it is ${moment}`)
    if (arrived === 'there') {
      if (moment === 'migrating' && work === 'cancel while it runs') await strike(moment, id, () => decide(scene, id, work))
      else await strike(moment, id)
    }
    if (moment === 'dumping') await releases.get(moment)?.()
    if (moment === 'migrating') await settled(() => scene.open('migration'))
    if (moment === 'deploying') scene.finish()
    if (moment === 'probing' && !scene.isHealthKept()) scene.health.status = 200
  }
  await until('it comes to rest', isOver, 150_000)
  note('it has come to rest')
  await until('a bot is up', scene.allUp, 60_000)
  const { request, broken } = await scene.rests(id)
  return { request, broken, hit }
}

/** How a request may end that met these. */
export function endsOf(work: Work, hit: readonly Planned[]): readonly RequestState[] {
  if (work === 'reject') return ['rejected']
  if (work === 'cancel while it waits') return ['cancelled']
  // health is held down for as long as the fault lasts there, which may be longer than the application has
  const each = hit.map(({ fault, at }) => [...(fault.ends?.(at) ?? UNHURT), ...(at === 'probing' ? (['failed'] as const) : [])])
  if (work === 'cancel while it runs') return ['cancelled', 'needs_human', 'failed', ...each.flat()]
  // one after which it cannot succeed decides, whatever the others leave open
  const isDoomed = each.some((ends) => !ends.includes('succeeded'))
  const ends = [...new Set([...UNHURT, ...each.flat()])]
  return isDoomed ? ends.filter((end) => end !== 'succeeded') : ends
}

const OVER: ReadonlySet<RequestState> = new Set(['succeeded', 'failed', 'cancelled', 'needs_human', 'refused', 'rejected', 'expired'])

/** A server that is away answers nothing. */
const settled = <T>(read: () => Promise<T>): Promise<T | undefined> => read().catch(() => undefined)

const newest = async (scene: Scene): Promise<number | undefined> =>
  (await settled(() => scene.store.query<{ id: number }>('select max(id) as id from lockkeeper.request')))?.[0]?.id ?? undefined

/** As somebody does who gets no answer: looks whether a card came, and types it again. */
export async function ask(scene: Scene): Promise<void> {
  await until(
    'it is asked for',
    async () => {
      if ((await newest(scene)) !== undefined) return true
      await scene.slack.as('U0ALICE').command(CHANNEL, '/migrate deploy prod')
      return until('it is written', async () => (await newest(scene)) !== undefined, 3_000).catch(() => false)
    },
    90_000,
  )
}

/** It has one to cancel before it has one to approve. */
const buttonOf = { approve: 'Approve', reject: 'Reject', 'cancel while it waits': 'Cancel', 'cancel while it runs': 'Cancel' }

async function decide(scene: Scene, id: number, work: Work): Promise<void> {
  const act = {
    approve: () => scene.approve(id),
    reject: () => scene.reject(id, 'not today'),
    'cancel while it waits': () => scene.decide(id, 'cancel', 'U0ALICE'),
    'cancel while it runs': () => scene.decide(id, 'cancel', 'U0ALICE'),
  }
  const isDone = async () => {
    const rows = await settled(() =>
      scene.store.query<{ done: boolean }>(
        `select state not in ('planning', 'waiting') and ($2 or cancel_requested_at is not null or state <> 'running') as done
         from lockkeeper.request where id = $1`,
        [id, work !== 'cancel while it runs'],
      ),
    )
    return rows?.[0]?.done === true
  }
  const isRunning = async () => {
    const rows = await settled(() => scene.store.query<{ state: string }>('select state from lockkeeper.request where id = $1', [id]))
    return rows?.[0]?.state
  }
  const first: Work = work === 'cancel while it runs' && (await isRunning()) === 'waiting' ? 'approve' : work
  await until(
    'the card can be decided',
    async () => (await isDone()) || scene.slack.messages(CHANNEL).some((message) => textOf(message).includes(buttonOf[first])),
    90_000,
  )
  await until(
    `${first} is heard`,
    async () => {
      if (first === 'approve' ? (await isRunning()) !== 'waiting' && (await isRunning()) !== 'planning' : await isDone()) return true
      await act[first]().catch(() => {}) // pressed again
      return false
    },
    120_000,
  )
}
