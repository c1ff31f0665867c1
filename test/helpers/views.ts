import type { MigrationEvidence } from '../../src/sql/review.ts'
import type { Evidence, Plan } from '../../src/plan/plan.ts'
import type { WindowRow } from '../../src/windows/window.ts'
import type { EventRow, BreakGlass, RequestEvent, RequestRow, RequestView, StepRow, VoteRow } from '../../src/request/request.ts'

/** Views of requests as they are in the middle of a working day, for tests of what people see. */

export const now = new Date('2026-11-20T07:50:00Z')
const earlier = (seconds: number): Date => new Date(now.getTime() - seconds * 1000)

const migrations: readonly MigrationEvidence[] = [
  { name: '20261118_add_discounts', class: 'additive', summary: 'creates table discounts', rows: null, tables: [] },
  { name: '20261119_order_discount', class: 'additive', summary: 'adds orders.discount_id, nullable', rows: 4_120_000, tables: ['orders'] },
  {
    name: '20261120_index_discount',
    class: 'additive',
    summary: 'builds an index on orders, concurrently',
    rows: 4_120_000,
    tables: ['orders'],
  },
]

export const digest = '7f3a9c21d0e4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddee'
const commit = 'a1b9f02c3d4e5f60718293a4b5c6d7e8f9001122'

export const planOf = (names: readonly string[] = migrations.map(({ name }) => name), change: Partial<Plan> = {}): Plan => ({
  version: 1,
  target: 'prod',
  identity: { host: 'db.example', port: 5432, database: 'shop', systemIdentifier: '7291111111111111111', databaseOid: 16384 },
  commit,
  ref: 'main',
  baseline: [],
  list: names.map((name, index) => ({
    name,
    sha256: 'a'.repeat(64),
    bytes: 120,
    rollbackSha256: index < 2 ? 'b'.repeat(64) : null,
    concurrently: false,
  })),
  steps: [
    { phase: 'deploy', name: 'Switch', settings: {} },
    { phase: 'deploy', name: 'Restart', settings: {} },
    { phase: 'health', name: 'Health', settings: {} },
  ],
  policy: 'c'.repeat(64),
  ...change,
})

export const evidence: Evidence = {
  migrations,
  notes: ['`main` is 4 commits ahead, migrations unchanged, which changes nothing here'],
  subject: 'Discounts at checkout',
  author: 'Alice Archer',
  databaseBytes: 18_400_000_000,
  lastBackup: { seconds: 7.7, bytes: 1_600_000_000 },
  takenAt: '2026-11-20T07:40:00.000Z',
}

/** Any field of a request, whatever its state. */
export type RowChange = { readonly [Key in keyof RequestRow]?: RequestRow[Key] }

/** Rows come from the database untyped, and so do those of tests: this is the one place that takes one for a request of its state. */
export const changedRow = (request: RequestRow, change: RowChange): RequestRow => ({ ...request, ...change }) as RequestRow

export const requestRow = (change: RowChange = {}): RequestRow => changedRow(waitingRow, change)

const waitingRow: RequestRow = {
  id: 42,
  token: 'r_8Jq2',
  kind: 'deploy',
  target: 'prod',
  requester: 'U0ALICE',
  requesterHuman: 'U0ALICE',
  askedIn: 'C0DEPLOYS',
  channel: 'C0DEPLOYS',
  ask: { ref: null, reason: 'Checkout needs the discount columns before Friday’s launch.', skipApp: false },
  state: 'waiting',
  plan: planOf(),
  digest,
  evidence,
  policy: { required: 2, from: ['group:S0DBA'], members: { S0DBA: ['U0BOB', 'U0CAROL'] }, expiresMs: 14_400_000, grantExpiresMs: 900_000 },
  outcome: null,
  cancelRequestedAt: null,
  cancelRequestedBy: null,
  createdAt: earlier(600),
  readAt: now,
  expiresAt: new Date('2026-11-20T09:00:00Z'),
  grantedAt: null,
  grantExpiresAt: null,
  startedAt: null,
  endedAt: null,
  revision: 1,
  breakGlass: null,
  ending: null,
  owesOff: false,
  notBefore: null,
  notAfter: null,
  windowId: null,
  checkAt: null,
  closesAt: null,
  overrideReason: null,
}

/** Broken by Dave for a request of Alice, not reviewed. */
export const breakGlass: BreakGlass = {
  reason: 'Checkout is down, the index is missing',
  askedBy: 'U0DAVE',
  askedAt: earlier(400).getTime(),
  digest,
  brokenBy: 'U0DAVE',
  brokenAt: earlier(300).getTime(),
  involved: ['U0ALICE', 'U0DAVE'],
  review: ['group:S0DBA'],
  reviewedBy: null,
  reviewedAt: null,
  note: null,
}

/** The same view with the rules that name Dave, and the glass as given. */
export const withBreakGlass = (view: RequestView, change: Partial<BreakGlass> = {}): RequestView => ({
  ...view,
  votes: [vote('U0BOB'), vote('U0DAVE', { decision: 'break_glass', reason: breakGlass.reason })],
  request: changedRow(view.request, {
    policy:
      view.request.policy === null
        ? null
        : {
            ...view.request.policy,
            breakGlass: { from: ['user:U0DAVE', 'group:S0ONCALL'], review: ['group:S0DBA'], remindMs: 86_400_000 },
          },
    breakGlass: { ...breakGlass, ...change },
  }),
})

export const vote = (actor: string, change: Partial<VoteRow> = {}): VoteRow => ({
  requestId: 42,
  digest,
  actor,
  human: actor,
  decision: 'approve',
  reason: null,
  at: earlier(300),
  ...change,
})

export const step = (ordinal: number, name: string, title: string, change: Partial<StepRow> = {}): StepRow => ({
  requestId: 42,
  ordinal,
  name,
  title,
  state: 'pending',
  attempt: 0,
  details: null,
  output: null,
  data: null,
  startedAt: null,
  endedAt: null,
  ...change,
})

export const done = (output: string): Partial<StepRow> => ({
  state: 'done',
  attempt: 1,
  output,
  startedAt: earlier(60),
  endedAt: earlier(50),
})

export const event = (id: number, what: RequestEvent): EventRow => ({ ...what, id, requestId: 42, at: earlier(60 - id) })

export const viewWith = (change: Partial<RequestView> & { readonly row?: RowChange } = {}): RequestView => {
  const { row, ...rest } = change
  return {
    request: requestRow(row),
    targetTitle: 'Production',
    commands: { migrate: '/migrate', maintenance: '/maintenance' },
    votes: [],
    steps: [],
    events: [],
    tail: '',
    now,
    ...rest,
  }
}

const two = [vote('U0BOB'), vote('U0CAROL')]

export const waitingView = (): RequestView =>
  viewWith({
    votes: [vote('U0BOB')],
    events: [event(1, { kind: 'requested', data: {} }), event(2, { kind: 'approved', data: { by: 'U0BOB', count: 1, required: 2 } })],
  })

export const runningView = (): RequestView =>
  viewWith({
    row: { state: 'running', startedAt: earlier(112) },
    votes: two,
    steps: [
      step(1, 'preflight', 'Preflight', done('14 checks, nothing to report')),
      step(2, 'install', 'Install and build', done('41 s')),
      step(3, 'backup', 'Back up', done('1.6 GB in 7.7 s, verified by a full read')),
      step(4, 'migrate', 'Migrate', {
        state: 'running',
        attempt: 1,
        startedAt: earlier(30),
        details: 'Index, scan 1 of 2: 97,682 of 114,755 blocks. Nobody is waiting behind it.',
        data: {
          migrations: [
            { name: '20261118_add_discounts', state: 'done', seconds: 0.1 },
            { name: '20261119_order_discount', state: 'done', seconds: 0.3 },
            { name: '20261120_index_discount', state: 'running' },
          ],
        },
      }),
      step(5, 'verify', 'Verify the schema'),
      step(6, 'deploy', 'Switch and restart'),
      step(7, 'health', 'Health'),
    ],
    tail: 'Applying migration `20261120_index_discount`\n',
  })

export const failedView = (): RequestView =>
  viewWith({
    tail: 'Applying migration `20261119_order_discount`\n',
    row: {
      state: 'failed',
      startedAt: earlier(69),
      endedAt: now,
      outcome: {
        headline:
          '20261119_order_discount could not get its lock. 1 of 3 migrations is applied and kept; the shop is up on the old version.',
        why: 'It needs a lock on `orders` that `reporting` (pid 4711, running for 38 min) holds. Waiting longer would have queued checkout behind it.',
        next: 'Wait for that query or end it, then ask again: what has run is kept and not repeated.',
        excerpt: 'ERROR: canceling statement due to lock timeout (55P03)\nALTER TABLE "orders" ADD COLUMN "discount_id" TEXT;',
        backup: 'prod-20261120T071420Z',
      },
    },
    votes: two,
    steps: [
      step(1, 'preflight', 'Preflight', done('14 checks, nothing to report')),
      step(2, 'backup', 'Back up', done('1.6 GB, verified by a full read')),
      step(3, 'migrate', 'Migrate', {
        ...done(''),
        state: 'failed',
        output: 'lock timeout, 5 tries in 18 s',
        data: {
          migrations: [
            { name: '20261118_add_discounts', state: 'done', seconds: 0.1 },
            { name: '20261119_order_discount', state: 'failed' },
            { name: '20261120_index_discount', state: 'pending' },
          ],
        },
      }),
      step(4, 'verify', 'Verify the schema'),
      step(5, 'deploy', 'Switch and restart'),
    ],
    events: [event(1, { kind: 'started', data: {} }), event(2, { kind: 'ended', data: { state: 'failed' } })],
  })

export const needsPersonView = (): RequestView =>
  viewWith({
    tail: 'Applying migration `20261119_order_discount`\n',
    row: {
      state: 'needs_human',
      startedAt: earlier(69),
      outcome: {
        headline: 'The connection to the database was lost during 20261119_order_discount. Lockkeeper will not guess.',
        known: '20261118_add_discounts is applied. The backup is verified. The shop answers, on the old version.',
        notKnown: 'Whether `orders.discount_id` exists. The record says “started”; no session of this run is alive.',
        next: 'Look at `/migrate status prod` when the database answers. When it is clear, close this request so that a new one can be asked.',
        backup: 'prod-20261120T071420Z',
      },
    },
    votes: two,
    steps: [step(1, 'migrate', 'Migrate', { ...done(''), state: 'unknown', output: 'unclear' })],
    events: [event(1, { kind: 'ended', data: { state: 'needs_human' } })],
  })

export const doneView = (): RequestView =>
  viewWith({
    tail: 'Applying migration `20261119_order_discount`\n',
    row: {
      state: 'succeeded',
      startedAt: earlier(151),
      endedAt: now,
      outcome: { headline: '*3 migrations applied and `a1b9f02` is live.*' },
    },
    votes: two,
    steps: [step(1, 'backup', 'Back up', done('1.6 GB in 7.7 s, verified by a full read'))],
    events: [event(1, { kind: 'started', data: {} }), event(2, { kind: 'ended', data: { state: 'succeeded' } })],
  })

/** A maintenance window of production, three hours from now. */
export const windowRow = (change: Partial<WindowRow> = {}): WindowRow => ({
  id: 7,
  token: 'w_3Kd9',
  name: null,
  targets: ['prod'],
  startsAt: new Date('2026-11-20T11:00:00Z'),
  endsAt: new Date('2026-11-20T13:00:00Z'),
  timezone: 'America/New_York',
  reason: 'Dropping the legacy price columns',
  work: null,
  owner: 'U0ALICE',
  ownerHuman: 'U0ALICE',
  channels: ['C0DEPLOYS'],
  state: 'scheduled',
  standby: null,
  standbyConfirmedAt: null,
  openedAt: null,
  closedAt: null,
  outcome: null,
  planNo: 1,
  createdAt: earlier(3_600),
  revision: 1,
  ...change,
})
