import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { until } from '../helpers/until.ts'

type Left = { readonly databases: readonly string[]; readonly processes: readonly string[] }

/** How long what has been told to end may take for it. */
const ENDING_MS = 10_000

/** Throws when tests left a database on the server that they share, or a process; each is named with the file of tests that made it. */
export async function expectNothingLeft(where: { readonly url: string; readonly scratch: string }, withinMs = ENDING_MS): Promise<void> {
  let left: Left = { databases: [], processes: [] }
  const isClean = async () => {
    left = { databases: await databasesOf(where.url), processes: processesOf(where.scratch) }
    return left.databases.length + left.processes.length === 0
  }
  await until('nothing is left', isClean, withinMs).catch(() => {
    throw new Error(`Tests left this behind:\n${[...left.databases, ...left.processes].map((one) => `  ${one}\n`).join('')}`)
  })
}

/** Those that a test made and did not drop; what other tests copy is marked as a template. */
async function databasesOf(url: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string; maker: string | null }>(
      `select datname as name, shobj_description(oid, 'pg_database') as maker from pg_database
       where not datistemplate and datname <> 'postgres' order by 1`,
    )
    return rows.map(({ name, maker }) => `database ${name}, made by ${maker ?? 'an unknown test'}`)
  } finally {
    await client.end()
  }
}

/** Processes in whose environment or arguments the directory of a file of tests stands; none where there is no /proc. */
function processesOf(scratch: string): readonly string[] {
  return processIds().flatMap((id) => {
    const words = read(id, 'cmdline')
    const maker = makerIn(scratch, `${words}\0${read(id, 'environ')}`)
    return maker === undefined || isRunner(id, words)
      ? []
      : [`process ${id}, started by ${maker}: ${words.replaceAll('\0', ' ').trim().slice(0, 200)}`]
  })
}

/** The first directory below it that is named; what serves all tests is named `all` or `postgres`. */
function makerIn(scratch: string, text: string): string | undefined {
  const at = text.indexOf(`${scratch}/`)
  if (at === -1) return undefined
  const name = /^[^/:\0]*/.exec(text.slice(at + scratch.length + 1))?.[0] ?? ''
  return name === 'all' || name === 'postgres' ? undefined : name
}

const isRunner = (id: string, words: string): boolean => Number(id) === process.pid || words.includes('/vitest/dist/workers/')

function processIds(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

function read(id: string, file: string): string {
  try {
    return readFileSync(join('/proc', id, file), 'utf8')
  } catch {
    return '' // it has ended, or is somebody else's
  }
}
