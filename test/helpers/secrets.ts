import type { Dirent } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Flow } from './flow.ts'

/** Where any of these words stands that should stand nowhere: messages, calls of Slack, log lines, rows, files, argument lists. */
export async function placesOf(
  flow: Flow,
  secrets: readonly string[],
  /** What only this test has. */
  others: readonly { readonly where: string; readonly text: string }[] = [],
): Promise<readonly string[]> {
  const tables = await flow.store.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  )
  const rows = await Promise.all(
    tables.map(async ({ name }) => ({
      where: `rows of ${name}`,
      text: JSON.stringify(await flow.store.query(`select t::text as t from ${name} t`)),
    })),
  )
  const all = [
    ...others,
    ...rows,
    ...(await filesBelow(flow.directory)),
    { where: 'names of files', text: (await entriesBelow(flow.directory)).map(({ name }) => name).join('\n') },
    ...(await argumentLists()),
    { where: 'what stands in Slack', text: JSON.stringify(flow.slack.state()) },
    { where: 'files in Slack', text: JSON.stringify(flow.slack.files()) },
    { where: 'calls of Slack', text: JSON.stringify(flow.slack.calls()) },
    { where: 'the log', text: flow.log() },
  ]
  return all.filter(({ text }) => secrets.some((secret) => text.includes(secret))).map(({ where }) => where)
}

async function filesBelow(directory: string) {
  const files = (await entriesBelow(directory)).filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
  return Promise.all(
    files.map(async (file) => ({
      where: join(file.parentPath, file.name),
      text: await readFile(join(file.parentPath, file.name), 'latin1').catch(goneMeanwhile),
    })),
  )
}

/** Directory by directory: what a run leaves is removed while it is looked through, and Node's own recursion ends with a fault then. */
async function entriesBelow(directory: string): Promise<readonly Dirent[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => (goneMeanwhile(error), []))
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => entriesBelow(join(entry.parentPath, entry.name))),
  )
  return [...entries, ...below.flat()]
}

/** Of every process that can be seen; none where there is no /proc. */
async function argumentLists() {
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  return Promise.all(
    processes.map(async (id) => ({
      where: `arguments of process ${id}`,
      text: await readFile(join('/proc', id, 'cmdline'), 'utf8').catch(() => ''),
    })),
  )
}

/** What the processes of a flow were started with, as long as they were watched. */
export type Seen = { readonly argumentLists: string; readonly count: number }

/** Looks every 50 ms at each process whose environment or arguments name this directory. */
export function watchProcesses(directory: string): { readonly seen: () => Seen; readonly stop: () => Promise<void> } {
  const found = new Map<string, string>()
  const ending = new AbortController()
  const watching = (async () => {
    while (!ending.signal.aborted) {
      for (const id of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
        const words = await readFile(join('/proc', id, 'cmdline'), 'utf8').catch(() => '') // it has ended
        if (found.has(words) || words === '') continue
        const environment = await readFile(join('/proc', id, 'environ'), 'utf8').catch(() => '')
        if (words.includes(directory) || environment.includes(directory)) found.set(words, id)
      }
      await new Promise((done) => setTimeout(done, 50))
    }
  })()
  return {
    seen: () => ({ argumentLists: [...found.keys()].join('\n'), count: found.size }),
    async stop() {
      ending.abort()
      await watching
    },
  }
}

/** A bot that lives writes beside a file and renames: what had its place a moment ago is read under its new name. */
function goneMeanwhile(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return ''
  throw error
}
