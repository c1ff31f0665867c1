import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { captureChild } from '../../../src/process/capture.ts'
import { childEnvironment } from '../../../src/process/environment.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { toolEnvironment } from '../../../playground/shop/application.ts'
import { versionFiles } from '../../helpers/prisma-versions/files.ts'
import type { InstalledPrisma, PrismaVersion } from '../../helpers/prisma-versions/installed.ts'
import { modulesWithPrisma } from '../../helpers/recorded-prisma/place.ts'
import { applicationPath } from '../../helpers/sample.ts'

const ROOT = join(import.meta.dirname, '../../..')

export const SCHEMA = `datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}
`

export type Application = {
  readonly directory: string
  /** What its CLI needs, so that nothing is downloaded. */
  readonly env: Readonly<Record<string, string>>
  readonly write: (path: string, content: string | Buffer) => Promise<void>
  /** `migration('name', sql)` writes `prisma/migrations/name/migration.sql`. */
  readonly migration: (name: string, sql: string | Buffer) => Promise<void>
  readonly remove: (path: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** Its CLI, real or recorded, and what that needs in the environment. */
export type ApplicationPrisma = InstalledPrisma & { readonly version: PrismaVersion }

/** A directory with a schema, migrations and everything that the CLI needs. */
export async function createApplication(
  migrations: Readonly<Record<string, string>> = {},
  brought: ApplicationPrisma = { version: '6.19.3', modules: modulesWithPrisma(join(ROOT, 'node_modules')), env: toolEnvironment },
): Promise<Application> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-application-'))
  const write = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), content)
  }
  const application: Application = {
    directory,
    env: brought.env,
    write,
    migration: (name, sql) => write(`prisma/migrations/${name}/migration.sql`, sql),
    remove: (path) => rm(join(directory, path), { recursive: true }),
    close: () => rm(directory, { recursive: true, force: true }),
  }
  await symlink(brought.modules, join(directory, 'node_modules'))
  for (const [path, text] of Object.entries(versionFiles(brought.version, 'inSchema'))) await write(path, text)
  for (const [name, sql] of Object.entries(migrations)) await application.migration(name, sql)
  return application
}

export type CliEnd = { readonly code: number | null; readonly text: string }

/** The application's CLI, at most two at a time: a real one takes a core for a second. */
export async function prisma(application: Application, url: string, ...args: readonly string[]): Promise<CliEnd> {
  await enter()
  try {
    const end = await captureChild({
      argv: [join(application.directory, 'node_modules/.bin/prisma'), ...args],
      cwd: application.directory,
      env: childEnvironment(process.env, applicationPath, {
        ...application.env,
        DATABASE_URL: url,
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
