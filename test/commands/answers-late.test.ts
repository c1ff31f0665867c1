import { describe, expect, test } from 'vitest'
import { listRequests } from '../../src/request/store.ts'
import { until } from '../helpers/until.ts'
import { ALICE, BOB, CAROL } from '../approvals/fixture.ts'
import { CHANNEL, Replicas } from './replicas.ts'

/** Answers that cannot come in time, from replicas that know less than others, or to where nobody looks any more. */

const here = new Replicas()

const TYPO = '`delpoy` is no verb that Lockkeeper knows. Nothing was started. Did you mean `deploy`? For example `/migrate deploy prod`.'
const UNREAD =
  'Lockkeeper could not read or write its own records. If no other answer follows within a minute, nothing was started or changed: try again then. Whoever operates Lockkeeper finds the reason in its log.'

/** Longer than Slack waits, once. */
const slowly = (ms = 2_600) => here.workspace.fault({ kind: 'slow', ms, methods: ['users.info'] })

describe.each(['everywhere', 'everywhere, last'] as const)(
  'with three replicas, %s heard, what takes longer than Slack waits',
  (deliver) => {
    test('is promised to who typed it, and then said', async () => {
      await here.open({ count: 3, workspace: { deliver } })
      await here.type('/migrate deploy prod')
      slowly()
      expect(await here.type('/migrate cancel 1')).toEqual([
        'Still checking who may cancel. The answer follows here; the card shows whether it was cancelled.',
        '#1 is cancelled. Nothing was changed, and `prod` is free.',
      ])
    })

    test('is shown in the window that was sent', async () => {
      await here.open({ count: 3, workspace: { deliver } })
      const request = await here.fixture.waiting()
      await here.workspace.as(CAROL).click(await here.card(request.token), 'approve')
      await here.settled()
      slowly(3_500)
      await here.workspace.as(CAROL).submit(here.workspace.modal(CAROL)!.viewId)
      expect(here.window(CAROL)).toMatch(/^(Counting your approval…|Lockkeeper is still checking\. The answer appears here\.)$/)
      await here.settled()
      expect(here.window(CAROL)).toBe('Your approval of #1 is counted: 1 of 1. The run starts now.')
      expect(await here.direct(CAROL)).toEqual([])
    })
  },
)

test('what comes after its window was closed follows into a direct message', async () => {
  await here.open({ count: 3, workspace: { deliver: 'everywhere' } })
  await here.workspace.as(ALICE).command(CHANNEL, '/migrate')
  await here.settled()
  slowly(4_000)
  await here.workspace.as(ALICE).submit(here.workspace.modal(ALICE)!.viewId, { target: { target: 'prod' } })
  await here.workspace.as(ALICE).close(here.workspace.modal(ALICE)!.viewId)
  expect(await here.direct(ALICE)).toEqual([
    '#1 is asked for: `main` to `prod`. Its card appears in <#C0DEPLOYS> while the plan is made; <!subteam^S0DBA> or <@U0BOB> can approve it there. To take it back: `/migrate cancel 1`.',
  ])
})

test('an acknowledgement that comes after the end of a promise says the end', async () => {
  await here.open({ count: 2 })
  const request = await here.fixture.waiting()
  await here.workspace.as(CAROL).click(await here.card(request.token), 'approve')
  await here.settled()
  slowly()
  await here.workspace.as(CAROL).submit(here.workspace.modal(CAROL)!.viewId)
  await here.settled()
  const { payload } = here.workspace.deliveries.log.at(-1)!
  const late = await here.workspace.deliveries.deliver({ kind: 'interactive', payload, acceptsPayload: true })
  expect(JSON.stringify(late)).toContain('Your approval of #1 is counted: 1 of 1. The run starts now.')
})

test('who was given up for lost cannot decide any more: the person was told that nothing was done', async () => {
  await here.open({ count: 3 })
  slowly(1_500)
  await here.workspace.as(ALICE).command(CHANNEL, '/migrate deploy prod')
  await here.store.db.query(`update lockkeeper.answer set held_until = clock_timestamp(), look_at = clock_timestamp()`)
  expect(await here.told(ALICE)).toEqual([
    'Lockkeeper broke off before it had answered `/migrate deploy`, so nothing was started or changed by it. Type it again.',
  ])
  await until('it has tried to', () => here.faults.some((fault) => /given up for lost/.test(String(fault))))
  expect(await listRequests(here.store.db, { limit: 10 })).toEqual([])
  expect(await here.told(ALICE)).toHaveLength(1)
})

describe('without the store', () => {
  const away = {
    query: () => Promise.reject(new Error('connection refused')),
    transaction: () => Promise.reject(new Error('connection refused')),
  }

  test('one of three says nothing that the others make untrue, and they answer once', async () => {
    await here.open({ count: 3, workspace: { deliver: 'everywhere' }, dbOf: (index, db) => (index === 0 ? { ...db, ...away } : db) })
    // the one without a store may acknowledge before the others have written anything down
    await here.workspace.as(ALICE).command(CHANNEL, '/migrate delpoy prod')
    await here.workspace.waitFor(() => here.workspace.ephemerals(ALICE).some(({ text }) => text === TYPO))
    const heard = await here.told(ALICE)
    expect(heard.filter((text) => text !== UNREAD)).toEqual([TYPO])
    expect(heard.length).toBeLessThanOrEqual(2)
  })

  test('that is lost in the middle, it is said where what was typed would show', async () => {
    await here.open({ deps: { exportEvidence: away.query, whyNoRun: away.query } })
    await here.fixture.waiting()
    const reason = 'Whoever operates Lockkeeper finds the reason in its log.'
    expect(await here.type('/migrate export 1')).toEqual([
      `Lockkeeper could not read or write its own records. The evidence of #1 is two files, a page and a signed document. If both stand in the thread of its card or in your direct messages with Lockkeeper, you have it; if not, type it again. Nothing else was started or changed by it. ${reason}`,
    ])
    expect(await here.type('/migrate deploy staging')).toEqual([
      `Lockkeeper could not read or write its own records. If nothing of it shows in the channel within a minute, nothing was started or changed: try again then. ${reason}`,
    ])
  })

  test('all three together say it once to who typed, and once to who clicked', async () => {
    const db = { isAway: false }
    const failing = (real: typeof here.store.db) => ({
      ...real,
      query: ((...asked: Parameters<typeof real.query>) => (db.isAway ? away.query() : real.query(...asked))) as typeof real.query,
    })
    await here.open({ count: 3, workspace: { deliver: 'everywhere' }, dbOf: (_, real) => failing(real) })
    const container = await here.card((await here.fixture.waiting()).token)
    db.isAway = true
    expect(await here.type('/migrate deploy prod')).toEqual([UNREAD])
    const before = here.opened()
    await here.workspace.as(CAROL).click(container, 'approve')
    await here.workspace.waitFor(() => here.workspace.calls('views.open').length === before + 3)
    expect(here.opened()).toBe(before + 1)
    expect(here.window(CAROL)).toBe(UNREAD)
    expect(await here.told(CAROL)).toEqual([])
  })
})

describe('a click', () => {
  test('on an offer that is taken already is told so', async () => {
    await here.open({ count: 3, workspace: { deliver: 'everywhere' } })
    await here.type('/migrate freeze prod until "2026-12-20 12:00" release')
    await here.type('/migrate deploy prod')
    const offered = here.workspace.ephemerals(ALICE).at(-1)!
    const before = (await here.told(ALICE)).length
    for (const _ of [1, 2]) {
      await here.workspace.as(ALICE).click({ channel: CHANNEL, ts: offered.ts }, 'queue')
      await here.settled()
    }
    expect((await here.told(ALICE)).slice(before)).toEqual([
      '#1 is asked for: `main` to `prod`, queued for {time} to {time} (Sun 20 Dec 2026 12:00 to 16:00 UTC, in 14 d {duration}): once approved it starts by itself then. Its card appears in <#C0DEPLOYS> while the plan is made; <!subteam^S0DBA> or <@U0BOB> can approve it there. To take it back: `/migrate cancel 1`.',
      'This was queued already: it is #1. Your click changed nothing.',
    ])
  })

  test('twice at one moment is done once, and each of the two is answered', async () => {
    await here.open({ count: 3, workspace: { deliver: 'everywhere' } })
    await here.type('/migrate freeze prod until "2026-12-20 12:00" release')
    await here.type('/migrate deploy prod')
    const offered = here.workspace.ephemerals(ALICE).at(-1)!
    const before = (await here.told(ALICE)).length
    await Promise.all([1, 2].map(() => here.workspace.as(ALICE).click({ channel: CHANNEL, ts: offered.ts }, 'queue')))
    const answers = (await here.told(ALICE)).slice(before).toSorted()
    expect(answers).toEqual([
      expect.stringMatching(/^#1 is asked for: `main` to `prod`, queued for /),
      expect.stringMatching(
        /^(This was queued already: it is #1\. Your click changed nothing\.|`prod` is taken by #1 \(asked by <@U0ALICE>, )/,
      ),
    ])
    expect(await listRequests(here.store.db, { limit: 10 })).toHaveLength(1)
  })

  test('whose window Slack does not open is told so', async () => {
    await here.open({ count: 3, workspace: { deliver: 'everywhere' } })
    await here.type('/maintenance schedule prod "2026-12-08 12:00" 1h "drop legacy columns"')
    const [window] = await here.store.db.query<{ token: string }>('select token from lockkeeper.maintenance')
    const request = await here.fixture.waiting()
    here.workspace.fault({ kind: 'error', error: 'expired_trigger_id', methods: ['views.open'], times: 2 })
    await here.workspace.as(BOB).click(await here.card(window!.token, ['window_checklist']), 'window_checklist')
    await here.settled()
    await here.workspace.as(BOB).click(await here.card(request.token), 'approve')
    expect(await here.told(BOB)).toEqual([
      'Slack did not open the window in time. Nothing was changed. Click again.',
      'Slack did not open the window in time. Nothing was changed. Click again, or type `/migrate show 1`.',
    ])
  })

  test('on Home is answered over it, and by a direct message when its three seconds are over', async () => {
    await here.open({ count: 3, workspace: { deliver: 'everywhere' } })
    const none =
      'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.'
    await here.all[0]!.slack.publishHome(CAROL, {
      type: 'home',
      blocks: [
        {
          type: 'actions',
          elements: [{ type: 'button', action_id: 'approve', value: 'r_none', text: { type: 'plain_text', text: 'Approve' } }],
        },
      ],
    })
    const home = await here.workspace.waitFor(() => here.workspace.home(CAROL))
    await here.workspace.as(CAROL).click({ viewId: home.viewId }, 'approve')
    await here.settled()
    expect(here.window(CAROL)).toBe(none)
    expect(here.opened()).toBe(1)
    here.workspace.fault({ kind: 'error', error: 'expired_trigger_id', methods: ['views.open'] })
    await here.workspace.as(CAROL).click({ viewId: home.viewId }, 'approve')
    expect(await here.direct(CAROL)).toEqual([none])
  })
})

describe('what an older bot has taken, which answers in its acknowledgement', () => {
  const olds = (keys: readonly string[]) => here.store.db.query(`insert into lockkeeper.seen (key) select unnest($1::text[])`, [keys])

  test('is not acknowledged by another before it, and not answered', async () => {
    await here.open({ count: 3, workspace: { deliver: 'everywhere', ackMs: 500 } })
    await here.type('/migrate delpoy prod')
    const { payload } = here.workspace.deliveries.log.at(-1)!
    await olds(['trigger:1.old'])
    const again = { kind: 'slash_commands', payload: { ...payload, trigger_id: '1.old' }, acceptsPayload: true } as const
    expect(await here.workspace.deliveries.deliver(again)).toEqual({ kind: 'timeout' })
    expect(await here.told(ALICE)).toEqual([TYPO])
  })

  test('is left to it when it is a window', async () => {
    await here.open()
    await olds(['trigger:old'])
    const view = { type: 'modal', blocks: [] } as const
    const asked = { kind: 'form', account: BOB, view: 'V1', ifLost: { message: { text: 'x' }, view } } as const
    const taken = await here.all[0]!.answers.take(['trigger:old'], asked)
    expect(taken.kind === 'twin' && (await taken.responseWithin(0, view))).toBeUndefined()
  })
})
