import { mkdtemp, readdir, rm, utimes, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startEmbedded, type Embedded } from '../../src/store/embedded.ts'

let directory: string
let started: Embedded[]

beforeEach(async () => {
  started = []
  // where `nobody` gets to, so that root uses it as well
  directory = join(await mkdtemp(join(tmpdir(), 'lockkeeper-embedded-')), 'postgres')
  await mkdir(directory)
})

afterEach(async () => {
  await started[0]?.remove()
  await rm(join(directory, '..'), { recursive: true, force: true })
})

async function start(count: number): Promise<readonly string[]> {
  started = await Promise.all(Array.from({ length: count }, () => startEmbedded({ directory, env: process.env })))
  return started.map(({ url }) => url)
}

async function serverOf(url: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (
      await client.query<{ id: string; directory: string }>(
        `select (select system_identifier from pg_control_system())::text as id, current_setting('data_directory') as directory`,
      )
    ).rows[0]
  } finally {
    await client.end()
  }
}

test('three first starts at once end with one server, and nothing unfinished beside it', async () => {
  const [first, ...others] = await start(3)
  expect(others).toEqual([first, first])
  const server = await serverOf(first ?? '')
  expect((await readdir(join(server?.directory ?? '', '..'))).toSorted()).toEqual(['data', 'password', 'postgres.log'])
})

test('an empty password that a start left behind is made up for, also by two at once', async () => {
  const home = await homeOf()
  await writeFile(join(home, 'password'), '', { mode: 0o600 })
  const [first, second] = await start(2)
  expect(second).toBe(first)
  expect(await serverOf(first ?? '')).toBeDefined()
  expect(await startEmbedded({ directory, env: process.env })).toMatchObject({ url: first })
})

test('what dead starts left is removed, and what another start has in hand is not', async () => {
  const home = await homeOf()
  for (const name of ['initial-dead', 'initial-alive']) await mkdir(join(home, name))
  await utimes(join(home, 'initial-dead'), 0, 0)
  await start(1)
  expect((await readdir(home)).filter((name) => name.startsWith('initial-'))).toEqual(['initial-alive'])
})

/** Where it keeps its data: as root not below a directory that others do not reach. */
async function homeOf(): Promise<string> {
  const [url] = await start(1)
  const home = join((await serverOf(url ?? ''))?.directory ?? '', '..')
  await started[0]?.remove()
  started = []
  await mkdir(home, { recursive: true, mode: 0o755 })
  return home
}
