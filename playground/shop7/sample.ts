import { randomBytes } from 'node:crypto'
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { captureChild } from '../../src/process/capture.ts'
import { childEnvironment } from '../../src/process/environment.ts'
import { createRedactor, secretsOfUrl } from '../../src/redact/redact.ts'
import { installedPrisma } from '../../test/helpers/prisma-versions/installed.ts'
import { applicationPath, shopMigrations } from '../shop/application.ts'
import { git, SHOP, shopFiles } from '../shop/repository.ts'
import { fillShop, PENDING_IN_PRODUCTION } from '../shop/rows.ts'
import { exists, onServer } from '../shop/server.ts'

/** A second target of the playground, whose application brings Prisma 7; it has no running process. */
export type SevenSample = {
  /** To be put behind the targets of a `lockkeeper.yaml`. */
  readonly target: string
  readonly env: Readonly<Record<'SHOP7_URL', string>>
}

const SEVEN = join(import.meta.dirname, '../../test/helpers/prisma-versions/7')

/**
 * The sample shop with Prisma 7.10: its repository, and its database with three migrations pending, or those of an earlier start. The real CLI is
 * installed once, in about 20 s, with an engine that needs no download (`test/helpers/prisma-versions/README.md`).
 */
export async function makeSevenSample(options: {
  readonly directory: string
  /** A session URL of the PostgreSQL server whose user may create databases. */
  readonly serverUrl: string
  /** Of the database. */
  readonly name?: string
  readonly orders?: number
  readonly say?: (text: string) => void
}): Promise<SevenSample> {
  const { directory, serverUrl, name = 'shop7' } = options
  options.say?.('Prisma 7 is installed, or found')
  const prisma = await installedPrisma('7.10.1')
  const repository = join(directory, 'shop7')
  if (!(await exists(repository))) await makeRepository(repository)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  await makeDatabase({
    serverUrl,
    url: url.href,
    name,
    prisma,
    repository,
    ...(options.orders === undefined ? {} : { orders: options.orders }),
  })
  return { target: targetOf(repository, prisma, directory), env: { SHOP7_URL: url.href } }
}

type Prisma = Awaited<ReturnType<typeof installedPrisma>>

/** 7 has the address of its database in its configuration, and none in the schema. */
async function makeRepository(place: string): Promise<void> {
  const partial = `${place}.${randomBytes(4).toString('hex')}`
  const own = await Promise.all(
    ['package.json', 'package-lock.json', 'prisma.config.ts'].map((name) => readFile(join(SEVEN, name), 'utf8')),
  )
  const schema = await readFile(join(SHOP, 'prisma/schema.prisma'), 'utf8')
  const files = new Map([
    ...[...(await shopFiles())].filter(([path]) => path.startsWith('prisma/migrations/')),
    ['package.json', own[0] ?? ''],
    ['package-lock.json', own[1] ?? ''],
    ['prisma.config.ts', own[2] ?? ''],
    ['prisma/schema.prisma', schema.replace(/^\s*url\s*=.*\n/m, '')],
  ])
  for (const [path, content] of files) {
    await mkdir(dirname(join(partial, path)), { recursive: true })
    await writeFile(join(partial, path), content)
  }
  await git(partial, ['init', '--quiet', '--initial-branch=main', '.'])
  await git(partial, ['add', '--all'])
  const alice = ['-c', 'user.name=Alice Marsh', '-c', 'user.email=alice@shop.example']
  await git(partial, [...alice, 'commit', '--quiet', '-m', 'The shop on Prisma 7'])
  await rename(partial, place)
}

async function makeDatabase(made: {
  readonly serverUrl: string
  readonly url: string
  readonly name: string
  readonly prisma: Prisma
  readonly repository: string
  readonly orders?: number
}): Promise<void> {
  const { serverUrl, url, name, prisma, repository } = made
  const isFresh = await onServer(serverUrl, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`)
    return rowCount === 0
  })
  if (!isFresh) return
  const application = `${repository}.${randomBytes(4).toString('hex')}`
  try {
    await cp(repository, application, { recursive: true })
    await symlink(prisma.modules, join(application, 'node_modules'))
    for (const later of (await shopMigrations()).slice(-PENDING_IN_PRODUCTION))
      await rm(join(application, 'prisma/migrations', later), { recursive: true })
    await deploy(application, prisma, url)
    await fillShop(url, made.orders)
  } catch (error) {
    await onServer(serverUrl, (client) => client.query(`drop database ${pg.escapeIdentifier(name)} with (force)`))
    throw error
  } finally {
    await rm(application, { recursive: true, force: true })
  }
}

async function deploy(application: string, prisma: Prisma, url: string): Promise<void> {
  const end = await captureChild({
    argv: [join(prisma.modules, '.bin/prisma'), 'migrate', 'deploy'],
    cwd: application,
    env: childEnvironment(process.env, applicationPath, { ...prisma.env, DATABASE_URL: url }),
    redactor: createRedactor(secretsOfUrl(url)),
  })
  if (end.exitCode !== 0) throw new Error(`Prisma 7 could not make the sample shop:\n${end.stdout.toString('utf8')}${end.stderr}`)
}

const targetOf = (repository: string, { modules, env }: Prisma, directory: string): string => `
  shop7:
    label: Shop on Prisma 7
    channel: C0DEPLOYS
    source:
      repository: ${JSON.stringify(repository)}
      branch: main
      install: ${JSON.stringify(['sh', '-c', 'mkdir node_modules && ln -s "$0"/* "$0"/.[!.]* node_modules/', modules])}
      path: ${JSON.stringify(applicationPath)}
    database: { url: env:SHOP7_URL, lockTimeout: 2s, statementTimeout: 15m }
    tool: { prisma: { env: ${JSON.stringify(env)} } }
    backup: { directory: ${JSON.stringify(join(directory, 'backups'))} }
    approvals: { required: 1, from: [group:S0DBA] }
`
