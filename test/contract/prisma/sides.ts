import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { expect } from 'vitest'
import { versionFiles, type Config } from '../../helpers/prisma-versions/files.ts'
import { installedPrisma, PRISMA_VERSIONS, type PrismaVersion } from '../../helpers/prisma-versions/installed.ts'
import { prismaOf } from '../../helpers/prisma-versions/modules.ts'
import { createDatabase, type TestDatabase } from '../../helpers/postgres.ts'
import { until } from '../../helpers/until.ts'
import { applicationPath } from '../../helpers/sample.ts'
import { isAnyRealAsked, isRealAsked, keep, transcriptOf, type Situation } from './transcripts.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** Versions of Prisma that are in use. */
export const IN_USE = PRISMA_VERSIONS.map((version) => ({ version }))

/** What was written at once to one of the streams. */
export type Chunk = readonly ['out' | 'err', string]

/** One of the two Prismas with an application and a database of its own. What it says and leaves is noted, with what differs from run to run in braces. */
export type Side = {
  readonly database: TestDatabase
  readonly migration: (name: string, sql: string) => Promise<void>
  readonly write: (path: string, text: string) => Promise<void>
  readonly remove: (path: string) => Promise<void>
  readonly sql: (text: string) => Promise<readonly Record<string, unknown>[]>
  /** Runs a command with a URL that may be changed, and notes what it wrote to which stream in what order, and how it ended. */
  readonly prisma: (
    args: string,
    change?: (url: URL) => void,
    during?: (kill: (signal: NodeJS.Signals) => void) => Promise<unknown>,
  ) => Promise<readonly Chunk[]>
  /** Notes the record, in the schema that is named. */
  readonly record: (schema?: string) => Promise<void>
  readonly note: (what: unknown) => void
}

/**
 * The recorded one says and writes what is kept of the real one, and so does the real one where it is asked, at the same time. The
 * recorded one may not ask the real one.
 */
export async function expectSame(
  { version }: (typeof IN_USE)[number],
  { topic, title }: Pick<Situation, 'topic' | 'title'>,
  work: (side: Side) => Promise<unknown>,
  options: { readonly template?: string; readonly config?: Config } = {},
): Promise<void> {
  const situation = { version, topic, title }
  const [real, recorded] = await Promise.all([
    isRealAsked(situation) ? prismaOf(version, 'real').then((place) => onSide({ version, ...place }, work, options)) : undefined,
    prismaOf(version, 'recorded').then((place) => onSide({ version, ...place }, work, options)),
  ])
  if (real !== undefined) keep(situation, real)
  const transcript = transcriptOf(situation)
  if (real !== undefined) expect(real, 'the real one').toEqual(transcript)
  expect(recorded, 'the recorded one').toEqual(transcript)
}

/** Before tests that ask the real ones: what is not installed is, which takes longer than a test may. */
export async function prepareReal(): Promise<void> {
  if (isAnyRealAsked()) for (const version of PRISMA_VERSIONS) await installedPrisma(version)
}

/** What is done, by what it is about. */
export type Situations = Readonly<Record<string, (side: Side) => Promise<unknown>>>

type Place = { readonly version: PrismaVersion; readonly modules: string; readonly env: Readonly<Record<string, string>> }

async function onSide(
  { version, modules, env }: Place,
  work: (side: Side) => Promise<unknown>,
  { template, config = 'shop' }: { readonly template?: string; readonly config?: Config },
): Promise<readonly unknown[]> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-contract-'))
  const database = await createDatabase(template === undefined ? {} : { template })
  const notes: unknown[] = []
  try {
    await symlink(modules, join(directory, 'node_modules'))
    const write = async (path: string, text: string) => {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
    }
    for (const [path, text] of Object.entries(versionFiles(version, config))) await write(path, text)
    const sql = (text: string) => ask(database.url, text)
    await work({
      database,
      write,
      sql,
      migration: (name, text) => write(`prisma/migrations/${name}/migration.sql`, text),
      remove: (path) => rm(join(directory, path), { recursive: true }),
      note: (what) => void notes.push(steady(what, database)),
      async prisma(args, change = () => {}, during = async () => {}) {
        const url = new URL(database.url)
        change(url)
        const end = await run(directory, args, { ...env, DATABASE_URL: url.href }, during)
        notes.push(steady({ args, ...end }, database))
        return end.said
      },
      async record(schema = 'public') {
        const rows = await sql(`select * from ${schema}._prisma_migrations order by started_at, finished_at nulls first`)
        notes.push(steady({ record: rows.map(rowOf) }, database))
      },
    })
  } finally {
    await database.close()
    await rm(directory, { recursive: true, force: true })
  }
  return notes
}

export async function run(
  cwd: string,
  args: string,
  variables: Readonly<Record<string, string>>,
  during: (kill: (signal: NodeJS.Signals) => void) => Promise<unknown>,
): Promise<{ readonly exitCode: number | null; readonly signal: NodeJS.Signals | null; readonly said: readonly Chunk[] }> {
  const env = {
    ...variables,
    PATH: applicationPath,
    HOME: process.env.HOME,
    NODE_COMPILE_CACHE: join(tmpdir(), 'lockkeeper-compile-cache'),
    NODE_OPTIONS: `--require=${join(ROOT, 'test/helpers/recorded-prisma/tap.cjs')}`,
  }
  const child = spawn('node_modules/.bin/prisma', args.split(' '), {
    cwd,
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const said: Buffer[] = []
  child.stdio[3]?.on('data', (chunk: Buffer) => said.push(chunk))
  const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((done) =>
    child.on('close', (exitCode, signal) => done({ exitCode, signal })),
  )
  const [end] = await Promise.all([ended, during((signal) => void process.kill(-(child.pid ?? 0), signal))])
  const lines = Buffer.concat(said).toString('utf8').split('\n')
  return { ...end, said: lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Chunk) }
}

export async function ask(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/** While another session holds what `text` takes, or until it is let go. */
export async function holding(
  side: Pick<Side, 'database'>,
  text: string,
  work: (letGo: () => Promise<void>) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: side.database.url })
  await client.connect()
  let held = true
  const letGo = async () => {
    if (held) await client.end()
    held = false
  }
  try {
    await client.query(text)
    await work(letGo)
  } finally {
    await letGo()
  }
}

/** Until a session is at work at a statement like this, and waits. */
export const waits = (side: Side, statement: string): Promise<unknown> =>
  until(`a session waits in ${statement}`, async () => {
    const rows = await side.sql(
      `select from pg_stat_activity where datname = current_database() and state = 'active' and wait_event is not null and pid <> pg_backend_pid() and query like '${statement}'`,
    )
    return rows.length > 0
  })

/** Without what is chance: names, times, and the port. As JSON, since that is what is kept. */
const steady = (what: unknown, { name, url }: TestDatabase): unknown =>
  JSON.parse(
    JSON.stringify(what)
      .replaceAll(name, '{database}')
      .replaceAll(new RegExp(`\\b${new URL(url).port}\\b`, 'g'), '{port}')
      .replaceAll(/contract_[0-9a-f]{8}/g, '{role}')
      .replaceAll(/Elapsed: \d+ms/g, 'Elapsed: {time}')
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? UTC/g, '{time}'),
  )

/** A row without what is chance: its id and the hours, but with their order. */
function rowOf(row: Record<string, unknown>): object {
  const { id, started_at: started, finished_at: finished, rolled_back_at: rolledBack, ...rest } = row
  const after = (at: unknown) =>
    at === null ? null : !(at instanceof Date) || !(started instanceof Date) ? 'no time' : at >= started ? 'after its start' : 'before'
  const fraction =
    // both are written in milliseconds, so a file that is applied may take none; what is only marked as applied never does
    row['applied_steps_count'] === 0 && started instanceof Date && finished instanceof Date && finished.getTime() === started.getTime()
      ? 'at once'
      : after(finished)
  return {
    ...rest,
    id: /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(String(id)),
    finished: fraction,
    rolledBack: after(rolledBack),
  }
}
