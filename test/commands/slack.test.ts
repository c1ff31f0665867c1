import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createBolt } from '../../commands/bolt.ts'
import { startWorkspace, type Workspace } from '../../playground/server/workspace.ts'
import { actions, button } from '../../src/slack/blocks/blocks.ts'
import { createSlack } from '../../src/slack/client/client.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { listRequests, votesOf } from '../../src/request/store.ts'
import type { Db } from '../../src/store/pool.ts'
import { createStore } from '../helpers/postgres.ts'
import { log, startReplica, type Replica } from './replica.ts'
import { ALICE, baseTarget, BOB, CAROL, createFixture, DAVE, type Store, type Fixture } from '../approvals/fixture.ts'

const CHANNEL = 'C0DEPLOYS'

let store: Store
let fixture: Fixture
let workspace: Workspace
let bot: Replica
let faults: unknown[]
/** Held look-ups end when the test says. */
let release: (() => void) | undefined
let held: Promise<void> | undefined

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())

beforeEach(async () => {
  fixture = await createFixture({
    store,
    targets: {
      prod: { ...baseTarget, askIn: ['C0PROD'] },
      staging: { ...baseTarget, approvals: { required: 2, from: ['group:S0DBA', 'user:U0DAVE'] } },
    },
  })
  fixture.slack.groups.set('S0DBA', [BOB, CAROL])
  workspace = await startWorkspace({ rateLimits: false })
  faults = []
  held = undefined
  bot = await connect()
})

afterEach(async () => {
  release?.()
  await bot.stop()
  await workspace.close()
})

const connect = (db: Db = store.db): Promise<Replica> =>
  startReplica({
    fixture,
    workspace,
    db,
    onFault: (error) => faults.push(error),
    deps: {
      lookLive: async () => null,
      commitsNotLive: async () => null,
      readStatus: async () => {
        await held
        return {
          baseline: 'present',
          applied: [{ name: 'one' }],
          pending: [{ name: 'two' }],
          failed: [],
          running: [],
          rolledBack: [],
          edited: [],
          unknown: [],
          record: [],
        }
      },
    },
  })

const said = (person: string, pattern: RegExp) =>
  workspace.waitFor(() => workspace.ephemerals(person).find((message) => pattern.test(message.text)), {
    what: `${pattern} said to ${person}`,
  })

/** It comes, or the wait for it fails. */
const expectModal = async (person: string, pattern: RegExp): Promise<void> =>
  expect(JSON.stringify((await modalOf(person, pattern)).view)).toMatch(pattern)

const modalOf = (person: string, pattern: RegExp) =>
  workspace.waitFor(
    () => {
      const modal = workspace.modal(person)
      return modal !== null && pattern.test(JSON.stringify(modal.view)) ? modal : null
    },
    { what: `a window with ${pattern} before ${person}` },
  )

/** What was done stands on the card. */
const closed = (person: string) =>
  workspace.waitFor(() => (workspace.modal(person) === null ? true : null), { what: `no window before ${person}` })

const requests = () => listRequests(store.db, { limit: 10 })

const slackOf = () => createSlack({ botToken: workspace.tokens.bot, apiUrl: workspace.apiUrl, log })

/** The buttons of a request in the channel, as its card has them. */
async function card(request: RequestRow, buttons: readonly string[] = ['approve', 'reject', 'sql', 'cancel']) {
  const blocks = [actions(...buttons.map((id) => button(id, id, request.token)))]
  const posted = await slackOf().post({ channel: CHANNEL }, { text: 'card', blocks }, `card-${request.id}`)
  if (posted.kind !== 'ok') throw new Error(posted.kind)
  return posted.value
}

describe('what is typed in Slack', () => {
  test('a deploy is written and answered to the asker alone', async () => {
    expect(await workspace.as(ALICE).command(CHANNEL, '/migrate deploy prod --ref main --reason “Friday’s launch”')).toEqual({ ok: true })
    const answer = await said(ALICE, /is asked for/)
    expect(answer.text).toBe(
      '#1 is asked for: `main` to `prod`. Its card appears in <#C0DEPLOYS> while the plan is made; <!subteam^S0DBA> or <@U0BOB> can approve it there. To take it back: `/migrate cancel 1`.',
    )
    expect(await requests()).toMatchObject([
      { target: 'prod', requester: ALICE, askedIn: CHANNEL, ask: { ref: 'main', reason: 'Friday’s launch', skipApp: false } },
    ])
    expect(workspace.messages(CHANNEL)).toEqual([])
  })

  test('a mistake is answered to the asker alone, and nothing is written', async () => {
    await workspace.as(ALICE).command(CHANNEL, '/migrate delpoy prod')
    expect((await said(ALICE, /./)).text).toBe(
      '`delpoy` is no verb that Lockkeeper knows. Nothing was started. Did you mean `deploy`? For example `/migrate deploy prod`.',
    )
    expect(await requests()).toEqual([])
  })

  test('the same delivery twice opens one request', async () => {
    workspace.deliveries.repeat('twice')
    await workspace.as(ALICE).command(CHANNEL, '/migrate deploy prod')
    await said(ALICE, /#1 is asked for/)
    expect(await requests()).toHaveLength(1)
    expect(await store.db.query(`select key from lockkeeper.seen where key like 'envelope:%'`)).toHaveLength(1)
    expect(workspace.ephemerals(ALICE).filter(({ text }) => text !== '')).toHaveLength(1)
  })

  test('what a channel does not allow is refused, and a direct message too', async () => {
    await workspace.as(ALICE).command('C0GENERAL', '/migrate deploy prod')
    expect((await said(ALICE, /may not be asked/)).text).toBe(
      '`prod` may not be asked for here. Nothing was started. Type it in <#C0DEPLOYS> or <#C0PROD>.',
    )
    expect(await requests()).toEqual([])
  })

  test.each(['U0GINA', 'U0XAVIER'])('%s, a guest or from elsewhere, is refused', async (person) => {
    await workspace.as(person).command(CHANNEL, '/migrate deploy prod')
    expect((await said(person, /./)).text).toMatch(
      /^Lockkeeper takes requests and votes from full members of this workspace only, and this is /,
    )
    expect(await requests()).toEqual([])
  })

  test('a status that takes longer is promised within a second and told afterwards', async () => {
    held = new Promise((resolve) => (release = resolve))
    const from = performance.now()
    expect(await workspace.as(ALICE).command(CHANNEL, '/migrate status prod')).toEqual({ ok: true })
    expect((await said(ALICE, /Reading/)).text).toBe('Reading. The answer follows here.')
    expect(performance.now() - from).toBeLessThan(2_000)
    release?.()
    expect((await said(ALICE, /applied/)).text).toBe(
      '*prod*: 1 applied, 1 pending.\n• Pending: `two`. To run them: `/migrate deploy prod`.\n• No run yet',
    )
  })
})

describe('while the store is away', () => {
  /** With the door's own row still written, or not even that. */
  const outages = ['wholly', 'behind the door'] as const
  let outage: (typeof outages)[number] | undefined

  const unread = /^Lockkeeper could not read or write its own records/

  beforeEach(async () => {
    outage = undefined
    await bot.stop()
    const isAway = (sql: string) => outage === 'wholly' || (outage === 'behind the door' && !sql.includes('lockkeeper.seen'))
    bot = await connect({
      ...store.db,
      query: (sql, values) => (isAway(sql) ? Promise.reject(new Error('connection refused')) : store.db.query(sql, values)),
      transaction: (work) => (outage === undefined ? store.db.transaction(work) : Promise.reject(new Error('connection refused'))),
    })
  })

  describe.each(outages)('%s', (how) => {
    test.each(['/migrate deploy prod', '/migrate status prod', '/migrate cancel 1', '/maintenance list'])(
      '%s is answered',
      async (text) => {
        outage = how
        await workspace.as(ALICE).command(CHANNEL, text)
        expect((await said(ALICE, /./)).text).toMatch(unread)
        expect(faults.length).toBeGreaterThan(0)
      },
    )

    test.each(['approve', 'reject', 'sql', 'cancel', 'acknowledge', 'queue', 'window_standby'])(
      'whoever clicks %s on a message is told',
      async (action) => {
        const container = await card(await fixture.waiting(), [
          'approve',
          'reject',
          'sql',
          'cancel',
          'acknowledge',
          'queue',
          'window_standby',
        ])
        outage = how
        await workspace.as(CAROL).click(container, action)
        // several replicas may say it at once, and a trigger opens one window
        const told = await workspace.waitFor(() => workspace.modal(CAROL) ?? workspace.ephemerals(CAROL)[0], { what: 'an answer' })
        expect('viewId' in told).toBe(how === 'wholly')
        expect(JSON.stringify(told)).toMatch(/Lockkeeper could not read or write its own records.*[Tt]ry again/)
        expect(faults.length).toBeGreaterThan(0)
      },
    )

    test('whoever clicks on Home is told over it', async () => {
      const request = await fixture.waiting()
      await slackOf().publishHome(CAROL, { type: 'home', blocks: [actions(button('Approve', 'approve', request.token))] })
      outage = how
      const home = await workspace.waitFor(() => workspace.home(CAROL), { what: 'Home' })
      await workspace.as(CAROL).click({ viewId: home.viewId }, 'approve')
      await expectModal(CAROL, /could not read or write its own records/)
    })

    test.each(['approve', 'reject', 'cancel'])('the window behind %s says it when it is sent', async (action) => {
      await workspace.as(CAROL).click(await card(await fixture.waiting()), action)
      const asked = await modalOf(CAROL, /./)
      outage = how
      await workspace.as(CAROL).submit(asked.viewId, action === 'reject' ? { reason: { reason: 'not before Monday' } } : {})
      await expectModal(CAROL, /could not read or write its own records/)
    })

    const filled = {
      '/migrate': { target: { target: 'prod' } },
      '/maintenance': {
        target: { target: 'prod' },
        when: { when: 'tomorrow 02:00' },
        length: { length: '2h' },
        reason: { reason: 'shelves' },
      },
    } as const
    test.each(['/migrate', '/maintenance'] as const)('the form behind %s says it when it is sent', async (command) => {
      await workspace.as(ALICE).command(CHANNEL, command)
      const form = await modalOf(ALICE, /./)
      outage = how
      await workspace.as(ALICE).submit(form.viewId, filled[command])
      await expectModal(ALICE, /could not read or write its own records/)
    })
  })
})

describe('the form', () => {
  test('opens with the bare command, keeps its faults under their fields and asks when it is right', async () => {
    await workspace.as(ALICE).command(CHANNEL, '/migrate')
    const form = await modalOf(ALICE, /Ask for a deploy/)
    await workspace.as(ALICE).submit(form.viewId, { target: { target: 'prod' }, ref: { ref: '../x' } })
    const wrong = await workspace.waitFor(() => {
      const modal = workspace.modal(ALICE)
      return modal !== null && Object.keys(modal.errors).length > 0 ? modal : null
    })
    expect(wrong.errors).toEqual({
      ref: '“../x” cannot be a ref: git does not take it as a name. Write a branch, a tag or a commit. Nothing was started.',
    })
    await workspace.as(ALICE).submit(form.viewId, { target: { target: 'prod' }, ref: { ref: 'main' }, reason: { reason: 'launch' } })
    await modalOf(ALICE, /#1 is asked for/)
    expect(await requests()).toMatchObject([{ target: 'prod', askedIn: CHANNEL, ask: { ref: 'main', reason: 'launch', skipApp: false } }])
  })

  test('offers the readings of a start that has two, keeps the rest, and asks for the one that is chosen', async () => {
    await workspace.as(ALICE).command(CHANNEL, '/migrate')
    const form = await modalOf(ALICE, /Ask for a deploy/)
    const fields = { target: { target: 'prod' }, ref: { ref: 'main' }, options: { options: 'skip-app' } }
    const year = new Date().getUTCFullYear() + 1
    await workspace.as(ALICE).submit(form.viewId, { ...fields, start: { start: `5.6.${year} 02:00` } })
    const choice = await modalOf(ALICE, /can be read in more than one way/)
    const options = [...JSON.stringify(choice.view).matchAll(/"value":"(\w{3} \d+ \w{3} \d{4} 02:00 UTC)"/g)].map(([, value = '']) => value)
    expect(options.map((option) => option.slice(4))).toEqual([`6 May ${year} 02:00 UTC`, `5 Jun ${year} 02:00 UTC`])
    expect(JSON.stringify(choice.view)).toContain('"initial_options"')
    expect(await requests()).toEqual([])
    // another one that is not written is not no start
    const another = { meant_1: { meant_1: 'another' } }
    await workspace.as(ALICE).submit(choice.viewId, { ...fields, ...another })
    const unchosen = await workspace.waitFor(() => workspace.modal(ALICE)?.errors['start_again_1'])
    expect(unchosen).toBe('Choose one of the times above, or write another one. To start as soon as it is approved, write “now”.')
    // asked again, in a field in which the last answer does not stand
    await workspace.as(ALICE).submit(choice.viewId, { ...fields, ...another, start_again_1: { start_again_1: `5/6/${year} 02:00` } })
    await modalOf(ALICE, /“5\/6\/\d+ 02:00” can be read in more than one way/)
    expect(await requests()).toEqual([])
    await workspace.as(ALICE).submit(choice.viewId, { ...fields, meant_2: { meant_2: options[0] ?? '' } })
    await modalOf(ALICE, /#1 is asked for/)
    expect(await requests()).toMatchObject([{ ask: { ref: 'main', skipApp: true } }])
    expect((await fixture.request(1)).notBefore?.toISOString()).toBe(`${year}-05-06T02:00:00.000Z`)
  })

  test('shows a refusal over what was filled in', async () => {
    await fixture.waiting()
    await workspace.as(ALICE).command(CHANNEL, '/migrate')
    const form = await modalOf(ALICE, /Ask for a deploy/)
    await workspace.as(ALICE).submit(form.viewId, { target: { target: 'prod' } })
    await modalOf(ALICE, /is taken by #1/)
    expect(await requests()).toHaveLength(1)
  })

  test('sent by a guest is refused and written down where a typed deploy is', async () => {
    await workspace.as('U0GINA').command(CHANNEL, '/migrate')
    const form = await modalOf('U0GINA', /Ask for a deploy/)
    await workspace.as('U0GINA').submit(form.viewId, { target: { target: 'prod' } })
    await modalOf('U0GINA', /Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest/)
    await workspace.as('U0GINA').command(CHANNEL, '/migrate deploy prod')
    await said('U0GINA', /full members/)
    // that the form was opened is written while it is being filled in
    await expect
      .poll(async () => (await fixture.audited()).toSorted())
      .toEqual(['U0GINA deploy not_a_member', 'U0GINA deploy not_a_member', 'U0GINA form allowed'])
    expect(await requests()).toEqual([])
  })
})

describe('the buttons', () => {
  test('Approve asks for certainty and then counts; the second vote grants', async () => {
    const request = await fixture.waiting({ target: 'staging' })
    const container = await card(request)
    for (const person of [CAROL, BOB]) {
      await workspace.as(person).click(container, 'approve')
      const asked = await modalOf(person, /Approve #1/)
      await workspace.as(person).submit(asked.viewId)
      await closed(person)
    }
    expect((await fixture.request(request.id)).state).toBe('granted')
    expect(await votesOf(store.db, request.id)).toHaveLength(2)
  })

  test('Reject wants a reason, and is final', async () => {
    const request = await fixture.waiting()
    const container = await card(request)
    await workspace.as(CAROL).click(container, 'reject')
    const asked = await modalOf(CAROL, /Reject #1/)
    await workspace.as(CAROL).submit(asked.viewId, { reason: { reason: 'not before Monday' } })
    await closed(CAROL)
    await workspace.as(BOB).click(container, 'approve')
    expect((await said(BOB, /./)).text).toMatch(/^#1 was rejected by <@U0CAROL> .*: “not before Monday”\. Your click changed nothing\.$/)
  })

  test('the requester is told at once that somebody else has to approve', async () => {
    const container = await card(await fixture.waiting())
    await workspace.as(ALICE).click(container, 'approve')
    expect((await said(ALICE, /./)).text).toBe(
      'You asked for #1 yourself, so somebody else has to approve it: one of <!subteam^S0DBA> or <@U0BOB> is needed.',
    )
  })

  test('a stranger is refused when it is sent', async () => {
    const request = await fixture.waiting()
    await workspace.as(DAVE).click(await card(request), 'approve')
    const asked = await modalOf(DAVE, /Approve #1/)
    await workspace.as(DAVE).submit(asked.viewId)
    await modalOf(DAVE, /You are not\. Nothing was changed\./)
    expect((await fixture.request(request.id)).state).toBe('waiting')
  })

  test('a plan that changed behind the window is not approved by it', async () => {
    const request = await fixture.waiting()
    await workspace.as(CAROL).click(await card(request), 'approve')
    const asked = await modalOf(CAROL, /Approve #1/)
    await store.db.query('update lockkeeper.request set digest = $1', ['0'.repeat(64)])
    await workspace.as(CAROL).submit(asked.viewId)
    await modalOf(CAROL, /The plan of #1 has changed since this was shown/)
    expect((await fixture.request(request.id)).state).toBe('waiting')
  })

  test('the SQL is shown as it is in the commit', async () => {
    await workspace.as(DAVE).click(await card(await fixture.waiting()), 'sql')
    expect((await modalOf(DAVE, /CREATE TABLE discounts \(\);/)).view['title']).toMatchObject({ text: 'SQL of #1' })
  })

  test('Cancel says what it means before it does it', async () => {
    const request = await fixture.waiting()
    await workspace.as(ALICE).click(await card(request), 'cancel')
    const asked = await modalOf(ALICE, /It has not started, so nothing was changed and nothing will be/)
    await workspace.as(ALICE).submit(asked.viewId)
    await closed(ALICE)
    expect((await fixture.request(request.id)).state).toBe('cancelled')
  })

  test('one that belongs to no request says so', async () => {
    const container = await card({ ...(await fixture.waiting()), token: 'r_ofAnotherBot0000' })
    await workspace.as(CAROL).click(container, 'approve')
    expect((await said(CAROL, /./)).text).toBe(
      'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.',
    )
  })

  test('Home is drawn when it is opened', async () => {
    await workspace.as(ALICE).home()
    const home = await workspace.waitFor(() => workspace.home(ALICE))
    expect(JSON.stringify(home.view)).toContain('Nothing waits for you.')
  })
})

describe('signed HTTP', () => {
  test('is answered once for a signature, and never for a wrong, old, future or doubled one', async () => {
    const secret = workspace.tokens.signingSecret
    const now = Math.floor(Date.now() / 1000)
    const http = await startReplica({
      fixture,
      workspace,
      db: store.db,
      onFault: (error) => faults.push(error),
      bolt: { mode: 'http', clock: { now: () => now * 1000 } }, // 301 s ahead stays 301 s ahead
      deps: { slackApp: null },
    })
    const { port } = http
    try {
      const body = new URLSearchParams({
        command: '/migrate',
        text: 'deploy prod',
        user_id: ALICE,
        team_id: 'T0HARBOR',
        channel_id: CHANNEL,
        channel_name: 'deploys',
        trigger_id: '1.2',
        api_app_id: 'A',
        response_url: `${workspace.url}/response/unknown`,
      }).toString()
      const signed = (timestamp: number, key = secret) => [
        ['content-type', 'application/x-www-form-urlencoded'],
        ['x-slack-request-timestamp', String(timestamp)],
        ['x-slack-signature', `v0=${createHmac('sha256', key).update(`v0:${timestamp}:${body}`).digest('hex')}`],
      ]
      const send = (headers: readonly (readonly string[])[], sent = body) =>
        fetch(`http://127.0.0.1:${port}/slack/events`, {
          method: 'POST',
          body: sent,
          headers: headers.map(([name, value]) => [name ?? '', value ?? ''] as [string, string]),
        }).then((response) => response.status)
      expect(await send(signed(now, 'another secret'))).toBe(401)
      expect(await send(signed(now - 301))).toBe(401)
      expect(await send(signed(now + 301))).toBe(401)
      expect(await send(signed(now).slice(0, 2))).toBe(401)
      expect(await send([...signed(now), ['x-slack-signature', 'v0=00']])).toBe(401)
      expect(await send(signed(now), `${body}&ssl_check=1`)).toBe(401) // other bytes than those that were signed
      expect(await send([...signed(now).slice(0, 2), ['x-slack-signature', 'v1=00']])).toBe(401)
      expect(await requests()).toEqual([])
      expect(await send(signed(now))).toBe(200)
      expect(await send(signed(now))).toBe(200)
      await expect.poll(requests).toHaveLength(1)
      const elsewhere = body.replace('T0HARBOR', 'T0OTHER').replace('1.2', '1.3')
      const signature = `v0=${createHmac('sha256', secret).update(`v0:${now}:${elsewhere}`).digest('hex')}`
      expect(await send([...signed(now).slice(0, 2), ['x-slack-signature', signature]], elsewhere)).toBe(200)
      expect(await requests()).toHaveLength(1)
    } finally {
      await http.stop()
    }
  })

  test('does not start without a signing secret', () => {
    expect(() =>
      createBolt({
        mode: 'http',
        botToken: 'x',
        botUser: 'U',
        signingSecret: '',
        port: 0,
        host: '127.0.0.1',
        clock: { now: Date.now },
        log,
      }),
    ).toThrow('HTTP mode needs SLACK_SIGNING_SECRET')
  })
})
