import type { Queryable } from './connect.ts'

type Of = { readonly schema: string; readonly table: string }
type Pair = Of & { readonly otherSchema: string; readonly other: string }
export type WriteEvent = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'

/** What stands in the database already and runs when a statement calls it or writes its table. */
export type Reactions = {
  /** `args` are the types of what goes in, as the catalogue names them. `text` is the whole CREATE statement; null where the language is not one that we read. */
  readonly routines: readonly {
    readonly schema: string
    readonly name: string
    readonly args: readonly string[]
    readonly language: string
    readonly text: string | null
  }[]
  /** Those that people made; `routine` is the function's name without its schema. */
  readonly triggers: readonly (Of & {
    readonly name: string
    readonly events: readonly WriteEvent[]
    readonly routine: string
    readonly isInstead: boolean
    readonly isOff: boolean
  })[]
  /** `text` is the whole CREATE RULE. */
  readonly rules: readonly (Of & { readonly name: string; readonly event: WriteEvent; readonly text: string })[]
  /** `tags` null: of every command. */
  readonly eventTriggers: readonly { readonly name: string; readonly tags: readonly string[] | null; readonly routine: string }[]
  /** By name alone. */
  readonly operators: readonly { readonly name: string; readonly routine: string }[]
  /** Functions that a default, a check or a view of `table` calls, unless they are declared to change nothing. */
  readonly uses: readonly (Of & { readonly by: 'default' | 'check' | 'view'; readonly routine: string })[]
  /** Foreign keys from `other` to `table`, and what becomes of its rows when those of `table` go or change. */
  readonly references: readonly (Pair & {
    readonly onDelete: 'delete' | 'unset' | null
    readonly onUpdate: 'update' | 'unset' | null
    readonly columns: readonly string[]
    readonly otherColumns: readonly string[]
  })[]
  /** Tables whose rows belong to `table` as well. */
  readonly heirs: readonly (Pair & { readonly isPartition: boolean })[]
  /** Views that pass on what is written to them; `text` is their query. */
  readonly views: readonly (Of & { readonly text: string })[]
  /** Views and materialized views, and what they read. */
  readonly reads: readonly Pair[]
}

export const noReactions: Reactions = {
  routines: [],
  triggers: [],
  rules: [],
  eventTriggers: [],
  operators: [],
  uses: [],
  references: [],
  heirs: [],
  views: [],
  reads: [],
}

/** Whatever belongs to extensions is left out. */
export async function readReactions(client: Queryable): Promise<Reactions> {
  const { rows } = await client.query<Reactions>(
    `select ${Object.entries(QUERIES)
      .map(([name, query]) => `coalesce((${query}), '[]') as "${name}"`)
      .join(', ')}`,
  )
  return rows[0] ?? noReactions
}

const OWN = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'`

const notOfExtension = (catalogue: string, alias: string) =>
  `not exists (select from pg_depend x where x.classid = '${catalogue}'::regclass and x.objid = ${alias}.oid and x.deptype = 'e')`

const pairOf = (relation: string, other: string) => `join pg_class c on c.oid = ${relation} join pg_namespace n on n.oid = c.relnamespace
  join pg_class oc on oc.oid = ${other} join pg_namespace o on o.oid = oc.relnamespace`
const PAIR = `'schema', n.nspname, 'table', c.relname, 'otherSchema', o.nspname, 'other', oc.relname`

const columnsOf = (relation: string, numbers: string) =>
  `(select json_agg(a.attname) from pg_attribute a where a.attrelid = ${relation} and a.attnum = any (${numbers}))`

const QUERIES: Readonly<Record<keyof Reactions, string>> = {
  routines: `select json_agg(json_build_object('schema', n.nspname, 'name', p.proname, 'language', l.lanname,
      'args', coalesce((select json_agg(t.typname order by i.at) from unnest(p.proargtypes) with ordinality i (type, at) join pg_type t on t.oid = i.type), '[]'),
      'text', case when l.lanname in ('sql', 'plpgsql') then pg_get_functiondef(p.oid) end))
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    where ${OWN} and p.prokind in ('f', 'p') and ${notOfExtension('pg_proc', 'p')}`,
  triggers: `select json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'name', t.tgname, 'routine', p.proname,
      'isInstead', t.tgtype & 64 > 0, 'isOff', t.tgenabled not in ('O', 'A'),
      'events', array_remove(array[case when t.tgtype & 4 > 0 then 'INSERT' end, case when t.tgtype & 16 > 0 then 'UPDATE' end,
        case when t.tgtype & 8 > 0 then 'DELETE' end, case when t.tgtype & 32 > 0 then 'TRUNCATE' end], null)))
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace join pg_proc p on p.oid = t.tgfoid
    where ${OWN} and not t.tgisinternal`,
  rules: `select json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'name', r.rulename,
      'event', (array['SELECT', 'UPDATE', 'INSERT', 'DELETE'])[r.ev_type::text::int], 'text', pg_get_ruledef(r.oid)))
    from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
    where ${OWN} and r.rulename <> '_RETURN' and r.ev_enabled in ('O', 'A') and ${notOfExtension('pg_class', 'c')}`,
  eventTriggers: `select json_agg(json_build_object('name', e.evtname, 'routine', p.proname,
      'tags', coalesce(e.evttags, case e.evtevent when 'sql_drop' then '{DROP}' when 'table_rewrite' then '{ALTER}' end::text[])))
    from pg_event_trigger e join pg_proc p on p.oid = e.evtfoid
    where e.evtenabled in ('O', 'A') and e.evtevent <> 'login' and ${notOfExtension('pg_event_trigger', 'e')}`,
  operators: `select json_agg(json_build_object('name', r.oprname, 'routine', p.proname))
    from pg_operator r join pg_namespace n on n.oid = r.oprnamespace join pg_proc p on p.oid = r.oprcode
    where ${OWN} and p.provolatile = 'v' and ${notOfExtension('pg_operator', 'r')}`,
  uses: `select json_agg(distinct jsonb_build_object('schema', n.nspname, 'table', c.relname, 'routine', p.proname,
      'by', case when a.oid is not null then 'default' when k.oid is not null then 'check' else 'view' end))
    from pg_depend d join pg_proc p on p.oid = d.refobjid
      left join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
      left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
      left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.rulename = '_RETURN'
      join pg_class c on c.oid = coalesce(a.adrelid, k.conrelid, r.ev_class) join pg_namespace n on n.oid = c.relnamespace
    where ${OWN} and d.refclassid = 'pg_proc'::regclass and p.provolatile = 'v' and ${notOfExtension('pg_proc', 'p')}`,
  // those that a partition has from the referring table count once
  references: `select json_agg(json_build_object(${PAIR}, 'columns', ${columnsOf('k.confrelid', 'k.confkey')}, 'otherColumns', ${columnsOf('k.conrelid', 'k.conkey')},
      'onDelete', case when k.confdeltype = 'c' then 'delete' when k.confdeltype in ('n', 'd') then 'unset' end,
      'onUpdate', case when k.confupdtype = 'c' then 'update' when k.confupdtype in ('n', 'd') then 'unset' end))
    from pg_constraint k ${pairOf('k.confrelid', 'k.conrelid')}
    where k.contype = 'f' and (k.conparentid = 0 or exists (select from pg_constraint u where u.oid = k.conparentid and u.conrelid = k.conrelid))`,
  heirs: `select json_agg(json_build_object(${PAIR}, 'isPartition', oc.relispartition)) from pg_inherits h ${pairOf('h.inhparent', 'h.inhrelid')}
    where c.relkind in ('r', 'p')`,
  views: `select json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'text', pg_get_viewdef(c.oid)))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${OWN} and c.relkind = 'v' and pg_relation_is_updatable(c.oid::regclass, false) <> 0 and ${notOfExtension('pg_class', 'c')}`,
  reads: `select json_agg(distinct jsonb_build_object(${PAIR})) from pg_rewrite r join pg_depend d
      on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
      ${pairOf('r.ev_class', 'd.refobjid')}
    where ${OWN} and r.rulename = '_RETURN' and oc.relkind in ('v', 'm')`,
}
