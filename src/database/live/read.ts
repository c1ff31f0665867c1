import { hasSqlState, sqlState } from '../../lib/sqlstate.ts'
import type { Queryable } from '../connect.ts'
import { freeBytes } from './disk.ts'
import type { Asked, Live } from './live.ts'
import { countedQueries } from './queries.ts'
import { readServer } from './server.ts'
import { tablesOf } from './tables.ts'

/**
 * In three round trips, and one more of a second where a table has been written so often that its rate has to be measured. Reads only; what
 * cannot be read for lack of rights or for somebody's lock is left out and told, so that a plan never fails by this.
 */
export async function readLive(client: Queryable, asked: Asked): Promise<Live> {
  const notSeen: string[] = []
  const trying = async <T>(what: string, otherwise: T, read: () => Promise<T>): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      const why = whyNot(error)
      if (why === null) throw error
      notSeen.push(`${what} could not be seen: ${why}`)
      return otherwise
    }
  }
  const tables = await trying('how large and busy the tables are', [], () => tablesOf(client, asked.tables))
  const server = await trying('what others run, and how far replicas are behind,', { open: [], replicas: [], hidden: null }, () =>
    readServer(client, asked),
  )
  if (server.hidden !== null) notSeen.push(server.hidden)
  const counted = await trying('which statements use what goes', { queries: [], hidden: null }, () => countedQueries(client, asked))
  if (counted.hidden !== null) notSeen.push(counted.hidden)
  const free = await trying('how much disk is left', null, () => freeBytes(client, asked.host))
  return { tables, open: server.open, replicas: server.replicas, queries: counted.queries, freeBytes: free, notSeen }
}

/** What says something of the database is told; anything else, such as a lost connection, is a fault. */
function whyNot(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  if (hasSqlState(error, sqlState.insufficientPrivilege)) return `the role may not (${error.message})`
  if (hasSqlState(error, sqlState.lockNotAvailable)) return 'somebody locks a table of the plan at the moment'
  if (hasSqlState(error, sqlState.queryCanceled)) return 'the server took too long to answer'
  return OF_THE_DATABASE.some((state) => hasSqlState(error, state)) ? `the server refused (${error.message})` : null
}

/** An extension that is not loaded, something that was dropped meanwhile, a column of another version. */
const OF_THE_DATABASE = [sqlState.objectNotInPrerequisiteState, sqlState.undefinedTable, sqlState.undefinedColumn] as const
