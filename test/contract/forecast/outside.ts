import pg from 'pg'
import { until } from '../../helpers/until.ts'
import type { Case } from './cases.ts'
import { changesOf, codeOf, locksOf, relationsOf, stateOf, type Truth } from './happened.ts'

/** Whoever cannot run in a transaction waits for one of these, and what it holds or asks for then is seen. Vacuum does not mind the first. */
const HOLDERS = ['row exclusive', 'share update exclusive'] as const

/**
 * What a statement does that cannot run in a transaction: its locks at its first wait, and what it changed in the database of this address.
 * What it read is not seen.
 */
export async function happensOutside(url: string, { sql, zone }: Case): Promise<Truth> {
  const open = async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    return client
  }
  const [runner, holder, watcher] = [await open(), await open(), await open()]
  try {
    await runner.query(`set time zone '${zone}'`)
    const before = await relationsOf(watcher)
    const tables = [...before.values()].filter(({ kind }) => kind === 'r').map(({ name }) => name.replace(/^(?:(sales)\.)?(.*)$/, quoted))
    const { rows } = await runner.query<{ pid: number }>('select pg_backend_pid() as pid')
    const pid = String(rows[0]?.pid)
    let locks: Truth = {}
    for (const mode of HOLDERS) {
      await holder.query(`begin; lock table ${tables.join(', ')} in ${mode} mode; select txid_current()`)
      const end = { isThere: false, error: null as string | null }
      const running = runner
        .query(sql)
        .catch((error: unknown) => (end.error = codeOf(error)))
        .finally(() => (end.isThere = true))
      await until('it waits or ended', async () => end.isThere || (await waits(watcher, pid)))
      if (!end.isThere) locks = await locksOf(watcher, before, pid)
      await holder.query('rollback')
      await running
      if (end.error !== null) return { error: end.error }
      if ('locks' in locks) break
    }
    return { ...locks, ...changesOf(before, await stateOf(watcher), new Map()) }
  } finally {
    for (const client of [runner, holder, watcher]) await client.end()
  }
}

const quoted = (_name: string, schema: string | undefined, name: string): string =>
  schema === undefined ? pg.escapeIdentifier(name) : `${schema}.${pg.escapeIdentifier(name)}`

const waits = async (client: pg.Client, pid: string): Promise<boolean> =>
  (await client.query('select from pg_locks where pid = $1 and not granted limit 1', [pid])).rowCount === 1
