import type { Queryable } from '../connect.ts'
import type { Catalogue } from './catalogue.ts'
import { catalogueQueries } from './queries.ts'

type Answer = Pick<Catalogue, 'version' | 'timeZone' | 'role' | 'searchPath'>

/**
 * Reads the catalogue in two round trips, with no rights but to connect. `schema` is where the migrator creates things; where it is left out,
 * the session's own search path counts. Waits for nobody who holds a table.
 */
export async function readCatalogue(client: Queryable, { schema }: { readonly schema?: string } = {}): Promise<Catalogue> {
  const { rows: versions } = await client.query<{ version: number }>(`select current_setting('server_version_num')::int as version`)
  const queries = catalogueQueries(versions[0]?.version ?? 0)
  const { rows } = await client.query<Omit<Catalogue, keyof Answer | 'knows'> & { readonly head: Answer }>(
    `select ${Object.entries(queries)
      .map(([name, query]) => `coalesce((${query}), '[]') as "${name}"`)
      .join(', ')}`,
  )
  const [row] = rows
  if (row === undefined) throw new Error('The server gave no answer about its catalogue')
  const { head, ...lists } = row
  const path = head.searchPath
  return {
    ...lists,
    ...head,
    searchPath: schema === undefined ? path : [schema, ...path.filter((name) => name !== schema)],
    knows: 'everything',
  }
}
