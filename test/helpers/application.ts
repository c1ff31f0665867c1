import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { configSchema } from '../../src/config/schema.ts'
import type { Target } from '../../src/config/config.ts'
import type { Plan, PlannedMigration } from '../../src/plan/plan.ts'
import { sha256 } from '../../src/plan/files.ts'
import { comparing } from '../../src/plan/prisma/order.ts'
import { readIdentity } from '../../src/database/identity.ts'
import { parseTargetUrl } from '../../src/database/urls.ts'
import { createRedactor, secretsOfUrl } from '../../src/redact/redact.ts'
import type { RequestEvent } from '../../src/request/request.ts'
import { noBlockers } from './run-context.ts'
import type { RunContext } from '../../src/request/step.ts'
import { modulesWithPrisma } from './recorded-prisma/place.ts'
import { applicationPath } from './sample.ts'

const root = join(import.meta.dirname, '../..')

/** Prisma without engines: nothing is downloaded, the two variables only have to name an executable. */
export const prismaEnv = { PRISMA_QUERY_ENGINE_LIBRARY: '/bin/true', PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true' }

/** Without the last two each commit starts two more programs that look whether there is something to tidy up. */
const GIT_SETTINGS = ['user.name=Test', 'user.email=test@example.com', 'maintenance.auto=false', 'gc.auto=0']

export type Application = {
  readonly checkout: string
  readonly directory: string
  readonly commit: string
  readonly migrations: Readonly<Record<string, string>>
  readonly close: () => void
}

/** A small Prisma project in a git repository of its own, with this repository's packages. `files` replaces or adds files. */
export function createApplication(
  migrations: Readonly<Record<string, string>>,
  options: {
    readonly directory?: string
    readonly files?: Readonly<Record<string, string>>
    /** Instead of the Prisma of this repository. */
    readonly modules?: string
  } = {},
): Application {
  const checkout = mkdtempSync(join(tmpdir(), 'lockkeeper-application-'))
  const directory = join(checkout, options.directory ?? '.')
  const files: Record<string, string> = {
    'package.json': JSON.stringify({ name: 'application', private: true, type: 'module', devDependencies: { prisma: '6.19.3' } }),
    'prisma.config.ts': readFileSync(join(root, 'examples/shop/prisma.config.ts'), 'utf8'),
    'prisma/schema.prisma': 'datasource db {\n  provider = "postgresql"\n  url      = env("DATABASE_URL")\n}\n',
    'prisma/migrations/migration_lock.toml': 'provider = "postgresql"\n',
    ...Object.fromEntries(Object.entries(migrations).map(([name, sql]) => [`prisma/migrations/${name}/migration.sql`, sql])),
    ...options.files,
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  writeFileSync(join(checkout, '.gitignore'), 'node_modules\n')
  const git = (...args: string[]) =>
    execFileSync('git', [...GIT_SETTINGS.flatMap((one) => ['-c', one]), ...args], { cwd: checkout, encoding: 'utf8' })
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-q', '-m', 'The application')
  symlinkSync(options.modules ?? modulesWithPrisma(join(root, 'node_modules')), join(checkout, 'node_modules'))
  return {
    checkout,
    directory,
    commit: git('rev-parse', 'HEAD').trim(),
    migrations,
    close: () => rmSync(checkout, { recursive: true, force: true }),
  }
}

type Recorded = { readonly reports: string[]; readonly progress: unknown[]; readonly events: RequestEvent[] }

export type RunFixture = {
  readonly context: RunContext
  readonly recorded: Recorded
  readonly controls: { cancelled: boolean; readonly abort: AbortController }
  readonly close: () => void
}

/** Files of tests that start in the same moment share a server, and a session in another database with the name of this run stops it. */
let lastRequest = randomInt(1_000_000) * 1_000

/** What a step gets, for an application and a database. Migrations that the record holds as applied are the baseline. */
export async function createRun(options: {
  readonly application: Application
  readonly url: string
  readonly lockTimeout?: string
  readonly statementTimeout?: string
  readonly guard?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly toolEnv?: Readonly<Record<string, string>>
  readonly directory?: string
  readonly requestId?: number
  readonly baseline?: readonly string[]
  readonly concurrently?: readonly string[]
}): Promise<RunFixture> {
  const { application, url } = options
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'lockkeeper-run-'))
  chmodSync(directory, 0o700)
  const recorded: Recorded = { reports: [], progress: [], events: [] }
  const controls = { cancelled: false, abort: new AbortController() }
  const plan = await planOf(application, url, options.baseline ?? [], options.concurrently ?? [])
  const context: RunContext = {
    command: '/migrate',
    requestId: options.requestId ?? ++lastRequest,
    digest: 'd'.repeat(64),
    target: targetOf(options),
    plan,
    attempt: 1,
    directory,
    checkout: application.checkout,
    applicationDirectory: application.directory,
    spool: join(directory, 'output.log'),
    signal: controls.abort.signal,
    isCancelled: () => controls.cancelled,
    redactor: createRedactor(secretsOfUrl(url)),
    secret: () => url,
    env: options.env ?? { ...process.env, PATH: applicationPath },
    report: (text) => void recorded.reports.push(text),
    progress: (data) => void recorded.progress.push(data),
    blockers: noBlockers,
    audit: async () => {},
    note: async (event) => void recorded.events.push(event),
    dataOf: () => undefined,
  }
  return {
    context,
    recorded,
    controls,
    close: () => (options.directory === undefined ? rmSync(directory, { recursive: true, force: true }) : undefined),
  }
}

function targetOf(options: {
  readonly lockTimeout?: string
  readonly statementTimeout?: string
  readonly guard?: Readonly<Record<string, string>>
  readonly toolEnv?: Readonly<Record<string, string>>
}): Target {
  const file = configSchema.parse({
    targets: {
      prod: {
        label: 'Production',
        channel: 'C0123456789',
        source: { repository: '.' },
        guard: options.guard ?? {},
        database: { url: 'env:URL', lockTimeout: options.lockTimeout ?? '2s', statementTimeout: options.statementTimeout ?? '15m' },
        tool: { prisma: { env: { ...prismaEnv, ...options.toolEnv } } },
        approvals: { from: ['user:U0123'] },
      },
    },
  })
  const settings = file.targets['prod']
  if (settings === undefined) throw new Error('the target is missing')
  return { ...settings, name: 'prod', title: 'Production' }
}

async function planOf(application: Application, url: string, baseline: readonly string[], concurrently: readonly string[]): Promise<Plan> {
  const parsed = parseTargetUrl(url)
  if (parsed.kind === 'bad') throw new Error(parsed.why)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const identity = await readIdentity(client, parsed.url)
  await client.end()
  const all = Object.entries(application.migrations)
    .sort(([a], [b]) => comparing('by-language')(a, b))
    .map(([name, sql]): PlannedMigration => ({
      name,
      sha256: sha256(sql),
      bytes: Buffer.byteLength(sql),
      rollbackSha256: null,
      concurrently: concurrently.includes(name),
    }))
  return {
    version: 1,
    target: 'prod',
    identity,
    commit: application.commit,
    ref: 'main',
    baseline: all.filter(({ name }) => baseline.includes(name)).map(({ name, sha256: sum }) => ({ name, sha256: sum })),
    list: all.filter(({ name }) => !baseline.includes(name)),
    steps: [],
    policy: '0'.repeat(64),
  }
}

/** Everything that stands in files below a directory, for searching. */
export function allText(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
}
