import { randomBytes } from 'node:crypto'
import { cp, mkdir, rename, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { captureChild } from '../../src/process/capture.ts'
import { childEnvironment } from '../../src/process/environment.ts'
import { createRedactor, secretsOfUrl } from '../../src/redact/redact.ts'
import { applicationPath } from '../shop/application.ts'
import { git } from '../shop/repository.ts'
import { exists, onServer } from '../shop/server.ts'

/** A second target of the playground, whose application brings Prisma 8; it has no running process. */
export type RunnerSample = {
  /** To be put behind the targets of a `lockkeeper.yaml`. */
  readonly target: string
  readonly env: Readonly<Record<'SHOP8_URL', string>>
}

const SHOP8 = join(import.meta.dirname, '../../examples/shop8')

/** The contract that production has: that of the first of the three migrations. */
export const LIVE = 'd61aaa75cc150c621530a3f5bffe052b6685864e06546b23bf811c61a6f79574'

/**
 * Its repository, its packages and its database with the first migration applied by the real Prisma 8, or those of an earlier start.
 * Installing takes two minutes and 1.1 GB, once.
 */
export async function makeRunnerSample(options: {
  readonly directory: string
  /** A session URL of the PostgreSQL server whose user may create databases. */
  readonly serverUrl: string
  /** Instead of the installed ones. */
  readonly modules?: string
  /** Of the database. */
  readonly name?: string
  readonly say?: (text: string) => void
}): Promise<RunnerSample> {
  const { directory, serverUrl, name = 'shop8' } = options
  await mkdir(directory, { recursive: true })
  const modules = options.modules ?? (await installed(join(directory, 'packages'), options.say ?? (() => {})))
  const repository = join(directory, 'shop8')
  await makeOnce(repository, makeRepository)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  await makeDatabase({ serverUrl, url: url.href, name, modules, repository })
  return { target: targetOf(repository, modules, directory), env: { SHOP8_URL: url.href } }
}

async function installed(place: string, say: (text: string) => void): Promise<string> {
  await makeOnce(place, async (partial) => {
    say('Prisma 8 is installed, which takes two minutes and 1.1 GB this first time')
    await cp(join(SHOP8, 'package.json'), join(partial, 'package.json'))
    await run(['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts'], partial)
  })
  return join(place, 'node_modules')
}

async function makeRepository(place: string): Promise<void> {
  await cp(SHOP8, place, { recursive: true })
  await git(place, ['init', '--quiet', '--initial-branch=main', '.'])
  await git(place, ['add', '--all'])
  const alice = ['-c', 'user.name=Alice Marsh', '-c', 'user.email=alice@shop.example']
  await git(place, [...alice, 'commit', '--quiet', '-m', 'Phones and orders'])
}

async function makeDatabase(made: {
  readonly serverUrl: string
  readonly url: string
  readonly name: string
  readonly modules: string
  readonly repository: string
}): Promise<void> {
  const { serverUrl, url, name, modules, repository } = made
  const fresh = await onServer(serverUrl, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
    if (rowCount !== 0) return false
    await client.query(`create database ${pg.escapeIdentifier(name)}`)
    return true
  })
  if (!fresh) return
  const application = `${repository}.${randomBytes(4).toString('hex')}`
  try {
    await cp(repository, application, { recursive: true })
    await symlink(modules, join(application, 'node_modules'))
    await run([join(modules, '.bin/prisma'), 'db', 'migrate', '--to', LIVE], application, { DATABASE_URL: url })
    await onServer(url, (client) =>
      client.query(`insert into "Customer" (email) select 'customer' || n || '@shop.example' from generate_series(1, 500) n; analyze`),
    )
  } catch (error) {
    await onServer(serverUrl, (client) => client.query(`drop database ${pg.escapeIdentifier(name)} with (force)`))
    throw error
  } finally {
    await rm(application, { recursive: true, force: true })
  }
}

const targetOf = (repository: string, modules: string, directory: string): string => `
  shop8:
    label: Shop on Prisma 8
    channel: C0DEPLOYS
    source:
      repository: ${JSON.stringify(repository)}
      branch: main
      install: ${JSON.stringify(['sh', '-c', 'mkdir node_modules && ln -s "$0"/* "$0"/.[!.]* node_modules/', modules])}
    database: { url: env:SHOP8_URL, lockTimeout: 2s, statementTimeout: 15m }
    tool: prisma
    backup: { directory: ${JSON.stringify(join(directory, 'backups'))} }
    approvals: { required: 1, from: [group:S0DBA] }
`

async function run(argv: readonly string[], cwd: string, extra: Readonly<Record<string, string>> = {}): Promise<void> {
  const env = { DO_NOT_TRACK: '1', PRISMA_DISABLE_TELEMETRY: '1', ...extra }
  const end = await captureChild({
    argv,
    cwd,
    env: childEnvironment(process.env, applicationPath, env),
    redactor: createRedactor(secretsOfUrl(extra['DATABASE_URL'] ?? '')),
  })
  if (end.exitCode !== 0) throw new Error(`${argv.join(' ')} failed in the sample shop:\n${end.stdout.toString('utf8')}${end.stderr}`)
}

/** Whole or not at all. */
async function makeOnce(place: string, make: (partial: string) => Promise<void>): Promise<void> {
  if (await exists(place)) return
  const partial = `${place}.${randomBytes(4).toString('hex')}`
  await mkdir(partial, { recursive: true })
  try {
    await make(partial)
    await rename(partial, place)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}
