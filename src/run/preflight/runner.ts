import type { Queryable } from '../../database/connect.ts'
import { listed, quoted } from '../../lib/text/quoted.ts'
import { code } from '../../lib/text/code.ts'
import { runnerLockHolder } from '../../database/activity.ts'
import type { Rights } from '../../database/rights.ts'
import { prismaLockFindings, rightsFindings } from './database.ts'
import { stop, type Finding } from './finding.ts'

/** Of the role, for the record of Prisma 8. */
type RecordRights = {
  readonly role: string
  readonly createInDatabase: boolean
  /** Null: the schema is not there. */
  readonly usable: boolean | null
  /** Tables and the sequence that it may not write. */
  readonly readOnly: readonly string[]
}

export const runnerLockFindings = async (client: Queryable): Promise<readonly Finding[]> =>
  prismaLockFindings(await runnerLockHolder(client), 'prisma db migrate')

/** Prisma 8 does not touch the record of 5 to 7, and needs its own. */
export const runnerRightsFindings = async (client: Queryable, rights: Rights, schema: string): Promise<readonly Finding[]> => [
  ...rightsFindings({ ...rights, migrationsTable: null }, schema),
  ...(await recordFindings(client)),
]

/** What Prisma 8 needs for its record, which it writes in the transaction of the migrations: lacking that, all of them are undone. */
async function recordFindings(client: Queryable): Promise<readonly Finding[]> {
  const { rows } = await client.query<RecordRights>(RIGHTS)
  const [rights] = rows
  if (rights === undefined) throw new Error('The server gave no answer about its catalogue')
  const role = quoted(rights.role)
  if (rights.usable === null)
    return rights.createInDatabase
      ? []
      : [
          stop(
            'rights_missing',
            `The schema ${code('prisma_contract')}, Prisma 8's record, does not exist and the role ${role} may not create it. Grant CREATE on the database.`,
          ),
        ]
  if (!rights.usable)
    return [
      stop('rights_missing', `The role ${role} may not use the schema ${code('prisma_contract')}, Prisma 8's record. Grant it USAGE.`),
    ]
  return rights.readOnly.length === 0
    ? []
    : [
        stop(
          'rights_missing',
          `The role ${role} may not write ${listed(rights.readOnly)} of ${code('prisma_contract')}, Prisma 8's record. Grant it SELECT, INSERT and UPDATE on its tables, and USAGE on its sequence.`,
        ),
      ]
}

const RIGHTS = `select current_user as role, has_database_privilege(current_database(), 'CREATE') as "createInDatabase",
  (select has_schema_privilege(oid, 'USAGE') from pg_namespace where nspname = 'prisma_contract') as usable,
  coalesce((select json_agg(c.relname::text order by c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'prisma_contract' and case c.relkind
      when 'r' then not (has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT') and has_table_privilege(c.oid, 'UPDATE'))
      when 'S' then not has_sequence_privilege(c.oid, 'USAGE') else false end), '[]') as "readOnly"`
