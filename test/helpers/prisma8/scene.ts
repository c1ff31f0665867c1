import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { digestOf } from '../../../src/plan/digest.ts'
import type { Plan } from '../../../src/plan/plan.ts'
import { guardDefaults } from '../../../src/config/keys/guard.ts'
import { makeRunnerPlan } from '../../../src/plan/prisma8/make.ts'
import { createRedactor, secretsOfUrl } from '../../../src/redact/redact.ts'
import type { RequestEvent } from '../../../src/request/request.ts'
import { noBlockers } from '../run-context.ts'
import type { RunContext } from '../../../src/request/step.ts'
import { applicationFiles, signedDatabase } from '../../plan/prisma8/application.ts'
import { createOrigin, type Origin } from '../../plan/application/origin.ts'
import { createDatabase, type TestDatabase } from '../postgres.ts'
import { applicationPath } from '../sample.ts'
import { modulesWithPrisma8 } from './modules.ts'

/** As `prisma init` of 8 writes it. */
export const CONFIG = `import { definePrismaConfig } from 'prisma/config'
import { defineConfig as ormConfig } from '@prisma/orm-postgres/config'

export default definePrismaConfig({
  orm: ormConfig({
    contract: './src/prisma/contract.prisma',
    db: { connection: process.env['DATABASE_URL']! },
  }),
})
`

const later = (cleanup: () => unknown): void => onTestFinished(async () => void (await cleanup()))

export type Scene8 = {
  readonly origin: Origin
  readonly database: TestDatabase
  readonly plan: Plan
  readonly context: RunContext
  readonly reports: string[]
  readonly progress: unknown[]
  readonly events: RequestEvent[]
  readonly controls: { cancelled: boolean; readonly abort: AbortController }
  readonly sql: (text: string) => Promise<readonly Record<string, unknown>[]>
  /** A session that stays open until the test ends. */
  readonly session: (name: string) => Promise<pg.Client>
  /** The same run for a successor: another context in the same directories. */
  readonly successor: () => RunContext
}

let lastRequest = 1_000 + Math.floor(Math.random() * 1_000_000) * 1_000

/**
 * An application with Prisma 8 whose three migrations are in a repository, its database with the first of them applied (`before` says
 * otherwise), the plan for the other two, and what a step of its run gets. The checkout is there, as after the install.
 */
export async function scene8(
  options: {
    readonly before?: string
    /** Replaced or added in the commit; null removes. */
    readonly files?: Readonly<Record<string, string | null>>
    readonly lockTimeout?: number
    /** `guard.queue`, in milliseconds. */
    readonly queue?: number
    readonly modules?: string
    /** After the plan was made. */
    readonly meanwhile?: string
  } = {},
): Promise<Scene8> {
  const database = await createDatabase()
  later(() => database.close())
  const sql = async (text: string) => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }
  const session = async (name: string) => {
    const client = new pg.Client({ connectionString: database.url, application_name: name })
    client.on('error', () => {}) // the database is dropped under it
    await client.connect()
    later(() => client.end().catch(() => {}))
    return client
  }
  const before = options.before ?? signedDatabase()
  if (before !== '') await sql(before)
  const origin = await createOrigin(database.url)
  later(() => origin.close())
  await origin.commit({ ...applicationFiles(), 'prisma.config.ts': CONFIG, ...options.files })
  const base = origin.target()
  const target = {
    ...base,
    guard: { ...guardDefaults, queue: options.queue ?? guardDefaults.queue },
    database: { ...base.database, lockTimeout: options.lockTimeout ?? 2_000 },
  }
  const made = await makeRunnerPlan(origin.deps, { target, ref: null, steps: [], policy: 'p'.repeat(64) })
  if (isRefusal(made)) throw new Error(made.text)
  const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-run-'))
  later(() => rmSync(directory, { recursive: true, force: true }))
  const checkout = join(directory, 'checkout')
  mkdirSync(checkout)
  await origin.git('clone', '--quiet', origin.directory, checkout)
  symlinkSync(options.modules ?? modulesWithPrisma8(), join(checkout, 'node_modules'))
  if (options.meanwhile !== undefined) await sql(options.meanwhile)
  const reports: string[] = []
  const progress: unknown[] = []
  const events: RequestEvent[] = []
  const controls = { cancelled: false, abort: new AbortController() }
  const run = join(directory, 'run')
  mkdirSync(run, { mode: 0o700 })
  const requestId = ++lastRequest
  const context = (): RunContext => ({
    command: '/migrate',
    requestId,
    digest: digestOf(made.plan),
    target,
    plan: made.plan,
    attempt: 1,
    directory: run,
    checkout,
    applicationDirectory: checkout,
    spool: join(run, 'output.log'),
    signal: controls.abort.signal,
    isCancelled: () => controls.cancelled,
    redactor: createRedactor(secretsOfUrl(database.url)),
    secret: () => database.url,
    env: { ...process.env, PATH: applicationPath },
    report: (text) => void reports.push(text),
    progress: (data) => void progress.push(data),
    blockers: noBlockers,
    audit: async () => {},
    note: async (event) => void events.push(event),
    dataOf: () => undefined,
  })
  return {
    origin,
    database,
    plan: made.plan,
    context: context(),
    reports,
    progress,
    events,
    controls,
    sql,
    session,
    successor: context,
  }
}
