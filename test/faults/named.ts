import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { catalogue, moments, type Fault, type Moment } from './catalogue.ts'
import { endsOf, play } from './play.ts'
import { openScene } from './scene.ts'
import { startServer, type OwnServer } from './server.ts'
import { inShare, shareOf } from './shares.ts'

/** Those of this run of the tests. */
const names = inShare(
  shareOf(process.env['FAULTS']),
  catalogue.map(({ name }) => name),
)

/** Each fault once: with three bots what they must agree on, with one the rest. All with both take minutes more, and are asked for. */
const isWanted = (fault: Fault, replicas: 1 | 3): boolean =>
  process.env['FAULT_ALL'] !== undefined || (names.includes(fault.name) && (fault.isShared === true) === (replicas === 3))

/** Every fault of the catalogue, alone, at the moment at which it can do the most, with so many bots: it hits, and nothing is broken. */
export function everyFault(replicas: 1 | 3): void {
  const faults = catalogue.filter((fault) => isWanted(fault, replicas))
  const needed = (what: Fault['needs']) => (faults.some(({ needs }) => needs === what) ? startServer() : undefined)
  const servers: { store?: OwnServer | undefined; target?: OwnServer | undefined } = {}
  beforeAll(async () => {
    ;[servers.store, servers.target] = await Promise.all([needed('own store'), needed('own target')])
  })
  afterAll(async () => {
    await Promise.all([servers.store?.close(), servers.target?.close()])
  })

  describe.concurrent(`${replicas === 1 ? 'one bot' : 'three bots'}, hit once`, { timeout: 240_000 }, () => {
    test.each(faults.map((fault) => ({ fault, at: worst(fault), what: `${worst(fault)}: ${fault.name}` })))(
      'while $what',
      async ({ fault, at }) => {
        // for itself alone: faults of others must not meet a full disk
        const ownStore = fault.needs === 'store on a small disk' ? await startServer({ onSmallDisk: true }) : undefined
        const storeOn = ownStore ?? (fault.needs === 'own store' ? servers.store : undefined)
        const scene = await openScene({
          replicas,
          supervised: true,
          deploy: 'gated',
          disk: fault.needs === 'small disk',
          ...(storeOn === undefined ? {} : { storeOn }),
          ...(fault.needs === 'own target' && servers.target !== undefined ? { targetOn: servers.target } : {}),
        })
        try {
          const { request, broken, hit } = await play(scene, 'approve', [{ fault, at }])
          const may = endsOf('approve', hit)
          const found = { hit: hit.length, end: request.state, broken }
          if (broken.length > 0 || !may.includes(request.state))
            console.error(fault.name, broken, request.outcome, scene.log().slice(-5_000))
          expect(found).toEqual({ hit: 1, end: may.includes(request.state) ? request.state : may.join(' or '), broken: [] })
        } finally {
          await scene.close()
          await ownStore?.close()
        }
      },
    )
  })
}

/** In the migration where it can be there, else as late as it can be. */
const worst = (fault: Fault): Moment =>
  fault.at.includes('migrating') ? 'migrating' : (moments.findLast((moment) => fault.at.includes(moment)) ?? 'waiting')
