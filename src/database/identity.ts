import type { Queryable } from './connect.ts'
import type { TargetUrl } from './urls.ts'

/** What makes this database this database. A restored copy has another system identifier or another OID. */
export type Identity = {
  readonly host: string
  readonly port: number
  readonly database: string
  /** `pg_control_system().system_identifier`, as text: it exceeds a double. */
  readonly systemIdentifier: string
  readonly databaseOid: number
  /** Prisma's `schema` where it is not `public`: tenants may share a database, with the same migrations applied in each schema. */
  readonly schema?: string
}

/** Host and port are the URL's, as people know them; the rest is what the server says of itself. */
export async function readIdentity(client: Queryable, url: TargetUrl): Promise<Identity> {
  const { rows } = await client.query<{ database: string; oid: string; system: string }>(
    `select current_database() as database, oid::text as oid, (select system_identifier::text from pg_control_system()) as system
       from pg_database where datname = current_database()`,
  )
  const row = rows[0]
  if (row === undefined) throw new Error('The server does not list the database that it is connected to')
  return {
    host: url.host,
    port: url.port,
    database: row.database,
    systemIdentifier: row.system,
    databaseOid: Number(row.oid),
    ...(url.schema === 'public' ? {} : { schema: url.schema }),
  }
}

/** For a unique index: services may reach one database by different hosts. */
export const identityKey = (identity: Identity): string => `${identity.systemIdentifier}/${identity.databaseOid}`

export type IdentityComparison = { readonly same: true } | { readonly same: false; readonly why: string }

/** Every part counts: a restored copy answers to the same name with another system identifier or OID. */
export function sameIdentity(expected: Identity, found: Identity): IdentityComparison {
  const name = (identity: Identity) => `${identity.host}:${identity.port}/${identity.database}`
  if (name(expected) !== name(found)) return { same: false, why: `the URL now leads to ${name(found)} instead of ${name(expected)}` }
  if (expected.systemIdentifier !== found.systemIdentifier)
    return {
      same: false,
      why: `${name(found)} is on another server now (system identifier ${found.systemIdentifier} instead of ${expected.systemIdentifier})`,
    }
  if (expected.databaseOid !== found.databaseOid)
    return {
      same: false,
      why: `${name(found)} is another database under the same name (OID ${found.databaseOid} instead of ${expected.databaseOid})`,
    }
  const [pinned, now] = [expected.schema ?? 'public', found.schema ?? 'public']
  if (pinned !== now) return { same: false, why: `the URL now names the schema ${now} instead of ${pinned}` }
  return { same: true }
}
