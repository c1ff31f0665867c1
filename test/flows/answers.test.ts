import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { launchBots, type Bot, type Bots } from '../helpers/bots.ts'
import { CHANNEL, startFlow, steady, textOf, type Flow } from '../helpers/flow.ts'
import { placesOf } from '../helpers/secrets.ts'
import { until } from '../helpers/until.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

let flow: Flow
let bots: Bots
let others: readonly Bot[]

beforeAll(async () => {
  flow = await startFlow({
    pending: 0,
    target: () => ({ approvals: { required: 2, from: ['group:S0DBA'] } }),
    workspace: { deliver: 'everywhere' },
    launch: launchBots({ LOCKKEEPER_FAULT: 'before-answer:deploy' }, (received) => (bots = received)),
  })
  others = [await bots.start(), await bots.start()]
})
afterAll(() => flow?.close())

/** What somebody does reaches the bot that dies of it first; the other two hear of it when it is dead. */
async function firstToThe(dying: Bot, act: () => Promise<unknown>): Promise<void> {
  for (const bot of others) bot.freeze()
  const done = act()
  await dying.gone()
  for (const bot of others) bot.thaw()
  await done
}

const given = () =>
  until('every answer is given', async () => {
    const [open] = await flow.store.query<{ count: number }>(
      `select count(*)::int as count from lockkeeper.answer where state in ('taken', 'due')`,
    )
    return open?.count === 0
  })

const told = async (person: string): Promise<readonly string[]> => {
  await given()
  return flow.slack.ephemerals(person).map(({ text }) => steady(text, flow.directory))
}

test('one that dies between deciding and answering leaves the answer to the others', async () => {
  await firstToThe(bots.all()[0]!, () => flow.type('deploy prod'))
  expect(await told('U0ALICE')).toEqual([
    '#1 is asked for: `main` to `prod`. Its card appears in <#C0DEPLOYS> while the plan is made; <!subteam^S0DBA> can approve it there. To take it back: `/migrate cancel 1`.',
  ])
  await flow.reaches(1, 'waiting')
})

test('one that dies before it decides has done nothing, and that is said', async () => {
  const dying = await bots.start({ LOCKKEEPER_FAULT: 'after-take' })
  const before = await told('U0ALICE')
  await firstToThe(dying, () => flow.type('cancel 1'))
  expect((await told('U0ALICE')).slice(before.length)).toEqual([
    'Lockkeeper broke off before it had answered `/migrate cancel`, so nothing was started or changed by it. Type it again.',
  ])
  await flow.reaches(1, 'waiting')
})

test('one that dies after it sent the evidence says where that would be, and it is there', async () => {
  const dying = await bots.start({ LOCKKEEPER_FAULT: 'before-answer:export' })
  const before = await told('U0ALICE')
  await firstToThe(dying, () => flow.type('Export 1'))
  // on a slow machine it says first that it reads
  const said = (await told('U0ALICE')).slice(before.length).filter((text) => !text.startsWith('Reading the records, '))
  expect(said).toEqual([
    'Lockkeeper broke off before it had answered `/migrate export 1`. The evidence of #1 is two files, a page and a signed document. If both stand in the thread of its card or in your direct messages with Lockkeeper, you have it; if not, type it again. Nothing else was started or changed by it.',
  ])
  const { channel, ts } = await card()
  const files = flow.slack.thread(channel, ts).flatMap((message) => message.files.map(({ name }) => name))
  expect(files.filter((name) => name.startsWith('evidence-')).map((name) => name.replace(/\d{8}T\d{6}Z/, '{time}'))).toEqual([
    'evidence-1-prod-{time}.html',
    'evidence-1-prod-{time}.json',
  ])
})

const card = () => until('its card is there', () => flow.slack.messages(CHANNEL).find((message) => textOf(message).includes('#1')))

test('nor does a click get lost with it', async () => {
  const { channel, ts } = await card()
  const dying = await bots.start({ LOCKKEEPER_FAULT: 'after-take' })
  await firstToThe(dying, () => flow.slack.as('U0DAVE').click({ channel, ts }, 'approve'))
  expect(await told('U0DAVE')).toEqual([
    'Lockkeeper broke off before it had answered your click, so nothing was changed by it. Click again.',
  ])
})

test.each([
  [
    'in-vote',
    'U0BOB',
    0,
    'Lockkeeper broke off before it had answered what you sent, so nothing was started or changed by it. Open it again and send it again.',
  ],
  ['after-vote', 'U0CAROL', 1, 'the window closed'],
] as const)('one that dies %s leaves a window that says what holds', async (fault, person, votes, seen) => {
  const { channel, ts } = await card()
  await flow.slack.as(person).click({ channel, ts }, 'approve')
  const asked = await until('its window opens', () => flow.slack.modal(person) ?? undefined)
  const dying = await bots.start({ LOCKKEEPER_FAULT: fault })
  await firstToThe(dying, () => flow.slack.as(person).submit(asked.viewId))
  await given()
  const left = flow.slack.modal(person)
  expect(left === null ? 'the window closed' : textOf(left.view)).toContain(seen)
  expect(await flow.store.query('select 1 from lockkeeper.vote where actor = $1', [person])).toHaveLength(votes)
})

test('where there is only one, its next start says what holds', async () => {
  await bots.close()
  const dying = await bots.start({ LOCKKEEPER_FAULT: 'before-answer:deploy' })
  const before = await told('U0ALICE')
  await flow.type('deploy prod')
  await dying.gone()
  await bots.start()
  expect((await told('U0ALICE')).slice(before.length)).toEqual([
    'Lockkeeper broke off before it had answered `/migrate deploy`, so nothing was started or changed by it. Type it again.',
  ])
})

test('an address that leads to a person stands in no row, log line, file or message', async () => {
  const responseUrls = `${flow.slack.url}/response/`
  expect(flow.slack.deliveries.log.filter(({ payload }) => String(payload['response_url']).startsWith(responseUrls))).not.toEqual([])
  expect(await placesOf(flow, [responseUrls])).toEqual([])
})
