import pg from 'pg'
import { clientThatNotices } from './client.ts'
import { createNames } from './prepared.ts'

/** Runs one statement and gives its rows. Both the pool and a transaction offer it, so that functions need not care which they got. */
export type Queries = {
  readonly query: <Row extends object = Record<string, unknown>>(sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>
}

/** Inside a transaction; `client` is for the engine, which enqueues and signals in our transaction. */
export type Tx = Queries & {
  readonly client: pg.PoolClient
  /** Called once this transaction is committed, and never when it is not. It must not throw. */
  readonly afterCommit: (act: () => void) => void
}

export type Db = Queries & {
  readonly url: string
  readonly transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>
  /** Of the pool: open, of those unused, and callers that wait for one. */
  readonly connections: () => { readonly open: number; readonly idle: number; readonly waiting: number }
  /** Calls `act` after each committed transaction of this process, until the returned function is called. It must not throw. */
  readonly onCommit: (act: () => void) => () => void
  readonly close: () => Promise<void>
}

// bigint ids stay far below 2^53 here, and rows are compared with numbers everywhere
const INT8 = 20
pg.types.setTypeParser(INT8, Number)

/** A query of ours takes milliseconds. One that waits behind a lock waits for a transaction, and those are ended sooner than this. */
const SILENCE_MS = 30_000
/** A transaction whose process was frozen in the middle keeps its locks no longer than this. */
const IDLE_TRANSACTION_MS = 10_000

/** A server may be set to write times as `30.11.2026`, which `pg` takes for none. */
export const READABLE = '-c datestyle=ISO -c standard_conforming_strings=on'

/** Connections to the store. An idle one that breaks is replaced at the next use; the fault is told, not thrown into the void. */
export function openPool(
  url: string,
  onIdleFault: (error: Error) => void,
  options: { readonly max: number; readonly name: string },
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    options: READABLE,
    max: options.max,
    application_name: options.name,
    connectionTimeoutMillis: 10_000,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
    keepAlive: true,
    Client: clientThatNotices(SILENCE_MS),
  })
  pool.on('error', onIdleFault)
  return pool
}

/**
 * Each costs the server a process, and its first statements six times the others (20 instead of 3.5 ms for three, PostgreSQL 15.18): a
 * burst is faster through few that are warm. Nothing asks for a second one while it holds one, so that few are enough.
 */
const CONNECTIONS = 4

/** The store, as the bot's own tables are read and written. */
export function openStore(url: string, onIdleFault: (error: Error) => void, max = CONNECTIONS): Db {
  const pool = openPool(url, onIdleFault, { max, name: 'lockkeeper-store' })
  const listeners = new Set<() => void>()
  const nameOf = createNames()
  const queriesOf = (client: Pick<pg.ClientBase, 'query'> | pg.Pool): Queries['query'] => {
    return async <Row extends object>(sql: string, values: readonly unknown[] = []) => {
      const name = values.length === 0 ? undefined : nameOf(sql) // without values it may be several statements
      const statement = { text: sql, values: [...values], ...(name === undefined ? {} : { name }) }
      const result = await (client as pg.Pool).query<Row & pg.QueryResultRow>(statement).catch(markOwn)
      return result.rows
    }
  }
  return {
    url,
    query: queriesOf(pool),
    async transaction(work) {
      const client = await pool.connect().catch(markOwn)
      let broken: Error | undefined
      const acts: (() => void)[] = []
      // the pool listens only while it is idle; unheard, a connection that breaks between two statements would end the process
      const onBroken = (error: Error) => void (broken = error)
      client.on('error', onBroken)
      try {
        await client.query('begin').catch(markOwn)
        const result = await work({ query: queriesOf(client), client, afterCommit: (act) => void acts.push(act) })
        await client.query('commit').catch(markOwn)
        for (const act of [...acts, ...listeners]) act()
        return result
      } catch (error) {
        await client.query('rollback').catch((fault: Error) => (broken = fault)) // a dead connection rolls back by itself
        throw error
      } finally {
        client.off('error', onBroken)
        client.release(broken)
      }
    },
    connections: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    onCommit(act) {
      listeners.add(act)
      return () => listeners.delete(act)
    },
    close: () => pool.end(),
  }
}

const thrownByStore = new WeakSet<object>()

function markOwn(error: unknown): never {
  if (typeof error === 'object' && error !== null) thrownByStore.add(error)
  throw error
}

/** Whether the store threw this, and not a target, whose faults have the same codes. */
export const isOfStore = (error: unknown): boolean => typeof error === 'object' && error !== null && thrownByStore.has(error)
