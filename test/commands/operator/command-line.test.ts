import { spawn, type ChildProcess } from 'node:child_process'
import { userInfo } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore, type Db } from '../../../src/store/pool.ts'
import { until } from '../../helpers/until.ts'
import { installCommand, toolEnvironment } from '../../helpers/sample.ts'
import { BIN } from './lockkeeper.ts'
import { createFixture, type Fixture } from './fixture.ts'

/** One bot and one store; the person at the machine is Bob in the configuration, who may approve and has asked for nothing. */
const login = `os:${userInfo().username}`
let fixture: Fixture
let store: Db
let bot: ChildProcess
let log = ''

beforeAll(async () => {
  fixture = await createFixture()
  await fixture.configure(
    {
      source: { repository: fixture.repository, install: [...installCommand] },
      tool: { prisma: { env: { ...toolEnvironment } } },
      approvals: { from: ['user:U0BOB', 'user:U0CAROL'], required: 1 },
      breakGlass: { from: ['user:U0BOB'] },
    },
    { people: { [login]: 'U0BOB' } },
  )
  store = openStore(fixture.storeUrl, () => {})
  bot = spawn(BIN, [], { cwd: fixture.directory, env: { PATH: process.env.PATH, HOME: process.env.HOME, ...fixture.env } })
  bot.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')))
  bot.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')))
  await until('the bot is up', () => log.includes('Lockkeeper is up'))
})

afterAll(async () => {
  fixture.slack.clearFaults()
  const ended = new Promise((done) => bot.once('close', done))
  bot.kill('SIGTERM')
  await ended
  await store.close()
  await fixture.close()
})

test('status, plan and history answer as they do in Slack', async () => {
  const status = await fixture.run(['status', 'prod'])
  expect({ code: status.code, err: status.err }).toEqual({ code: 0, err: '' })
  expect(status.out).toContain('20261118102000_create_discounts')
  const plan = await fixture.run(['plan', 'prod'])
  expect({ code: plan.code, err: plan.err }).toEqual({ code: 0, err: '' })
  expect(plan.out).toContain('20261120084500_index_orders_discount')
  expect(await fixture.run(['history'])).toEqual({
    code: 0,
    out: 'Nothing was asked for yet. Begin with `lockkeeper plan prod`.\n',
    err: '',
  })
})

test('a slip of the finger is answered with the nearest word, with code 2', async () => {
  const { code, out, err } = await fixture.run(['staus'])
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toBe(
    '`staus` is no verb that Lockkeeper knows. Nothing was started. Did you mean `status`? For example `lockkeeper status`.\n',
  )
})

test('a maintenance window is planned, listed, moved and cancelled at the machine, and announced in Slack', async () => {
  const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
  const said = async (...words: string[]) => {
    const { code, out, err } = await fixture.run(['maintenance', ...words])
    const dates = /[A-Z][a-z]{2} \d{1,2} [A-Z][a-z]{2}(?: \d{4})? (\d\d:\d\d)/g
    const examples = /`[A-Z][a-z]{2} 02:00` or `\d{4}-\d\d-\d\d/g
    return `${code}: ${(out + err)
      .replace(/, in \d+ d( \d+ h)?\)/g, ', in {away})')
      .replace(dates, '{day} $1')
      .replace(examples, '`{weekday} 02:00` or `{date}')}`
  }
  expect(await said('schedule', 'prod', `${day(60)} 02:00`, '2h', 'drop legacy columns', '--work', 'one migration')).toMatchInlineSnapshot(`
    "0: Window #1 of \`prod\` is scheduled: {day} 02:00 UTC to {day} 04:00 UTC ({day} 02:00 to 04:00 UTC, in {away}), for 2 h. It is announced in C0DEPLOYS. To move it: \`lockkeeper maintenance reschedule 1 "<when>"\`.
    "
  `)
  const announced = () => fixture.slack.state().messages.filter(({ channel, threadTs }) => channel === 'C0DEPLOYS' && threadTs === null)
  await until('it is announced', () => announced().some(({ text }) => text.startsWith('Maintenance')))
  expect(await said('list')).toMatchInlineSnapshot(`
    "0: Maintenance ahead
    • #1 \`prod\` {day} 02:00 UTC to {day} 04:00 UTC ({day} 02:00 to 04:00 UTC) · drop legacy columns
    Details: \`lockkeeper maintenance show 1\`
    "
  `)
  expect(await said('reschedule', '1', day(61), '02:00')).toMatchInlineSnapshot(`
    "0: Window #1 is moved to {day} 02:00 UTC to {day} 04:00 UTC ({day} 02:00 to 04:00 UTC, in {away}). What was announced for the old time is withdrawn.
    "
  `)
  expect(await said('schedule', 'prod', 'every second', '2h')).toMatchInlineSnapshot(`
    "2: \`every second\` is not a time that can be read, or not a day of the calendar. Write for example \`{weekday} 02:00\` or \`{date} 02:00 UTC\`. The whole command: \`lockkeeper maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`
    "
  `)
  expect(await said('cancel', '1', 'not this year')).toMatchInlineSnapshot(`
    "0: Window #1 is cancelled. Everybody who was told of it is told that, once; what was still to be announced is withdrawn.
    "
  `)
  expect(await said('list')).toMatchInlineSnapshot(`
    "0: No maintenance is planned. To plan one: \`lockkeeper maintenance schedule prod "Tue 02:00" 2h "drop legacy columns"\`
    "
  `)
  await until('and that is told', () => announced().some(({ text }) => text.includes('cancelled')))
})

test('what is asked for at the machine is taken up by the running bot, and shown and cancelled at the machine', async () => {
  const asked = await fixture.run(['deploy', 'prod', '--reason', 'from the machine'])
  expect({ code: asked.code, err: asked.err }).toEqual({ code: 0, err: '' })
  const id = await waiting()
  expect(cardsOf(id)).toHaveLength(1)
  const shown = await fixture.run(['show', String(id)])
  expect(shown.out).toContain('from the machine')
  const cancelled = await fixture.run(['cancel', String(id)])
  expect({ code: cancelled.code, err: cancelled.err }).toEqual({ code: 0, err: '' })
  expect(await stateOf(id)).toBe('cancelled')
})

test('while Slack answers, votes belong there; when it does not, a named person decides at the machine', async () => {
  await fixture.slack.as('U0ALICE').command('C0DEPLOYS', '/migrate deploy prod')
  const id = await waiting()
  const shown = await fixture.run(['approve', String(id)])
  const digest = /--digest ([0-9a-f]{8})/.exec(shown.err)?.[1] ?? ''
  expect(shown.err).toContain('Nothing was decided yet.')
  const early = await fixture.run(['approve', String(id), '--digest', digest])
  expect({ code: early.code, text: early.err }).toEqual({
    code: 1,
    text: `Slack can be reached, so #${id} is decided there, by the buttons of its card. The command line counts votes only while Slack cannot be reached. Nothing was changed.\n`,
  })
  fixture.slack.fault({ kind: 'outage', how: 'connection_cut', untilCleared: true })
  const wrong = await fixture.run(['approve', String(id), '--digest', '00000000'])
  expect(wrong.code).toBe(1)
  const rejected = await fixture.run(['reject', String(id), '--digest', digest, '--reason', 'not before Monday'])
  expect({ code: rejected.code, out: rejected.out, err: rejected.err }).toEqual({
    code: 0,
    out: `You rejected #${id}. Nothing was changed, and \`prod\` is free.\n3 migrations: \`20261118102000_create_discounts\`, \`20261119093000_add_orders_discount_id\`, \`20261120084500_index_orders_discount\`\n`,
    err: '',
  })
  expect(await stateOf(id)).toBe('rejected')
  fixture.slack.clearFaults()
})

test('break-glass is asked for at the machine with a reason, read there, and belongs to Slack while Slack answers', async () => {
  expect(await fixture.run(['deploy', 'prod', '--break-glass'])).toEqual({
    code: 2,
    out: '',
    err: 'Breaking the glass needs a reason, which everybody reads. Nothing was started. Say in a sentence what cannot wait, for example `--reason "checkout is down, the index is missing"`.\n',
  })
  const asked = await fixture.run(['deploy', 'prod', '--break-glass', '--reason', 'Checkout is down'])
  const id = await waiting()
  expect(asked).toEqual({
    code: 0,
    out: `#${id} is asked for with break-glass: \`main\` to \`prod\`. Nothing runs yet. Its card appears in C0DEPLOYS while the plan is made; read the plan there and press Break the glass, or read it here with \`lockkeeper break-glass ${id}\` while Slack cannot be reached. To take it back: \`lockkeeper cancel ${id}\`.\n`,
    err: '',
  })
  const shown = await fixture.run(['break-glass', String(id)])
  expect(shown.err).toContain('Break-glass was asked for by ')
  const [, how = '', digest = ''] =
    /To decide about exactly this: `(lockkeeper break-glass \d+ --digest ([0-9a-f]{8}))`/.exec(shown.err) ?? []
  expect(how).toBe(`lockkeeper break-glass ${id} --digest ${digest}`)
  expect(await fixture.run(['break-glass', String(id), '--digest', digest])).toEqual({
    code: 1,
    out: '',
    err: `Slack can be reached, so the glass of #${id} is broken there, on its card. The command line does it only while Slack cannot be reached. Nothing was started.\n`,
  })
})

test('while Slack does not answer, whoever is named for it breaks the glass of exactly what he read', async () => {
  const id = await waiting()
  const [row] = await store.query<{ digest: string }>('select digest from lockkeeper.request where id = $1', [id])
  const digest = row?.digest.slice(0, 8) ?? ''
  fixture.slack.fault({ kind: 'outage', how: 'connection_cut', untilCleared: true })
  expect((await fixture.run(['break-glass', String(id), '--digest', '00000000'])).err).toContain(
    `The plan of #${id} has changed since this was shown`,
  )
  expect(await stateOf(id)).toBe('waiting')
  expect(await fixture.run(['break-glass', String(id), '--digest', digest])).toEqual({
    code: 0,
    out: `You broke the glass of #${id}. The run starts now, everybody who may approve is told, and U0BOB or U0CAROL must review it afterwards.\n3 migrations: \`20261118102000_create_discounts\`, \`20261119093000_add_orders_discount_id\`, \`20261120084500_index_orders_discount\`\n`,
    err: '',
  })
  await until(
    'the run has started',
    async () => (await store.query('select 1 from lockkeeper.request where id = $1 and started_at is not null', [id])).length > 0,
  )
  expect((await fixture.run(['cancel', String(id)])).code).toBe(0)
  await until('the run has ended', async () => (await stateOf(id)) === 'cancelled')
  fixture.slack.clearFaults()
  expect((await fixture.run(['status', 'prod'])).out).toContain('BREAK GLASS, not reviewed')
})

test('a login that the configuration does not name is nobody', async () => {
  await fixture.configure()
  const { code, out, err } = await fixture.run(['deploy', 'prod'])
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toBe(
    `The login \`${userInfo().username}\` belongs to nobody that Lockkeeper knows. Nothing was changed. Add \`${login}: U…\` under \`people\` in lockkeeper.yaml, with the person's Slack user id.\n`,
  )
})

/** The newest request, once people can decide about it and its card is there. */
async function waiting(): Promise<number> {
  return until('a request waits', async () => {
    const [row] = await store.query<{ id: number }>(`select id from lockkeeper.request where state = 'waiting' order by id desc limit 1`)
    return row !== undefined && cardsOf(row.id).length > 0 && row.id
  })
}

const cardsOf = (id: number) =>
  fixture.slack.messages('C0DEPLOYS').filter((message) => message.threadTs === null && JSON.stringify(message).includes(`#${id}`))

const stateOf = async (id: number) =>
  (await store.query<{ state: string }>('select state from lockkeeper.request where id = $1', [id]))[0]?.state
