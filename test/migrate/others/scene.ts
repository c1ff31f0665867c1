import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { guardDefaults, type GuardSettings } from '../../../src/config/keys/guard.ts'
import { toolSchema } from '../../../src/config/tool.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { compareWithPlan, type Comparison } from '../../../src/plan/compare.ts'
import { makePlan, type MadePlan } from '../../../src/plan/make.ts'
import { createRedactor, secretsOfUrl } from '../../../src/redact/redact.ts'
import type { Blocker, Blockers } from '../../../src/request/blocker.ts'
import type { RequestEvent } from '../../../src/request/request.ts'
import type { RunContext, StepEnd } from '../../../src/request/step.ts'
import { migrateStep } from '../../../src/run/steps/migrate.ts'
import { verifySchemaStep } from '../../../src/run/steps/verify-schema.ts'
import { createDatabase, type TestDatabase } from '../../helpers/postgres.ts'
import { query } from '../../helpers/target.ts'
import { createOrigin, type Origin } from '../../plan/application/origin.ts'
import { fast } from '../../run/scene.ts'

export type OtherScene = {
  readonly database: TestDatabase
  readonly origin: Origin
  readonly commit: (files: Readonly<Record<string, string | null>>) => Promise<string>
  /** A plan, or the refusal as `code: text`. */
  readonly plan: () => Promise<MadePlan | string>
  readonly compare: (plan: MadePlan, phase?: 'before-migrate' | 'after-migrate') => Promise<Comparison>
  readonly run: (plan: MadePlan, requestId?: number) => OtherRun
  readonly sql: (text: string) => Promise<readonly Record<string, unknown>[]>
}

export type OtherRun = {
  readonly context: RunContext
  readonly reports: string[]
  readonly events: RequestEvent[]
  readonly asked: AskedBlockers
  readonly controls: { cancelled: boolean; readonly abort: AbortController }
  readonly migrate: () => Promise<StepEnd>
  readonly inspect: () => ReturnType<ReturnType<typeof migrateStep>['inspect']>
  readonly verify: () => Promise<StepEnd>
}

/** What a run tells of who is in its way; `next` is what somebody asks to end. */
type AskedBlockers = {
  readonly blockers: Blockers
  readonly shown: Blocker[]
  readonly answers: string[]
  next: Blocker | null
  more: number
}

function blockersInMemory(): AskedBlockers {
  const shown: Blocker[] = []
  const answers: string[] = []
  const asked: AskedBlockers = {
    shown,
    answers,
    next: null,
    more: 0,
    blockers: {
      show: async (blocker) => {
        if (blocker !== null) shown.push({ ...blocker, id: shown.length + 1, seenAt: new Date(), askedBy: 'U0BOB' })
      },
      toEnd: async () => asked.next,
      answer: async (_, text) => {
        asked.next = null
        answers.push(text)
      },
      moreTries: async () => asked.more,
    },
  }
  return asked
}

let lastRequest = 700_000

/** A target whose application brings another tool than Prisma: its repository, its database, and runs of its steps. */
export async function otherScene(
  tool: unknown,
  options: { readonly lockTimeout?: number; readonly guard?: Partial<GuardSettings> } = {},
): Promise<OtherScene> {
  const database = await createDatabase()
  const origin = await createOrigin(database.url)
  onTestFinished(async () => {
    await origin.close()
    await database.close()
  })
  const base = origin.target({ tool: toolSchema.parse(tool) })
  const target = {
    ...base,
    guard: { ...guardDefaults, ...options.guard },
    database: { ...base.database, lockTimeout: options.lockTimeout ?? base.database.lockTimeout },
  }
  const deps = { ...origin.deps, secret: () => database.url }
  const scene: OtherScene = {
    database,
    origin,
    commit: (files) => origin.commit(files),
    async plan() {
      const made = await makePlan(deps, { target, ref: null, steps: [], policy: 'p'.repeat(64) })
      return isRefusal(made) ? `${made.code}: ${made.text}` : made
    },
    compare: (made, phase = 'before-migrate') => compareWithPlan({ ...deps, target }, made.plan, phase),
    run(made, requestId = ++lastRequest) {
      const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-run-'))
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
      const reports: string[] = []
      const events: RequestEvent[] = []
      const asked = blockersInMemory()
      const controls = { cancelled: false, abort: new AbortController() }
      const context: RunContext = {
        command: '/migrate',
        requestId,
        digest: made.digest,
        target,
        plan: made.plan,
        attempt: 1,
        directory,
        checkout: origin.directory,
        applicationDirectory: origin.directory,
        spool: join(directory, 'output.log'),
        signal: controls.abort.signal,
        isCancelled: () => controls.cancelled,
        redactor: createRedactor(secretsOfUrl(database.url)),
        secret: () => database.url,
        env: process.env,
        report: (text) => void reports.push(text),
        progress: () => {},
        blockers: asked.blockers,
        audit: async () => {},
        note: async (event) => void events.push(event),
        dataOf: () => undefined,
      }
      const step = migrateStep(fast)
      return {
        context,
        reports,
        events,
        asked,
        controls,
        migrate: () => step.act(context),
        inspect: () => step.inspect(context),
        verify: () => verifySchemaStep({ keepSchema: async () => {} }).act(context),
      }
    },
    sql: (text) => query(database.url, text),
  }
  return scene
}

export function made(plan: MadePlan | string): MadePlan {
  if (typeof plan === 'string') throw new Error(plan)
  return plan
}
