import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { stillGranted } from '../../../approvals/grant-check.ts'
import { waiveFindings } from '../../../approvals/decisions/waive.ts'
import { grantAtOnce } from '../../../approvals/decisions/grant-at-once.ts'
import { castVote } from '../../../approvals/decisions/vote.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { findingKey } from '../../../src/request/blockers.ts'
import type { RequestRow } from '../../../src/request/request.ts'
import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { createStore } from '../../helpers/postgres.ts'
import { ALICE, baseTarget, BOB, CAROL, createFixture, DAVE, DIGEST, type Fixture, type Store } from '../fixture.ts'

let store: Store
let fixture: Fixture

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({
    store,
    targets: {
      prod: { ...baseTarget, review: { waive: { from: ['user:U0CAROL', 'user:U0ALICE'] } } },
      plain: { ...baseTarget, approvals: { ...baseTarget.approvals, breaking: { from: ['user:U0DAVE'] } } },
      free: { ...baseTarget, protected: false, approvals: { required: 0 }, review: { waive: { from: ['user:U0CAROL'] } } },
    },
  })
})

const finding = (text: string, over: Partial<Finding> = {}): Finding => ({
  code: 'index-build',
  weight: 'blocker',
  migration: '20261120_index',
  line: 3,
  table: 'orders',
  text,
  advice: null,
  waived: null,
  ...over,
})
const locks = finding('building the index keeps 4,120,000 rows of <orders> from being written for about 2 min')
const timeout = finding('it switches the lock timeout off', { code: 'no-timeout', line: null, table: null })

/** A request with these findings, waiting for votes. */
async function blocked(findings: readonly Finding[], how: { readonly target?: string; readonly by?: string } = {}): Promise<RequestRow> {
  const { id } = await fixture.waiting(how)
  await store.db.query(`update lockkeeper.request set evidence = jsonb_set(evidence, '{findings}', $2::jsonb) where id = $1`, [
    id,
    JSON.stringify(findings),
  ])
  return fixture.request(id)
}

const approving = ({ token }: RequestRow, by = BOB) =>
  castVote(fixture.deps, { token, account: by, entry: 'modal', decision: 'approve', digest: DIGEST })
const waiving = ({ token }: RequestRow, by = CAROL, shown: readonly Finding[] = [locks, timeout], reason = 'at night nobody writes') =>
  waiveFindings(fixture.deps, { token, account: by, entry: 'modal', digest: DIGEST, reason, shown: shown.map(findingKey) })
const said = (outcome: { readonly kind: string; readonly text: string }) =>
  `${isRefusal(outcome) ? outcome.code : outcome.kind}: ${outcome.text}`

test('a finding that blocks keeps a plan from being approved until somebody who may lets it pass, with a reason', async () => {
  const request = await blocked([locks, finding('a note', { weight: 'note' }), timeout])
  expect(said(await approving(request))).toBe(
    `blocked: #${request.id} cannot be approved: 2 findings block it.
• *20261120_index*, line 3: building the index keeps 4,120,000 rows of &lt;orders&gt; from being written for about 2 min
• *20261120_index*: it switches the lock timeout off
Your click changed nothing. Change the SQL and ask again, or <@U0CAROL> or <@U0ALICE> may let them pass with a reason, by *Waive* on the card.`,
  )
  expect(said(await waiving(request, CAROL, [locks]))).toBe(
    `waived: You let 1 finding of #${request.id} pass, and the record names you with your reason. 1 more still blocks it.`,
  )
  expect(said(await approving(request))).toMatch(
    /^blocked: .*1 finding blocks it\.\n• \*20261120_index\*: it switches the lock timeout off\n/,
  )
  expect(said(await waiving(request))).toBe(
    `waived: You let 1 finding of #${request.id} pass, and the record names you with your reason. It can be approved now.`,
  )
  expect(said(await waiving(request))).toBe(
    `nothing_to_waive: What was shown does not block #${request.id} any more. Nothing was changed. Its card shows how it stands.`,
  )
  expect(await approving(request)).toMatchObject({ kind: 'granted' })
  expect(await stillGranted(fixture.deps, request.id)).toBe(true)
  expect(await fixture.events(request.id)).toEqual(['waived', 'waived', 'approved'])
  expect(await fixture.audited()).toEqual(
    expect.arrayContaining([
      `${BOB} approve blocked`,
      `${CAROL} waive waived`,
      `${CAROL} waive nothing_to_waive`,
      `${BOB} approve granted`,
    ]),
  )
})

test('a rejection needs no waiver, and a comment in the file is one', async () => {
  const request = await blocked([{ ...locks, waived: { by: 'comment', reason: 'the table is empty in production' } }])
  expect(await approving(request)).toMatchObject({ kind: 'granted' })
  await store.db.query(`update lockkeeper.request set state = 'cancelled' where id = $1`, [request.id])
  const other = await blocked([locks])
  const rejecting = { token: other.token, account: BOB, entry: 'modal', decision: 'reject', reason: 'too slow', digest: DIGEST } as const
  expect(await castVote(fixture.deps, rejecting)).toMatchObject({ kind: 'rejected' })
})

test('who may not is told who may', async () => {
  const request = await blocked([locks])
  expect(said(await waiving(request, BOB))).toBe(
    `not_allowed_to_waive: Findings of #${request.id} are waived by <@U0CAROL> or <@U0ALICE>. You are not among them. Nothing was changed.`,
  )
  expect(said(await waiving(request, ALICE))).toBe(
    `own_request: You asked for #${request.id} yourself, so somebody else has to let its findings pass: one of <@U0CAROL> or <@U0ALICE>. Nothing was changed. What is known when the migration is written may be waived by a comment in its file.`,
  )
  expect(said(await waiving(request, CAROL, [locks], '  '))).toBe(
    `bad_arguments: Say in a sentence why these findings of #${request.id} may pass: everybody reads it.`,
  )
  expect(await fixture.events(request.id)).toEqual([])
})

test('where nobody is named, those may who approve breaking changes', async () => {
  const request = await blocked([locks], { target: 'plain' })
  expect(said(await waiving(request, CAROL, [locks]))).toMatch(/^not_allowed_to_waive: .* are waived by <@U0DAVE>\./)
  expect(await waiving(request, DAVE, [locks])).toMatchObject({ kind: 'waived' })
})

test('what became worse since is another finding, and one of an earlier plan lets nothing of a new one pass', async () => {
  const request = await blocked([locks])
  await waiving(request, CAROL, [locks])
  const worse = { ...locks, text: 'building the index keeps 9,000,000 rows from being written' }
  await store.db.query(`update lockkeeper.request set evidence = jsonb_set(evidence, '{findings}', $2::jsonb) where id = $1`, [
    request.id,
    JSON.stringify([worse]),
  ])
  expect(said(await approving(request))).toMatch(/^blocked: /)
  expect(said(await waiving(request, CAROL, [locks]))).toMatch(/^nothing_to_waive: /)
  await store.db.query(`update lockkeeper.request set digest = $2 where id = $1`, [request.id, 'e'.repeat(64)])
  expect(said(await waiving(request, CAROL, [worse]))).toBe(
    `digest_changed: The plan of #${request.id} has changed since this was shown. Nothing was waived. Read the card as it is now and decide about that.`,
  )
})

test('a waiver counts no more at the start of the run when whoever gave it may not any more', async () => {
  const request = await blocked([locks])
  await waiving(request, CAROL, [locks])
  await approving(request)
  fixture.setTarget('prod', { ...baseTarget, review: { waive: { from: ['user:U0DAVE'] } } })
  const refusal = await stillGranted(fixture.deps, request.id)
  expect(isRefusal(refusal) && said(refusal)).toBe(
    `not_an_approver: A finding of #${request.id} was waived by somebody who may not do that any more: \`review.waive\` of \`prod\` names <@U0DAVE>. It has to be asked for again.`,
  )
})

test('where nobody has to approve, it starts by itself once nothing blocks it', async () => {
  const request = await blocked([locks], { target: 'free' })
  await store.db.transaction((tx) => grantAtOnce(fixture.deps, tx, request.id))
  expect((await fixture.request(request.id)).state).toBe('waiting')
  expect(await waiving(request, CAROL, [locks])).toMatchObject({ kind: 'waived' })
  expect((await fixture.request(request.id)).state).toBe('granted')
  expect(fixture.signals.at(-1)).toMatchObject({ id: request.id, kind: 'decided' })
})
