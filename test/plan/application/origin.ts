import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { configSchema } from '../../../src/config/schema.ts'
import type { Target } from '../../../src/config/config.ts'
import type { PlanDeps } from '../../../src/plan/deps.ts'
import { captureChild } from '../../../src/process/capture.ts'
import { childEnvironment } from '../../../src/process/environment.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { SCHEMA } from './application.ts'

export type Origin = {
  readonly directory: string
  readonly git: (...args: readonly string[]) => Promise<string>
  /** Writes (null removes) and commits; gives the SHA. */
  readonly commit: (files: Readonly<Record<string, string | Buffer | null>>, message?: string) => Promise<string>
  readonly link: (path: string, to: string) => Promise<void>
  readonly target: (changes?: Partial<Target>) => Target
  readonly deps: PlanDeps
  readonly close: () => Promise<void>
}

export const FIT = {
  'package.json': JSON.stringify({ name: 'shop', devDependencies: { prisma: '6.19.3' } }),
  'prisma/schema.prisma': SCHEMA,
  'prisma/migrations/migration_lock.toml': 'provider = "postgresql"\n',
  'prisma/migrations/20260101_customers/migration.sql': 'create table customer (id int primary key);\n',
}

/** Otherwise each commit starts two more programs that look whether there is something to tidy up. */
const QUIET = ['-c', 'maintenance.auto=false', '-c', 'gc.auto=0']

/** A repository to plan from, with a `var` directory beside it. `url` is what `env:URL` resolves to. */
export async function createOrigin(url = 'postgresql://nobody@127.0.0.1:1/none', format: 'sha1' | 'sha256' = 'sha1'): Promise<Origin> {
  const origin = await withoutRepository(url)
  await origin.git('init', '--quiet', '--initial-branch=main', `--object-format=${format}`)
  return origin
}

/** The same with `FIT` committed: a copy of one that this process made once, since making it takes five programs. */
export async function createFitOrigin(url: string): Promise<Origin> {
  fit ??= makeFit(url)
  const origin = await withoutRepository(url)
  await cp(await fit, origin.directory, { recursive: true })
  return origin
}

let fit: Promise<string> | undefined

async function makeFit(url: string): Promise<string> {
  const origin = await createOrigin(url)
  await origin.commit(FIT)
  return origin.directory
}

async function withoutRepository(url: string): Promise<Origin> {
  const home = await mkdtemp(join(tmpdir(), 'lockkeeper-origin-'))
  const directory = join(home, 'origin')
  const varDirectory = join(home, 'var')
  await Promise.all([mkdir(directory), mkdir(varDirectory)])
  const redactor = createRedactor([])
  const git = async (...args: readonly string[]) => {
    const names = {
      GIT_AUTHOR_NAME: 'Ada Berg',
      GIT_AUTHOR_EMAIL: 'ada@shop.example',
      GIT_COMMITTER_NAME: 'Ada Berg',
      GIT_COMMITTER_EMAIL: 'ada@shop.example',
    }
    const env = { ...names, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
    const end = await captureChild({
      argv: ['git', ...QUIET, ...args],
      cwd: directory,
      env: childEnvironment(process.env, process.env['PATH'] ?? '', env, Object.keys(env)),
      redactor,
    })
    if (end.exitCode !== 0) throw new Error(`git ${args.join(' ')}: ${end.stderr}`)
    return end.stdout.toString('utf8').trim()
  }
  const write = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
  return {
    directory,
    git,
    async commit(files, message = 'Change') {
      for (const [path, content] of Object.entries(files))
        if (content === null) await rm(join(directory, path), { recursive: true })
        else await write(path, content)
      await git('add', '--all', '--force')
      await git('commit', '--quiet', '--allow-empty', '-m', message)
      return git('rev-parse', 'HEAD')
    },
    async link(path, to) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await symlink(to, join(directory, path))
    },
    target: (changes = {}) => ({ ...targetOf(directory), ...changes }),
    deps: { home, varDirectory, redactor, secret: () => url, clock: { now: () => Date.UTC(2026, 10, 20, 12) }, env: process.env },
    close: async () => {
      await chmod(directory, 0o700)
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** A PATH with git and without git-lfs, in a directory below this one. */
export async function pathWithoutLfs(home: string): Promise<string> {
  const directory = join(home, 'bin')
  if (existsSync(directory)) return directory
  const git = (process.env['PATH'] ?? '')
    .split(':')
    .map((place) => join(place, 'git'))
    .find((program) => existsSync(program))
  if (git === undefined) throw new Error('git is not on PATH')
  await mkdir(directory)
  await symlink(git, join(directory, 'git'))
  return directory
}

function targetOf(repository: string): Target {
  const file = configSchema.parse({
    targets: {
      prod: {
        channel: 'C0123456789',
        source: { repository },
        database: { url: 'env:URL' },
        tool: 'prisma',
        approvals: { from: ['user:U1'] },
      },
    },
  })
  const settings = file.targets['prod']
  if (settings === undefined) throw new Error('the configuration has no target')
  return { ...settings, name: 'prod', title: 'Production' }
}
