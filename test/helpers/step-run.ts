import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Target } from '../../src/config/config.ts'
import { configSchema } from '../../src/config/schema.ts'
import { plannedSteps } from '../../src/deploy/planned.ts'
import type { Plan, PlannedMigration } from '../../src/plan/plan.ts'
import { fetchRepository } from '../../src/plan/repository.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { noBlockers } from './run-context.ts'
import type { RunContext, Step, StepEnd } from '../../src/request/step.ts'

export const SECRET = 'canary-Geheimnis/2026'

export type TestRun = {
  readonly context: RunContext
  readonly home: string
  readonly varDirectory: string
  readonly reports: string[]
  readonly abort: (cancelled: boolean) => void
  readonly log: () => Promise<string>
  /** Looks and acts as the run does. Its data can be read by later steps. */
  readonly perform: (step: Step) => Promise<StepEnd>
  /** Another run in the same place, with other settings, another commit, or as the successor of a dead process. */
  readonly another: (options?: Partial<Omit<Options, 'repository'>>) => Promise<TestRun>
  readonly close: () => Promise<void>
}

type Options = {
  readonly repository: string
  readonly commit: string
  readonly settings?: Readonly<Record<string, unknown>>
  /** A target that is read already; wins over `settings`. */
  readonly parsed?: Target
  readonly requestId?: number
  readonly env?: Readonly<Record<string, string>>
  readonly migrations?: readonly PlannedMigration[]
}

/** What a step gets, with a real bare clone and real directories below a temporary home. */
export async function testRun(options: Options): Promise<TestRun> {
  const home = await mkdtemp(join(tmpdir(), 'lockkeeper-run-'))
  const varDirectory = join(home, 'var')
  const env = {
    ...process.env,
    DATABASE_OF_SHOP: `postgresql://shop:${encodeURIComponent(SECRET)}@127.0.0.1:5432/shop`,
    SLACK_BOT_TOKEN: 'xoxb-1',
    ...options.env,
  }
  await mkdir(varDirectory, { recursive: true })
  const redactor = createRedactor([SECRET])
  const cloned = await fetchRepository({ home, varDirectory, redactor, env }, targetOf(options))
  if (isRefusal(cloned)) throw new Error(cloned.text)
  const make = async (own: Options): Promise<TestRun> => {
    const target = targetOf(own)
    const requestId = own.requestId ?? 41
    const directory = join(varDirectory, 'runs', String(requestId))
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const checkout = join(varDirectory, 'checkouts', String(requestId))
    const stop = new AbortController()
    let isCancelled = false
    const reports: string[] = []
    const data = new Map<string, unknown>()
    const context: RunContext = {
      requestId,
      command: '/migrate',
      digest: 'd'.repeat(64),
      target,
      plan: planOf(target, own),
      attempt: 1,
      directory,
      checkout,
      applicationDirectory: join(checkout, target.source.directory),
      spool: join(directory, 'output.log'),
      signal: stop.signal,
      isCancelled: () => isCancelled,
      redactor,
      secret: (reference) => env[reference.slice(4) as keyof typeof env] ?? '',
      env,
      report: (details) => void reports.push(details),
      progress: () => {},
      blockers: noBlockers,
      audit: async () => {},
      note: async () => {},
      dataOf: (step) => data.get(step),
    }
    return {
      context,
      home,
      varDirectory,
      reports,
      abort(cancelled) {
        isCancelled = cancelled
        stop.abort(new Error('stopped by the test'))
      },
      log: () => readFile(context.spool, 'utf8').catch(() => ''),
      async perform(step) {
        const found = await step.inspect(context)
        if (found.kind === 'unknown') return { kind: 'unknown', output: 'unclear', outcome: found.outcome }
        const end: StepEnd = found.kind === 'done' ? found : await step.act(context)
        if (end.kind === 'done') data.set(step.name, end.data)
        return end
      },
      another: (changed) => make({ ...own, ...changed }),
      close: () => rm(home, { recursive: true, force: true }),
    }
  }
  return make(options)
}

function targetOf(options: Options): Target {
  if (options.parsed !== undefined) return options.parsed
  const file = configSchema.parse({
    targets: {
      prod: {
        label: 'Production',
        channel: 'C0DEPLOYS',
        database: { url: 'env:DATABASE_OF_SHOP' },
        tool: 'prisma',
        approvals: { from: ['group:S0DBA'] },
        ...options.settings,
        source: { repository: options.repository, ...(options.settings?.['source'] as object | undefined) },
      },
    },
  })
  const settings = file.targets['prod']
  if (settings === undefined) throw new Error('no target')
  return { ...settings, name: 'prod', title: 'Production' }
}

const planOf = (target: Target, options: Options): Plan => ({
  version: 1,
  target: target.name,
  identity: { host: '127.0.0.1', port: 5432, database: 'shop', systemIdentifier: '1', databaseOid: 1 },
  commit: options.commit,
  ref: 'main',
  baseline: [],
  list: options.migrations ?? [],
  steps: plannedSteps(target),
  policy: 'p'.repeat(64),
})
