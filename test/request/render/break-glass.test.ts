import { expect, test } from 'vitest'
import { breakGlassView, reviewView } from '../../../approvals/break-glass/views.ts'
import { requestCard } from '../../../approvals/cards/card.ts'
import { drawRequest } from '../../../approvals/cards/draw.ts'
import { runCard } from '../../../src/request/render/card.ts'
import { fit, fitView } from '../../../src/slack/limits/limits.ts'
import { spoken } from '../../helpers/spoken.ts'
import {
  doneView,
  event,
  failedView,
  needsPersonView,
  now,
  runningView,
  viewWith,
  vote,
  waitingView,
  withBreakGlass,
} from '../../helpers/views.ts'

const utc = { timezone: 'UTC' }
const steadyDates = (lines: readonly string[]) => lines.map((line) => line.replace(/<!date[^>]*>/g, '<date>'))
const marked = (lines: readonly string[]) => steadyDates(lines).filter((line) => /glass|^> |reviewed|let through|\[Review\]/i.test(line))

test('a waiting request of a target that allows it offers it in a small menu, and one that was asked so by a button', () => {
  const plain = waitingView()
  expect(spoken(requestCard(plain, utc)).join()).not.toMatch(/glass/i)
  const { breakGlass, ...request } = withBreakGlass(plain).request
  expect(marked(spoken(requestCard({ ...plain, request: { ...request, breakGlass: null } }, utc)))).toEqual([
    '> Checkout needs the discount columns before Friday’s launch.',
    '[… It cannot wait: break the glass]',
  ])
  const asked = withBreakGlass(plain, { brokenBy: null, brokenAt: null, digest: null })
  const card = requestCard({ ...asked, votes: [vote('U0BOB')] }, utc)
  expect(marked(spoken(card))).toEqual([
    '> Checkout needs the discount columns before Friday’s launch.',
    '*BREAK GLASS is asked for.* <@U0DAVE> or <!subteam^S0ONCALL> may let it run without approvals. Everybody who approves is told, and somebody else reviews it afterwards. An approval still works as usual.',
    '[Break the glass]',
  ])
  expect(fit(card).blocks).toEqual(card.blocks)
  expect(breakGlass?.brokenBy).toBe('U0DAVE')
})

test('from the click to the review the card says so at its top', () => {
  const granted = withBreakGlass(viewWith({ row: { state: 'granted', grantedAt: now, grantExpiresAt: now } }))
  const running =
    '*BREAK GLASS.* <@U0DAVE> let this run with 1 of 2 approvals. *Not reviewed yet.* When it has ended, somebody else of <!subteam^S0DBA> has to look at what happened.'
  const over =
    '*BREAK GLASS.* <@U0DAVE> let this run with 1 of 2 approvals. *Not reviewed yet.* Somebody else of <!subteam^S0DBA> has to look at what happened.'
  const why = '> Checkout is down, the index is missing'
  expect(marked(spoken(requestCard(granted, utc)))).toEqual([
    'BREAK GLASS · Deploy to Production · #42',
    '*Let through* by <@U0DAVE> · starting · asked by <@U0ALICE>',
    running,
    why,
  ])
  expect(marked(spoken(runCard(withBreakGlass(runningView()), utc)))).toEqual([
    'BREAK GLASS · Deploy to Production · #42',
    expect.stringContaining('asked by <@U0ALICE>, approved by <@U0BOB>, let through by <@U0DAVE>'),
    running,
    why,
  ])
  expect(marked(spoken(runCard(withBreakGlass(needsPersonView()), utc)))).toEqual([
    'BREAK GLASS · Deploy to Production · #42 needs a person',
    running,
    why,
  ])
  expect(marked(spoken(runCard(withBreakGlass(failedView()), utc)))).toEqual([
    'BREAK GLASS · Deploy to Production · #42 stopped',
    over,
    why,
    '[Review]',
  ])
  expect(marked(spoken(runCard(withBreakGlass(doneView()), utc)))).toEqual([
    'BREAK GLASS · Deploy to Production · #42 done',
    over,
    why,
    '[Review]',
    '*Let through by*',
  ])
  const cancelled = withBreakGlass(viewWith({ row: { state: 'cancelled', cancelRequestedBy: 'U0DAVE' } }))
  expect(marked(spoken(requestCard(cancelled, utc)))).toEqual(['BREAK GLASS · Deploy to Production · #42 cancelled', over, why, '[Review]'])
})

test('afterwards one line is left of it', () => {
  const reviewed = withBreakGlass(doneView(), { reviewedBy: 'U0CAROL', reviewedAt: now.getTime(), note: 'Right' })
  expect(marked(spoken(runCard(reviewed, utc)))).toEqual([
    'Break-glass by <@U0DAVE>, “Checkout is down, the index is missing”. Reviewed by <@U0CAROL> <date>, “Right”.',
    '*Let through by*',
  ])
})

test('a plan that asks again after the glass was broken says that it was for the earlier one', () => {
  const anew = withBreakGlass(viewWith({ events: [event(1, { kind: 'asked_anew', data: { why: 'The rules were changed.' } })] }), {
    digest: 'b'.repeat(64),
  })
  expect(marked(spoken(requestCard(anew, utc)))).toEqual([
    'BREAK GLASS · Deploy to Production · #42',
    '> Checkout needs the discount columns before Friday’s launch.',
    '*BREAK GLASS.* <@U0DAVE> let an earlier plan of this (`bbbbbbbb`) run with 1 of 2 approvals. *Not reviewed yet.* When it has ended, somebody else of <!subteam^S0DBA> has to look at what happened.',
    '> Checkout is down, the index is missing',
    '[Break the glass]',
  ])
})

test('the channel reads who, why and what is open, and each who approves gets it once', () => {
  const view = withBreakGlass(
    viewWith({
      row: { state: 'granted' },
      events: [
        event(5, {
          kind: 'glass_broken',
          data: {
            by: 'U0DAVE',
            reason: 'Checkout is down',
            count: 1,
            required: 2,
            review: ['group:S0DBA'],
            users: ['U0BOB', 'U0CAROL'],
            unreviewed: [38, 40],
          },
        }),
      ],
    }),
  )
  const desired = drawRequest(view, { ...utc, isProtected: false, approvers: [] })
  const said = desired.filter(({ key }) => key.includes(':5'))
  expect(said.map(({ key, destination }) => ({ key, destination }))).toEqual([
    { key: 'event:5', destination: { kind: 'thread', parent: 'card:42', broadcast: true } },
    { key: 'glass_broken:5:U0BOB', destination: { kind: 'direct', user: 'U0BOB' } },
    { key: 'glass_broken:5:U0CAROL', destination: { kind: 'direct', user: 'U0CAROL' } },
  ])
  const [post] = said
  expect(post?.content.kind === 'once' && post.content.message.text).toBe(
    [
      '*BREAK GLASS.* <@U0DAVE> lets #42 run on *Production* with 1 of 2 approvals. <@U0ALICE> asked for it.',
      '> Checkout is down',
      'It stays marked until somebody else of <!subteam^S0DBA> has reviewed it.',
      '*#38 and #40 on Production were let through the same way and have not been reviewed either.*',
    ].join('\n'),
  )
})

test('the windows show the plan, and fit into Slack', () => {
  const asked = withBreakGlass(waitingView(), { brokenBy: null, brokenAt: null, digest: null })
  for (const view of [breakGlassView(waitingView(), 'Typed'), breakGlassView(asked), reviewView(withBreakGlass(failedView()))])
    expect(fitView(view)).toEqual(view)
  expect(spoken(breakGlassView(asked)).slice(-3)).toEqual([
    '*Why*, said by <@U0DAVE>',
    '> Checkout is down, the index is missing',
    'This is for exactly the plan that is shown. If anything in it changes, it asks again.',
  ])
  expect(steadyDates(spoken(reviewView(withBreakGlass(failedView()))))).toEqual(
    expect.arrayContaining([
      '*What came of it.* 20261119_order_discount could not get its lock. 1 of 3 migrations is applied and kept; the shop is up on the old version.',
      '`prod-20261120T071420Z`',
      '3 additive',
    ]),
  )
})
