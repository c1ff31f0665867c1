import { setTimeout as sleep } from 'node:timers/promises'
import { connectTarget } from '../../database/connect.ts'
import { readIdentity, sameIdentity, type Identity } from '../../database/identity.ts'
import { liftLimits } from '../../database/limits.ts'
import type { TargetUrl } from '../../database/urls.ts'
import { code } from '../../lib/text/code.ts'
import { together } from '../../lib/together.ts'
import type { Datasource } from '../prisma/tool.ts'

/**
 * Whether the tool, as configured by the repository, works on the pinned database: rule 13. Its `Datasource` line is read, and where
 * the record of migrations exists that is proved: while a session of ours holds that table for a moment, `migrate status` must be seen
 * to wait for it, since a driver adapter may lead elsewhere than the line says.
 */
export async function proveDatabase(database: {
  readonly url: string
  /** Of our own session. */
  readonly applicationName: string
  /** That `migrate status` was given in its URL. */
  readonly toolName: string
  readonly schema: string
  /** Runs `migrate status` and gives what it said. */
  readonly status: () => Promise<string>
}): Promise<{ readonly output: string; readonly proof: DatabaseProof }> {
  const holder = await connectTarget({ url: database.url, applicationName: database.applicationName })
  try {
    if (!(await holdRecord(holder, database.schema))) return { output: await database.status(), proof: 'not-proved' }
    const running = { ended: false }
    const watch = async () => {
      try {
        return await seenWaiting(database, running)
      } finally {
        await holder.query('rollback') // also when it could not be watched: what waits for the table would wait for ever
      }
    }
    const [output, proof] = await together([database.status().finally(() => (running.ended = true)), watch()])
    return { output, proof }
  } finally {
    await holder.end().catch(() => {}) // the lock goes with the session
  }
}

/** `unnamed`: it waits in the right database, but without the application name by which it could be watched and stopped. */
export type DatabaseProof = 'waiting' | 'unnamed' | 'elsewhere' | 'not-proved'

/** Why the tool may not be let at it; null when all is well. */
export function whyElsewhere(
  datasource: Datasource,
  proof: DatabaseProof,
  identity: Identity,
  url: Pick<TargetUrl, 'schema'>,
): string | null {
  if (databaseOf(datasource) !== identity.database)
    return `Prisma would change the database ${code(datasource.database)}, but ${code(identity.database)} was approved.`
  if (datasource.schema !== null && datasource.schema !== url.schema)
    return `Prisma would change the schema ${code(datasource.schema)}, but ${code(url.schema)} was approved.`
  if (datasource.host !== null && !identity.host.startsWith('/') && hostOf(datasource.host) !== hostOf(`${identity.host}:${identity.port}`))
    return `Prisma would change a database on ${code(datasource.host)}, but ${code(`${identity.host}:${identity.port}`)} was approved.`
  if (proof === 'elsewhere')
    return `Prisma says ${code(datasource.database)}, but its connection does not reach the approved database: the repository's configuration (a driver adapter in \`prisma.config.ts\`) leads it elsewhere.`
  if (proof === 'unnamed')
    return 'Prisma drops the `application_name` of its URL, so its session could be neither watched nor stopped. Let `prisma.config.ts` pass it (and `options`) on to the driver adapter.'
  return null
}

/** Throws when it cannot be read. Null when it is the pinned one. */
export async function whyOther(client: Parameters<typeof readIdentity>[0], url: TargetUrl, pinned: Identity): Promise<string | null> {
  const compared = sameIdentity(pinned, await readIdentity(client, url))
  return compared.same ? null : compared.why
}

async function holdRecord(holder: Awaited<ReturnType<typeof connectTarget>>, schema: string): Promise<boolean> {
  const { rows } = await holder.query<{ name: string | null }>(
    `select to_regclass(format('%I._prisma_migrations', $1::text))::text as name`,
    [schema],
  )
  const name = rows[0]?.name ?? null
  if (name === null) return false
  await holder.query('begin')
  try {
    await liftLimits(holder)
    await holder.query(`lock table ${name} in access exclusive mode`) // bounded by the connection's lock_timeout
    return true
  } catch {
    await holder.query('rollback')
    return false // a right is missing or somebody reads it: the line and the lock's place have to do
  }
}

async function seenWaiting(
  place: { readonly url: string; readonly applicationName: string; readonly toolName: string },
  running: { readonly ended: boolean },
): Promise<DatabaseProof> {
  const watcher = await connectTarget({ url: place.url, applicationName: `${place.applicationName}-watch` })
  try {
    while (!running.ended) {
      const { rows } = await watcher.query<{ name: string | null }>(
        `select a.application_name as name from pg_stat_activity a join pg_stat_activity h on h.application_name = $1 and h.pid = any (pg_blocking_pids(a.pid))
          where a.datname = current_database() and a.wait_event_type = 'Lock' order by a.application_name = $2 desc limit 1`,
        [place.applicationName, place.toolName],
      )
      if (rows[0] !== undefined) return rows[0].name === place.toolName ? 'waiting' : 'unnamed'
      await sleep(50)
    }
    return 'elsewhere'
  } finally {
    await watcher.end().catch(() => {})
  }
}

/** It prints the name as its URL has it. Through a driver adapter that is decoded where the connection is made, and not by its own engine. */
function databaseOf({ database, adapter }: Datasource): string {
  try {
    return adapter ? decodeURIComponent(database) : database
  } catch {
    return database
  }
}

/** Without a default port. */
const hostOf = (host: string): string => host.replace(/:5432$/, '').toLowerCase()
