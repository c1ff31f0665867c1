import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { actOnDue } from '../../src/store/due.ts'
import { createLog } from '../../src/lib/log.ts'
import {
  createDeliveries,
  deliverLater,
  forgetOldDeliveries,
  withdrawDeliveries,
  type Lane,
  type Outgoing,
  type Sending,
} from '../../src/notifications/deliveries.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { createStore } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

let store: Awaited<ReturnType<typeof createStore>>
const stops: (() => Promise<void>)[] = []
let lines: string[] = []

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  lines = []
  await store.db.query('truncate lockkeeper.delivery restart identity')
  await store.db.query(`update lockkeeper.store set clock_offset = '0'`)
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

const mail = { kind: 'mail', destination: null, atOnce: 2 } as const
const page = { kind: 'page', destination: 'env:PAGER', atOnce: 2 } as const
const hook = { kind: 'webhook', destination: 'env:STATUS', atOnce: 1 } as const

/** One replica: what it sent, and a look at what is due. */
function replica(send: (outgoing: Outgoing, signal: AbortSignal) => Promise<Sending>, lanes: readonly Lane[] = [mail, page, hook]) {
  const log = createLog(createRedactor([]), 'info', { write: (line: string) => lines.push(line) > 0 } as NodeJS.WritableStream)
  const deliveries = createDeliveries({ db: store.db, log, redactor: createRedactor(['hush-hush']), lanes, send })
  stops.push(() => deliveries.stop(0))
  return { look: () => actOnDue(store.db, [deliveries.due]), stop: deliveries.stop }
}

const rows = () =>
  store.db.query<{ key: string; state: string; attempts: number; error: string | null; inS: number }>(
    `select key, state, attempts, last_error as error, round(extract(epoch from next_try_at - clock_timestamp()))::int as "inS"
     from lockkeeper.delivery order by id`,
  )
const states = async () => (await rows()).map(({ state }) => state)
const settled = (count: number) =>
  until('all are sent', async () => (await states()).filter((state) => state === 'sent').length === count || undefined)
const makeDue = () => store.db.query('update lockkeeper.delivery set next_try_at = clock_timestamp()')

const aPage = (key: string) => deliverLater(store.db, [{ key, kind: 'page', destination: 'env:PAGER', payload: { key } }])
const aMail = (key: string, to = 'ops@example.com') =>
  deliverLater(store.db, [{ key, kind: 'mail', destination: to, payload: { subject: key, text: key } }])

describe('deliveries', () => {
  test('one key leaves once, however often it is written and however many replicas look', async () => {
    const sent: Outgoing[] = []
    const send = async (outgoing: Outgoing): Promise<Sending> => {
      sent.push(outgoing)
      return { kind: 'sent' }
    }
    const replicas = [replica(send), replica(send), replica(send)]
    for (let index = 0; index < 60; index++) {
      await aPage(`page:${index}`)
      await aPage(`page:${index}`)
    }
    await Promise.all(replicas.map(({ look }) => look()))
    await settled(60)
    const keys = sent.map(({ payloads }) => (payloads[0] as { key: string }).key)
    expect(keys.toSorted()).toEqual(Array.from({ length: 60 }, (_, index) => `page:${index}`).toSorted())
    expect(new Set(sent.map(({ id }) => id)).size).toBe(60)
  })

  test('what is rolled back with its transaction never leaves', async () => {
    const sent: Outgoing[] = []
    const { look } = replica(async (outgoing) => {
      sent.push(outgoing)
      return { kind: 'sent' }
    })
    const work = store.db.transaction(async (tx) => {
      await deliverLater(tx, [{ key: 'page:1', kind: 'page', destination: 'env:PAGER', payload: {} }])
      throw new Error('no')
    })
    await expect(work).rejects.toThrow('no')
    await look()
    expect([sent, await rows()]).toEqual([[], []])
  })

  test('a failure is tried again after 5 s, 10 s and so on up to 10 min, with the same id and time', async () => {
    const sent: Outgoing[] = []
    const { look } = replica(async (outgoing) => {
      sent.push(outgoing)
      return { kind: 'failed', why: 'it said hush-hush' }
    })
    await aPage('page:1')
    const waits: number[] = []
    for (let attempt = 1; attempt <= 9; attempt++) {
      await makeDue()
      await look()
      const [row] = await until('it was tried', async () => {
        const all = await rows()
        return all[0]?.attempts === attempt && all[0].error !== null && all[0].inS > 0 ? all : undefined
      })
      waits.push(row!.inS)
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600])
    expect(new Set(sent.map(({ id, at }) => `${id} ${at.getTime()}`)).size).toBe(1)
    expect((await rows())[0]?.error).toBe('it said [redacted]')
    expect(lines.some((line) => line.includes('this was not delivered; trying again in 600 s'))).toBe(true)
  })

  test('after a day it is given up, which the log and the audit say', async () => {
    const { look } = replica(async () => ({ kind: 'failed', why: 'it answered 500' }))
    await aPage('page:1')
    await store.db.query(`update lockkeeper.store set clock_offset = '25 hours'`)
    await look()
    await until('it is given up', async () => (await states())[0] === 'given_up' || undefined)
    const audit = await store.db.query(`select result, data from lockkeeper.audit where act = 'deliver' order by id desc limit 1`)
    expect(audit).toEqual([{ result: 'given_up', data: { key: 'page:1', kind: 'page', destination: 'env:PAGER', why: 'it answered 500' } }])
    await until('the log says it', () => lines.some((line) => line.includes('this was not delivered and is given up')) || undefined)
  })

  test('what a receiver refuses for good is given up at once', async () => {
    const { look } = replica(async () => ({ kind: 'refused', why: 'it answered 410: this receiver is gone for good' }))
    await aPage('page:1')
    await look()
    const [row] = await until('it is given up', async () => ((await states())[0] === 'given_up' ? rows() : undefined))
    expect(row).toMatchObject({ attempts: 1, error: 'it answered 410: this receiver is gone for good' })
  })

  test('a receiver that does not answer holds up neither the look nor another receiver', async () => {
    const slow = Promise.withResolvers<Sending>()
    const { look } = replica((outgoing) => (outgoing.kind === 'page' ? slow.promise : Promise.resolve({ kind: 'sent' })))
    for (const key of ['page:1', 'page:2', 'page:3']) await aPage(key)
    await aMail('mail:1')
    await look()
    await until('the mail is sent', async () => (await states())[3] === 'sent' || undefined)
    await until('two pages are in hand', async () => (await rows())[1]?.attempts === 1 || undefined)
    await look() // and nothing more is begun
    expect((await rows()).map(({ attempts }) => attempts)).toEqual([1, 1, 0, 1])
    slow.resolve({ kind: 'sent' })
    await settled(4)
  })

  test('mails for one address go as one, and a repetition says the same', async () => {
    const sent: Outgoing[] = []
    let answer: Sending = { kind: 'failed', why: 'later' }
    const { look } = replica(async (outgoing) => {
      sent.push(outgoing)
      return answer
    })
    for (const key of ['one', 'two', 'three']) await aMail(key)
    await look()
    await until('it was tried', async () => (await rows())[0]?.error === 'later' || undefined)
    await aMail('four') // comes too late for that mail
    answer = { kind: 'sent' }
    await makeDue()
    await look()
    await settled(4)
    const subjects = sent.map(({ payloads }) => payloads.map((payload) => (payload as { subject: string }).subject))
    expect(subjects.toSorted((a, b) => b.length - a.length)).toEqual([['one', 'two', 'three'], ['one', 'two', 'three'], ['four']])
    expect(new Set(sent.map(({ id }) => id)).size).toBe(2)
  })

  test('what has not arrived can be withdrawn, tried or not', async () => {
    const { look } = replica(async () => ({ kind: 'failed', why: 'later' }))
    await aPage('window:1:1:start')
    await look()
    await until('it was tried', async () => (await rows())[0]?.error === 'later' || undefined)
    await aPage('window:1:2:start')
    await aPage('window:12:1:start')
    await withdrawDeliveries(store.db, 'window:1:')
    expect(await states()).toEqual(['withdrawn', 'withdrawn', 'pending'])
  })

  test('what is for nobody who is configured waits, and is given up after a day', async () => {
    const { look } = replica(async ({ destination }) => ({ kind: 'failed', why: `${destination} is no longer configured` }), [mail])
    await aPage('page:1')
    await look()
    await until('it was tried', async () => (await rows())[0]?.error === 'env:PAGER is no longer configured' || undefined)
    expect(await states()).toEqual(['pending'])
  })

  test('a process that dies in the middle leaves it to another when its lease ends', async () => {
    await aPage('page:1')
    await store.db.query(`update lockkeeper.delivery set attempts = 1, lease = clock_timestamp() + interval '1 hour'`)
    const sent: Outgoing[] = []
    const { look } = replica(async (outgoing) => {
      sent.push(outgoing)
      return { kind: 'sent' }
    })
    await look()
    expect(sent).toEqual([])
    await store.db.query(`update lockkeeper.delivery set lease = clock_timestamp() - interval '1 second'`)
    await look()
    await settled(1)
    expect(sent).toHaveLength(1)
  })

  test('stopping waits for what is in hand, and hands over what takes too long', async () => {
    const answered = Promise.withResolvers<Sending>()
    const quick = replica(() => answered.promise)
    await aPage('page:1')
    await quick.look()
    await until('it is in hand', async () => (await rows())[0]?.attempts === 1 || undefined)
    const stopped = quick.stop(5_000)
    answered.resolve({ kind: 'sent' })
    await stopped
    expect(await states()).toEqual(['sent'])
    const slow = replica(
      (_, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        }),
    )
    await aPage('page:2')
    await slow.look()
    await until('it is in hand', async () => (await rows())[1]?.attempts === 1 || undefined)
    await slow.stop(10)
    expect((await rows())[1]).toMatchObject({ state: 'pending', error: 'Lockkeeper is stopping' })
    expect(await store.db.query('select 1 from lockkeeper.delivery where lease is not null')).toEqual([])
    expect((await rows())[1]?.inS).toBeLessThanOrEqual(0)
  })

  test('after 90 days nothing is left of it', async () => {
    const { look } = replica(async () => ({ kind: 'sent' }))
    for (const key of ['one', 'two']) await aMail(key)
    await aPage('page:1')
    await look()
    await settled(3)
    await store.db.query(`update lockkeeper.store set clock_offset = '91 days'`)
    await forgetOldDeliveries(store.db)
    await forgetOldDeliveries(store.db)
    expect(await rows()).toEqual([])
  })
})
