import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { blockerToEnd, endBlocker, waitOn } from '../../../approvals/decisions/blocker.ts'
import { endBlockerView, shownBlocker } from '../../../approvals/modals/blocker.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { blockersOf } from '../../../src/request/blocker-store.ts'
import type { ShownBlocker } from '../../../src/request/blocker.ts'
import type { RequestRow } from '../../../src/request/request.ts'
import { eventsOf, transition } from '../../../src/request/store.ts'
import { createStore } from '../../helpers/postgres.ts'
import { ALICE, BOB, CAROL, createFixture, type Fixture, type Store } from '../fixture.ts'

let store: Store
let fixture: Fixture
let request: RequestRow
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({ store })
  const { id } = await fixture.waiting()
  await transition(store.db, id, ['waiting'], 'granted')
  await transition(store.db, id, ['granted'], 'running')
  request = await fixture.request(id)
})

const shown: ShownBlocker = {
  name: 'reporting',
  role: 'analyst',
  isIdle: true,
  transactionMs: 38 * 60_000,
  statement: "select * from orders where email = '…'",
  relation: 'orders',
  queue: 14,
  whyNotEnd: null,
}
const reader = { pid: 4711, backend: '100', transaction: '200', shown }
const blockers = () => blockersOf(store.db, request.id)
const end = (blocker: number, account = CAROL) => endBlocker(fixture.deps, { token: request.token, account, entry: 'modal', blocker })
const wait = (account = ALICE) => waitOn(fixture.deps, { token: request.token, account, entry: 'button' })
const textOf = async (said: Promise<{ readonly text: string }>) => (await said).text

async function shownNow(blocker: Parameters<ReturnType<typeof blockers>['show']>[0]): Promise<number> {
  await blockers().show(blocker)
  const [row] = await store.db.query<{ id: number }>('select max(id)::int as id from lockkeeper.blocker')
  return row?.id ?? 0
}

describe('ending who is in the way', () => {
  test('is asked by an approver, heard by the run, and told in the thread', async () => {
    const id = await shownNow(reader)
    expect(await end(id)).toMatchObject({
      kind: 'asked_to_end',
      text: '`reporting` (pid 4711) is being ended, if it is still in the same transaction. The thread of #1 says what came of it.',
    })
    const asked = await blockers().toEnd()
    expect(asked).toMatchObject({ id, pid: 4711, backend: '100', transaction: '200', askedBy: CAROL })
    if (asked === null) throw new Error('nobody asked')
    await blockers().answer(asked, 'done')
    await blockers().answer(asked, 'done twice')
    expect(await blockers().toEnd()).toBeNull()
    expect((await eventsOf(store.db, request.id)).slice(-2)).toMatchObject([
      { kind: 'end_asked', data: { by: CAROL, name: 'reporting', pid: 4711 } },
      { kind: 'blocker', data: { text: 'done' } },
    ])
    expect((await fixture.audited()).slice(-1)).toEqual([`${CAROL} end_blocker asked_to_end`])
  })

  test('is no right of whoever only asked for the run', async () => {
    const id = await shownNow(reader)
    expect(await textOf(end(id, ALICE))).toBe(
      'Only who may approve #1 may end what is in its way: <!subteam^S0DBA> or <@U0BOB>. You are none of them. Nothing was changed.',
    )
    fixture.slack.state.areGroupsUnreadable = true
    expect(await end(id, ALICE)).toMatchObject({ code: 'approvers_unknown' })
    expect(await blockers().toEnd()).toBeNull()
    expect((await fixture.audited()).slice(-2)).toEqual([`${ALICE} end_blocker not_an_approver`, `${ALICE} end_blocker approvers_unknown`])
  })

  test('is refused when another session is in the way than the one that was shown', async () => {
    const id = await shownNow(reader)
    await shownNow({ ...reader, transaction: '201', shown: { ...shown, name: 'nightly' } })
    expect(await textOf(end(id))).toBe(
      'Another session is in the way of #1 now: `nightly` (pid 4711). The one that you were shown has gone, so nothing was ended. Look at the card and press the button again if this one should go too.',
    )
    expect(await blockers().toEnd()).toBeNull()
  })

  test('is refused when nobody is in the way any more, when it was asked before, and when the run has ended', async () => {
    const id = await shownNow(reader)
    await end(id)
    expect(await textOf(end(id, BOB))).toBe(
      'Somebody has asked already to end `reporting` (pid 4711). The thread of #1 says what came of it.',
    )
    await blockers().show(null)
    expect(await textOf(end(id))).toBe('Nobody is in the way of #1 any more, so nothing was changed. It goes on by itself.')
    await transition(store.db, request.id, ['running'], 'succeeded')
    expect(await textOf(end(id))).toBe('#1 does not run any more, so nobody is in its way. Nothing was changed.')
  })

  test('is refused with what helps where the role of the target may not', async () => {
    const whyNotEnd = "Lockkeeper's role `app` may not end sessions of others."
    const id = await shownNow({ ...reader, shown: { ...shown, whyNotEnd } })
    expect(await textOf(end(id))).toBe(
      "`reporting` (pid 4711) cannot be ended from here. Lockkeeper's role `app` may not end sessions of others.",
    )
  })

  test('is asked once more in a window that shows the session', async () => {
    expect(await blockerToEnd(fixture.deps, request)).toMatchObject({ code: 'stale_button' })
    const id = await shownNow(reader)
    const blocker = await blockerToEnd(fixture.deps, request)
    if (isRefusal(blocker)) throw new Error(blocker.text)
    const view = endBlockerView(request, blocker)
    expect(shownBlocker(String(view.private_metadata))).toEqual({ token: request.token, blocker: id })
    expect(JSON.stringify(view)).toContain(
      '*`reporting` is in the way* (role `analyst`, pid 4711). It holds a lock on `orders`, in a transaction that has been open for 38 min. It runs nothing at the moment: its application has left the transaction open. Its last statement: `select * from orders where email = ',
    )
  })
})

describe('waiting on', () => {
  test('is one more try, for whoever may cancel', async () => {
    await shownNow(reader)
    expect(await textOf(wait())).toBe(
      '#1 waits on for `reporting`: one more try. Each one gives up in time, so that the application does not wait behind it.',
    )
    await wait(CAROL)
    expect(await blockers().moreTries()).toBe(2)
    expect(await wait('U0SECOND')).toMatchObject({ code: 'not_allowed_to_cancel' })
  })

  test('is refused when nobody is in the way', async () => {
    expect(await textOf(wait())).toBe('Nobody is in the way of #1 any more, so nothing was changed. It goes on by itself.')
  })
})
