import { limits } from '../../../src/slack/limits/shapes.ts'
import { describe, expect, test } from 'vitest'
import { requestCard } from '../../../approvals/cards/card.ts'
import { approveView, decisionOf, rejectView } from '../../../approvals/modals/confirm.ts'
import { homeView } from '../../../approvals/home/home.ts'
import { fit, fitView } from '../../../src/slack/limits/limits.ts'
import { sizeOf } from '../../../src/slack/limits/size.ts'
import { spoken } from '../../helpers/spoken.ts'
import {
  changedRow,
  digest,
  doneView,
  event,
  needsPersonView,
  planOf,
  runningView,
  viewWith,
  vote,
  waitingView,
} from '../../helpers/views.ts'

const utc = { timezone: 'UTC' }

describe('the card of a request', () => {
  test('says who asks for what, shows the evidence and asks for a decision', () => {
    const card = requestCard(waitingView(), utc)
    expect(card.text).toBe('Deploy to Production · #42: <@U0ALICE> asks to run 3 migrations and deploy `a1b9f02` from `main`.')
    expect(spoken(card)).toEqual([
      'Deploy to Production · #42',
      '<@U0ALICE> asks to run *3 migrations* and deploy `a1b9f02` from `main`.',
      '> Checkout needs the discount columns before Friday’s launch.',
      'Migration | Class | What it does | Rows',
      '20261118_add_discounts | additive | creates table discounts | new',
      '20261119_order_discount | additive | adds orders.discount_id, nullable | 4.1 M',
      '20261120_index_discount | additive | builds an index on orders, concurrently | 4.1 M',
      '*Approvals*',
      '1 of 2 · <@U0BOB> · open to <!subteam^S0DBA>',
      '*Commit*',
      'Discounts at checkout, by Alice Archer',
      '*Database*',
      '`shop` on `db.example:5432`',
      '*Risk*',
      '3 additive',
      '*Way back*',
      'rollback SQL for 2 of 3, and the backup',
      '*Backup*',
      'about 8 s, 1.6 GB, like the last one',
      '*Application*',
      'Switch, Restart and 1 health check, after the migrations',
      '[Approve]',
      '[Reject]',
      '[Read the SQL]',
      '[Cancel]',
      'Plan `7f3a9c21`. If a migration, the target or the policy changes, it asks again. `main` is 4 commits ahead, migrations unchanged, which changes nothing here. Expires <!date^1795165200^{date_short_pretty} at {time}|20 Nov 2026, 09:00 UTC>.',
    ])
    expect(card.blocks).toMatchSnapshot()
  })
  test.each([
    [{}, '`shop` on `db.example:5432`'],
    [{ schema: 'tenant_a' }, '`shop`, schema `tenant_a`, on `db.example:5432`'],
    [{ host: '2001:db8::7' }, '`shop` on `[2001:db8::7]:5432`'],
    [{ host: '/cloudsql/project:region:name' }, '`shop` on `/cloudsql/project:region:name`'],
    [{ database: 'a`<!here>' }, '`a’&lt;!here&gt;` on `db.example:5432`'],
  ])('names the database and where it is: %j', (change, text) => {
    const plan = planOf(undefined, { identity: { ...planOf().identity, ...change } })
    for (const lines of [spoken(requestCard(viewWith({ row: { plan } }), utc)), spoken(approveView(viewWith({ row: { plan } })))])
      expect(lines[lines.indexOf('*Database*') + 1]).toBe(text)
  })
  test('leaves out what is not known', () => {
    const card = requestCard(
      viewWith({ row: { evidence: null, policy: null, expiresAt: null, ask: { ref: null, reason: null, skipApp: true } } }),
      utc,
    )
    expect(spoken(card)).toEqual([
      'Deploy to Production · #42',
      '<@U0ALICE> asks to run *3 migrations* of `a1b9f02` from `main`. The application is left alone.',
      'Migration',
      '20261118_add_discounts',
      '20261119_order_discount',
      '20261120_index_discount',
      '*Database*',
      '`shop` on `db.example:5432`',
      '*Way back*',
      'rollback SQL for 2 of 3, and the backup',
      '[Approve]',
      '[Reject]',
      '[Read the SQL]',
      '[Cancel]',
      'Plan `7f3a9c21`. If a migration, the target or the policy changes, it asks again.',
    ])
  })
  test('says that nothing is pending, and offers no SQL then', () => {
    const card = requestCard(viewWith({ row: { plan: planOf([]), evidence: null, policy: null, expiresAt: null } }), utc)
    expect(spoken(card).slice(1, 3)).toEqual([
      '<@U0ALICE> asks to deploy `a1b9f02` from `main`. *No migration is pending.*',
      '> Checkout needs the discount columns before Friday’s launch.',
    ])
    expect(spoken(card)).not.toContain('[Read the SQL]')
  })
  test('says why it asks anew, and does not count older votes', () => {
    const card = requestCard(
      viewWith({
        votes: [vote('U0BOB', { digest: 'older' })],
        events: [event(1, { kind: 'asked_anew', data: { why: '`20261118_add_discounts` has changed since.' } })],
      }),
      utc,
    )
    expect(spoken(card)).toContain('*Asked anew.* `20261118_add_discounts` has changed since.')
    expect(spoken(card)).toContain('0 of 2 · open to <!subteam^S0DBA>')
  })
  test('says while it reads that it reads', () => {
    expect(
      spoken(requestCard(viewWith({ row: { state: 'planning', plan: null, digest: null, evidence: null, policy: null } }), utc)),
    ).toEqual([
      'Deploy to Production · #42',
      '<@U0ALICE> asks to deploy the newest commit.',
      '> Checkout needs the discount columns before Friday’s launch.',
      '[Cancel]',
      'Reading the commit, its migrations and the database.',
    ])
  })
  test('loses its decision when that is made', () => {
    const granted = requestCard(
      viewWith({ row: { state: 'granted', grantExpiresAt: new Date('2026-11-20T08:05:00Z') }, votes: [vote('U0BOB'), vote('U0CAROL')] }),
      utc,
    )
    expect(spoken(granted).filter((line) => line.startsWith('['))).toEqual(['[Cancel]'])
    expect(spoken(granted)[1]).toBe('*Approved* by <@U0BOB> and <@U0CAROL> · starting · asked by <@U0ALICE>')
    expect(granted.blocks).toMatchSnapshot()
  })
  test.each([
    [
      'rejected',
      viewWith({
        row: { state: 'rejected', endedAt: new Date() },
        votes: [vote('U0BOB', { decision: 'reject', reason: 'Not on a Friday.' })],
      }),
      ['*Rejected by <@U0BOB>.* Nothing was changed.', '> Not on a Friday.'],
    ],
    [
      'expired',
      viewWith({ row: { state: 'expired' }, votes: [vote('U0BOB')] }),
      ['*It expired with 1 of 2 approvals.* Nothing was changed. Ask again with `/migrate deploy prod`.'],
    ],
    [
      'expired',
      viewWith({ row: { state: 'expired' }, events: [event(1, { kind: 'expired', data: { what: 'grant' } })] }),
      ['*The approval ended before the run could start.* Nothing was changed. Ask again with `/migrate deploy prod`.'],
    ],
    [
      'cancelled',
      viewWith({ row: { state: 'cancelled', cancelRequestedBy: 'U0ALICE' } }),
      ['*Cancelled by <@U0ALICE> before it started.* Nothing was changed.'],
    ],
    [
      'refused',
      viewWith({
        row: { state: 'refused', outcome: { headline: 'This database has a failed migration.', next: 'See `/migrate status prod`.' } },
      }),
      ['*This database has a failed migration.*', '*Next.* See `/migrate status prod`.'],
    ],
  ])('that is %s says so and has no buttons', (word, view, lines) => {
    const card = requestCard(view, utc)
    expect(spoken(card)).toEqual([
      `Deploy to Production · #42 ${word}`,
      ...lines,
      'Asked by <@U0ALICE> · 3 migrations, `a1b9f02` from `main` · plan `7f3a9c21`',
    ])
  })
})

describe('hostile words', () => {
  const evil = '<!channel> ```@here``` \u202e<@U0EVIL> & 02:00: '
  const ours = evil.replace('<@U0EVIL>', '') // people may be mentioned in sentences of our own
  const hostile = viewWith({
    targetTitle: evil,
    row: {
      ask: { ref: evil, reason: evil.repeat(1_000), skipApp: false },
      requester: evil,
      plan: planOf(Array.from({ length: 400 }, (_, index) => `${evil}${index}`)),
      evidence: {
        migrations: [{ name: `${evil}0`, class: 'breaking', summary: evil, rows: 1, tables: [] }],
        notes: [evil],
        subject: evil,
        author: evil,
        databaseBytes: 0,
        lastBackup: null,
        takenAt: '',
      },
      outcome: { headline: ours, why: ours, next: ours, excerpt: evil },
    },
    votes: [vote(evil, { reason: evil })],
  })
  test('have no meaning on any card, and all fit', () => {
    for (const state of ['planning', 'waiting', 'granted', 'rejected', 'expired', 'refused', 'cancelled'] as const) {
      const fitted = fit(requestCard({ ...hostile, request: changedRow(hostile.request, { state }) }, utc))
      const markup = JSON.stringify(fitted.blocks?.filter((block) => ['section', 'context'].includes(block.type))) + fitted.text
      expect(markup).not.toMatch(/<!(channel|here|everyone)|<@U0EVIL>|```|\u202e|@here/)
      expect(sizeOf(fitted.blocks ?? [])).toBeLessThanOrEqual(limits.budget)
    }
  })
  test('of 400 migrations: those that do not fit are counted, and the buttons stay', () => {
    const fitted = fit(requestCard(hostile, utc))
    expect(JSON.stringify(fitted.blocks)).toMatch(/"and \d+ more, in the thread"/)
    expect(spoken(fitted)).toContain('[Approve]')
  })
})

describe('the two modals', () => {
  test('show what is being decided: commit, migrations, classes, digest', () => {
    const view = approveView(waitingView())
    expect(view['title']).toEqual({ type: 'plain_text', text: 'Approve #42', emoji: false })
    expect(spoken(view)).toEqual([
      '<@U0ALICE> asks to run *3 migrations* and deploy `a1b9f02` from `main` on *Production*.',
      '• *20261118_add_discounts* · additive · creates table discounts',
      '• *20261119_order_discount* · additive · adds orders.discount_id, nullable · 4.1 M rows',
      '• *20261120_index_discount* · additive · builds an index on orders, concurrently · 4.1 M rows',
      '*Approvals*',
      '1 of 2 · <@U0BOB> · open to <!subteam^S0DBA>',
      '*Risk*',
      '3 additive',
      '*Commit*',
      '`a1b9f02c3d4e`',
      '*Database*',
      '`shop` on `db.example:5432`',
      '*Plan*',
      '`7f3a9c21`',
      'Your approval is for plan `7f3a9c21` alone. If anything in it changes, it asks again.',
    ])
    expect(decisionOf(String(view['private_metadata']))).toEqual({ token: 'r_8Jq2', digest })
    expect(view).toMatchSnapshot()
  })
  test('the second asks for a reason', () => {
    expect(rejectView(waitingView())).toMatchSnapshot()
    expect(
      fitView(rejectView(viewWith({ row: { plan: planOf(Array.from({ length: 400 }, (_, index) => `${'x'.repeat(200)}${index}`)) } })))
        .blocks.length,
    ).toBeLessThan(10)
  })
  test('what others wrote into the metadata is nothing', () => {
    expect(['', '{}', 'null', '[]', '{"token":1,"digest":"x"}', '{'].map(decisionOf)).toEqual(Array.from({ length: 6 }, () => undefined))
  })
})

const calendar = {
  commands: { migrate: '/migrate', maintenance: '/maintenance' },
  now: Date.parse('2026-11-20T07:50:00Z'),
  zone: 'UTC',
  windows: [],
  freezes: [],
}

describe('App Home', () => {
  test('shows what waits for me, what runs and what ran, each with a button', () => {
    const view = homeView({
      reviews: [],
      waiting: [{ view: waitingView(), link: 'https://example.slack.com/archives/C0/p1' }],
      underWay: [
        { view: runningView(), link: null },
        { view: needsPersonView(), link: null },
      ],
      last: [{ view: doneView(), link: 'https://example.slack.com/archives/C0/p2' }],
      calendar,
      notice: null,
    })
    expect(spoken(view)).toEqual([
      'Waiting for your decision',
      '*Deploy to Production · #42*',
      '<@U0ALICE> asks to run *3 migrations* and deploy `a1b9f02` from `main`.',
      '1 of 2 · <@U0BOB> · open to <!subteam^S0DBA> · 3 additive · plan `7f3a9c21`',
      '[Approve]',
      '[Reject]',
      '[Open]',
      'Under way',
      '*Deploy to Production · #42* · Migrate · for 1 min 52 s',
      'asked by <@U0ALICE>',
      '[Cancel]',
      '*Deploy to Production · #42* · *needs a person*',
      'asked by <@U0ALICE>',
      '[Close this request]',
      'Maintenance windows, next 14 days',
      'None is planned. `/maintenance schedule` plans one.',
      'Last runs',
      '*Deploy to Production · #42* · done · <!date^1795161000^{date_short_pretty} at {time}|20 Nov 2026, 07:50 UTC>',
      '3 migrations applied and `a1b9f02` is live.',
      '[Open]',
    ])
    expect(view).toMatchSnapshot()
  })
  test('says so when there is nothing', () => {
    expect(spoken(homeView({ reviews: [], waiting: [], underWay: [], last: [], calendar, notice: null }))).toEqual([
      'Waiting for your decision',
      'Nothing waits for you.',
      'Under way',
      'Nothing is under way.',
      'Maintenance windows, next 14 days',
      'None is planned. `/maintenance schedule` plans one.',
      'Last runs',
      'Nothing has run yet. Ask with `/migrate deploy` and a target, in a channel.',
    ])
  })
})
