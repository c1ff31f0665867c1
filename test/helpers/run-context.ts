import type { Identity } from '../../src/database/identity.ts'
import { join } from 'node:path'
import { configSchema } from '../../src/config/schema.ts'
import type { Target } from '../../src/config/config.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { createRedactor, secretsOfUrl } from '../../src/redact/redact.ts'
import type { Blockers } from '../../src/request/blocker.ts'
import type { RequestEvent } from '../../src/request/request.ts'
import type { RunContext } from '../../src/request/step.ts'

/** For runs in whose way nobody is. */
export const noBlockers: Blockers = { show: async () => {}, toEnd: async () => null, answer: async () => {}, moreTries: async () => 0 }

const COMMIT = 'c'.repeat(40)

/** A target as the configuration gives it; `change` works on the settings as they would stand in the file. */
export function targetFor(directory: string, change: Record<string, unknown> = {}): Target {
  const file = configSchema.parse({
    targets: {
      prod: {
        channel: 'C0123456789',
        source: { repository: join(directory, 'repository') },
        database: { url: 'env:PROD_DATABASE_URL' },
        tool: 'prisma',
        backup: { directory: join(directory, 'backups') },
        approvals: { from: ['user:U0000000001'] },
        ...change,
      },
    },
  })
  const settings = file.targets['prod']
  if (settings === undefined) throw new Error('the settings hold no prod')
  return { ...settings, name: 'prod', title: 'Production' }
}

export function planFor(identity: Identity, over: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    target: 'prod',
    identity,
    commit: COMMIT,
    ref: 'main',
    baseline: [],
    list: [],
    steps: [],
    policy: 'p'.repeat(64),
    ...over,
  }
}

/** What a step is given, with what it told: reports, posts. `secrets` are the values of references. */
export function contextFor(options: {
  readonly directory: string
  readonly plan: Plan
  readonly secrets: Readonly<Record<string, string>>
  readonly target?: Target
  readonly over?: Partial<RunContext>
}) {
  const reports: string[] = []
  const notes: RequestEvent[] = []
  const context: RunContext = {
    command: '/migrate',
    requestId: 41,
    digest: 'd'.repeat(64),
    target: options.target ?? targetFor(options.directory),
    plan: options.plan,
    attempt: 1,
    directory: options.directory,
    checkout: join(options.directory, 'checkout'),
    applicationDirectory: join(options.directory, 'checkout'),
    spool: join(options.directory, 'spool'),
    signal: new AbortController().signal,
    isCancelled: () => false,
    redactor: createRedactor(Object.values(options.secrets).flatMap(secretsOfUrl)),
    secret: (reference) => {
      const value = options.secrets[reference]
      if (value === undefined) throw new Error(`nothing is behind ${reference}`)
      return value
    },
    env: process.env,
    report: (details) => reports.push(details),
    progress: () => {},
    blockers: noBlockers,
    audit: async () => {},
    note: async (event) => void notes.push(event),
    dataOf: () => undefined,
    ...options.over,
  }
  return { context, reports, notes }
}
