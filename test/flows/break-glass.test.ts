import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { aboveRecord, CHANNEL, readAloud, startFlow, steady, textOf, type Flow } from '../helpers/flow.ts'
import { until } from '../helpers/until.ts'

/** A whole run starts a dozen real programs; two of them on a busy machine take longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000 })

const breakGlass = { from: ['user:U0ALICE', 'group:S0DBA'], remind: '24h' }

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    pending: 1,
    target: () => ({ breakGlass }),
    targets: {
      plain: { pending: 0 },
      waits: { pending: 0, target: () => ({ breakGlass }) },
      changed: { pending: 0, target: () => ({ breakGlass }) },
    },
  })
})
afterAll(() => flow?.close())

const audited = async (id: number) =>
  (
    await flow.store.query<{ line: string }>(
      `select actor || ' ' || act || ' ' || result as line from lockkeeper.audit where request_id = $1 and actor <> 'lockkeeper' and act <> 'show' and not (act like 'press %' and result = 'opened') order by id`,
      [id],
    )
  ).map(({ line }) => line)

/** Direct messages of the bot to somebody, newest last. */
const told = (person: string) => flow.slack.directMessages(person).map((message) => steady(readAloud(message), flow.directory))

const home = async (person: string) => {
  await flow.slack.as(person).home()
  return steady(readAloud((await flow.slack.waitFor(() => flow.slack.home(person), { what: 'Home' })).view), flow.directory)
}

test('asking for it is refused to a person who may not, on a target that does not allow it, and without a reason', async () => {
  expect(await flow.answer('deploy prod --break-glass --reason "It is urgent"', 'U0DAVE')).toMatchInlineSnapshot(
    `"The glass on \`prod\` may be broken by <@U0ALICE> or <!subteam^S0DBA>. You are not. Nothing was started. The usual way is \`/migrate deploy prod\`."`,
  )
  expect(await flow.answer('deploy plain --break-glass --reason "It is urgent"')).toMatchInlineSnapshot(
    `"Nobody may break the glass on \`plain\`: \`breakGlass\` in lockkeeper.yaml names who may, and did not name anybody. Nothing was started. The usual way is \`/migrate deploy plain\`."`,
  )
  expect(await flow.answer('deploy prod --break-glass')).toMatchInlineSnapshot(
    `"Breaking the glass needs a reason, which everybody reads. Nothing was started. Say in a sentence what cannot wait, for example \`--reason "checkout is down, the index is missing"\`."`,
  )
  expect(await flow.answer('deploy prod --break-glass --reason ""')).toMatchInlineSnapshot(
    `"\`--reason\` needs a value after it. Nothing was started. For example: \`/migrate deploy prod --reason "checkout needs the discount columns"\`."`,
  )
  expect(await flow.answer(`deploy prod --break-glass --reason "${'x'.repeat(10_000)}"`)).toMatchInlineSnapshot(
    `"That is 10,037 characters long, and a command has at most 2,000. Nothing was started. Shorten the reason."`,
  )
  expect(await flow.answer('deploy prod --break-glass --reason "It is urgent"', 'U0GINA')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it."`,
  )
  expect(await flow.answer('break-glass 7')).toMatchInlineSnapshot(`"There is no request #7. \`/migrate history\` lists those there are."`)
  expect(await flow.store.query('select 1 from lockkeeper.request')).toEqual([])
  const rows = await until('each of them stands in the audit', async () => {
    const found = await flow.store.query<{ line: string }>(
      `select actor || ' ' || act || ' ' || result as line from lockkeeper.audit where actor <> 'lockkeeper' order by id`,
    )
    return found.length >= 7 && found
  })
  // what is only mistyped is written after it was answered, so it may come after the next
  expect(rows.map(({ line }) => line).toSorted()).toMatchInlineSnapshot(`
    [
      "U0ALICE break-glass unknown_request",
      "U0ALICE command bad_arguments",
      "U0ALICE command bad_arguments",
      "U0ALICE request bad_arguments",
      "U0ALICE request glass_not_configured",
      "U0DAVE request not_allowed_to_break_glass",
      "U0GINA deploy not_a_member",
    ]
  `)
})

test('asked for with a reason that tries to mention, it shows the plan and waits for the one who may', async () => {
  const request = await flow.ask('deploy prod --break-glass --reason "Checkout is down <!channel> <@U0CAROL> *now*"')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1
    <@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`.
    > Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*
    *BREAK GLASS is asked for.* <@U0ALICE> or <!subteam^S0DBA> may let it run without approvals. Everybody who approves is told, and somebody else reviews it afterwards. An approval still works as usual.
    Migration | Class | What it does | Rows
    20261120084500_index_orders_discount | additive | builds an index on orders, concurrently | 50
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
    [Break the glass]
    [Approve]
    [Reject]
    [Read the SQL]
    [Cancel]
    Plan \`{plan}\`. If a migration, the target or the policy changes, it asks again. Expires {time}."
  `)
  expect(flow.slack.ephemerals('U0ALICE').at(-1)?.text).toMatchInlineSnapshot(
    `"#1 is asked for with break-glass: \`main\` to \`prod\`. Nothing runs yet. Its card appears in <#C0DEPLOYS> while the plan is made; read the plan there and press *Break the glass*. To take it back: \`/migrate cancel 1\`."`,
  )
  expect(told('U0BOB').at(-1)).toMatchInlineSnapshot(`
    "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\` on Production. You may decide. Plan \`{plan}\`.
    *BREAK GLASS is asked for*
    > Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*
    [Open the request]"
  `)
  expect(await flow.decide(1, 'break_glass', 'U0DAVE')).toMatchInlineSnapshot(
    `"The glass on \`prod\` may be broken by <@U0ALICE> or <!subteam^S0DBA>, and only by those who were among them when it was asked and still are. You are not. Nothing was started. #1 waits for approvals as usual."`,
  )
  expect(await flow.decide(1, 'break_glass', 'U0XAVIER')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is an account of another organisation. Nothing was changed. Ask a full member to do it."`,
  )
  const before = flow.slack.ephemerals('U0BOB').length
  const { channel, ts } = flow.card(request.id)
  await flow.slack.as('U0BOB').click({ channel, ts }, 'break_glass', { stale: { value: 'r_forged0000000000' } })
  await flow.slack.waitFor(() => flow.slack.ephemerals('U0BOB').length > before)
  expect(flow.slack.ephemerals('U0BOB').at(-1)?.text).toMatchInlineSnapshot(
    `"This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel."`,
  )
  expect((await flow.reaches(request.id, 'waiting')).breakGlass?.brokenBy).toBeNull()
  expect(await audited(request.id)).toMatchInlineSnapshot(`
    [
      "U0ALICE request opened",
      "U0DAVE break_glass not_allowed_to_break_glass",
      "U0XAVIER break_glass not_a_member",
    ]
  `)
})

test('broken by the one who asked it runs as approved, with backup and checks, and everybody who approves is told', async () => {
  expect(await flow.press(1, 'break_glass', 'U0ALICE')).toMatchInlineSnapshot(`
    "*It runs at once, without waiting for an approval.* Backup, checks and expiry stay as they are. The channel and everybody who approves are told, and somebody else of <!subteam^S0DBA> reviews it afterwards.
    <@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\` on *Production*.
    • *20261120084500_index_orders_discount* · additive · builds an index on orders, concurrently · 50 rows
    *Approvals*
    0 of 1 · open to <!subteam^S0DBA>
    *Risk*
    1 additive
    *Commit*
    \`{commit}\`
    *Database*
    \`{database}\` on \`{host}\`
    *Plan*
    \`{plan}\`
    *Why*, said by <@U0ALICE>
    > Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*
    This is for exactly the plan that is shown. If anything in it changes, it asks again."
  `)
  expect(await flow.decide(1, 'break_glass', 'U0ALICE')).toBe('the window closed')
  await flow.reaches(1, 'succeeded')
  await flow.drawn(1)
  expect(flow.cardText(1)).toMatchInlineSnapshot(`
    "BREAK GLASS · Deploy to Production · #1 done
    *1 migration applied and \`{commit}\` is live.*
    *BREAK GLASS.* <@U0ALICE> let this run with 0 of 1 approval. *Not reviewed yet.* Somebody else of <!subteam^S0DBA> has to look at what happened.
    > Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*
    [Review]
    *Took*
    {duration}
    *Backup*
    {size} in {duration}, {size} on disk
    *Asked by*
    <@U0ALICE>
    *Let through by*
    <@U0ALICE>
    \`/migrate show 1\` has the record · plan \`{plan}\`"
  `)
  expect(flow.thread(1)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 1 migration (request-1-{plan}.sql)",
      "*BREAK GLASS.* <@U0ALICE> lets #1 run on *Production* with 0 of 1 approval. The request is by the same person.
    > Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*
    It stays marked until somebody else of <!subteam^S0DBA> has reviewed it.",
      "The run has started.",
      "*Preflight* · 16 checks; backups are on the database's own disk",
      "*Install* · {commit}, {duration}",
      "*Back up* · {size} in {duration}, {size} on disk",
      "*Verify the backup* · read in full in {duration}, 13 migration records",
      "\`20261120084500_index_orders_discount\` applied, 1 of 1 · {duration}",
      "*Migrate* · 1 migration in {duration}",
      "*Verify the schema* · 14 applied, Prisma agrees, live schema as described",
      "*Switch* · {duration}",
      "*Health* · 1 check passed, {duration}",
      "BREAK GLASS · Deploy to Production · #1 done · *1 migration applied and \`{commit}\` is live.*
    Took {duration} · the log follows",
      "[file] The whole log (request-1-prod.log)",
    ]
  `)
  const shown = flow.slack.messages(CHANNEL).filter((message) => message.broadcast)
  expect(shown.map((message) => steady(textOf(message), flow.directory))).toMatchInlineSnapshot(`
    [
      "*BREAK GLASS.* <@U0ALICE> lets #1 run on *Production* with 0 of 1 approval. The request is by the same person.
    > Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*
    It stays marked until somebody else of <!subteam^S0DBA> has reviewed it.",
      "BREAK GLASS · Deploy to Production · #1 done · *1 migration applied and \`{commit}\` is live.*
    Took {duration} · the log follows",
    ]
  `)
  for (const person of ['U0BOB', 'U0CAROL']) expect(told(person).filter((text) => text.startsWith('*BREAK GLASS.*'))).toHaveLength(1)
  expect(told('U0BOB').at(-1)).toMatchInlineSnapshot(`
    "*BREAK GLASS.* <@U0ALICE> lets #1 run on *Production* with 0 of 1 approval. The request is by the same person.
    > Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*
    It stays marked until somebody else of <!subteam^S0DBA> has reviewed it.
    [Open the request]"
  `)
  expect(await audited(1)).toMatchInlineSnapshot(`
    [
      "U0ALICE request opened",
      "U0DAVE break_glass not_allowed_to_break_glass",
      "U0XAVIER break_glass not_a_member",
      "U0ALICE break_glass broken",
    ]
  `)
})

test('until it is reviewed, the mark is everywhere', async () => {
  expect(await flow.answer('history prod')).toMatchInlineSnapshot(`
    "*Last requests for \`prod\`, newest first*
    • #1 \`prod\` finished {time} · asked by <@U0ALICE> · *BREAK GLASS, not reviewed*
    Details: \`/migrate show 1\`"
  `)
  expect(aboveRecord(await flow.answer('status prod'))).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): 14 applied, nothing pending.
    • Live: commit \`{commit}\`, deployed last from here by #1
    • Schema: as #1 left it ({time}).
    • Last: #1, finished {time}
    • *BREAK GLASS, not reviewed*: #1, let through by <@U0ALICE> {time}, “Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*”"
  `)
  expect((await flow.answer('show 1')).split('\n').filter((text) => /BREAK|review|Approvals/.test(text))).toMatchInlineSnapshot(`
    [
      "Approvals 0 of 1",
      "*BREAK GLASS* by <@U0ALICE> {time}: “Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*”",
      "*Not reviewed yet.*",
    ]
  `)
  expect((await home('U0BOB')).split('Under way')[0]).toMatchInlineSnapshot(`
    "Waiting for your decision
    *BREAK GLASS · Deploy to Production · #1*
    *BREAK GLASS.* <@U0ALICE> let this run with 0 of 1 approval. *Not reviewed yet.* Somebody else of <!subteam^S0DBA> has to look at what happened.
    > Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*
    [Review]
    [Open]
    "
  `)
  expect((await home('U0ALICE')).split('Under way')[0]).toMatchInlineSnapshot(`
    "Waiting for your decision
    Nothing waits for you.
    "
  `)
})

test('reviewers are reminded by the thread and a direct message, once', async () => {
  await flow.store.query(`update lockkeeper.break_glass set remind_at = clock_timestamp()`)
  await until('the reminder is written', async () => {
    const rows = await flow.store.query(`select 1 from lockkeeper.event where kind = 'review_due'`)
    return rows.length > 0
  })
  await flow.drawn(1)
  expect(flow.thread(1).at(-1)).toMatchInlineSnapshot(
    `"*Not reviewed yet.* #1 ran without enough approvals: <@U0ALICE> broke the glass. Somebody else of <!subteam^S0DBA> has to look at it and press *Review* on the card."`,
  )
  for (const person of ['U0BOB', 'U0CAROL']) expect(told(person).filter((text) => text.startsWith('*Not reviewed yet.*'))).toHaveLength(1)
  expect(told('U0ALICE').filter((text) => text.includes('reviewed yet'))).toEqual([])
})

test('the one who broke it and a stranger may not review it; somebody else does, and the mark goes', async () => {
  expect(await flow.decide(1, 'review', 'U0ALICE')).toMatchInlineSnapshot(
    `"You asked for #1 or broke its glass yourself, so somebody else has to review it: one of <!subteam^S0DBA>. Nothing was changed; its mark stays."`,
  )
  expect(await flow.decide(1, 'review', 'U0DAVE')).toMatchInlineSnapshot(
    `"#1 is reviewed by <!subteam^S0DBA>. You are not among them. Nothing was changed; its mark stays."`,
  )
  expect(await flow.decide(1, 'review', 'U0GINA')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it."`,
  )
  expect((await flow.reaches(1, 'succeeded')).breakGlass?.reviewedBy).toBeNull()
  expect(await flow.press(1, 'review', 'U0BOB')).toMatchInlineSnapshot(`
    "*BREAK GLASS.* <@U0ALICE> let this run with 0 of 1 approval. *Not reviewed yet.* Somebody else of <!subteam^S0DBA> has to look at what happened.
    > Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*
    *What came of it.* 1 migration applied and \`{commit}\` is live.
    *Let through*
    {time}
    *Took*
    {duration}
    *Backup*
    {size} in {duration}, {size} on disk
    <@U0ALICE> asks to run *1 migration* and deploy \`{commit}\` from \`main\` on *Production*.
    • *20261120084500_index_orders_discount* · additive · builds an index on orders, concurrently · 50 rows
    *Risk*
    1 additive
    *Commit*
    \`{commit}\`
    *Database*
    \`{database}\` on \`{host}\`
    *Plan*
    \`{plan}\`
    What you found
    Your name and the time stand in the record, and the mark on the request goes."
  `)
  const { channel, ts } = flow.card(1)
  expect(await flow.decide(1, 'review', 'U0BOB', { note: { note: 'Right. Staging gets a check. <!here>' } })).toBe('the window closed')
  await flow.drawn(1)
  expect(flow.cardText(1)).toMatchInlineSnapshot(`
    "Deploy to Production · #1 done
    *1 migration applied and \`{commit}\` is live.*
    Break-glass by <@U0ALICE>, “Checkout is down &lt;!channel&gt; &lt;@U0CAROL&gt; *now*”. Reviewed by <@U0BOB> {time}, “Right. Staging gets a check. &lt;!here&gt;”.
    *Took*
    {duration}
    *Backup*
    {size} in {duration}, {size} on disk
    *Asked by*
    <@U0ALICE>
    *Let through by*
    <@U0ALICE>
    \`/migrate show 1\` has the record · plan \`{plan}\`"
  `)
  expect(flow.thread(1).at(-1)).toMatchInlineSnapshot(`
    "<@U0BOB> reviewed the break-glass of #1.
    > Right. Staging gets a check. &lt;!here&gt;"
  `)
  const before = flow.slack.ephemerals('U0CAROL').length
  await flow.slack.as('U0CAROL').click({ channel, ts }, 'review', { stale: { value: (await flow.reaches(1, 'succeeded')).token } })
  await flow.slack.waitFor(() => flow.slack.ephemerals('U0CAROL').length > before)
  expect(steady(flow.slack.ephemerals('U0CAROL').at(-1)?.text ?? '', flow.directory)).toMatchInlineSnapshot(
    `"#1 is reviewed already: <@U0BOB> did it {time}. Your click changed nothing."`,
  )
  expect(await flow.answer('history prod')).toMatchInlineSnapshot(`
    "*Last requests for \`prod\`, newest first*
    • #1 \`prod\` finished {time} · asked by <@U0ALICE> · break-glass, reviewed by <@U0BOB>
    Details: \`/migrate show 1\`"
  `)
  expect(await flow.answer('status prod')).not.toContain('BREAK GLASS')
  expect(await home('U0CAROL')).not.toContain('BREAK GLASS')
  await until('the last refusal stands in the audit', async () => (await audited(1)).at(-1)?.includes('already_reviewed') === true)
  expect(await audited(1)).toMatchInlineSnapshot(`
    [
      "U0ALICE request opened",
      "U0DAVE break_glass not_allowed_to_break_glass",
      "U0XAVIER break_glass not_a_member",
      "U0ALICE break_glass broken",
      "U0ALICE press review own_break_glass",
      "U0DAVE review not_a_reviewer",
      "U0GINA review not_a_member",
      "U0BOB review reviewed",
      "U0CAROL press review already_reviewed",
    ]
  `)
})

test('a request that waits can be turned: by the menu of its card or by the verb, with the reason given there', async () => {
  const request = await flow.ask('deploy waits')
  expect(flow.cardText(request.id)).toContain('[… It cannot wait: break the glass]')
  const opened = await flow.press(request.id, 'break_glass', 'U0BOB')
  expect(opened.split('\n').slice(-2)).toMatchInlineSnapshot(`
    [
      "What cannot wait",
      "This is for exactly the plan that is shown. If anything in it changes, it asks again.",
    ]
  `)
  await flow.type(`break-glass ${request.id} --reason "Nobody answers"`, 'U0CAROL')
  const modal = await flow.slack.waitFor(() => flow.slack.modal('U0CAROL'))
  expect(JSON.stringify(modal.view)).toContain('"initial_value":"Nobody answers"')
  await flow.slack.as('U0CAROL').submit(modal.viewId, { reason: { reason: '   ' } })
  expect(flow.slack.modal('U0CAROL')?.errors).toMatchInlineSnapshot(`
    {
      "reason": "Breaking the glass needs a reason, which everybody reads. Nothing was started. Say in a sentence what cannot wait, for example --reason "checkout is down, the index is missing".",
    }
  `)
  await flow.slack.as('U0CAROL').submit(modal.viewId, { reason: { reason: 'Nobody answers, and orders are lost' } })
  const ended = await flow.reaches(request.id, 'succeeded')
  expect(ended.breakGlass).toMatchObject({ brokenBy: 'U0CAROL', reason: 'Nobody answers, and orders are lost' })
  expect(ended.breakGlass?.involved.toSorted()).toEqual(['U0ALICE', 'U0CAROL'])
  // a new one is possible, and says what is open
  const next = await flow.answer('deploy waits --break-glass --reason "Again"')
  expect(next).toMatchInlineSnapshot(
    `"#3 is asked for with break-glass: \`main\` to \`waits\`. Nothing runs yet. Its card appears in <#C0DEPLOYS> while the plan is made; read the plan there and press *Break the glass*. To take it back: \`/migrate cancel 3\`. *#2 on this target ran the same way and is not reviewed yet.*"`,
  )
  const again = await flow.reaches(request.id + 1, 'waiting')
  await flow.answer(`cancel ${again.id}`)
})

/** A person with the window open; `send` answers with what is said in it, or that it closed. */
async function windowOf(id: number, person: string) {
  const { channel, ts } = flow.card(id)
  const { token } = await flow.reaches(id, 'waiting')
  const before = flow.slack.modal(person)?.viewId
  await flow.slack.as(person).click({ channel, ts }, 'break_glass', { selected: token })
  const modal = await flow.slack.waitFor(
    () => {
      const now = flow.slack.modal(person)
      return now !== null && now.viewId !== before && now
    },
    { what: 'the window' },
  )
  return async () => {
    await flow.slack.as(person).submit(modal.viewId, { reason: { reason: 'Orders are lost' } })
    const told = await flow.slack.waitFor(() => {
      const now = flow.slack.modal(person)
      if (now === null || now.viewId === before) return 'closed'
      return JSON.stringify(now.view) !== JSON.stringify(modal.view) && !textOf(now.view).includes('…') && now
    })
    if (told === 'closed') return told
    await flow.slack.as(person).close(told.viewId)
    return steady(readAloud(told.view), flow.directory)
  }
}

test('a window that was open while the person left the group, the plan changed or the request expired changes nothing', async () => {
  const request = await flow.ask('deploy waits')
  const [left, older] = [await windowOf(request.id, 'U0CAROL'), await windowOf(request.id, 'U0BOB')]
  flow.slack.setGroup('S0DBA', ['U0BOB'])
  expect(await left()).toMatchInlineSnapshot(
    `"The glass on \`waits\` may be broken by <@U0ALICE> or <!subteam^S0DBA>, and only by those who were among them when it was asked and still are. You are not. Nothing was started. #4 waits for approvals as usual."`,
  )
  flow.slack.setGroup('S0DBA', ['U0BOB', 'U0CAROL'])
  await flow.store.query('update lockkeeper.request set digest = $2 where id = $1', [request.id, 'a'.repeat(64)])
  expect(await older()).toMatchInlineSnapshot(
    `"The plan of #4 has changed since this was shown: it was \`{plan}\` and is \`{plan}\` now. Your click changed nothing. Read the card as it is now and decide about that."`,
  )
  await flow.store.query('update lockkeeper.request set digest = $2 where id = $1', [request.id, request.digest])
  const late = await windowOf(request.id, 'U0BOB')
  await flow.store.query(`update lockkeeper.request set expires_at = clock_timestamp() where id = $1`, [request.id])
  expect(await late()).toMatchInlineSnapshot(
    `"#4 expired {time} without enough approvals. Nothing was changed. Ask again with \`/migrate deploy waits\`."`,
  )
  expect((await flow.reaches(request.id, 'expired')).breakGlass).toBeNull()
  expect(await audited(request.id)).toMatchInlineSnapshot(`
    [
      "U0ALICE request opened",
      "U0CAROL break_glass not_allowed_to_break_glass",
      "U0BOB break_glass digest_changed",
      "U0BOB break_glass request_expired",
    ]
  `)
})

test('of two who break it at once, one does, the other is told, and one run starts', async () => {
  const request = await flow.ask('deploy waits')
  const windows = [await windowOf(request.id, 'U0ALICE'), await windowOf(request.id, 'U0BOB')]
  const said = await Promise.all(windows.map((send) => send()))
  expect(said.map((text) => text.replace(/<@U0(ALICE|BOB)>/, '{the first}')).toSorted()).toMatchInlineSnapshot(`
    [
      "#5 is decided already: {the first} broke the glass {time}. Your click changed nothing.",
      "closed",
    ]
  `)
  await flow.reaches(request.id, 'succeeded')
  const rows = await flow.store.query<{ kind: string }>(
    `select kind from lockkeeper.event where request_id = $1 and kind in ('glass_broken', 'started') order by id`,
    [request.id],
  )
  expect(rows.map(({ kind }) => kind)).toEqual(['glass_broken', 'started'])
  const results = (await audited(request.id)).map((text) => text.replace(/^\S+ /, '')).toSorted()
  expect(results).toEqual(['break_glass already_decided', 'break_glass broken', 'request opened'])
})

test('the form has a box for it, and wants a reason with it', async () => {
  await flow.type('')
  const form = await flow.slack.waitFor(() => flow.slack.modal('U0ALICE'), { what: 'the form' })
  expect(textOf(form.view)).toContain('It cannot wait: break the glass, with the reason above')
  await flow.slack.as('U0ALICE').submit(form.viewId, { target: { target: 'waits' }, options: { options: 'break-glass' } })
  expect(flow.slack.modal('U0ALICE')?.errors).toMatchInlineSnapshot(`
    {
      "reason": "Breaking the glass needs a reason, which everybody reads. Nothing was started. Say in a sentence what cannot wait, for example “--reason "checkout is down, the index is missing"”.",
    }
  `)
  await flow.slack
    .as('U0ALICE')
    .submit(form.viewId, { target: { target: 'waits' }, options: { options: 'break-glass' }, reason: { reason: 'By the form' } })
  const [row] = await until('it is written', async () => {
    const rows = await flow.store.query<{ id: number; reason: string }>(
      `select request_id as id, reason from lockkeeper.break_glass where reason = 'By the form'`,
    )
    return rows.length > 0 && rows
  })
  await flow.slack.as('U0ALICE').close(form.viewId)
  await flow.reaches(row?.id ?? 0, 'waiting')
  await flow.answer(`cancel ${row?.id}`)
})

test('when the configuration stops allowing it between the asking and the click, it is refused', async () => {
  const request = await flow.ask('deploy changed --break-glass --reason "Before the change"')
  await flow.stop()
  await flow.configure('changed', { breakGlass: undefined })
  await flow.start()
  expect(await flow.decide(request.id, 'break_glass', 'U0ALICE')).toMatchInlineSnapshot(
    `"Nobody may break the glass on \`changed\`: \`breakGlass\` in lockkeeper.yaml names who may, and did not name anybody when this was asked, or does not now. Nothing was started. #7 waits for approvals as usual."`,
  )
  expect((await flow.reaches(request.id, 'waiting')).breakGlass?.brokenBy).toBeNull()
  await until('the refusal stands in the audit', async () => (await audited(request.id)).length > 1)
  expect(await audited(request.id)).toEqual(['U0ALICE request opened', 'U0ALICE press break_glass glass_not_configured'])
})
