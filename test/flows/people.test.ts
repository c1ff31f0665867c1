import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readAloud, startFlow, steady, type Flow } from '../helpers/flow.ts'
import { placesOf } from '../helpers/secrets.ts'

vi.setConfig({ testTimeout: 120_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    target: () => ({ askIn: ['C0DEPLOYS', 'C0PROD'] }),
    targets: {
      twin: { databaseOf: 'prod' },
      closed: { pending: 0, target: () => ({ requests: { from: ['user:U0CAROL'] } }) },
    },
  })
})
afterAll(() => flow?.close())

const requests = () => flow.store.query<{ id: number; state: string }>('select id, state from lockkeeper.request order by id')

test('help and each verb of it are told to the asker alone', async () => {
  expect(await flow.answer('help')).toMatchInlineSnapshot(`
    "*Lockkeeper takes database migrations and the deploy around them from request to proof.* Somebody asks, somebody else approves, and the card in the channel tells the rest.
    • \`/migrate help [verb]\` says how each verb is typed
    • \`/migrate status [target]\` shows which migrations are applied, pending or failed, and what runs
    • \`/migrate plan &lt;target&gt; [--ref R]\` shows what a deploy would do, without asking anybody for anything
    • \`/migrate deploy &lt;target&gt; [--ref R] [--reason "…"] [--at "Tue 02:00"] [--in-window NAME] [--skip-app] [--break-glass] [--override "…"]\` asks for the pending migrations and the deploy; it runs when enough others have approved
    • \`/migrate cancel &lt;id&gt;\` takes a request back, or stops its run where that is safe
    • \`/migrate history [target]\` lists the last requests
    • \`/migrate show &lt;id&gt;\` shows one request with its votes, steps and end
    • \`/migrate export &lt;id&gt;\` makes the signed evidence of one request: a page to read and a document to verify
    • \`/migrate break-glass &lt;id&gt; [--reason "…"]\` lets a waiting request run without approvals, where the target names who may; somebody else reviews it afterwards
    • \`/migrate ack &lt;id&gt;\` says that you look at what on-call was paged about, and ends the paging
    • \`/migrate freeze &lt;target|all&gt; [until &lt;when&gt; | for &lt;how long&gt;] [reason]\` lets nothing start on a target, or on all, until then; what runs goes on
    • \`/migrate unfreeze &lt;target|all&gt;\` ends a freeze before its time
    • \`/migrate lock &lt;target&gt; [until &lt;when&gt; | for &lt;how long&gt;] [reason]\` lets nothing start on one target while somebody works on it
    • \`/migrate unlock &lt;target&gt;\` ends a lock before its time
    • \`/migrate\` alone opens a form for a request
    For example: \`/migrate deploy prod --reason "checkout needs the discount columns"\`"
  `)
  expect(await flow.answer('help deploy')).toMatchInlineSnapshot(`
    "\`/migrate deploy &lt;target&gt; [--ref R] [--reason "…"] [--at "Tue 02:00"] [--in-window NAME] [--skip-app] [--break-glass] [--override "…"]\` asks for the pending migrations and the deploy; it runs when enough others have approved.
    For example: \`/migrate deploy prod --reason "checkout needs the discount columns"\`"
  `)
  expect(await flow.answer('history')).toMatchInlineSnapshot(`"Nothing was asked for yet. Begin with \`/migrate plan prod\`."`)
  expect(await flow.answer('show 7')).toMatchInlineSnapshot(`"There is no request #7. \`/migrate history\` lists those there are."`)
  expect(flow.slack.messages('C0DEPLOYS')).toEqual([])
})

test('what was mistyped gets the nearest verb or target, and nothing is started', async () => {
  expect(await flow.answer('delpoy prod')).toMatchInlineSnapshot(
    `"\`delpoy\` is no verb that Lockkeeper knows. Nothing was started. Did you mean \`deploy\`? For example \`/migrate deploy prod\`."`,
  )
  expect(await flow.answer('deploy prd')).toMatchInlineSnapshot(
    `"There is no target \`prd\`. Nothing was started. Did you mean \`prod\`? \`/migrate deploy prod\`"`,
  )
  expect(await flow.answer('prod')).toMatchInlineSnapshot(
    `"\`prod\` is a target, and the verb is missing. Nothing was started. To see what is pending: \`/migrate status prod\`. To ask for a run: \`/migrate deploy prod\`."`,
  )
  expect(await flow.answer('deploy')).toMatchInlineSnapshot(
    `"\`deploy\` needs a target: \`prod\`, \`twin\` or \`closed\`. Nothing was started. For example: \`/migrate deploy prod --reason "checkout needs the discount columns"\`."`,
  )
  expect(await flow.answer('deploy prod --reson "x"')).toMatchInlineSnapshot(
    `"\`--reson\` is no option of \`deploy\`, which takes \`--ref\`, \`--reason\`, \`--at\`, \`--in-window\`, \`--skip-app\`, \`--break-glass\` and \`--override\`. Did you mean \`--reason\`? Nothing was started. For example: \`/migrate deploy prod --reason "checkout needs the discount columns"\`."`,
  )
  expect(await flow.answer('rollback prod')).toMatchInlineSnapshot(
    `"\`rollback\` is not available yet. Nothing was started. Available now: \`help\`, \`status\`, \`plan\`, \`deploy\`, \`cancel\`, \`history\`, \`show\`, \`export\`, \`break-glass\`, \`ack\`, \`freeze\`, \`unfreeze\`, \`lock\` and \`unlock\`."`,
  )
  expect(await flow.answer('cancel soon')).toMatchInlineSnapshot(
    `"\`soon\` is not the number of a request. Nothing was changed. For example: \`/migrate cancel 42\`."`,
  )
  expect(await requests()).toEqual([])
})

test('hostile arguments are answered, and nothing is started', async () => {
  expect(await flow.answer('deploy prod; rm -rf /')).toMatchInlineSnapshot(
    `"\`-r\` is no option of \`deploy\`, which takes \`--ref\`, \`--reason\`, \`--at\`, \`--in-window\`, \`--skip-app\`, \`--break-glass\` and \`--override\`. Nothing was started. For example: \`/migrate deploy prod --reason "checkout needs the discount columns"\`."`,
  )
  expect(await flow.answer('deploy $(reboot)')).toMatchInlineSnapshot(
    `"There is no target \`$(reboot)\`. Nothing was started. The targets are \`prod\`, \`twin\` and \`closed\`."`,
  )
  expect(await flow.answer(`deploy prod --reason "${'a'.repeat(10_000)}"`)).toMatchInlineSnapshot(
    `"That is 10,023 characters long, and a command has at most 2,000. Nothing was started. Shorten the reason."`,
  )
  expect(await flow.answer(`deploy ${'p'.repeat(1_500)}`)).toMatchInlineSnapshot(
    `"There is no target \`ppppppppppppppppppppppppppppppppppppppp…\`. Nothing was started. The targets are \`prod\`, \`twin\` and \`closed\`."`,
  )
  expect(await flow.answer('deploy prod\u0000')).toMatchInlineSnapshot(
    `"The command contains a NUL character (U+0000), and a command is one line of visible text. Nothing was started. Type it again."`,
  )
  expect(await flow.answer('deploy рrod')).toMatchInlineSnapshot(
    `"There is no target \`рrod\`: its \`р\` (U+0440) is not a Latin letter but a Cyrillic one. Nothing was started. Did you mean \`prod\`? \`/migrate deploy prod\`"`,
  )
  expect(await flow.answer('dерloy prod')).toMatchInlineSnapshot(
    `"\`dерloy\` is no verb: its \`е\` (U+0435) is not a Latin letter but a Cyrillic one. Nothing was started. Did you mean \`deploy\`? For example \`/migrate deploy prod\`."`,
  )
  expect(await flow.answer('deploy prod --ref --upload-pack=/bin/sh')).toMatchInlineSnapshot(
    `"\`--ref\` needs a value after it. Nothing was started. For example: \`/migrate deploy prod --reason "checkout needs the discount columns"\`."`,
  )
  expect(await flow.answer('deploy prod --ref ../../etc/passwd')).toMatchInlineSnapshot(
    `"\`../../etc/passwd\` cannot be a ref: git does not take it as a name. Write a branch, a tag or a commit. Nothing was started."`,
  )
  expect(await flow.answer('deploy <!channel>')).toMatchInlineSnapshot(
    `"There is no target \`&lt;!channel&gt;\`. Nothing was started. The targets are \`prod\`, \`twin\` and \`closed\`."`,
  )
  expect(await flow.answer('deploy prod --ref main --ref other')).toMatchInlineSnapshot(
    `"\`--ref\` stands there twice. Nothing was started. Give it once."`,
  )
  expect(await requests()).toEqual([])
  expect(flow.slack.messages('C0DEPLOYS')).toEqual([])
})

test('a guest, somebody of another organisation and somebody deactivated may not ask', async () => {
  expect(await flow.answer('deploy prod', 'U0GINA')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it."`,
  )
  expect(await flow.answer('deploy prod', 'U0XAVIER')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is an account of another organisation. Nothing was changed. Ask a full member to do it."`,
  )
  expect(await flow.answer('deploy closed')).toMatchInlineSnapshot(
    `"Runs of \`closed\` may be asked for by <@U0CAROL> only. Nothing was started. Ask one of them, or see what is pending with \`/migrate status closed\`."`,
  )
  flow.slack.deactivate('U0DAVE')
  expect(await flow.answer('deploy prod', 'U0DAVE')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is a deactivated account. Nothing was changed. Ask a full member to do it."`,
  )
  expect(await requests()).toEqual([])
})

test('a direct message and a wrong channel are refused with the right one', async () => {
  expect(await flow.answer('deploy prod', 'U0ALICE', 'D0ALICE')).toMatchInlineSnapshot(
    `"Requests are made where others can see them, not in a direct message. Nothing was started. Type it in a channel."`,
  )
  expect(await flow.answer('status', 'U0ALICE', 'D0ALICE')).toMatchInlineSnapshot(
    `"Requests are made where others can see them, not in a direct message. Nothing was started. Type it in a channel."`,
  )
  expect(await flow.answer('deploy prod', 'U0ALICE', 'C0GENERAL')).toMatchInlineSnapshot(
    `"\`prod\` may not be asked for here. Nothing was started. Type it in <#C0DEPLOYS> or <#C0PROD>."`,
  )
  expect(await requests()).toEqual([])
})

test('status and plan change nothing and ask nobody', async () => {
  expect(await flow.answer('status')).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): 11 applied, 3 pending.
    • Pending: \`20261118102000_create_discounts\`, \`20261119093000_add_orders_discount_id\`, \`20261120084500_index_orders_discount\`. To run them: \`/migrate deploy prod\`.
    • No run yet

    *twin*: 11 applied, 3 pending.
    • Pending: \`20261118102000_create_discounts\`, \`20261119093000_add_orders_discount_id\`, \`20261120084500_index_orders_discount\`. To run them: \`/migrate deploy twin\`.
    • No run yet

    *closed*: 14 applied, nothing pending.
    • No run yet"
  `)
  expect(await flow.answer('plan prod')).toMatchInlineSnapshot(`
    "Plan for *Production* (\`prod\`): \`{commit}\` from \`main\`, “Show the discount in the list of orders” by Alice Marsh
    3 migrations would run, in this order:
    1. \`20261118102000_create_discounts\` additive: creates table discounts
    2. \`20261119093000_add_orders_discount_id\` additive: adds orders.discount_id, nullable, about 50 rows
    3. \`20261120084500_index_orders_discount\` additive: builds an index on orders, concurrently, about 50 rows
    • Steps: back up, migrate, verify, Switch, 1 health check
    • Way back: a rollback.sql beside each migration, and the backup
    • Approvals: 1 of <!subteam^S0DBA>, never the one who asks
    Plan \`{plan}\`. To ask for it: \`/migrate deploy prod\`"
  `)
  expect(await flow.answer('plan prod --ref nowhere')).toMatchInlineSnapshot(
    `"The repository has no branch, tag or commit \`nowhere\`. The nearest name is \`main\`. A commit must have been pushed before it can be deployed."`,
  )
  expect(await requests()).toEqual([])
})

test('a ref that does not exist is refused on the card, with the next step', async () => {
  const request = await flow.ask('deploy prod --ref nowhere')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot(`
    "Deploy to Production · #1 refused
    *The repository has no branch, tag or commit \`nowhere\`.* The nearest name is \`main\`. A commit must have been pushed before it can be deployed.
    Asked by <@U0ALICE>"
  `)
  expect(flow.thread(request.id)).toMatchInlineSnapshot(`
    [
      "*The repository has no branch, tag or commit \`nowhere\`.* The nearest name is \`main\`. A commit must have been pushed before it can be deployed.",
    ]
  `)
})

test('the bare command opens a form that makes the request', async () => {
  const opened = flow.slack.waitFor(() => flow.slack.modal('U0ALICE'), { what: 'the form' })
  await flow.type('')
  const form = await opened
  expect(readAloud(form.view)).toMatchInlineSnapshot(`
    "Lockkeeper makes a plan, and nothing runs before others have approved it.
    Target
    Branch, tag or commit
    Start
    Reason
    Options
    Approvers see all of this on the card."
  `)
  await flow.slack.as('U0ALICE').submit(form.viewId, {
    target: { target: 'prod' },
    reason: { reason: 'By the form' },
    ref: { ref: 'no such/../ref' },
    start: { start: 'every second' },
  })
  const errors = { ...flow.slack.modal('U0ALICE')?.errors }
  const examples = /“[A-Z][a-z]{2} 02:00” or “\d{4}-\d\d-\d\d/
  expect({ ...errors, start: errors['start']?.replace(examples, '“{weekday} 02:00” or “{date}') }).toMatchInlineSnapshot(`
    {
      "ref": "“no such/../ref” cannot be a ref: it holds a space or a character that cannot be seen. Write a branch, a tag or a commit. Nothing was started.",
      "start": "“every second” is not a time that can be read, or not a day of the calendar. Write for example “{weekday} 02:00” or “{date} 02:00 UTC”.",
    }
  `)
  await flow.slack.as('U0ALICE').submit(form.viewId, { target: { target: 'prod' }, reason: { reason: 'By the form' } })
  const [, request] = await flow.slack.waitFor(() => readAloud(flow.slack.modal('U0ALICE')?.view).includes('is asked for')).then(requests)
  expect(readAloud(flow.slack.modal('U0ALICE')?.view)).toMatchInlineSnapshot(
    `"#2 is asked for: \`main\` to \`prod\`. Its card appears in <#C0DEPLOYS> while the plan is made; <!subteam^S0DBA> can approve it there. To take it back: \`/migrate cancel 2\`."`,
  )
  const id = request?.id ?? 0
  await flow.reaches(id, 'waiting')
  await flow.drawn(id)
  expect(flow.cardText(id).split('\n').slice(0, 3)).toMatchInlineSnapshot(`
    [
      "Deploy to Production · #2",
      "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`.",
      "> By the form",
    ]
  `)
})

test('a second request for a taken target, and one for its database under another name, are refused helpfully', async () => {
  const [, held] = await requests()
  expect(await flow.answer('deploy prod', 'U0CAROL')).toMatchInlineSnapshot(
    `"\`prod\` is taken by #2 (asked by <@U0ALICE>, waiting for approval since {time}). It frees when that ends, or with \`/migrate cancel 2\`."`,
  )
  const twin = await flow.ask('deploy twin', 'U0CAROL')
  await flow.drawn(twin.id)
  expect(twin.state).toBe('refused')
  expect(flow.cardText(twin.id)).toMatchInlineSnapshot(`
    "Deploy to twin · #4 refused
    *The database of \`twin\` is also that of \`prod\`, and taken there by #2 (asked by <@U0ALICE>).* Nothing was started. It frees when that ends, or with \`/migrate cancel 2\`.
    Asked by <@U0CAROL>"
  `)
  expect((await flow.reaches(held?.id ?? 0, 'waiting')).state).toBe('waiting')
})

test('the requester, a stranger, a guest and somebody of another organisation may not vote', async () => {
  const [, { id } = { id: 0 }] = await requests()
  expect(await flow.decide(id, 'approve', 'U0ALICE')).toMatchInlineSnapshot(
    `"You asked for #2 yourself, so somebody else has to approve it: one of <!subteam^S0DBA> is needed."`,
  )
  expect(await flow.decide(id, 'reject', 'U0ALICE')).toMatchInlineSnapshot(
    `"You asked for #2 yourself. To take it back, use Cancel or \`/migrate cancel 2\`."`,
  )
  expect(await flow.decide(id, 'approve', 'U0GINA')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it."`,
  )
  expect(await flow.decide(id, 'approve', 'U0XAVIER')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is an account of another organisation. Nothing was changed. Ask a full member to do it."`,
  )
  expect(await flow.decide(id, 'cancel', 'U0GINA')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is a guest. Nothing was changed. Ask a full member to do it."`,
  )
  expect(await flow.decide(id, 'approve', 'U0DAVE')).toMatchInlineSnapshot(
    `"Lockkeeper takes requests and votes from full members of this workspace only, and this is a deactivated account. Nothing was changed. Ask a full member to do it."`,
  )
  expect(await flow.store.query('select 1 from lockkeeper.vote where request_id = $1', [id])).toEqual([])
})

test('Home shows an approver what waits for him, and the requester what he asked for', async () => {
  await flow.slack.as('U0BOB').home()
  await flow.slack.as('U0ALICE').home()
  const home = async (person: string) =>
    steady(readAloud((await flow.slack.waitFor(() => flow.slack.home(person), { what: 'Home' })).view), flow.directory)
  expect(await home('U0BOB')).toMatchInlineSnapshot(`
    "Waiting for your decision
    *Deploy to Production · #2*
    <@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`.
    0 of 1 · open to <!subteam^S0DBA> · 3 additive · plan \`{plan}\`
    [Approve]
    [Reject]
    [Open]
    Under way
    Nothing is under way.
    Maintenance windows, next 14 days
    None is planned. \`/maintenance schedule\` plans one.
    Last runs
    *Deploy to twin · #4* · refused · {time}
    The database of \`twin\` is also that of \`prod\`, and taken there by #2 (asked by <@U0ALICE>). Nothing was started. It frees when that ends, or with \`/migrate cancel 2\`.
    [Open]
    *Deploy to Production · #1* · refused · {time}
    The repository has no branch, tag or commit \`nowhere\`. The nearest name is \`main\`. A commit must have been pushed before it can be deployed.
    [Open]"
  `)
  expect(await home('U0ALICE')).toMatchInlineSnapshot(`
    "Waiting for your decision
    Nothing waits for you.
    Under way
    *Deploy to Production · #2* · waiting for approval
    asked by <@U0ALICE>
    [Cancel]
    [Open]
    Maintenance windows, next 14 days
    None is planned. \`/maintenance schedule\` plans one.
    Last runs
    *Deploy to twin · #4* · refused · {time}
    The database of \`twin\` is also that of \`prod\`, and taken there by #2 (asked by <@U0ALICE>). Nothing was started. It frees when that ends, or with \`/migrate cancel 2\`.
    [Open]
    *Deploy to Production · #1* · refused · {time}
    The repository has no branch, tag or commit \`nowhere\`. The nearest name is \`main\`. A commit must have been pushed before it can be deployed.
    [Open]"
  `)
})

test('cancelled while it waits: the target is free and nothing was changed', async () => {
  const [, { id } = { id: 0 }] = await requests()
  expect(await flow.decide(id, 'cancel', 'U0ALICE')).toMatchInlineSnapshot(`"the window closed"`)
  await flow.reaches(id, 'cancelled')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot(`
    "Deploy to Production · #2 cancelled
    *Cancelled by <@U0ALICE> before it started. Nothing was changed.*
    Asked by <@U0ALICE> · 3 migrations, \`{commit}\` from \`main\` · plan \`{plan}\`"
  `)
  expect(flow.thread(id)).toMatchInlineSnapshot(`
    [
      "<@U0ALICE> asks to run *3 migrations* and deploy \`{commit}\` from \`main\`, plan \`{plan}\`.",
      "[file] SQL of 3 migrations (request-2-{plan}.sql)",
      "*Cancelled by <@U0ALICE> before it started. Nothing was changed.*",
    ]
  `)
  expect(await flow.answer(`cancel ${id}`)).toMatchInlineSnapshot(`"#2 is not under way: it was cancelled {time}. Nothing was changed."`)
  expect(await flow.answer(`show ${id}`)).toMatchInlineSnapshot(`
    "*#2* \`prod\`: cancelled {time}
    Cancelled by <@U0ALICE> before it started. Nothing was changed.
    Asked by <@U0ALICE> {time}: “By the form”
    Commit \`{commit}\` from \`main\`, plan \`{plan}\`
    3 migrations: \`20261118102000_create_discounts\`, \`20261119093000_add_orders_discount_id\`, \`20261120084500_index_orders_discount\`
    Approvals 0 of 1"
  `)
})

test('each refusal stands in the audit with its code', async () => {
  const rows = await flow.store.query<{ act: string; result: string; times: number }>(
    `select act, result, count(*)::int as times from lockkeeper.audit where actor <> 'lockkeeper' group by 1, 2 order by 1, 2`,
  )
  expect(rows.map(({ act, result, times }) => `${act} ${result} ${times}`)).toMatchInlineSnapshot(`
    [
      "approve not_a_member 3",
      "cancel cancelled 1",
      "cancel not_a_member 1",
      "cancel nothing_to_cancel 1",
      "command bad_arguments 9",
      "command not_available_yet 1",
      "command unknown_target 5",
      "command unknown_verb 3",
      "deploy not_a_member 3",
      "form allowed 1",
      "form bad_arguments 1",
      "history allowed 1",
      "plan allowed 1",
      "plan ref_not_found 1",
      "press approve opened 3",
      "press approve own_request 1",
      "press cancel opened 2",
      "press reject own_request 1",
      "request not_allowed_to_ask 1",
      "request opened 3",
      "request target_taken 1",
      "request wrong_channel 2",
      "show allowed 1",
      "show unknown_request 1",
      "status allowed 1",
      "status wrong_channel 1",
    ]
  `)
})

test('no password or token stands in any message, log line, row, file or argument list', async () => {
  const password = new URL(flow.env['PROD_DATABASE_URL'] ?? '').password
  expect(password).not.toBe('')
  expect(await placesOf(flow, [password, flow.slack.tokens.bot, flow.slack.tokens.app, flow.slack.tokens.signingSecret])).toEqual([])
})
