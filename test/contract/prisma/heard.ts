import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { versionFiles } from '../../helpers/prisma-versions/files.ts'
import type { PrismaVersion } from '../../helpers/prisma-versions/installed.ts'
import { prismaOf } from '../../helpers/prisma-versions/modules.ts'
import { createDatabase } from '../../helpers/postgres.ts'
import { ask, run, type Chunk } from './sides.ts'
import { isRealAsked, keep, transcriptOf, type Situation } from './transcripts.ts'

/** What a start of the CLI ended with. */
export type Said = { readonly exitCode: number | null; readonly stdout: string; readonly output: string }

/** The real CLI with an application and a database of its own, or what is kept of it. */
export type Heard = {
  readonly version: PrismaVersion
  readonly directory: string
  readonly url: string
  /** Of the starts that follow. */
  readonly env: Record<string, string>
  readonly write: (path: string, text: string) => Promise<void>
  readonly sql: (text: string) => Promise<void>
  readonly prisma: (args: string) => Promise<Said>
  /** What differs from start to start: kept, and not compared. `during` is done beside the real one. */
  readonly prismaByChance: (args: string, during?: () => Promise<unknown>) => Promise<Said>
  /** What the CLI has done to the database and to the files. */
  readonly left: (look: (there: Left) => Promise<unknown>, expected: unknown) => Promise<void>
}

type Left = {
  readonly rows: (sql: string) => Promise<readonly Record<string, unknown>[]>
  readonly has: (path: string) => boolean
}

type Start = { readonly args: string; readonly byChance?: true; readonly exitCode: number | null; readonly said: readonly Chunk[] }

/**
 * How ours reads what the real CLI says: `work` is done with it as often as the contract asks it, and otherwise with what is kept of it. For
 * what the recorded one does not know.
 */
export async function hear(
  version: PrismaVersion,
  { topic, title }: Pick<Situation, 'topic' | 'title'>,
  work: (heard: Heard) => Promise<unknown>,
): Promise<void> {
  const situation = { version, topic, title }
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-heard-'))
  try {
    const write = async (path: string, text: string) => {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
    }
    for (const [path, text] of Object.entries(versionFiles(version, 'inSchema'))) await write(path, text)
    await (isRealAsked(situation) ? withReal : withKept)({ situation, version, directory, write }, work)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

type Room = Pick<Heard, 'version' | 'directory' | 'write'> & { readonly situation: Situation }

async function withReal({ situation, ...room }: Room, work: (heard: Heard) => Promise<unknown>): Promise<void> {
  const { version, directory } = room
  const { modules, env } = await prismaOf(version, 'real')
  await symlink(modules, join(directory, 'node_modules'))
  const database = await createDatabase()
  const notes: unknown[] = []
  const steady = (what: unknown): unknown =>
    JSON.parse(
      JSON.stringify(what)
        .replaceAll(directory, '{directory}')
        .replaceAll(ROOT, '{repository}')
        .replaceAll(database.name, '{database}')
        .replaceAll(new RegExp(`\\b${new URL(database.url).port}\\b`, 'g'), '{port}'),
    )
  const start = (end: Start): Said => {
    notes.push(steady(end))
    return saidOf(end)
  }
  try {
    const heard: Heard = {
      ...room,
      url: database.url,
      env: { ...env, DATABASE_URL: database.url },
      sql: async (text) => void (await ask(database.url, text)),
      async prisma(args) {
        return start({ args, ...(await run(directory, args, heard.env, async () => {})) })
      },
      async prismaByChance(args, during = async () => {}) {
        return start({ args, byChance: true, ...(await run(directory, args, heard.env, during)) })
      },
      async left(look, expected) {
        const found = await look({ rows: (sql) => ask(database.url, sql), has: (path) => existsSync(join(directory, path)) })
        expect(found).toEqual(expected)
        notes.push({ left: found })
      },
    }
    await work(heard)
  } finally {
    await database.close()
  }
  keep(situation, notes)
  expect(notes.map(withoutChance)).toEqual(transcriptOf(situation).map(withoutChance))
}

const withoutChance = (note: unknown): unknown =>
  typeof note === 'object' && note !== null && 'byChance' in note ? { ...note, exitCode: null, signal: null, said: [] } : note

const ROOT = join(import.meta.dirname, '../../..')

async function withKept({ situation, ...room }: Room, work: (heard: Heard) => Promise<unknown>): Promise<void> {
  const kept = [...transcriptOf(situation)]
  const next = (args: string): Said => {
    const start = kept.shift() as Start // as it was written by the real one
    expect(args.replaceAll(room.directory, '{directory}')).toBe(start.args)
    return saidOf(start)
  }
  await work({
    ...room,
    url: 'postgresql://somebody@127.0.0.1:1/{database}',
    env: {},
    sql: async () => {},
    prisma: async (args) => next(args),
    prismaByChance: async (args) => next(args),
    left: async (_look, expected) => expect(kept.shift()).toEqual({ left: expected }),
  })
  expect(kept).toEqual([])
}

const saidOf = ({ exitCode, said }: Start): Said => ({
  exitCode,
  stdout: said.flatMap(([stream, text]) => (stream === 'out' ? text : [])).join(''),
  output: said.map(([, text]) => text).join(''),
})
