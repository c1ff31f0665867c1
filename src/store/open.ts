import { join } from 'node:path'
import { hasSqlState, sqlState } from '../lib/sqlstate.ts'
import type { Config } from '../config/config.ts'
import { startEmbedded } from './embedded.ts'
import { installStore } from './install.ts'
import { openStore, type Db } from './pool.ts'
import type { Log } from '../lib/log.ts'
import { StartFault } from '../lib/start-fault.ts'
import { explainConnectionError } from '../database/connect.ts'
import { detectPooler, parseTargetUrl } from '../database/urls.ts'

/** STORE_URL or `store.url`; without either the embedded PostgreSQL below `var/`. */
export async function openOwnStore(
  { config, env, log }: { readonly config: Config; readonly env: Readonly<Record<string, string | undefined>>; readonly log: Log },
  stack: AsyncDisposableStack,
  /** Who only looks asks a question instead: a newer version would lock an older one out. */
  firstUse: (db: Db) => Promise<unknown> = installStore,
): Promise<Db> {
  const configured = config.file.store.url === undefined ? env.STORE_URL : config.secret(config.file.store.url)
  let url = configured
  if (url !== undefined && url !== '') refuseUnfit(url)
  if (url === undefined || url === '') {
    const embedded = await startEmbedded({ directory: join(config.varDirectory, 'postgres'), env })
    stack.defer(embedded.stop)
    url = embedded.url
  }
  const db = openStore(url, (error) => log.warn({ error: error.message }, 'an idle connection to the store broke'))
  stack.defer(db.close)
  await firstUse(db).catch((error: unknown) => {
    throw whyNoStore(error, url)
  })
  return db
}

/** Before anything is reached for. */
function refuseUnfit(url: string): void {
  const parsed = parseTargetUrl(url)
  if (parsed.kind === 'bad') throw whyNoStore(undefined, url)
  const pooler = detectPooler(parsed.url)
  if (pooler === null) return
  const direct = pooler.direct === null ? 'the direct address of the same database' : pooler.direct
  throw noStore(
    `Its URL leads to a connection pooler: ${pooler.why}. There a lock does not stay with who took it, and two bots would work on one run. Use ${direct}.`,
  )
}

const noStore = (why: string, cause?: unknown) =>
  new StartFault('unavailable', `The store (STORE_URL, or store.url in lockkeeper.yaml) cannot be used. ${why}`, cause)

/** In the words that a target's connection is explained with, since the mistakes are the same. */
function whyNoStore(error: unknown, url: string): unknown {
  const parsed = parseTargetUrl(url)
  const say = (why: string) => noStore(why, error)
  if (parsed.kind === 'bad') return say(`Its URL is wrong: ${parsed.why}.`)
  if (error instanceof Error && hasSqlState(error, sqlState.insufficientPrivilege))
    return say(`The role "${parsed.url.user}" may not create tables there (${error.message}). Grant it CREATE on the database.`)
  const explained = explainConnectionError(error, parsed.url)
  return explained.problem === 'other' ? error : say(`${explained.message} Or leave both out to use the embedded PostgreSQL.`)
}
