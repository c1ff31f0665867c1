import { count, listed, quoted } from '../../lib/text/quoted.ts'
import { TargetConnectionError, type Queryable } from '../../database/connect.ts'
import { stop, warn, type Finding } from './finding.ts'

/** pg_dump reads everything, also what no migration touches, and gives up at the first thing that it may not read. */
export async function readableFindings(client: Queryable): Promise<readonly Finding[]> {
  const { rows } = await client.query<Unreadable>(UNREADABLE_SQL)
  const [row] = rows
  if (row === undefined || row.isSuperuser) return []
  const grant = (right: string) =>
    `Grant it ${right}${row.hasReadAll ? ' (or pg_read_all_data)' : ''}, or set \`backup.url\` to a role that may.`
  const fails = 'The backup would fail, since'
  return [
    ...found(row.schemas, (names) => `${fails} its role has no USAGE on the schema ${names}. ${grant('USAGE')}`),
    ...found(row.relations, (names) => `${fails} its role may not read ${names}. ${grant('SELECT')}`),
    ...found(
      row.hidden,
      (names) =>
        `${fails} row-level security hides rows of ${names} from its role ${quoted(row.role)}. Set \`backup.url\` to a role with BYPASSRLS, which sees all of them.`,
    ),
    ...largeObjectFindings(row, fails),
    ...(row.subscriptions.count === 0
      ? []
      : [
          warn(
            'backup_incomplete',
            `The backup will not hold the subscription ${namesOf(row.subscriptions)}: pg_dump leaves those out unless a superuser asks. Note how they were made, or set \`backup.url\` to a superuser.`,
          ),
        ]),
  ]
}

const found = (some: Some, say: (names: string) => string): readonly Finding[] =>
  some.count === 0 ? [] : [stop('backup_unreadable', say(namesOf(some)))]

/** `a`, `b` and 498 more. */
const namesOf = ({ count: all, names }: Some): string => listed([...names, ...Array<string>(all - names.length).fill('')], SHOWN)

function largeObjectFindings({ largeObjects, largeObject }: Unreadable, fails: string): readonly Finding[] {
  if (largeObject === null) return []
  return [
    stop(
      'backup_unreadable',
      `${fails} its role may not read ${count(largeObjects, 'large object')} of other roles, such as ${largeObject}. Grant it SELECT (\`grant select on large object ${largeObject} to …\`), or set \`backup.url\` to a superuser.`,
    ),
  ]
}

/** Of `backup.url`: a standby has the identity of its primary, and what was committed there a moment ago it may not have yet. */
export async function standbyFindings(client: Queryable): Promise<readonly Finding[]> {
  const { rows } = await client.query<{ isStandby: boolean }>('select pg_is_in_recovery() as "isStandby"')
  if (rows[0]?.isStandby !== true) return []
  return [
    stop(
      'backup_elsewhere',
      'The URL of the backup (`backup.url`) leads to a standby, which may not hold yet what was written last, and ends a backup that holds up its replay. Let it name the primary server.',
    ),
  ]
}

/** Of `backup.url`, so that nobody corrects the other one. */
export function ofBackup(error: TargetConnectionError): TargetConnectionError {
  const text =
    error.problem === 'bad_url'
      ? error.message.replace('The database URL', 'The URL of the backup (`backup.url`)')
      : `The URL of the backup (\`backup.url\`) does not lead to it. ${error.message}`
  return new TargetConnectionError(error.problem, text, error.cause)
}

/** How many there are, and the first of them. */
type Some = { readonly count: number; readonly names: readonly string[] }

const SHOWN = 5

type Unreadable = {
  readonly role: string
  readonly isSuperuser: boolean
  readonly hasReadAll: boolean
  readonly schemas: Some
  readonly relations: Some
  readonly hidden: Some
  readonly largeObjects: number
  readonly largeObject: string | null
  readonly subscriptions: Some
}

const SOME = `json_build_object('count', count(*), 'names', coalesce((array_agg(name::text order by name::text))[1:${SHOWN}], '{}'))`

/**
 * As pg_dump asks: it locks tables and partitioned tables and selects from sequences. Views, materialized views and foreign tables
 * it describes from the catalogue. With row-level security it asks for all rows or an error; those of a partitioned
 * table it reads from the partitions.
 */
const UNREADABLE_SQL = `
with relation as (
  select c.oid, c.relkind, n.oid as schema, n.nspname, format('%s.%s', n.nspname, c.relname) as name,
      has_schema_privilege(n.oid, 'USAGE') as reaches,
      case c.relkind when 'S' then has_sequence_privilege(c.oid, 'SELECT') else has_table_privilege(c.oid, 'SELECT') end as reads
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'S') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     -- of an extension's it reads what that declared to be configuration
     and not exists (select from pg_depend d join pg_extension x on x.oid = d.refobjid
       where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e' and c.oid <> all (coalesce(x.extconfig, '{}')))
), object as (
  -- there may be millions of them, with few owners and grants
  select m.lomowner, m.lomacl, count(*) as count, min(m.oid::int8) as first from pg_largeobject_metadata m group by 1, 2
), unread_object as (
  select o.count, o.first from object o
   where current_setting('lo_compat_privileges') = 'off' and not pg_has_role(o.lomowner, 'USAGE')
     and not exists (select from aclexplode(o.lomacl) a
       where a.privilege_type = 'SELECT' and (a.grantee = 0 or pg_has_role(a.grantee, 'USAGE')))
)
select current_user as role, r.rolsuper as "isSuperuser",
  exists (select from pg_roles where rolname = 'pg_read_all_data') as "hasReadAll",
  (select ${SOME} from (select distinct nspname as name from relation where not reaches) s) as schemas,
  (select ${SOME} from relation where reaches and not reads) as relations,
  (select ${SOME} from relation where reaches and reads and relkind = 'r' and row_security_active(oid)) as hidden,
  (select coalesce(sum(count), 0)::int from unread_object) as "largeObjects",
  (select min(first)::text from unread_object) as "largeObject",
  (select ${SOME} from (select s.subname as name from pg_subscription s
    where s.subdbid = (select oid from pg_database where datname = current_database())) s) as subscriptions
from pg_roles r where r.rolname = current_user`
