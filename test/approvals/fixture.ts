import type { MigrationClass } from '../../src/sql/effects/effect.ts'
import { randomBytes } from 'node:crypto'
import { configSchema } from '../../src/config/schema.ts'
import type { Target } from '../../src/config/config.ts'
import type { Signal } from '../../src/engine/engine.ts'
import type { Evidence, Plan } from '../../src/plan/plan.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { requestById, transition } from '../../src/request/store.ts'
import type { RequestRow } from '../../src/request/request.ts'
import type { Sent, SlackPort, SlackUser } from '../../src/slack/port.ts'
import type { OpenDeps } from '../../approvals/requests/request.ts'
import { openRequest } from '../../approvals/requests/request.ts'
import { createPeople } from '../../approvals/people.ts'
import { policySnapshot } from '../../approvals/grant-check.ts'
import type { createStore } from '../helpers/postgres.ts'

export const ALICE = 'U0ALICE'
export const BOB = 'U0BOB'
export const CAROL = 'U0CAROL'
export const DAVE = 'U0DAVE'
export const DIGEST = '7f3a9c21'.padEnd(64, '0')

export type Store = Awaited<ReturnType<typeof createStore>>

export type Fixture = Awaited<ReturnType<typeof createFixture>>

type TargetFile = (typeof configSchema)['_zod']['input']['targets'][string]

export const baseTarget = {
  channel: 'C0DEPLOYS',
  source: { repository: '/srv/shop.git' },
  database: { url: 'env:PROD_URL' },
  tool: 'prisma',
  approvals: { required: 1, from: ['group:S0DBA', 'user:U0BOB'] },
} satisfies TargetFile

/** A store, a workspace that answers what the test says, and an engine that only remembers. */
export async function createFixture(options: {
  readonly store: Store
  readonly targets?: Record<string, TargetFile>
  readonly people?: Record<string, string>
}) {
  const { store } = options
  await store.db.query(
    `truncate lockkeeper.request, lockkeeper.vote, lockkeeper.step, lockkeeper.event, lockkeeper.message, lockkeeper.backup, lockkeeper.seen,
       lockkeeper.blocker, lockkeeper.break_glass, lockkeeper.page, lockkeeper.maintenance, lockkeeper.notice, lockkeeper.maintenance_event, lockkeeper.checklist_item,
       lockkeeper.bulletin, lockkeeper.freeze, lockkeeper.delivery, lockkeeper.offer, lockkeeper.answer restart identity`,
  )
  // the audit is append-only, so what an earlier test wrote stays
  const [earlier] = await store.db.query<{ last: number }>('select coalesce(max(seq), 0) as last from lockkeeper.audit')
  const slack = createWorkspace()
  const signals: { readonly id: number; readonly kind: Signal['kind'] | 'start'; readonly key?: string }[] = []
  const targets = new Map<string, Target>(readTargets(options.targets ?? { prod: baseTarget }))
  const peopleFile: Record<string, string> = { ...options.people }
  const deps: OpenDeps = {
    db: store.db,
    targets,
    people: createPeople({ slack: slack.port, people: peopleFile, clock: { now: () => 0 } }),
    freezes: [],
    engine: {
      start: async (_, id) => void signals.push({ id, kind: 'start' }),
      signal: async (_, id, message, key) => void signals.push({ id, kind: message.kind, key }),
    },
    command: '/migrate',
    commands: { migrate: '/migrate', maintenance: '/maintenance' },
    randomBytes,
  }
  return {
    deps,
    slack,
    signals,
    targets,
    peopleFile,
    setTarget(name: string, file: TargetFile) {
      for (const [key, target] of readTargets({ [name]: file })) targets.set(key, target)
    },
    /** Asked by Alice, planned, and waiting for votes. */
    async waiting(
      how: {
        readonly by?: string
        readonly classes?: readonly MigrationClass[]
        readonly target?: string
        /** Asked with break-glass, for this reason. */
        readonly breakGlass?: string
      } = {},
    ): Promise<RequestRow> {
      const target = targets.get(how.target ?? 'prod')
      if (target === undefined) throw new Error('no such target')
      const opened = await openRequest(deps, {
        target,
        ask: { ref: null, reason: how.breakGlass ?? null, skipApp: false },
        ...(how.breakGlass === undefined ? {} : { breakGlass: true }),
        account: how.by ?? ALICE,
        askedIn: 'C0DEPLOYS',
        entry: 'slash',
      })
      if (isRefusal(opened)) throw new Error(opened.text)
      const evidence = evidenceOf(how.classes ?? ['additive'])
      const policy = await policySnapshot(deps, target, how.classes ?? ['additive'], how.by ?? ALICE, how.breakGlass !== undefined)
      if (isRefusal(policy)) throw new Error(policy.text)
      await transition(store.db, opened.id, ['planning'], 'waiting', {
        plan: planOf(target.name),
        digest: DIGEST,
        evidence,
        policy,
        expiresIn: policy.expiresMs,
      })
      return this.request(opened.id)
    },
    async request(id: number): Promise<RequestRow> {
      const request = await requestById(store.db, id)
      if (request === undefined) throw new Error(`no request ${id}`)
      return request
    },
    async audited(): Promise<readonly string[]> {
      const rows = await store.db.query<{ line: string }>(
        `select actor || ' ' || act || ' ' || result as line from lockkeeper.audit where seq > $1 order by seq`,
        [earlier?.last ?? 0],
      )
      return rows.map(({ line }) => line)
    },
    async events(id: number): Promise<readonly string[]> {
      const rows = await store.db.query<{ kind: string }>('select kind from lockkeeper.event where request_id = $1 order by id', [id])
      return rows.map(({ kind }) => kind)
    },
  }
}

export function createWorkspace() {
  const member = (id: string, is: Partial<SlackUser> = {}): SlackUser => ({
    id,
    team: 'T1',
    name: id.slice(2).toLowerCase(),
    timezone: 'UTC',
    isDeleted: false,
    isBot: false,
    isGuest: false,
    isStranger: false,
    ...is,
  })
  const users = new Map<string, SlackUser>(
    [
      member(ALICE),
      member(BOB),
      member(CAROL),
      member(DAVE),
      member('U0SECOND'),
      member('U0GUEST', { isGuest: true }),
      member('U0XAVIER', { isStranger: true }),
      member('U0PARTNER', { team: 'T0PARTNER' }),
      member('U0SISTER', { team: 'T2', teams: ['T2', 'T1'] }),
      member('U0BOT', { isBot: true }),
      member('U0GONE', { isDeleted: true }),
    ].map((user) => [user.id, user]),
  )
  const groups = new Map<string, readonly string[]>([['S0DBA', [CAROL, DAVE]]])
  const state = { isDown: false, areGroupsUnreadable: false, lookUps: 0 }
  const port: Pick<SlackPort, 'user' | 'groupMembers' | 'authTest'> = {
    async user(id) {
      state.lookUps++
      if (state.isDown) return { kind: 'unsure', cause: 'no answer' }
      const user = users.get(id)
      return user === undefined ? { kind: 'refused', error: 'user_not_found' } : { kind: 'ok', value: user }
    },
    async groupMembers(id) {
      if (state.isDown) return { kind: 'unsure', cause: 'no answer' }
      if (state.areGroupsUnreadable) return { kind: 'refused', error: 'missing_scope' }
      const members = groups.get(id)
      return members === undefined ? { kind: 'refused', error: 'no_such_subteam' } : { kind: 'ok', value: members }
    },
    authTest: async () =>
      state.isDown
        ? { kind: 'unsure', cause: 'no answer' }
        : { kind: 'ok', value: { team: 'T1', teamName: 'Shop', botUser: 'U0LOCK', scopes: [] } },
  }
  const uploads: { readonly channel: string; readonly thread?: string; readonly name: string; readonly content: string }[] = []
  /** What Slack answers to an upload into this channel; left out, it takes the file. */
  const uploadAnswers = new Map<string, Exclude<Sent<null>, { kind: 'ok' }>>()
  const files: Pick<SlackPort, 'upload' | 'openDirect' | 'permalink'> = {
    async upload(where, { name, content }) {
      const answer = uploadAnswers.get(where.channel)
      if (answer !== undefined) return answer
      uploads.push({ ...where, name, content })
      return { kind: 'ok', value: null }
    },
    openDirect: async (user) => ({ kind: 'ok', value: `D${user.slice(1)}` }),
    permalink: async ({ channel, ts }) => ({ kind: 'ok', value: `https://harbor.slack.example/archives/${channel}/p${ts}` }),
  }
  return { users, groups, state, port, member, files, uploads, uploadAnswers }
}

function readTargets(files: Record<string, TargetFile>): readonly (readonly [string, Target])[] {
  const { targets } = configSchema.parse({ targets: files })
  return Object.entries(targets).map(([name, settings]) => [name, { ...settings, name, title: settings.label ?? name }] as const)
}

export const planOf = (target: string): Plan => ({
  version: 1,
  target,
  identity: { host: 'db', port: 5432, database: 'shop', systemIdentifier: '7', databaseOid: 1 },
  commit: 'a1b9f02'.padEnd(40, '0'),
  ref: 'main',
  baseline: [],
  list: [{ name: '20261118_add_discounts', sha256: '0'.repeat(64), bytes: 10, rollbackSha256: null, concurrently: false }],
  steps: [],
  policy: '0'.repeat(64),
})

export const evidenceOf = (classes: readonly MigrationClass[]): Evidence => ({
  migrations: classes.map((each, index) => ({
    name: index === 0 ? '20261118_add_discounts' : `2026112${index}_more`,
    class: each,
    summary: 'creates table discounts',
    rows: null,
    tables: [], // it makes the one that it names
  })),
  notes: [],
  subject: 'Discounts',
  author: 'Alice',
  databaseBytes: 1,
  lastBackup: null,
  takenAt: '2026-11-20T00:00:00Z',
})
