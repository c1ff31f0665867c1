import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { captureChild } from '../../../src/process/capture.ts'
import { childEnvironment } from '../../../src/process/environment.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { applicationPath } from '../../helpers/sample.ts'

const ROOT = join(import.meta.dirname, '../../..')

export const SCHEMA = `datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}
`

export type Application = {
  readonly directory: string
  readonly write: (path: string, content: string | Buffer) => Promise<void>
  /** `migration('name', sql)` writes `prisma/migrations/name/migration.sql`. */
  readonly migration: (name: string, sql: string | Buffer) => Promise<void>
  readonly remove: (path: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** A directory with a schema, migrations and everything that the CLI needs. */
export async function createApplication(migrations: Readonly<Record<string, string>> = {}): Promise<Application> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-application-'))
  const write = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
  const application: Application = {
    directory,
    write,
    migration: (name, sql) => write(`prisma/migrations/${name}/migration.sql`, sql),
    remove: (path) => rm(join(directory, path), { recursive: true }),
    close: () => rm(directory, { recursive: true, force: true }),
  }
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
  await cp(join(import.meta.dirname, 'prisma.config.ts'), join(directory, 'prisma.config.ts'))
  await write('package.json', JSON.stringify({ name: 'application', private: true, type: 'module', devDependencies: { prisma: '6.19.3' } }))
  await write('prisma/schema.prisma', SCHEMA)
  await write('prisma/migrations/migration_lock.toml', 'provider = "postgresql"\n')
  for (const [name, sql] of Object.entries(migrations)) await application.migration(name, sql)
  return application
}

/** `resolve --rolled-back` does run it, to ask whether the database can be reached; nothing else does. */
const NO_ENGINE = ['/bin/true', '/usr/bin/true'].find((path) => existsSync(path)) ?? process.execPath

export type CliEnd = { readonly code: number | null; readonly text: string }

/** The real CLI, at most two at a time: each takes a core for a second. */
export async function prisma(application: Application, url: string, ...args: readonly string[]): Promise<CliEnd> {
  await enter()
  try {
    const end = await captureChild({
      argv: [join(ROOT, 'node_modules/.bin/prisma'), ...args],
      cwd: application.directory,
      env: childEnvironment(process.env, applicationPath, {
        DATABASE_URL: url,
        CHECKPOINT_DISABLE: '1',
        PRISMA_HIDE_UPDATE_MESSAGE: '1',
        NO_COLOR: '1',
        PRISMA_QUERY_ENGINE_LIBRARY: NO_ENGINE,
        PRISMA_SCHEMA_ENGINE_BINARY: NO_ENGINE,
        NODE_COMPILE_CACHE: join(tmpdir(), 'lockkeeper-compile-cache'),
      }),
      timeoutMs: 50_000,
      redactor: createRedactor([]),
    })
    return { code: end.exitCode, text: `${end.stdout.toString('utf8')}\n${end.stderr}` }
  } finally {
    leave()
  }
}

let free = 2
const waiting: (() => void)[] = []

async function enter(): Promise<void> {
  if (free > 0) free--
  else await new Promise<void>((resolve) => waiting.push(resolve))
}

function leave(): void {
  const next = waiting.shift()
  if (next === undefined) free++
  else next()
}
