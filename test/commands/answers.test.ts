import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { refuse } from '../../src/lib/refusal.ts'
import { freePort } from '../helpers/flow.ts'
import { until } from '../helpers/until.ts'
import { ALICE, BOB, CAROL, DAVE } from '../approvals/fixture.ts'
import { CHANNEL, Replicas } from './replicas.ts'

/** Whatever is said to one person reaches that person once, whichever acknowledgement Slack hears. */

const root = join(import.meta.dirname, '../..')
const GINA = 'U0GINA'

const here = new Replicas()

const TYPO = '`delpoy` is no verb that Lockkeeper knows. Nothing was started. Did you mean `deploy`? For example `/migrate deploy prod`.'

/** What is typed, the whole of what is heard, by whom and where; one after the other. */
const commands: readonly (readonly [text: string, answer: string, person?: string, channel?: string])[] = [
  [
    '/migrate deploy prod',
    '#1 is asked for: `main` to `prod`. Its card appears in <#C0DEPLOYS> while the plan is made; <!subteam^S0DBA> or <@U0BOB> can approve it there. To take it back: `/migrate cancel 1`.',
  ],
  [
    '/migrate deploy prod --ref main',
    '`prod` is taken by #1 (asked by <@U0ALICE>, planning since {time}). It frees when that ends, or with `/migrate cancel 1`.',
  ],
  ['/migrate delpoy prod', TYPO],
  [
    '/migrate status prod',
    '*prod*: 1 applied, 1 pending.\n• Pending: `two`. To run them: `/migrate deploy prod`.\n• Under way: #1, planning since {time}\n• No run yet',
  ],
  ['/migrate cancel 1', '#1 is cancelled. Nothing was changed, and `prod` is free.'],
  [
    '/migrate freeze prod "release week"',
    '`prod` is frozen until somebody lifts it: nothing starts, and what runs goes on. To end it: `/migrate unfreeze prod`.',
  ],
  [
    '/migrate deploy prod --reason now',
    '`prod` is frozen until somebody lifts it by <@U0ALICE>: “release week”. Nothing was started. The freeze ends with `/migrate unfreeze prod`.',
  ],
  ['/migrate unfreeze prod', 'The freeze of `prod` is lifted: set by <@U0ALICE>, “release week”.'],
  [
    '/migrate freeze prod until "2026-12-20 12:00" release',
    '`prod` is frozen until {time} (Sun 20 Dec 2026 12:00 UTC, in 14 d {duration}): nothing starts, and what runs goes on. To end it earlier: `/migrate unfreeze prod`.',
  ],
  [
    '/migrate deploy prod',
    '`prod` is frozen until {time} (Sun 20 Dec 12:00 UTC) by <@U0ALICE>: “release”. Nothing was started. The freeze ends by itself then, or earlier with `/migrate unfreeze prod`.\n[Queue for Sun 20 Dec 12:00 UTC]',
  ],
  ['/migrate unfreeze prod', 'The freeze of `prod` is lifted: set by <@U0ALICE>, “release”.'],
  ['/migrate ack 1', 'On-call was not paged about #1, so there is nothing to acknowledge.'],
  ['/migrate break-glass 9', 'There is no request #9. `/migrate history` lists those there are.'],
  ['/migrate history', '*Last requests, newest first*\n• #1 `prod` cancelled {time} · asked by <@U0ALICE>\nDetails: `/migrate show 1`'],
  ['/maintenance list', 'No maintenance is planned. To plan one: `/maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"`'],
  [
    '/maintenance schedule prod "2026-12-08 12:00" 1h "drop legacy columns"',
    'Window #1 of `prod` is scheduled: {time} to {time} (Tue 8 Dec 2026 12:00 to 13:00 UTC, in 2 d {duration}), for {duration}. It is announced in <#C0DEPLOYS>. To move it: `/maintenance reschedule 1 "&lt;when&gt;"`.',
  ],
  [
    '/maintenance cancel 1 "no need"',
    'Window #1 is cancelled. Everybody who was told of it is told that, once; what was still to be announced is withdrawn.',
  ],
  [
    '/maintenance cancel 1',
    'Window #1 is cancelled. Only a window that has not started can be cancelled; one that is under way is ended with `/maintenance complete 1`. Nothing was changed. `/maintenance show 1` shows it.',
  ],
  [
    '/maintenance cancle 1',
    '`cancle` is no verb of maintenance windows. Nothing was changed. Did you mean `cancel`? For example `/maintenance cancel 1`.',
  ],
  [
    '/migrate deploy prod',
    'Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it.',
    GINA,
  ],
  [
    '/migrate deploy prod --ref main',
    '#3 is asked for: `main` to `prod`. Its card appears in <#C0DEPLOYS> while the plan is made; <!subteam^S0DBA> or <@U0BOB> can approve it there. To take it back: `/migrate cancel 3`.',
    ALICE,
    'C0GENERAL',
  ],
  [
    '/migrate deploy prod',
    'Requests are made where others can see them, not in a direct message. Nothing was started. Type it in a channel.',
    ALICE,
    'D0ALICE',
  ],
]

const ways = [
  { count: 1, deliver: 'everywhere' },
  { count: 3, deliver: 'everywhere' },
  { count: 3, deliver: 'everywhere, last' },
] as const

describe.each(ways)('$count replicas, each envelope $deliver heard', ({ count, deliver }) => {
  test('every command is answered once', async () => {
    await here.open({ count, workspace: { deliver } })
    const heard: (readonly [string, readonly string[]])[] = []
    for (const [text, , person, channel] of commands) heard.push([text, await here.type(text, person, channel)])
    expect(heard).toEqual(commands.map(([text, answer]) => [text, [answer]]))
    expect(here.faults).toEqual([])
  })

  test('every window says what came of it, and every button is answered once', async () => {
    await here.open({ count, workspace: { deliver } })
    await here.workspace.as(ALICE).command(CHANNEL, '/migrate')
    await here.settled()
    const form = here.workspace.modal(ALICE)!
    await here.workspace.as(ALICE).submit(form.viewId, { target: { target: 'prod' }, ref: { ref: '../x' } })
    await here.settled()
    expect(here.workspace.modal(ALICE)?.errors).toEqual({
      ref: '“../x” cannot be a ref: git does not take it as a name. Write a branch, a tag or a commit. Nothing was started.',
    })
    await here.workspace.as(ALICE).submit(form.viewId, { target: { target: 'prod' }, ref: { ref: 'main' } })
    await here.settled()
    expect(here.window(ALICE)).toMatch(/^#1 is asked for: `main` to `prod`\./)
    await here.workspace.as(ALICE).submit(form.viewId, { target: { target: 'prod' } })
    const request = await here.fixture.waiting({ target: 'staging' })
    const container = await here.card(request.token)
    const before = here.opened()
    await here.workspace.as(CAROL).click(container, 'approve')
    await here.settled()
    expect(here.opened()).toBe(before + 1)
    expect(here.window(CAROL)).toMatch(/asks to run/)
    await here.workspace.as(CAROL).submit(here.workspace.modal(CAROL)!.viewId)
    await here.settled()
    expect(here.workspace.modal(CAROL)).toBeNull()
    await here.workspace.as(CAROL).click(container, 'approve')
    await here.settled()
    await here.workspace.as(CAROL).submit(here.workspace.modal(CAROL)!.viewId)
    await here.settled()
    expect(here.window(CAROL)).toBe('Your approval of #2 is counted already: 1 of 2. Nothing more is needed from you.')
    await here.workspace.as(ALICE).click(container, 'approve')
    await here.workspace.as(DAVE).click(container, 'acknowledge')
    await here.settled()
    await here.workspace.as(DAVE).click(container, 'ask_again')
    expect(await here.told(ALICE)).toEqual([
      'You asked for #2 yourself, so somebody else has to approve it: <@U0CAROL> has, one more of <!subteam^S0DBA> is needed.',
    ])
    expect(await here.told(DAVE)).toEqual([
      'On-call was not paged about #2, so there is nothing to acknowledge.',
      '#2 was asked for by <@U0ALICE>, and only they can ask for it again here. Nothing was started. To ask yourself: `/migrate deploy staging`.',
    ])
    expect(here.faults).toEqual([])
  })
})

describe('an acknowledgement that nobody hears', () => {
  test('costs the asker no answer, and what Slack then sends again gives no second one', async () => {
    await here.open({ count: 3, workspace: { deliver: 'everywhere', redeliver: 'all' } })
    here.workspace.deliveries.loseAcks(2)
    expect(await here.type('/migrate delpoy prod')).toEqual([TYPO])
    await until('it came three times', () => here.workspace.deliveries.log.filter(({ retry }) => retry === 2).length === 1)
    expect(await here.told(ALICE)).toEqual([TYPO])
  })

  test('leaves what was decided in a window to be seen in it', async () => {
    await here.open({ count: 3, workspace: { redeliver: 'all' } })
    const request = await here.fixture.waiting()
    await here.workspace.as(CAROL).click(await here.card(request.token), 'approve')
    await here.settled()
    here.workspace.deliveries.loseAcks()
    await here.workspace.as(CAROL).submit(here.workspace.modal(CAROL)!.viewId)
    await until('it came again', () => here.workspace.deliveries.log.some(({ retry, outcome }) => retry === 1 && outcome.kind === 'acked'))
    const again = here.workspace.deliveries.log.find(({ retry }) => retry === 1)
    expect(again?.outcome).toEqual({ kind: 'acked', payload: { response_action: 'clear' } })
    expect((await here.fixture.request(request.id)).state).toBe('granted')
  })
})

describe('over signed HTTP', () => {
  test('a request that comes twice at once, and again with its number, is answered once', async () => {
    const port = await freePort()
    await here.open({
      workspace: { requestUrl: `http://127.0.0.1:${port}/slack/events`, deliver: 'everywhere', redeliver: 'all' },
      bolt: { mode: 'http', port },
    })
    here.workspace.deliveries.loseAcks()
    expect(await here.type('/migrate delpoy prod')).toEqual([TYPO])
    await until('it came again', () => here.workspace.deliveries.log.some(({ retry, outcome }) => retry === 1 && outcome.kind === 'acked'))
    expect(await here.type('/migrate deploy prod')).toHaveLength(1)
    expect(await here.told(ALICE)).toEqual([TYPO, expect.stringMatching(/^#1 is asked for/)])
  })
})

describe('the way to a person', () => {
  test.each([
    ['answers 500', { kind: 'outage', how: 'http_500' }],
    ['is cut before it takes anything', { kind: 'outage', how: 'connection_cut' }],
    ['limits for a second', { kind: 'ratelimited', retryAfter: 1 }],
    ['is slow', { kind: 'slow', ms: 1_500 }],
    ['was used five times', { kind: 'error', error: 'used_url' }],
    ['has expired', { kind: 'error', error: 'expired_url' }],
  ] as const)('%s, and the answer comes once all the same', async (_, fault) => {
    await here.open()
    here.workspace.fault({ ...fault, methods: ['response_url'] })
    expect(await here.type('/migrate delpoy prod')).toEqual([TYPO])
    expect(here.workspace.directMessages(ALICE)).toEqual([])
  })

  test('has no address any more and leads into no channel of the bot: a direct message says it, once though its reply is lost', async () => {
    await here.open()
    here.workspace.fault({ kind: 'error', error: 'expired_url', methods: ['response_url'], untilCleared: true })
    here.workspace.fault({ kind: 'lost-reply', methods: ['chat.postMessage'] })
    expect(await here.type('/migrate delpoy prod', ALICE, 'C0GENERAL')).toEqual([])
    expect(await here.direct(ALICE)).toEqual([TYPO])
  })

  test('is not there at all: it is given up, and the address does not stay', async () => {
    await here.open()
    here.workspace.fault({ kind: 'error', error: 'expired_url', methods: ['response_url'] })
    here.workspace.fault({ kind: 'error', error: 'cannot_dm_bot', methods: ['conversations.open'] })
    expect(await here.type('/migrate delpoy prod', ALICE, 'C0GENERAL')).toEqual([])
    expect(await here.store.db.query('select state, response_url, said from lockkeeper.answer')).toEqual([
      { state: 'gone', response_url: null, said: null },
    ])
  })

  test('says twice at most what Slack took without saying so', async () => {
    await here.open()
    here.workspace.fault({ kind: 'lost-reply', methods: ['response_url'] })
    expect(await here.type('/migrate delpoy prod')).toEqual([TYPO, TYPO])
  })

  test('is the address that came with a click where the bot is no member', async () => {
    await here.open({ deps: { readStatus: async () => Promise.reject(new Error('not part of this test')) } })
    const { channel, ts } = await here.card('r_ofAnotherBot0000')
    here.workspace.setMembers(CHANNEL, [ALICE, BOB, CAROL])
    await here.workspace.as(CAROL).click({ channel, ts }, 'approve')
    expect(await here.told(CAROL)).toEqual([
      'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    ])
  })

  test('takes an answer that is longer than a message in parts, in their order', async () => {
    const lines = Array.from({ length: 150 }, (_, index) => `• line ${index} ${'and more '.repeat(5)}`.trim())
    await here.open({
      count: 3,
      workspace: { deliver: 'everywhere' },
      deps: { exportEvidence: async () => undefined, readStatus: async () => refuse('repository_unreachable', lines.join('\n')) },
    })
    here.workspace.fault({ kind: 'outage', how: 'http_500', methods: ['response_url'] })
    const parts = await here.type('/migrate status prod')
    expect(parts.length).toBeGreaterThan(1)
    const seen = parts
      .join('\n')
      .split('\n')
      .filter((line) => line.startsWith('• line'))
    expect(seen).toEqual(lines.slice(1)) // the first stands behind the target's name
  })

  test('does not stand in the store so that it could be used', async () => {
    await here.open()
    here.workspace.fault({ kind: 'outage', how: 'http_500', methods: ['response_url'], untilCleared: true })
    await here.workspace.as(ALICE).command(CHANNEL, '/migrate delpoy prod')
    const [row] = await until('it waits', async () => {
      const rows = await here.store.db.query<{ line: string }>(`select answer::text as line from lockkeeper.answer answer where tries > 0`)
      return rows.length > 0 && rows
    })
    expect(row?.line).not.toContain(here.workspace.url)
    here.workspace.clearFaults()
    expect(await here.told(ALICE)).toEqual([TYPO])
  })
})

test('nothing but the gate acknowledges, and nobody is answered past the rows', () => {
  const files = ['approvals', 'commands'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).flatMap((file) =>
      file.endsWith('.ts') ? [join(folder, file)] : [],
    ),
  )
  const past = /\.(ack|respond)\b|^(?!import).*[{,]\s*(ack|respond)\s*[,}]/m
  expect(files.length).toBeGreaterThan(50)
  // the library's own events are wrapped in one, and all that is theirs is acknowledged in the other
  expect(files.filter((file) => past.test(readFileSync(join(root, file), 'utf8'))).toSorted()).toEqual([
    'commands/admit.ts',
    'commands/bolt.ts',
  ])
})
