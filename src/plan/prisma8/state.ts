import type { Queryable } from '../../database/connect.ts'

/** A row of Prisma 8's ledger: a package that was applied. */
export type LedgerRow = {
  readonly name: string
  readonly hash: string
  /** Contracts before and after; null for an empty database. */
  readonly from: string | null
  readonly to: string
  readonly appliedAt: Date
}

/** What is in the database of the runner of Prisma 8, before it is compared with files. */
export type RunnerState = {
  /** The contract that the database has by its marker; null when it was never signed. */
  readonly marker: string | null
  /** In the order in which they were applied. */
  readonly ledger: readonly LedgerRow[]
  /** Contracts of extensions that the database has as well. */
  readonly spaces: readonly string[]
  /** Somebody holds the lock that `prisma db migrate` takes. */
  readonly lockHeld: boolean
  /** Whether the schema of the URL, or one of the contract, has tables other than the record of migrations. */
  readonly hasTables: boolean
  /** Rows of `_prisma_migrations`, the record of Prisma 5 to 7; null when there is none, or it may not be read. */
  readonly olderRows: number | null
}

/** What hides the record from this role; nothing may be concluded from what it does not see. */
export type Hidden = { readonly kind: 'hidden'; readonly what: 'schema' | 'marker' | 'ledger' | 'rows' | 'shape'; readonly role: string }

export const isHidden = (state: RunnerState | Hidden): state is Hidden => 'kind' in state

/**
 * Read from the catalogue and not, as Prisma does, from `information_schema`, which leaves out what a role may not see: a database
 * without rights would look like one where everything is pending. `schema` is that of the URL, `namespaces` are those of the contract.
 */
export async function readRunnerState(client: Queryable, schema: string, namespaces: readonly string[]): Promise<RunnerState | Hidden> {
  await client.query('begin isolation level repeatable read, read only') // marker and ledger of one moment
  try {
    return await readNow(client, schema, namespaces)
  } finally {
    await client.query('rollback')
  }
}

async function readNow(client: Queryable, schema: string, namespaces: readonly string[]): Promise<RunnerState | Hidden> {
  const { rows } = await client.query<Facts>(FACTS, [schema, namespaces])
  const [facts] = rows
  if (facts === undefined) throw new Error('The server gave no answer about its catalogue')
  const hidden = whatIsHidden(facts)
  if (hidden !== null) return { kind: 'hidden', what: hidden, role: facts.role }
  const markers = facts.marker === null ? [] : (await client.query<{ space: string; hash: string }>(MARKERS)).rows
  const ledger = facts.ledger === null ? [] : (await client.query<LedgerRow>(LEDGER)).rows
  return {
    marker: markers.find(({ space }) => space === APP)?.hash ?? null,
    ledger,
    spaces: markers.flatMap(({ space }) => (space === APP ? [] : [space])),
    lockHeld: facts.lockHeld,
    hasTables: facts.hasTables,
    olderRows: facts.older === true ? await countOlder(client, schema) : null,
  }
}

/** Prisma's name for what belongs to the application and not to one of its extensions. */
const APP = 'app'

type Readable = { readonly readable: boolean; readonly filtered: boolean; readonly spaced: boolean }

type Facts = {
  readonly role: string
  readonly usable: boolean | null
  readonly marker: Readable | null
  readonly ledger: Readable | null
  /** Null when it is not there. */
  readonly older: boolean | null
  readonly hasTables: boolean
  readonly lockHeld: boolean
}

function whatIsHidden({ usable, marker, ledger }: Facts): Hidden['what'] | null {
  if (usable === null) return null
  if (!usable) return 'schema'
  if (marker?.readable === false) return 'marker'
  if (ledger?.readable === false) return 'ledger'
  const tables = [marker, ledger].filter((table) => table !== null)
  if (tables.some(({ filtered }) => filtered)) return 'rows'
  return tables.every(({ spaced }) => spaced) ? null : 'shape'
}

async function countOlder(client: Queryable, schema: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from ${quoteIdentifier(schema)}."_prisma_migrations" where rolled_back_at is null`,
  )
  return rows[0]?.count ?? 0
}

const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

const table = (
  name: string,
) => `(select json_build_object('readable', has_table_privilege(c.oid, 'select'), 'filtered', row_security_active(c.oid),
    'spaced', exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'space' and not a.attisdropped))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'prisma_contract' and c.relname = '${name}')`

/** The lock is on one number that Prisma makes of a text: of its halves the upper is classid, the lower objid. */
const FACTS = `select current_user as role,
  (select has_schema_privilege(oid, 'usage') from pg_namespace where nspname = 'prisma_contract') as usable,
  ${table('marker')} as marker,
  ${table('ledger')} as ledger,
  (select has_table_privilege(c.oid, 'select') and has_schema_privilege(n.oid, 'usage') from pg_class c
    join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = '_prisma_migrations') as older,
  exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any ($2::text[] || $1::text) and c.relkind in ('r', 'p') and c.relname <> '_prisma_migrations') as "hasTables",
  exists (select from pg_locks l, unnest($2::text[]) namespace, hashtext('prisma_8.contract.marker:' || namespace || ':app') key
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.classid = ((key::bigint >> 32) & 4294967295)::oid and l.objid = (key::bigint & 4294967295)::oid
      and l.database = (select oid from pg_database where datname = current_database())) as "lockHeld"`

const MARKERS = `select space, core_hash as hash from prisma_contract.marker order by space`

const LEDGER = `select migration_name as name, migration_hash as hash, nullif(nullif(origin_core_hash, ''), 'empty') as "from",
    destination_core_hash as "to", created_at as "appliedAt"
  from prisma_contract.ledger where space = 'app' order by id`
