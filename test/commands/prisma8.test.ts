import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { dispatch } from '../../commands/dispatch.ts'
import { parseText } from '../../commands/parse/command.ts'
import type { PlanShown, RunnerShown, VerbDeps } from '../../commands/verbs/reply.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { runnerStatusOf } from '../../src/plan/prisma8/status.ts'
import type { RunnerState } from '../../src/plan/prisma8/state.ts'
import { whyNotRunnable } from '../../src/plan/prisma8/unfit.ts'
import { ALICE, baseTarget, createFixture, DIGEST, evidenceOf, planOf, type Store } from '../approvals/fixture.ts'
import { createStore } from '../helpers/postgres.ts'
import { CUSTOMERS, FIRST, NO_EMAIL, packageOf, PHONE, SECOND, THIRD } from '../plan/prisma8/application.ts'

const packages = [CUSTOMERS, NO_EMAIL, PHONE].map(packageOf)
const files = {
  packages,
  contract: { hash: THIRD, namespaces: ['public'], path: 'src/prisma/contract.json', content: Buffer.from('') },
  snapshots: new Set([FIRST, SECOND, THIRD]),
  directory: 'migrations',
}
const ledger = packages
  .slice(0, 1)
  .map(({ name, hash, from, to }) => ({ name, hash: hash.written, from, to, appliedAt: new Date('2026-11-30T03:16:51.230Z') }))
const signed: RunnerState = { marker: FIRST, ledger, spaces: [], lockHeld: false, hasTables: true, olderRows: null }

let store: Store
let deps: VerbDeps
let state: RunnerState
let planned: PlanShown

const shownStatus = (): RunnerShown => {
  const status = runnerStatusOf(files, state)
  return {
    kind: 'runner',
    status: { ...status, prisma: '8.0.0-rc.19', unfit: whyNotRunnable({ target: { name: 'prod' }, files, status })?.text ?? null },
  }
}

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  const fixture = await createFixture({ store, targets: { prod: { ...baseTarget, label: 'Production' } } })
  state = signed
  const plan = planOf('prod')
  planned = {
    plan: {
      ...plan,
      list: [PHONE, NO_EMAIL].map((name) => ({ name, sha256: 'a'.repeat(64), bytes: 1, rollbackSha256: null, concurrently: false })),
      prisma8: {
        version: '8.0.0-rc.19',
        directory: 'migrations',
        contract: { path: 'src/prisma/contract.json', hash: THIRD, sha256: 'b'.repeat(64) },
        marker: FIRST,
        packages: [],
      },
    },
    digest: DIGEST,
    evidence: {
      ...evidenceOf([]),
      migrations: [
        { name: PHONE, class: 'additive', summary: 'adds Customer.phone, nullable', rows: 3, tables: ['Customer'], findings: [] },
        {
          name: NO_EMAIL,
          class: 'breaking',
          summary: 'drops Customer.email',
          rows: 3,
          tables: ['Customer'],
          findings: ['Customer.email is dropped with what it holds'],
        },
      ],
    },
    operations: [PHONE, NO_EMAIL].map((name) => ({ name, operations: packageOf(name).operations })),
  }
  deps = {
    ...fixture.deps,
    known: { targets: ['prod'], command: '/migrate' },
    lookLive: async () => null,
    commitsNotLive: async () => null,
    readStatus: async () => shownStatus(),
    askLiveCommit: async () => null,
    readOtherRecord: async () => Promise.reject(new Error('no target comes first')),
    makePlan: async () => planned,
    exportEvidence: async () => undefined,
    slack: fixture.slack.files,
    whyNoRun: async () => null,
    onFault: (error) => expect.unreachable(String(error)),
  }
})

async function told(text: string): Promise<string> {
  const parsed = parseText(text, deps.known)
  const reply = isRefusal(parsed)
    ? parsed
    : await dispatch(deps, parsed, { account: ALICE, entry: 'slash', origin: { channel: 'C0DEPLOYS', isDirect: false } })
  return reply.kind === 'form' ? 'form' : reply.text
}

test('status says what is applied and pending by marker and ledger, and with which version', async () => {
  expect(await told('status prod')).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): Prisma 8.0.0-rc.19, a release candidate; 1 applied, 2 pending.
    • Pending: \`20261130T0319_phone\` and \`20261130T0319_no_email\`.
    • Contract: \`d61aaa75cc15\` in the database, \`c3bf7ce541aa\` in the commit
    • No run yet
    • \`prisma_contract.ledger\`, 1 row, times in UTC
        ◦ \`20261130T0316_customers\` in a run that began Mon 30 Nov 2026 03:16:51"
  `)
  state = { ...signed, marker: THIRD }
  expect(await told('status')).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): Prisma 8.0.0-rc.19, a release candidate; 1 applied, nothing pending.
    • Contract: \`c3bf7ce541aa\`, in the database and in the commit
    • No run yet"
  `)
})

test('status of a database that the older runner keeps says how it is handed over', async () => {
  state = { ...signed, marker: null, ledger: [], olderRows: 12 }
  expect(await told('status prod')).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): Prisma 8.0.0-rc.19, a release candidate; the database has tables and was never signed by it.
    • Contract: none in the database, \`c3bf7ce541aa\` in the commit
    • Nothing could run: \`prod\` has the record of Prisma 5 to 7 (\`_prisma_migrations\`, 12 rows), and Prisma 8 never signed it. To hand it over, deploy what the old runner still has pending, emit the contract (\`npx prisma contract emit\`), sign the database (\`npx prisma db sign\`, which compares it and writes only \`prisma_contract\`) and ask again.
    • No run yet"
  `)
})

test('status says why nothing could run', async () => {
  state = { ...signed, marker: 'e'.repeat(64) }
  expect(await told('status prod')).toMatchInlineSnapshot(`
    "*Production* (\`prod\`): Prisma 8.0.0-rc.19, a release candidate; 1 applied, and no way to the contract of the commit.
    • Contract: \`eeeeeeeeeeee\` in the database, \`c3bf7ce541aa\` in the commit
    • Nothing could run: No migration of this commit knows the contract \`eeeeeeeeeeee\`, which \`prod\` has. It was probably deployed from another branch. Merge that branch first, or ask with \`--ref\` for a commit that has its migrations.
    • No run yet
    • \`prisma_contract.ledger\`, 1 row, times in UTC
        ◦ \`20261130T0316_customers\` in a run that began Mon 30 Nov 2026 03:16:51"
  `)
})

test('plan shows each operation with its class and its checks, and how it is asked for', async () => {
  expect(await told('plan prod')).toMatchInlineSnapshot(`
    "Plan for *Production* (\`prod\`): \`a1b9f02\` from \`main\`, “Discounts” by Alice
    *Prisma 8.0.0-rc.19, a release candidate*: from the contract \`d61aaa75cc15\` to the contract \`c3bf7ce541aa\`, all in one transaction
    2 migrations would run, in this order:
    1. \`20261130T0319_phone\` additive: adds Customer.phone, nullable, about 3 rows
        ◦ additive: Add column "phone" to "Customer" (before: ensure column "phone" is missing; after: verify column "phone" exists)
    2. \`20261130T0319_no_email\` breaking: drops Customer.email, about 3 rows
        ◦ destructive: Drop constraint "Customer_email_key" on "Customer" (before: ensure constraint "Customer_email_key" exists; after: verify constraint "Customer_email_key" does not exist)
        ◦ destructive: Drop column "email" from "Customer" (before: ensure column "email" exists; after: verify column "email" does not exist)
    What the review found:
    • *20261130T0319_no_email*: Customer.email is dropped with what it holds
    • Steps: back up, migrate, verify
    • Way back: the backup; Prisma 8 knows none of its own
    • Approvals: 1 of <!subteam^S0DBA> or <@U0BOB>, never the one who asks
    Plan \`7f3a9c21\`. To ask for it: \`/migrate deploy prod\`"
  `)
})
