import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import type { Config } from '../../../src/config/config.ts'
import type { Queries } from '../../../src/store/pool.ts'
import { isGroupAlive } from '../../../src/process/process-id.ts'
import { count, ok, requests, warning, type Finding } from './finding.ts'

/** A dump writes all the time; one that has not for this long belongs to nobody. */
const STILL_MS = 3_600_000

/** What dead processes left: unfinished backups, children, checkouts. Nothing is removed here. */
export async function lookAtLeftovers(config: Config, db: Queries | undefined, now: number): Promise<readonly Finding[]> {
  const running = db === undefined ? [] : await idsOf(db, `state in ('granted', 'running', 'needs_human')`)
  const directories = [...new Set([...config.targets.values()].map(({ backup }) => resolve(config.home, backup.directory)))]
  const partial = (await Promise.all(directories.map((one) => partialsIn(one, now)))).flat()
  const children = await childrenIn(join(config.varDirectory, 'runs'), new Set(running))
  const checkouts = db === undefined ? [] : await settledIn(db, join(config.varDirectory, 'checkouts'))
  const found = [
    ...(partial.length === 0
      ? []
      : [
          warning(
            'leftovers',
            `${count(partial.length, 'unfinished backup')}: ${partial.slice(0, 3).join(', ')}`,
            'No run writes to them any more; delete them.',
          ),
        ]),
    ...(children.length === 0
      ? []
      : [
          warning(
            'leftovers',
            `${count(children.length, 'process', 'processes')} of ended runs still alive: ${children.map(({ pid, request }) => `${pid} (#${request})`).join(', ')}`,
            `Look at each with ps, and end it by its id: kill ${children.map(({ pid }) => pid).join(' ')}.`,
          ),
        ]),
    ...(checkouts.length === 0
      ? []
      : [
          warning(
            'leftovers',
            `checkouts of ended runs stay in ${join(config.varDirectory, 'checkouts')}: ${requests(checkouts)}`,
            'A running Lockkeeper removes them within minutes; start it, or look at its log for why it cannot.',
          ),
        ]),
  ]
  return found.length === 0 ? [ok('leftovers', 'none')] : found
}

const idsOf = async (db: Queries, where: string): Promise<readonly number[]> =>
  (await db.query<{ id: number }>(`select id from lockkeeper.request where ${where}`)).map(({ id }) => id)

async function partialsIn(directory: string, now: number): Promise<readonly string[]> {
  const names = (await entries(directory)).filter((name) => name.endsWith('.partial'))
  const old = await Promise.all(names.map(async (name) => now - (await newestIn(join(directory, name))) > STILL_MS))
  return names.filter((_, index) => old[index] === true).map((name) => join(directory, name))
}

/** When something below it was last written, in milliseconds since the epoch. */
async function newestIn(directory: string): Promise<number> {
  const times = await Promise.all(
    [directory, ...(await entries(directory)).map((name) => join(directory, name))].map(async (path) => (await stat(path)).mtimeMs),
  )
  return Math.max(...times)
}

const childShape = z.object({ pid: z.int(), startedAt: z.string() })

async function childrenIn(
  runs: string,
  running: ReadonlySet<number>,
): Promise<readonly { readonly pid: number; readonly request: number }[]> {
  const found = await Promise.all(
    (await entries(runs))
      .filter((name) => /^\d+$/.test(name) && !running.has(Number(name)))
      .map(async (name) => {
        const directory = join(runs, name, 'children')
        const files = (await entries(directory)).filter((file) => file.endsWith('.json'))
        const children = await Promise.all(
          files.map(async (file) => childShape.safeParse(JSON.parse(await readFile(join(directory, file), 'utf8')))),
        )
        return children.flatMap(({ data }) => (data !== undefined && isGroupAlive(data) ? [{ pid: data.pid, request: Number(name) }] : []))
      }),
  )
  return found.flat()
}

/** As retention does, the newest successful one of a target is left out: the application may run from it. */
async function settledIn(db: Queries, directory: string): Promise<readonly number[]> {
  const ids = (await entries(directory)).filter((name) => /^\d+$/.test(name)).map(Number)
  const rows = await db.query<{ id: number }>(
    `select r.id from lockkeeper.request r where r.id = any ($1) and r.ended_at < clock_timestamp() - interval '10 minutes'
       and r.id is distinct from (select max(s.id) from lockkeeper.request s where s.target = r.target and s.state = 'succeeded' and s.id = any ($1))
     order by r.id`,
    [ids],
  )
  return rows.map(({ id }) => id)
}

/** Empty where there is no such directory. */
const entries = (directory: string): Promise<readonly string[]> =>
  readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
