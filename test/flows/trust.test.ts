import { afterEach, expect, test } from 'vitest'
import { userInfo } from 'node:os'
import { openStore } from '../../src/store/pool.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { actions, button } from '../../src/slack/blocks/blocks.ts'
import { createSlack } from '../../src/slack/client/client.ts'
import { CHANNEL, startFlow, textOf, type Flow } from '../helpers/flow.ts'
import { launchBots, type Bots } from '../helpers/bots.ts'
import { onServer } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'
import { lockkeeper } from '../commands/operator/lockkeeper.ts'

/** What the record itself says cannot be believed: nothing runs, it is said, and an operator decides. */
let flow: Flow
afterEach(() => flow.close())

const cli = (...words: readonly string[]) => lockkeeper(['--config', flow.configPath, ...words], { cwd: flow.directory, env: flow.env })

async function applied(): Promise<number> {
  const target = openStore(flow.database.url, () => {})
  try {
    const [row] = await target.query<{ applied: number }>(
      'select count(*)::int as applied from _prisma_migrations where finished_at is not null',
    )
    return row?.applied ?? 0
  } finally {
    await target.close()
  }
}

const headline = async (id: number) => (await flow.reaches(id, ['refused', 'needs_human', 'failed'])).outcome?.headline

const short = (text: string | undefined) => text?.replace(/`[0-9a-f]{8}`/g, '`{store}`').replace(/\b\d{1,4}\b(?= of it|, and)/g, '{n}')

test(
  'a changed audit row is noticed, said everywhere, and nothing runs until an operator has accepted it',
  { timeout: 120_000 },
  async () => {
    flow = await startFlow({ people: { [`os:${userInfo().username}`]: 'U0BOB' } })
    const waiting = await flow.ask()
    const before = await applied()
    await flow.store.query('alter table lockkeeper.audit disable trigger user')
    await flow.store.query(`update lockkeeper.audit set actor = 'U0CAROL' where seq = 2`)
    for (const name of ['audit_chain', 'audit_guard', 'audit_guard_all', 'audit_new'])
      await flow.store.query(`alter table lockkeeper.audit enable always trigger ${name}`)
    // what was verified before is read again at the start
    await flow.stop()
    await flow.start()
    await until('the whole log was read', () => flow.log().includes('The audit log is broken at row 2'))
    const sentence =
      'The audit log is broken at row 2: it was changed after it was written. Nothing starts until an operator has looked into it. On the machine, `lockkeeper audit verify` shows it, and `lockkeeper audit accept --reason "…"` lets runs start again.'
    await flow.approve(waiting.id)
    expect(await headline(waiting.id)).toContain('The audit log is broken at row 2')
    expect(await flow.answer('deploy prod')).toBe(sentence)
    expect(await flow.answer('status prod')).toContain(`*No run starts now.* ${sentence}`)
    expect(await applied()).toBe(before)

    const verified = await cli('audit', 'verify')
    expect(verified.code).toBe(1)
    expect(verified.err).toContain('The audit log is broken at row 2: it was changed after it was written.')
    const [, ...around] = /lockkeeper (audit) (list) (--before) (\d+)/.exec(verified.err) ?? []
    expect((await cli(...around)).out).toMatch(/^ *2 /m)
    expect((await cli('audit', 'accept')).code).toBe(2)
    const accepted = await cli('audit', 'accept', '--reason', 'a column was corrected by hand, ticket 77')
    expect([accepted.code, accepted.err]).toEqual([0, ''])
    expect(accepted.out).toContain('Accepted: row 2, it was changed after it was written')
    expect((await cli('audit', 'verify')).out).toContain('1 break was looked into and accepted by an operator')
    const next = await flow.ask()
    await flow.approve(next.id)
    await flow.reaches(next.id, 'succeeded')
    expect(await applied()).toBe(before + 3)
  },
)

test('a store that was restored from before a run runs nothing twice, and says what it is', { timeout: 180_000 }, async () => {
  let bots: Bots | undefined
  // it dies with everything decided and nothing begun: the state that the copy keeps
  flow = await startFlow({ launch: launchBots({ LOCKKEEPER_FAULT: 'before-claim' }, (made) => (bots = made)) })
  const name = new URL(flow.env['STORE_URL'] ?? '').pathname.slice(1)
  const { id } = await flow.ask()
  const before = await applied()
  // whoever clicked may get no answer from a process that dies
  const clicked = flow.approve(id).then(
    () => 'answered',
    () => 'not answered',
  )
  expect(await bots?.all()[0]?.gone()).toBe('SIGKILL')
  expect(['answered', 'not answered']).toContain(await clicked)
  expect((await flow.reaches(id, 'granted')).startedAt).toBeNull()
  await onServer(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
  await onServer(`create database "${name}_yesterday" template "${name}"`)
  try {
    await flow.start()
    await flow.reaches(id, 'succeeded')
    await flow.drawn(id)
    await flow.stop()
    expect(await applied()).toBe(before + 3)
    const drawn = flow.cardText(id)

    await onServer(`drop database "${name}" with (force)`)
    await onServer(`create database "${name}" template "${name}_yesterday"`)
    await flow.start()
    const sentence =
      'It looks restored from an older copy, so what ran since is missing in it. Nothing starts until an operator has compared it with the targets. On the machine, `lockkeeper audit accept --reason "…"` lets runs start again.'
    expect(flow.log()).toContain('It looks restored from an older copy')
    const refused = await flow.reaches(id, 'refused')
    expect(refused.outcome?.headline).toMatch(
      /^\*?(The store ends at audit row \d+, and this machine has seen row|Audit row \d+ of the store is another)/,
    )
    expect(refused.startedAt).toBeNull()
    expect(await flow.answer('status prod')).toContain(sentence)
    expect(await flow.answer('deploy prod')).toContain(sentence)
    expect(await applied()).toBe(before + 3)
    expect(drawn).toContain('3 migrations applied')

    const accepted = await cli('audit', 'accept', '--reason', 'compared with production: run 1 had succeeded')
    expect([accepted.code, accepted.err]).toEqual([0, ''])
    const next = await flow.ask()
    expect(next.plan?.list).toEqual([]) // what was applied meanwhile is no longer pending
  } finally {
    await flow.stop()
    await onServer(`drop database if exists "${name}_yesterday" with (force)`)
  }
})

test(
  'a second bot with the same token and another store is noticed: nothing runs, and its cards are told from ours',
  { timeout: 120_000 },
  async () => {
    flow = await startFlow()
    const other = createSlack({
      botToken: flow.slack.tokens.bot,
      apiUrl: flow.slack.apiUrl,
      log: createLog(createRedactor([]), 'silent'),
      store: '11111111-2222-4333-8444-555555555555',
    })
    const { id } = await flow.ask()
    const before = await applied()
    const posted = await other.post(
      { channel: CHANNEL },
      { text: 'a card', blocks: [actions(button('Approve', 'approve', 'r_OfAnotherStore1'))] },
      'lk_x',
    )
    if (posted.kind !== 'ok') throw new Error(posted.kind)
    await flow.approve(id)
    const sentence =
      /^Another Lockkeeper with the same Slack token and another store \(`\{plan\}`\) posted in #?.*\. Neither knows what the other runs, so nothing starts here\. Stop one of them\. If this one is to go on, type `lockkeeper store take-over --reason "…"` on its machine\.$/
    expect(short(await headline(id))).toContain(
      'Another Lockkeeper with the same Slack token and another store (`{store}`) posted in <#C0DEPLOYS>',
    )
    expect(await flow.answer('deploy prod')).toMatch(sentence)
    expect(await applied()).toBe(before)

    const said = flow.slack.ephemerals('U0BOB').length
    await flow.slack.as('U0BOB').click({ channel: posted.value.channel, ts: posted.value.ts }, 'approve')
    const told = await flow.slack.waitFor(() => flow.slack.ephemerals('U0BOB')[said])
    expect(short(textOf(told) || told.text)).toBe(
      'This message is from another Lockkeeper with the same Slack token and another store (`{store}`). This one (`{store}`) knows nothing of that request. Nothing was changed. Whoever operates Lockkeeper has to stop one of them.',
    )

    const taken = await cli('store', 'take-over', '--reason', 'the old machine is switched off')
    expect([taken.code, taken.err]).toEqual([0, ''])
    expect(taken.out).toContain('goes on, and what 11111111 posted until now belongs to the past. Runs start again.')
    await until('it may run again', async () => !(await flow.answer('status prod')).includes('No run starts now'), 90_000)
    const next = await flow.ask()
    await flow.approve(next.id)
    await flow.reaches(next.id, 'succeeded')
  },
)
