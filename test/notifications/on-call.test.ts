import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { acknowledgePage } from '../../approvals/decisions/acknowledge.ts'
import { cancelRequest } from '../../approvals/decisions/cancel.ts'
import { drawRequest } from '../../approvals/cards/draw.ts'
import { actOnDue } from '../../src/store/due.ts'
import { createOncall } from '../../src/notifications/on-call.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import type { RequestState } from '../../src/request/request.ts'
import { requestById, transition, viewOf } from '../../src/request/store.ts'
import { BOB, createFixture, type Store, type Fixture } from '../approvals/fixture.ts'
import { createStore } from '../helpers/postgres.ts'

let store: Store
let fixture: Fixture
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  await store.db.query(`update lockkeeper.store set clock_offset = '0'`)
  fixture = await createFixture({ store })
})

const oncall = { webhook: 'env:PAGER', every: 600_000, people: ['user:U0BOB', 'user:U0CAROL'] }
const due = () => createOncall({ db: store.db, oncall, titleOf: () => 'Production', command: '/migrate' })
/** Three replicas look at once. */
const look = () => Promise.all([1, 2, 3].map(() => actOnDue(store.db, [due()])))
const after = (time: string) => store.db.query(`update lockkeeper.store set clock_offset = $1`, [time])

async function stoppedAs(state: RequestState, failedStep?: string): Promise<number> {
  const { id } = await fixture.waiting()
  await transition(store.db, id, ['waiting'], 'granted')
  await transition(store.db, id, ['granted'], 'running')
  if (failedStep !== undefined)
    await store.db.query(`insert into lockkeeper.step (request_id, ordinal, name, title, state) values ($1, 1, $2, $2, 'failed')`, [
      id,
      failedStep,
    ])
  await transition(store.db, id, ['running'], state, { outcome: { headline: '*"Migrate" &amp; `1_drop` stopped.* <@U0ALICE>' } })
  return id
}

const deliveries = () =>
  store.db.query<{ key: string; state: string; payload: { type: string; data: Record<string, unknown> } }>(
    'select key, state, payload from lockkeeper.delivery order by id',
  )
const keys = async () => (await deliveries()).map(({ key, state }) => `${key} ${state}`)

/** What stands in Slack about the page. */
async function drawn(id: number) {
  const request = await requestById(store.db, id)
  if (request === undefined) throw new Error('no such request')
  const all = drawRequest(
    await viewOf(store.db, request, {
      targetTitle: 'Production',
      commands: { migrate: '/migrate', maintenance: '/maintenance' },
      tail: '',
    }),
    { timezone: 'UTC', isProtected: true, approvers: [] },
  )
  return all
    .filter(({ key, content }) => key.startsWith('page') || (key.startsWith('event:') && /page/i.test(JSON.stringify(content))))
    .map(({ destination, content }) => {
      const message =
        content.kind === 'linked' ? content.message('https://slack.example/x') : content.kind === 'file' ? undefined : content.message
      const buttons = JSON.stringify(message?.blocks ?? []).includes('"acknowledge"') ? ' [Acknowledge]' : ''
      const where = destination.kind === 'direct' ? destination.user : destination.kind
      return `${where}: ${message?.text.replace(/<!date[^>]*>/g, '<date>')}${buttons}`
    })
}

describe('on-call', () => {
  test('is paged once at once and again every 10 minutes, by webhook, in the channel and by direct message', async () => {
    const id = await stoppedAs('needs_human')
    await look()
    await look()
    const [first] = await deliveries()
    expect(first?.payload).toEqual({
      type: 'page',
      data: {
        page: 1,
        request: id,
        target: 'prod',
        title: `#${id} on Production: it needs a person`,
        reason: 'needs_human',
        text: '"Migrate" & 1_drop stopped. U0ALICE',
        count: 1,
        acknowledge: `/migrate ack ${id}`,
      },
    })
    await after('10 minutes')
    await look()
    expect(await keys()).toEqual(['page:1:1 withdrawn', 'page:1:2 pending'])
    expect(await drawn(id)).toEqual([
      `thread: *On-call is paged* about #${id} on *Production*: it needs a person. <@U0BOB> and <@U0CAROL>`,
      `thread: *On-call is paged, the 2nd time* about #${id} on *Production*: it needs a person. <@U0BOB> and <@U0CAROL>`,
      `channel: On-call is paged about #${id} on Production: it needs a person. Told 2 times; until somebody acknowledges it is told again. [Acknowledge]`,
      `U0BOB: On-call is paged about #${id} on Production: it needs a person. <@U0BOB> and <@U0CAROL> [Acknowledge]`,
      `U0CAROL: On-call is paged about #${id} on Production: it needs a person. <@U0BOB> and <@U0CAROL> [Acknowledge]`,
      `U0BOB: On-call is paged, the 2nd time about #${id} on Production: it needs a person. <@U0BOB> and <@U0CAROL> [Acknowledge]`,
      `U0CAROL: On-call is paged, the 2nd time about #${id} on Production: it needs a person. <@U0BOB> and <@U0CAROL> [Acknowledge]`,
    ])
    expect((await fixture.audited()).filter((line) => line.includes(' page '))).toEqual(['lockkeeper page sent', 'lockkeeper page sent'])
  })

  test('is left alone when somebody has acknowledged, who is named', async () => {
    const id = await stoppedAs('failed')
    await look()
    const request = await requestById(store.db, id)
    const outcome = await acknowledgePage(fixture.deps, { account: BOB, entry: 'button', token: request!.token })
    expect(outcome.text).toBe(`You have acknowledged the page about #${id}, and the record names you. Nobody is paged any more.`)
    await after('20 minutes')
    await look()
    expect(await keys()).toEqual(['page:1:1 withdrawn', 'page:1:end pending'])
    expect((await deliveries())[1]?.payload).toEqual({
      type: 'page.acknowledged',
      data: { page: 1, request: id, target: 'prod', by: BOB },
    })
    expect((await drawn(id)).filter((line) => !line.includes('Acknowledge]'))).toEqual([
      `thread: *On-call is paged* about #${id} on *Production*: it failed. <@U0BOB> and <@U0CAROL>`,
      'thread: <@U0BOB> acknowledged the page. Nobody is paged any more.',
      `channel: On-call was paged about #${id} on Production: it failed. <@U0BOB> acknowledged <date>.`,
    ])
    const again = await acknowledgePage(fixture.deps, { account: BOB, entry: 'cli', id })
    expect(isRefusal(again) && `${again.code}: ${again.text.replace(/<!date[^>]*>/g, '<date>')}`).toBe(
      `nothing_to_acknowledge: <@U0BOB> acknowledged the page about #${id} <date> already. Nobody is paged any more.`,
    )
    expect((await fixture.audited()).slice(-2)).toEqual(['U0BOB acknowledge acknowledged', 'U0BOB acknowledge nothing_to_acknowledge'])
  })

  test('is left alone when the request was closed', async () => {
    const id = await stoppedAs('needs_human')
    await look()
    const closed = await cancelRequest(fixture.deps, { account: BOB, entry: 'cli', id })
    expect(closed.kind).toBe('closed')
    await look()
    await after('20 minutes')
    await look()
    expect(await keys()).toEqual(['page:1:1 withdrawn', 'page:1:end pending'])
    expect((await drawn(id)).find((line) => line.startsWith('channel'))).toBe(
      `channel: On-call was paged about #${id} on Production: it needs a person. It was closed before anybody acknowledged.`,
    )
    const late = await acknowledgePage(fixture.deps, { account: BOB, entry: 'cli', id })
    expect(late.text.replace(/<!date[^>]*>/g, '<date>')).toBe(`#${id} was closed <date>, which ended the page. Nobody is paged any more.`)
  })

  test('hears that health was lost, and of nothing that ended well, was refused or failed long ago', async () => {
    await stoppedAs('failed', 'health')
    await stoppedAs('succeeded')
    await stoppedAs('refused')
    await look()
    expect((await deliveries()).map(({ payload }) => payload.data['title'])).toEqual([
      '#1 on Production: the application is not healthy after it',
    ])
    await stoppedAs('failed')
    await after('25 hours')
    await look()
    const requests = new Set((await deliveries()).map(({ payload }) => payload.data['request']))
    expect(requests).toEqual(new Set([1]))
  })

  test('a page that nobody sent, and a request that there is not, are refused with the next step', async () => {
    const { id } = await fixture.waiting()
    const texts = await Promise.all(
      [id, 99].map(async (one) => (await acknowledgePage(fixture.deps, { account: BOB, entry: 'cli', id: one })).text),
    )
    expect(texts).toEqual([
      `On-call was not paged about #${id}, so there is nothing to acknowledge.`,
      'There is no request #99. `/migrate history` lists those there are.',
    ])
  })
})
