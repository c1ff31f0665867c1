import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { commitTo, git } from '../helpers/sample.ts'
import { applied, holding, query } from '../helpers/target.ts'

/** A whole run starts a dozen real programs; two of them on a busy machine take longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    targets: {
      brief: { target: () => ({ approvals: { required: 1, from: ['group:S0DBA'], expires: '2s' } }) },
      granted: { target: () => ({ approvals: { required: 1, from: ['group:S0DBA'], grantExpires: '500ms' } }) },
      pair: { pending: 1, target: () => ({ approvals: { required: 2, from: ['group:S0DBA'] } }) },
      moved: { pending: 1 },
      hand: { pending: 2 },
      rewritten: { pending: 1 },
      ahead: { pending: 0 },
      configured: { pending: 0 },
    },
  })
})
afterAll(() => flow?.close())

test('a rejection ends the request with its reason, and the target is free again', async () => {
  const request = await flow.ask('deploy prod')
  expect(await flow.press(request.id, 'reject', 'U0BOB')).toMatchInlineSnapshot()
  expect(await flow.reject(request.id, 'Not before the launch on Friday')).toMatchInlineSnapshot()
  await flow.reaches(request.id, 'rejected')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(flow.thread(request.id)).toMatchInlineSnapshot()
  const next = await flow.ask('deploy prod')
  await flow.answer(`cancel ${next.id}`)
  await flow.reaches(next.id, 'cancelled')
})

test('a rejection needs a reason', async () => {
  const request = await flow.ask('deploy prod')
  const message = flow.card(request.id)
  await flow.slack.as('U0BOB').click({ channel: message.channel, ts: message.ts }, 'reject')
  const modal = await flow.slack.waitFor(() => flow.slack.modal('U0BOB'))
  await flow.slack.as('U0BOB').submit(modal.viewId, { reason: { reason: '   ' } })
  expect(flow.slack.modal('U0BOB')?.errors).toMatchInlineSnapshot()
  await flow.slack.as('U0BOB').close(modal.viewId)
  await flow.answer(`cancel ${request.id}`)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(flow.thread(request.id)).toMatchInlineSnapshot()
})

test('a request that nobody decides expires, and a late click changes nothing', async () => {
  const request = await flow.ask('deploy brief')
  const message = flow.card(request.id)
  await flow.reaches(request.id, 'expired')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(flow.thread(request.id)).toMatchInlineSnapshot()
  const said = flow.slack.ephemerals('U0BOB').length
  await flow.slack.as('U0BOB').click({ channel: message.channel, ts: message.ts }, 'approve', { stale: { value: request.token } })
  await flow.slack.waitFor(() => flow.slack.ephemerals('U0BOB').length > said)
  expect(flow.slack.ephemerals('U0BOB').at(-1)?.text.replace(/<!date[^>]*>/, '{time}')).toMatchInlineSnapshot()
})

test('an approval that is not used in time ends, and nothing runs', async () => {
  const request = await flow.ask('deploy granted')
  // what is applied cannot be read for a while, so the run cannot start at once
  const blocker = await holding(flow.behind('granted').database.url, 'lock table _prisma_migrations in access exclusive mode', 'psql')
  await flow.approve(request.id)
  await flow.reaches(request.id, ['expired', 'refused'])
  await blocker.release()
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(flow.thread(request.id)).toMatchInlineSnapshot()
})

test('of two who approve at once where one is needed, one starts the run and the other is told so', async () => {
  const request = await flow.ask('deploy moved')
  const said = await Promise.all([flow.approve(request.id, 'U0BOB'), flow.approve(request.id, 'U0CAROL')])
  expect(said.toSorted()).toMatchInlineSnapshot()
  await flow.reaches(request.id, 'succeeded')
  const starts = await flow.store.query(`select 1 from lockkeeper.event where request_id = $1 and kind = 'started'`, [request.id])
  expect(starts).toHaveLength(1)
})

test('where two are needed, the first waits for the second, and the run starts once', async () => {
  const request = await flow.ask('deploy pair')
  const said = await Promise.all([flow.approve(request.id, 'U0BOB'), flow.approve(request.id, 'U0CAROL')])
  expect(said.toSorted()).toMatchInlineSnapshot()
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.thread(request.id).slice(0, 5).map((post) => post.replace(/U0(BOB|CAROL)/g, 'U0…'))).toMatchInlineSnapshot()
  expect(await applied(flow.behind('pair').database.url)).toContain('20261120084500_index_orders_discount')
})

test('a branch that moved on changes nothing; a rewritten one voids the votes, and the new plan is approved and runs', async () => {
  const { repository, live } = flow.behind('rewritten')
  const request = await flow.ask('deploy rewritten')
  await git(repository, ['update-ref', 'refs/heads/main', `${request.plan?.commit}~2`])
  const head = await commitTo(repository, { files: { 'README.md': 'The shop, told anew\n' }, subject: 'Tell it anew' })
  await flow.approve(request.id)
  const anew = await flow.reachesPlan(request.id, request.digest)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(flow.thread(request.id)).toMatchInlineSnapshot()
  expect(anew.plan?.commit).toBe(head)
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  expect(await live()).toBe(head)
})

test('a new commit on the branch changes nothing: the approved one runs', async () => {
  const { repository, live } = flow.behind('ahead')
  const request = await flow.ask('deploy ahead')
  await commitTo(repository, { files: { 'README.md': 'One more word\n' }, subject: 'Words' })
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  expect(await live()).toBe(request.plan?.commit)
})

test('a migration that somebody applied by hand voids the votes', async () => {
  const { database } = flow.behind('hand')
  const request = await flow.ask('deploy hand')
  const last = request.plan?.list.at(-1)
  await query(
    database.url,
    `insert into _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     values (gen_random_uuid()::text, $1, $2, now(), now(), 1)`,
    [last?.sha256, last?.name],
  )
  await flow.approve(request.id)
  await flow.reachesPlan(request.id, request.digest)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.thread(request.id).filter((post) => !post.startsWith('Output'))).toMatchInlineSnapshot()
})

test('a configuration that changed over a restart voids the votes', async () => {
  const request = await flow.ask('deploy configured')
  await flow.stop()
  await flow.configure('configured', { deploy: [] })
  await flow.start()
  await flow.approve(request.id)
  const anew = await flow.reachesPlan(request.id, request.digest)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(anew.plan?.steps.map(({ phase }) => phase)).toEqual(['health'])
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
})
