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
      brief: { target: () => ({ approvals: { required: 1, from: ['group:S0DBA'], expires: '5s' } }) },
      granted: { target: () => ({ approvals: { required: 1, from: ['group:S0DBA'], grantExpires: '500ms' } }) },
      pair: { pending: 1, target: () => ({ approvals: { required: 2, from: ['group:S0DBA'] } }) },
      moved: { pending: 1 },
      hand: { pending: 2 },
      rewritten: { pending: 1 },
      ahead: { pending: 0 },
      configured: { pending: 0 },
      free: { pending: 1, target: () => ({ protected: false, approvals: { required: 0 } }) },
    },
  })
})
afterAll(() => flow?.close())

test('a rejection ends the request with its reason, and the target is free again', async () => {
  const request = await flow.ask('deploy prod')
  expect(await flow.press(request.id, 'reject', 'U0BOB')).toMatchInlineSnapshot(`
    "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\` on *Production*.
    • *20261118102000_create_discounts* · additive · creates table discounts
    • *20261119093000_add_orders_discount_id* · additive · adds orders.discount_id, nullable · 50 rows
    • *20261120084500_index_orders_discount* · additive · builds an index on orders, concurrently · 50 rows
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Risk*
    3 additive
    *Commit*
    \`{commit}\`
    *Database*
    \`{database}\` on \`{host}\`
    *Plan*
    \`{plan}\`
    Why
    A rejection is final. The reason is shown to everybody in the thread."
  `)
  expect(await flow.reject(request.id, 'Not before the launch on Friday')).toMatchInlineSnapshot(`"the window closed"`)
  await flow.reaches(request.id, 'rejected')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1 rejected
    *Rejected by <@U0BOB>.* Nothing was changed.
    > Not before the launch on Friday
    Asked by <@U0ALICE> · 3 migrations, \`{commit}\` from \`main\` · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 3 migrations (request-1-{plan}.sql)",
      "<@U0BOB> rejected this. Nothing was changed.
    > Not before the launch on Friday",
    ]
  `)
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
  expect(flow.slack.modal('U0BOB')?.errors).toMatchInlineSnapshot(`
    {
      "reason": "Say in a sentence why, so that the others know what to change.",
    }
  `)
  await flow.slack.as('U0BOB').close(modal.viewId)
  await flow.answer(`cancel ${request.id}`)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #3 cancelled
    *Cancelled by <@U0ALICE> before it started. Nothing was changed.*
    Asked by <@U0ALICE> · 3 migrations, \`{commit}\` from \`main\` · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 3 migrations (request-3-{plan}.sql)",
      "*Cancelled by <@U0ALICE> before it started. Nothing was changed.*",
    ]
  `)
})

test('a request that nobody decides expires, and a late click changes nothing', async () => {
  const request = await flow.ask('deploy brief')
  const message = flow.card(request.id)
  await flow.reaches(request.id, 'expired')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to brief · #4 expired
    *It expired with 0 of 1 approval.* Nothing was changed. Ask again with \`/migrate deploy brief\`.
    Asked by <@U0ALICE> · 3 migrations, \`{commit}\` from \`main\` · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id).filter((post) => !post.startsWith('Still waiting'))).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 3 migrations (request-4-{plan}.sql)",
      "Nobody decided in time, so this has expired. Nothing was changed.",
    ]
  `)
  const said = flow.slack.ephemerals('U0BOB').length
  await flow.slack.as('U0BOB').click({ channel: message.channel, ts: message.ts }, 'approve', { stale: { value: request.token } })
  await flow.slack.waitFor(() => flow.slack.ephemerals('U0BOB').length > said)
  expect(
    flow.slack
      .ephemerals('U0BOB')
      .at(-1)
      ?.text.replace(/<!date[^>]*>/, '{time}'),
  ).toMatchInlineSnapshot(`"#4 expired {time} without enough approvals. Nothing was changed. Ask again with \`/migrate deploy brief\`."`)
})

test('an approval that is not used in time ends, and nothing runs', async () => {
  const request = await flow.ask('deploy granted')
  // what is applied cannot be read for a while, so the run cannot start at once
  const blocker = await holding(flow.behind('granted').database.url, 'lock table _prisma_migrations in access exclusive mode', 'psql')
  await flow.approve(request.id)
  await flow.reaches(request.id, ['expired', 'refused'])
  await blocker.release()
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to granted · #5 expired
    *The approval ended before the run could start.* Nothing was changed. Ask again with \`/migrate deploy granted\`.
    Asked by <@U0ALICE> · 3 migrations, \`{commit}\` from \`main\` · plan \`{plan}\`"
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 3 migrations (request-5-{plan}.sql)",
      "<@U0BOB> approved, 1 of 1. It may start.",
      "The approval ended before the run could start. Nothing was changed.",
    ]
  `)
})

test('of two who approve at once where one is needed, one starts the run and the other is told so', async () => {
  const request = await flow.ask('deploy moved')
  const said = await Promise.all([flow.approve(request.id, 'U0BOB'), flow.approve(request.id, 'U0CAROL')])
  expect(said.map((text) => text.replace(/<@U0(BOB|CAROL)>/, '{the first}')).toSorted()).toMatchInlineSnapshot(`
    [
      "#6 is decided already: approved by {the first} {time}. Your click changed nothing.",
      "the window closed",
    ]
  `)
  await flow.reaches(request.id, 'succeeded')
  const starts = await flow.store.query(`select 1 from lockkeeper.event where request_id = $1 and kind = 'started'`, [request.id])
  expect(starts).toHaveLength(1)
})

test('where two are needed, the first waits for the second, and the run starts once', async () => {
  const request = await flow.ask('deploy pair')
  const said = await Promise.all([flow.approve(request.id, 'U0BOB'), flow.approve(request.id, 'U0CAROL')])
  expect(said.map((text) => text.replace(/U0(BOB|CAROL)/g, 'U0…')).toSorted()).toMatchInlineSnapshot(`
    [
      "the window closed",
      "the window closed",
    ]
  `)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(
    flow
      .thread(request.id)
      .slice(0, 5)
      .map((post) => post.replace(/U0(BOB|CAROL)/g, 'U0…')),
  ).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 1 migration (request-7-{plan}.sql)",
      "<@U0…> approved, 1 of 2.",
      "<@U0…> approved, 2 of 2. It may start.",
      "The run has started.",
    ]
  `)
  expect(await applied(flow.behind('pair').database.url)).toContain('20261120084500_index_orders_discount')
})

test('a rewritten branch voids the votes, and the new plan is approved and runs', async () => {
  const { repository, live } = flow.behind('rewritten')
  const request = await flow.ask('deploy rewritten')
  await git(repository, ['update-ref', 'refs/heads/main', `${request.plan?.commit}~2`])
  const head = await commitTo(repository, { files: { 'README.md': 'The shop, told anew\n' }, subject: 'Tell it anew' })
  await flow.approve(request.id)
  const anew = await flow.reachesPlan(request.id, request.digest)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to rewritten · #8
    <@U0ALICE> asks to deploy \`{commit}\` from \`main\`. *No migration is pending.*
    *Asked anew.* Commit \`{commit}\` is no longer part of \`main\`.
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Tell it anew, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    *Application*
    Switch and 1 health check
    [Approve]
    [Reject]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 1 migration (request-8-{plan}.sql)",
      "<@U0BOB> approved, 1 of 1. It may start.",
      "It asks again, and votes for the earlier plan no longer count. Commit \`{commit}\` is no longer part of \`main\`.",
    ]
  `)
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
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to hand · #10
    <@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`.
    *Asked anew.* \`20261120084500_index_orders_discount\` is applied, but \`20261119093000_add_orders_discount_id\` before it is not.
    Migration | Class | What it does | Rows
    20261119093000_add_orders_discount_id | additive | adds orders.discount_id, nullable | 50
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Show the discount in the list of orders, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    *Risk*
    1 additive
    *Way back*
    rollback SQL for each migration, and the backup
    *Backup*
    the first of this target; the database has {size}
    *Application*
    Switch and 1 health check, after the migrations
    [Approve]
    [Reject]
    [Read the SQL]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. 20261119093000_add_orders_discount_id is older than 20261120084500_index_orders_discount, which is applied already. Expires {time}."
  `)
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *2 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 2 migrations (request-10-{plan}.sql)",
      "<@U0BOB> approved, 1 of 1. It may start.",
      "It asks again, and votes for the earlier plan no longer count. \`20261120084500_index_orders_discount\` is applied, but \`20261119093000_add_orders_discount_id\` before it is not.",
      "[file] SQL of 1 migration (request-10-{plan}.sql)",
      "<@U0BOB> approved, 1 of 1. It may start.",
      "The run has started.",
      "*Preflight* · 16 checks; backups are on the database's own disk",
      "*Install* · {commit}, dependencies unchanged, {duration}",
      "*Back up* · {size} in {duration}, {size} on disk",
      "*Verify the backup* · read in full in {duration}, 13 migration records",
      "\`20261119093000_add_orders_discount_id\` applied, 1 of 1 · {duration}",
      "*Migrate* · 1 migration in {duration}",
      "The live schema differs from the one that the commit describes. To make it equal, this would have to change:
    • \`[*] Changed the 'orders' table\`
    • \`[+] Added index on columns (discount_id)\`",
      "*Verify the schema* · 14 applied, Prisma agrees, live schema differs, see the thread",
      "*Switch* · {duration}",
      "*Health* · 1 check passed, {duration}",
      "Deploy to hand · #10 done · *1 migration applied and \`{commit}\` is live.*
    Took {duration} · the log follows",
      "[file] The whole log (request-10-hand.log)",
    ]
  `)
})

test('a configuration that changed over a restart voids the votes', async () => {
  const request = await flow.ask('deploy configured')
  await flow.stop()
  await flow.configure('configured', { deploy: [] })
  await flow.start()
  await flow.approve(request.id)
  const anew = await flow.reachesPlan(request.id, request.digest)
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to configured · #11
    <@U0ALICE> asks to check \`{commit}\` from \`main\`. *No migration is pending.*
    *Asked anew.* The configured steps of this target were changed since.
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Commit*
    Show the discount in the list of orders, by Alice Marsh
    *Database*
    \`{database}\` on \`{host}\`
    [Approve]
    [Reject]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
  expect(anew.plan?.steps.map(({ phase }) => phase)).toEqual(['health'])
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to configured · #11 done
    *Nothing was pending, so the database is unchanged.*
    *Took*
    {duration}
    *Asked by*
    <@U0ALICE>
    *Approved by*
    <@U0BOB>
    \`/migrate show 11\` has the record · plan \`{plan}\`"
  `)
})

test('where no approval is asked for, a run starts by itself, with everything that the others have', async () => {
  const request = await flow.ask('deploy free', 'U0ALICE', ['succeeded', 'failed'])
  await flow.drawn(request.id)
  expect(flow.slack.ephemerals('U0ALICE').map(({ text }) => text)).toContain(
    `#${request.id} is asked for: \`main\` to \`free\`. Its card appears in <#C0DEPLOYS> while the plan is made; it starts by itself then, since this target asks for no approval. To take it back: \`/migrate cancel ${request.id}\`.`,
  )
  expect(
    flow
      .thread(request.id)
      .filter((post) => !post.startsWith('[file]'))
      .slice(0, 2),
  ).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "This target asks for no approval (\`approvals.required: 0\`), so it starts by itself; it is backed up and recorded all the same.",
    ]
  `)
  expect((await flow.answer(`show ${request.id}`)).split('\n').filter((line) => /Approvals|backup/i.test(line))).toMatchInlineSnapshot(`
    [
      "Approvals: none needed",
      "• Preflight: done, 16 checks; backups are on the database's own disk",
      "• Verify the backup: done, read in full in {duration}, 13 migration records",
    ]
  `)
  expect((await flow.answer('plan free')).split('\n').filter((line) => line.includes('Approvals'))).toEqual([
    '• Approvals: none needed; it starts by itself',
  ])
  expect(await flow.store.query(`select actor, act, result from lockkeeper.audit where request_id = $1 and act = 'approve'`, [request.id]))
    .toMatchInlineSnapshot(`
    [
      {
        "act": "approve",
        "actor": "lockkeeper",
        "result": "not_required",
      },
    ]
  `)
})
