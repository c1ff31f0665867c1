import { escapeMarkup } from '../../src/lib/text/escape.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { approveView, rejectView } from '../../approvals/modals/confirm.ts'
import { breakGlassView, reviewView } from '../../approvals/break-glass/views.ts'
import { drawRequest } from '../../approvals/cards/draw.ts'
import { homeView } from '../../approvals/home/home.ts'
import type { EventRow, RequestView } from '../../src/request/request.ts'
import { code } from '../../src/lib/text/code.ts'
import {
  doneView,
  event,
  evidence,
  failedView,
  breakGlass,
  needsPersonView,
  now,
  planOf,
  changedRow,
  runningView,
  step,
  viewWith,
  waitingView,
  windowRow,
  type RowChange,
} from '../helpers/views.ts'

/** What somebody who names a branch, a migration, a session or an error could try. */
const hostile = [
  '<!channel>',
  '<!here|x>',
  '<!everyone>',
  '<!subteam^S0EVERYBODY>',
  '<@U0VICTIM>',
  '<#C0OTHER>',
  '<https://evil.example|Approve here>',
  '@channel @here @everyone @CHANNEL',
  '```\n*done* `code` ```',
  '&lt;!channel&gt; &amp;',
  'safe\u202egpj.exe\u2066 \u200b\u0000\u001b[31m\ufeff',
  'a\nb\r\nc\u2028d',
  ':tada: 02:00:',
  '*bold* _it_ ~no~ > quote',
  '-- drop\n; DROP TABLE x',
  '\ud800 half',
]
const text = fc.oneof(
  fc.constantFrom(...hostile),
  fc.array(fc.constantFrom(...hostile), { minLength: 2, maxLength: 4 }).map((all) => all.join(' ')),
  fc.constantFrom(...hostile).map((one) => one.repeat(Math.ceil(10_000 / one.length))),
)

/** Every string that Slack would read as mrkdwn, with `text` of the message itself. */
function mrkdwnIn(thing: unknown, isPlain = false): string[] {
  if (typeof thing === 'string') return isPlain ? [] : [thing]
  if (Array.isArray(thing)) return thing.flatMap((one) => mrkdwnIn(one, isPlain))
  if (typeof thing !== 'object' || thing === null) return []
  const { type } = thing as { type?: string }
  // plain text, what stands in an input, rich text and the titles of tasks are shown as they are
  const plain =
    type === 'plain_text' ||
    type === 'plain_text_input' ||
    type === 'text' ||
    type === 'rich_text' ||
    type === 'raw_text' ||
    type === 'task_card' ||
    type === 'plan'
  return Object.entries(thing).flatMap(([key, value]) =>
    ['type', 'action_id', 'block_id', 'value', 'url', 'private_metadata', 'callback_id', 'key', 'kind', 'style'].includes(key)
      ? []
      : mrkdwnIn(value, plain),
  )
}

const allowed = /<@U0(ALICE|BOB|CAROL|DAVE)>|<!subteam\^S0DBA>|<!date\^\d+\^[^<>|^]*\|[^<>|]*>/g
const controls =
  // oxlint-disable-next-line no-control-regex -- what must not be in it
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b\ufeff]/

function expectHarmless(thing: unknown): void {
  for (const mrkdwn of mrkdwnIn(thing)) {
    const rest = mrkdwn.replace(allowed, '')
    expect(rest).not.toMatch(/<[!@#h]/)
    expect(rest).not.toMatch(/@(channel|here|everyone)/i)
  }
  for (const all of JSON.stringify(thing, (_, value: unknown) =>
    typeof value === 'string' ? value.replace(controls, '\u0007') : value,
  ).split('\n'))
    expect(all).not.toContain('\\u0007')
}

function poisoned(view: RequestView, bad: string): RequestView {
  const plan = planOf([bad.replace(/\p{Cc}/gu, ' ').slice(0, 200), '20261119_order_discount'], {
    ref: bad,
    identity: { host: bad, port: 5432, database: bad, systemIdentifier: '1', databaseOid: 1 },
    steps: [{ phase: 'deploy', name: bad, settings: {} }],
  })
  const outside = escapeMarkup(bad)
  const row: RowChange = {
    plan,
    evidence: {
      ...evidence,
      subject: bad,
      author: bad,
      notes: [bad],
      migrations: evidence.migrations.map((one) => ({
        ...one,
        name: plan.list[0]?.name ?? '',
        summary: bad,
        tables: [bad],
        findings: [bad],
      })),
    },
    ask: { ref: bad, reason: bad, skipApp: false },
    breakGlass: { ...breakGlass, reason: bad, reviewedBy: view.request.state === 'succeeded' ? 'U0CAROL' : null, note: bad },
    outcome: {
      headline: `*${code(bad)} stopped.* ${outside}`,
      why: outside,
      next: outside,
      known: outside,
      notKnown: outside,
      excerpt: bad,
      backup: bad,
    },
  }
  const events: EventRow[] = [
    ...view.events,
    event(91, { kind: 'rejected', data: { by: 'U0BOB', reason: bad } }),
    event(92, { kind: 'asked_anew', data: { why: outside } }),
    event(93, { kind: 'finding', data: { text: outside } }),
    event(94, { kind: 'step_done', data: { step: 'x', title: bad, output: bad } }),
    event(95, { kind: 'migration_done', data: { name: bad, output: bad, at: 1, of: 2 } }),
    event(96, { kind: 'adopted', data: { step: bad } }),
    event(98, {
      kind: 'glass_broken',
      data: { by: 'os:bob', reason: bad, count: 0, required: 1, review: ['group:S0DBA'], users: ['U0CAROL'], unreviewed: [7] },
    }),
    event(99, { kind: 'review_due', data: { review: ['group:S0DBA'], users: ['U0CAROL'] } }),
    event(100, { kind: 'reviewed', data: { by: 'U0CAROL', note: bad } }),
    event(101, { kind: 'paged', data: { reason: 'failed', count: 2, users: ['U0CAROL'] } }),
    event(102, { kind: 'page_acknowledged', data: { by: 'os:bob' } }),
    event(97, { kind: 'cancel_requested', data: { by: 'os:bob' } }),
  ]
  return {
    ...view,
    targetTitle: view.targetTitle,
    commands: view.commands,
    request: changedRow(view.request, row),
    steps: [
      ...view.steps,
      step(90, 'x', bad, { state: 'running', details: bad, startedAt: view.now }),
      step(91, 'y', bad, { state: 'failed', output: bad, startedAt: view.now }),
    ],
    events,
    tail: bad,
  }
}

const context = { timezone: 'UTC', isProtected: true, approvers: ['U0CAROL'] }

describe.each([
  ['waiting', waitingView],
  ['running', runningView],
  ['failed', failedView],
  ['needs a person', needsPersonView],
  ['done', doneView],
  ['rejected', () => viewWith({ row: { state: 'rejected' } })],
  ['refused', () => viewWith({ row: { state: 'refused', plan: null, digest: null } })],
])('whatever is named what, a request that is %s mentions nobody, links nowhere and hides nothing', (_, view) => {
  test('on its card, in its thread, in direct messages, on Home and in windows', () => {
    fc.assert(
      fc.property(text, (bad) => {
        const dark = poisoned(view(), bad)
        expectHarmless(
          drawRequest(dark, context).map(({ content }) =>
            content.kind === 'linked'
              ? content.message('https://slack.example/x')
              : content.kind === 'file'
                ? content.instead(bad)
                : content.message,
          ),
        )
        expectHarmless(
          homeView({
            reviews: [{ view: dark, link: null }],
            waiting: [{ view: dark, link: null }],
            underWay: [{ view: dark, link: null }],
            last: [{ view: dark, link: null }],
            calendar: {
              commands: { migrate: '/migrate', maintenance: '/maintenance' },
              now: +now,
              zone: 'America/New_York',
              windows: [{ window: { ...windowRow(), reason: bad, work: bad }, titles: [bad, bad], link: null, needsStandby: true }],
              freezes: [{ kind: 'freeze', titles: [bad], reason: bad, from: 0, to: null, setBy: bad }],
            },
            notice: null,
          }),
        )
        expectHarmless([approveView(dark), rejectView(dark), breakGlassView(dark, bad), reviewView(dark)])
      }),
      { numRuns: 40 },
    )
  })
})
