import { limits } from '../../../src/slack/limits/shapes.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runCard } from '../../../src/request/render/card.ts'
import { eventMessage, threadOf } from '../../../src/request/render/thread.ts'
import { bold } from '../../../src/request/render/words.ts'
import { drawRequest } from '../../../approvals/cards/draw.ts'
import type { RequestEvent } from '../../../src/request/request.ts'
import { fit } from '../../../src/slack/limits/limits.ts'
import { preformattedText } from '../../slack/preformatted.ts'
import { bytesText } from '../../../src/lib/text/text.ts'
import { sizeOf } from '../../../src/slack/limits/size.ts'
import { spoken } from '../../helpers/spoken.ts'
import {
  changedRow,
  doneView,
  event,
  failedView,
  needsPersonView,
  planOf,
  runningView,
  step,
  viewWith,
  waitingView,
} from '../../helpers/views.ts'

const utc = { timezone: 'UTC' }

describe('the card of a run', () => {
  test('shows what it does now, each step and each migration', () => {
    const card = runCard(runningView(), utc)
    expect(card.text).toBe('Deploy to Production · #42: Migrating, 2 of 3 done')
    expect(spoken(card)).toEqual([
      'Deploy to Production · #42',
      '*Migrating*, 2 of 3 done · asked by <@U0ALICE>, approved by <@U0BOB> and <@U0CAROL>',
      'Running for 1 min 52 s',
      'complete | Preflight | 14 checks, nothing to report',
      'complete | Install and build | 41 s',
      'complete | Back up | 1.6 GB in 7.7 s, verified by a full read',
      'complete | 20261118_add_discounts | 0.1 s',
      'complete | 20261119_order_discount | 0.3 s',
      'in_progress | 20261120_index_discount | Index, scan 1 of 2: 97,682 of 114,755 blocks. Nobody is waiting behind it.',
      'pending | Verify the schema',
      'pending | Switch and restart',
      'pending | Health',
      '[Cancel]',
      'Updated <!date^1795161000^{time_secs}|07:50:00 UTC> · plan `7f3a9c21`',
    ])
    expect(card.blocks).toMatchSnapshot()
  })
  test('says that it is being cancelled, and by whom', () => {
    const view = runningView()
    const card = runCard({ ...view, request: { ...view.request, cancelRequestedAt: view.now, cancelRequestedBy: 'U0CAROL' } }, utc)
    expect(spoken(card)[1]).toBe(
      '*Cancelling*, asked by <@U0CAROL>; it stops at the next safe point · asked by <@U0ALICE>, approved by <@U0BOB> and <@U0CAROL>',
    )
    expect(spoken(card)).not.toContain('[Cancel]')
  })
  test('lists the migrations before the first of them has begun', () => {
    const view = viewWith({
      row: { state: 'running', startedAt: new Date('2026-11-20T07:49:58Z') },
      steps: [step(1, 'preflight', 'Preflight', { state: 'running' }), step(2, 'migrate', 'Migrate')],
    })
    expect(spoken(runCard(view, utc)).slice(1, 7)).toEqual([
      '*Preflight* · asked by <@U0ALICE>',
      'Running for 2 s',
      'in_progress | Preflight',
      'pending | 20261118_add_discounts',
      'pending | 20261119_order_discount',
      'pending | 20261120_index_discount',
    ])
  })
  test('shows the next file as under way, with what it waits for, also between two tries', () => {
    const view = runningView()
    const waiting = 'Lock timeout, try 1 of 5. reporting (pid 4711) was in the way. Nothing was left behind; trying again in 2 s.'
    const steps = view.steps.map((one) =>
      one.name === 'migrate'
        ? {
            ...one,
            details: waiting,
            data: { migrations: ['done', 'failed', 'pending'].map((state, at) => ({ name: `file_${at}`, state })) },
          }
        : one,
    )
    expect(spoken(runCard({ ...view, steps }, utc)).slice(6, 11)).toEqual([
      'complete | file_0',
      `in_progress | file_1 | ${waiting}`,
      'pending | file_2',
      'pending | Verify the schema',
      'pending | Switch and restart',
    ])
  })
  test('of a failure says what happened, why, what next, and names the backup', () => {
    const card = runCard(failedView(), utc)
    expect(spoken(card)).toEqual([
      'Deploy to Production · #42 stopped',
      '*20261119_order_discount could not get its lock. 1 of 3 migrations is applied and kept; the shop is up on the old version.*',
      'Stopped after 1 min 9 s',
      'complete | Preflight | 14 checks, nothing to report',
      'complete | Back up | 1.6 GB, verified by a full read',
      'complete | 20261118_add_discounts | 0.1 s',
      'error | 20261119_order_discount | lock timeout, 5 tries in 18 s',
      'pending | 20261120_index_discount | not started',
      'pending | Verify the schema | not started',
      'pending | Switch and restart | not started',
      '*Why.* It needs a lock on `orders` that `reporting` (pid 4711, running for 38 min) holds. Waiting longer would have queued checkout behind it.',
      '*Next.* Wait for that query or end it, then ask again: what has run is kept and not repeated.',
      'ERROR: canceling statement due to lock timeout (55P03)',
      'ALTER TABLE "orders" ADD COLUMN "discount_id" TEXT;',
      'Backup `prod-20261120T071420Z` is kept · log in the thread · plan `7f3a9c21`',
    ])
    expect(card.blocks).toMatchSnapshot()
  })
  test('that needs a person separates what is known from what is not', () => {
    const card = runCard(needsPersonView(), utc)
    expect(spoken(card)).toEqual([
      'Deploy to Production · #42 needs a person',
      '*The connection to the database was lost during 20261119_order_discount. Lockkeeper will not guess.*',
      '*Known.* 20261118_add_discounts is applied. The backup is verified. The shop answers, on the old version.',
      '*Not known.* Whether `orders.discount_id` exists. The record says “started”; no session of this run is alive.',
      '*What you can do.* Look at `/migrate status prod` when the database answers. When it is clear, close this request so that a new one can be asked.',
      '[Close this request]',
      'Nothing else starts on Production until this is closed · Backup `prod-20261120T071420Z` is kept · log in the thread',
    ])
    expect(card.blocks).toMatchSnapshot()
  })
  test('that is done says what is live, and shows only what exists', () => {
    const card = runCard(doneView(), utc)
    expect(card.text).toBe('Deploy to Production · #42 done. 3 migrations applied and `a1b9f02` is live.')
    expect(spoken(card)).toEqual([
      'Deploy to Production · #42 done',
      '*3 migrations applied and `a1b9f02` is live.*',
      '*Took*',
      '2 min 31 s',
      '*Backup*',
      '1.6 GB in 7.7 s, verified by a full read',
      '*Asked by*',
      '<@U0ALICE>',
      '*Approved by*',
      '<@U0BOB> and <@U0CAROL>',
      '`/migrate show 42` has the record · plan `7f3a9c21`',
    ])
    expect(card.blocks).toMatchSnapshot()
  })
  test('with nothing pending says that the database is unchanged', () => {
    const view = doneView()
    const nothing = { ...view, steps: [], votes: [], request: changedRow(view.request, { plan: planOf([]), outcome: null }) }
    expect(spoken(runCard(nothing, utc)).slice(1, 3)).toEqual([
      '*Nothing was pending, so the database is unchanged; `a1b9f02` is live.*',
      '*Took*',
    ])
  })
  test('that was cancelled says where it stopped', () => {
    const view = failedView()
    const card = runCard(
      {
        ...view,
        request: changedRow(view.request, {
          state: 'cancelled',
          outcome: { headline: '*Cancelled by <@U0CAROL> before "Back up" started.*' },
        }),
      },
      utc,
    )
    expect(spoken(card).slice(0, 3)).toEqual([
      'Deploy to Production · #42 cancelled',
      '*Cancelled by <@U0CAROL> before "Back up" started.*',
      'Cancelled after 1 min 9 s',
    ])
  })
  test('of 400 migrations keeps the running one, its neighbours and the counts', () => {
    const view = runningView()
    const names = Array.from({ length: 400 }, (_, index) => `2026_${index}_${'long_name_'.repeat(20)}`)
    const migrations = names.map((name, index) => ({
      name,
      state: index < 250 ? 'done' : index === 250 ? 'running' : 'pending',
      ...(index < 250 ? { seconds: 0.1 } : {}),
    }))
    const steps = view.steps.map((one) => (one.name === 'migrate' ? { ...one, data: { migrations } } : one))
    const card = fit(runCard({ ...view, steps, request: changedRow(view.request, { plan: planOf(names) }) }, utc))
    expect(sizeOf(card.blocks ?? [])).toBeLessThanOrEqual(limits.budget)
    const lines = spoken(card)
    expect(lines[1]).toContain('*Migrating*, 250 of 400 done')
    expect(lines).toContain('complete | 248 migrations before | 25 s')
    expect(lines).toContain('pending | 147 migrations after')
    expect(lines.filter((line) => line.startsWith('in_progress'))).toHaveLength(1)
  })
})

test('of a long headline only the first sentence is bold', () => {
  const text = `Production is taken by run 41. ${'It has been migrating for a while and will be done soon. '.repeat(5)}`
  expect(bold(text)).toBe(
    `*Production is taken by run 41.* ${'It has been migrating for a while and will be done soon. '.repeat(5).trim()}`,
  )
  expect(bold('Two sentences. Both short.')).toBe('*Two sentences. Both short.*')
  expect(bold('It has *its own*.')).toBe('It has *its own*.')
})

describe('the thread', () => {
  const said = (what: RequestEvent) => eventMessage(runningView(), event(9, what), 'UTC').text
  test('tells each change of state in a sentence', () => {
    expect(said({ kind: 'requested', data: {} })).toBe(
      '<@U0ALICE> asks to run *3 migrations* and deploy `a1b9f02` from `main`, plan `7f3a9c21`.',
    )
    expect(said({ kind: 'approved', data: { by: 'U0BOB', count: 1, required: 2 } })).toBe('<@U0BOB> approved, 1 of 2.')
    expect(said({ kind: 'approved', data: { by: 'os:deploy', count: 2, required: 2 } })).toBe(
      '`deploy` (command line) approved, 2 of 2. It may start.',
    )
    expect(said({ kind: 'rejected', data: { by: 'U0BOB', reason: 'Not on a Friday <!here>' } })).toBe(
      '<@U0BOB> rejected this. Nothing was changed.\n> Not on a Friday &lt;!here&gt;',
    )
    expect(said({ kind: 'asked_anew', data: { why: 'The policy has changed.' } })).toBe(
      'It asks again, and votes for the earlier plan no longer count. The policy has changed.',
    )
    expect(
      said({ kind: 'asked_anew', data: { why: '#42 counts 1 of 2 approvals under the rules as they are now.', samePlan: true } }),
    ).toBe('It waits for approval again. #42 counts 1 of 2 approvals under the rules as they are now.')
    expect(said({ kind: 'expired', data: { what: 'request' } })).toBe('Nobody decided in time, so this has expired. Nothing was changed.')
    expect(said({ kind: 'cancel_requested', data: { by: 'U0CAROL' } })).toBe('<@U0CAROL> asked to cancel. It stops at the next safe point.')
    expect(said({ kind: 'started', data: {} })).toBe('The run has started.')
    expect(said({ kind: 'finding', data: { text: 'Health answers 503 before the change.' } })).toBe('Health answers 503 before the change.')
    expect(said({ kind: 'step_done', data: { step: 'backup', title: 'Back up', output: '1.6 GB in 7.7 s' } })).toBe(
      '*Back up* · 1.6 GB in 7.7 s',
    )
    expect(said({ kind: 'migration_done', data: { name: '20261118_add_discounts', output: '0.1 s', at: 1, of: 3 } })).toBe(
      '`20261118_add_discounts` applied, 1 of 3 · 0.1 s',
    )
    expect(said({ kind: 'adopted', data: { step: 'Migrate' } })).toBe(
      'The process that ran this is gone. Another one took the run over and looks at *Migrate* first.',
    )
  })
  test('closes with the excerpt, the diagnosis and the backup', () => {
    const post = threadOf(failedView(), 'card:42', { isProtected: false, timezone: 'UTC' })[1]
    expect(post?.destination).toEqual({ kind: 'thread', parent: 'card:42' })
    expect(post?.content.kind === 'once' && spoken(post.content.message)).toEqual([
      'Deploy to Production · #42 stopped · *20261119_order_discount could not get its lock. 1 of 3 migrations is applied and kept; the shop is up on the old version.*',
      '*Why.* It needs a lock on `orders` that `reporting` (pid 4711, running for 38 min) holds. Waiting longer would have queued checkout behind it.',
      '*Next.* Wait for that query or end it, then ask again: what has run is kept and not repeated.',
      'ERROR: canceling statement due to lock timeout (55P03)',
      'ALTER TABLE "orders" ADD COLUMN "discount_id" TEXT;',
      'Took 1 min 9 s · backup `prod-20261120T071420Z` is kept · the log follows',
    ])
  })
  test('shows the channel the headline of a failure, and keeps the diagnosis, which the card has too, in the thread', () => {
    const [, shown, why] = threadOf(failedView(), 'card:42', { isProtected: true, timezone: 'UTC' })
    expect(shown?.destination).toEqual({ kind: 'thread', parent: 'card:42', broadcast: true })
    expect(shown?.content.kind === 'once' && spoken(shown.content.message)).toEqual([
      'Deploy to Production · #42 stopped · *20261119_order_discount could not get its lock. 1 of 3 migrations is applied and kept; the shop is up on the old version.*',
      'Why, and what comes next, is in the thread.',
    ])
    expect(why?.destination).toEqual({ kind: 'thread', parent: 'card:42' })
    expect(why?.content.kind === 'once' && spoken(why.content.message)).toEqual([
      '*Why.* It needs a lock on `orders` that `reporting` (pid 4711, running for 38 min) holds. Waiting longer would have queued checkout behind it.',
      '*Next.* Wait for that query or end it, then ask again: what has run is kept and not repeated.',
      'ERROR: canceling statement due to lock timeout (55P03)',
      'ALTER TABLE "orders" ADD COLUMN "discount_id" TEXT;',
      'Took 1 min 9 s · backup `prod-20261120T071420Z` is kept · the log follows',
    ])
  })
  test('says a rejection once', () => {
    const view = viewWith({
      row: { state: 'rejected', endedAt: new Date() },
      events: [event(1, { kind: 'rejected', data: { by: 'U0BOB', reason: '' } }), event(2, { kind: 'ended', data: { state: 'rejected' } })],
    })
    expect(threadOf(view, 'card:42', { isProtected: true, timezone: 'UTC' }).map((one) => one.key)).toEqual(['event:1'])
  })
  test('is shown in the channel only at the end of a run, and only for protected targets', () => {
    const broadcast = (isProtected: boolean) =>
      threadOf(doneView(), 'card:42', { isProtected, timezone: 'UTC' }).flatMap((one) =>
        one.destination.kind === 'thread' && one.destination.broadcast === true ? [one.key] : [],
      )
    expect(broadcast(true)).toEqual(['event:2'])
    expect(broadcast(false)).toEqual([])
  })
  test('carries SQL before the decision, the tail while it runs, and the log at the end', () => {
    const keys = (view: Parameters<typeof threadOf>[0]) =>
      threadOf(view, 'card:42', { isProtected: false, timezone: 'UTC' }).map((one) => one.key)
    expect(keys(waitingView())).toEqual(['event:1', 'sql:42:7f3a9c21', 'event:2'])
    expect(keys(runningView())).toEqual(['tail:42'])
    expect(keys(needsPersonView())).toEqual(['event:1', 'tail:42', 'log:42:open'])
    expect(keys(doneView())).toEqual(['event:1', 'event:2', 'tail:42', 'log:42'])
  })
  test('has no output left in its middle when the run is over', () => {
    const over = threadOf({ ...doneView(), tail: 'All migrations have been successfully applied.' }, 'card:42', {
      isProtected: false,
      timezone: 'UTC',
    })
    const tail = over.find(({ key }) => key === 'tail:42')
    expect(tail?.content.kind === 'current' && spoken(tail.content.message)).toEqual([
      'While it ran, its output stood here. All of it is in the log at the end of this thread.',
    ])
  })
  test('keeps the last 2,500 characters of output', () => {
    const tail = threadOf({ ...runningView(), tail: `${'x'.repeat(5_000)}\nthe end\n` }, 'card:42', {
      isProtected: false,
      timezone: 'UTC',
    }).at(-1)
    const text = tail?.content.kind === 'current' ? spoken(tail.content.message).join('\n') : ''
    expect(text.endsWith('the end')).toBe(true)
    expect(text.length).toBeLessThanOrEqual(2_500 + 'Output · Migrate\n'.length)
  })
  test('shows SQL as text where files are not available, and says what is missing', () => {
    const sql = threadOf(waitingView(), 'card:42', { isProtected: false, timezone: 'UTC' })[1]
    if (sql?.content.kind !== 'file') throw new Error('no file')
    const message = sql.content.instead(`-- 1\n${'select 1;\n'.repeat(2_000)}`)
    expect(spoken(message)[0]).toBe('*SQL of 3 migrations*')
    expect(spoken(message).at(-1)).toBe('and 13.2 kB more; `/migrate plan prod` names each file')
    expect(sizeOf(fit(message).blocks ?? [])).toBeLessThanOrEqual(limits.budget)
  })
  test('loses no character of SQL between its pieces, as it is sent', () => {
    const sql = threadOf(waitingView(), 'card:42', { isProtected: false, timezone: 'UTC' })[1]
    if (sql?.content.kind !== 'file') throw new Error('no file')
    const { instead } = sql.content
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('x'.repeat(2_499), '😀'.repeat(1_251), 'add "note" text;\n', '"\\\n'.repeat(700)), {
          minLength: 1,
          maxLength: 12,
        }),
        (parts) => {
          const text = parts.join('')
          const message = fit(instead(text))
          const shown = (message.blocks ?? []).map(preformattedText).join('')
          expect(text.startsWith(shown)).toBe(true)
          const missing = Buffer.byteLength(text) - Buffer.byteLength(shown)
          expect(spoken(message).filter((line) => line.includes(' more;'))).toEqual(
            missing === 0 ? [] : [`and ${bytesText(missing)} more; \`/migrate plan prod\` names each file`],
          )
        },
      ),
    )
  })
})

test('approvers are told once, with a link to the card, and only while it waits', () => {
  const context = { timezone: 'UTC', isProtected: true, approvers: ['U0CAROL'] }
  const notice = drawRequest(waitingView(), context).at(-1)
  expect(notice).toMatchObject({ key: 'dm:42:U0CAROL', destination: { kind: 'direct', user: 'U0CAROL' } })
  if (notice?.content.kind !== 'linked') throw new Error('no link')
  expect(spoken(notice.content.message('https://example.slack.com/archives/C0/p1'))).toEqual([
    '<@U0ALICE> asks to run *3 migrations* and deploy `a1b9f02` from `main` on Production. You may decide. Plan `7f3a9c21`.',
    '[Open the request]',
  ])
  expect(drawRequest(runningView(), context).filter((one) => one.key.startsWith('dm:'))).toEqual([])
})
