const OWN = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'`
const OF_NAMES = `from pg_namespace n where ${OWN}`

/** Names of the columns with these numbers, in their order; those that are gone and expressions are left out. */
const namesOf = (relation: string, numbers: string) =>
  `coalesce((select json_agg(na.attname order by nk.at) from unnest(${numbers}) with ordinality nk (num, at)
    join pg_attribute na on na.attrelid = ${relation} and na.attnum = nk.num), '[]')`

/** Type `t` of an element or of a whole, with what it is modified by. */
const typeRef = (type: string, typmod: string) =>
  `(select json_build_object('schema', nullif(tn.nspname, 'pg_catalog'), 'name', et.typname, 'isArray', et.oid <> ty.oid, 'typmod', ${typmod})
    from pg_type ty join pg_type et on et.oid = case when ty.typelem <> 0 and ty.typcategory = 'A' then ty.typelem else ty.oid end
      join pg_namespace tn on tn.oid = et.typnamespace where ty.oid = ${type})`

/** The column numbers that a thing needs, as the dependencies tell; `classid` as a word. */
const usesOf = (catalogue: string, object: string, relation: string) =>
  `coalesce((select json_agg(distinct a.attname) from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where d.classid = '${catalogue}'::regclass and d.objid = ${object} and d.refclassid = 'pg_class'::regclass and d.refobjid = ${relation}), '[]')`

/** What somebody holds, or waits for, in the mode that lets nobody read: to write an expression out takes a lock on its table. */
const BUSY = `array(select l.relation from pg_locks l where l.mode = 'AccessExclusiveLock' and l.locktype = 'relation'
  and l.pid <> pg_backend_pid() and l.database = (select b.oid from pg_database b where b.datname = current_database()))`
const unlessBusy = (relation: string, value: string) => `case when ${relation} <> all (${BUSY}) then ${value} else '' end`

const COLUMNS = `select a.attrelid, json_agg(json_build_object('name', a.attname, 'type', json_build_object('schema', nullif(tn.nspname, 'pg_catalog'), 'name', et.typname, 'isArray', et.oid <> y.oid, 'typmod', a.atttypmod),
    'shown', format_type(a.atttypid, a.atttypmod), 'notNull', a.attnotnull,
    'collation', case when a.attcollation <> 0 and a.attcollation <> y.typcollation then (select o.collname from pg_collation o where o.oid = a.attcollation) end,
    'default', case when a.atthasdef then ${unlessBusy('a.attrelid', 'pg_get_expr(f.adbin, f.adrelid)')} end, 'identity', nullif(a.attidentity, ''),
    'generated', nullif(a.attgenerated, ''), 'isInherited', a.attinhcount > 0) order by a.attnum) as list
  from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join pg_type y on y.oid = a.atttypid
    join pg_type et on et.oid = case when y.typelem <> 0 and y.typcategory = 'A' then y.typelem else y.oid end join pg_namespace tn on tn.oid = et.typnamespace
    left join pg_attrdef f on f.adrelid = a.attrelid and f.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f', 'c') and ${OWN} group by a.attrelid`

const RELATIONS = `select json_agg(json_build_object('id', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
    'persistence', c.relpersistence, 'owner', pg_get_userbyid(c.relowner),
    'mayHaveRows', c.relkind not in ('r', 'm') or c.reltuples <> 0 or coalesce(pg_stat_get_live_tuples(c.oid), 0) <> 0,
    'parents', coalesce((select json_agg(h.inhparent::bigint order by h.inhseqno) from pg_inherits h where h.inhrelid = c.oid), '[]'),
    'isPartition', c.relispartition, 'bound', case when exists (select from pg_partitioned_table d where d.partdefid = c.oid) then 'DEFAULT'
      when c.relispartition then ${unlessBusy('c.oid', 'pg_get_expr(c.relpartbound, c.oid)')} end,
    'partitioning', (select json_build_object('strategy', d.partstrat,
        'columns', case when not 0 = any (d.partattrs) then ${namesOf('d.partrelid', 'd.partattrs::int2[]')} end)
      from pg_partitioned_table d where d.partrelid = c.oid),
    'rowSecurity', c.relrowsecurity, 'replicaIdentity', c.relreplident,
    'ownedBy', (select json_build_object('table', d.refobjid::bigint, 'column', a.attname) from pg_depend d
        join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
      where c.relkind = 'S' and d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
        and d.deptype in ('a', 'i') limit 1),
    'ofType', (select t.typname from pg_type t where t.oid = c.reloftype), 'columns', coalesce(k.list, '[]')))
  from pg_class c join pg_namespace n on n.oid = c.relnamespace left join (${COLUMNS}) k on k.attrelid = c.oid
  where ${OWN} and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')`

const INDEXES = `select json_agg(json_build_object('id', c.oid::bigint, 'schema', n.nspname, 'name', c.relname, 'table', i.indrelid::bigint, 'method', m.amname,
    'keys', (select json_agg(a.attname order by k.at) from unnest(i.indkey::int2[]) with ordinality k (num, at)
      left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num and k.num <> 0 where k.at <= i.indnkeyatts),
    'uses', coalesce((select json_agg(distinct a.attname) from pg_attribute a where a.attrelid = i.indrelid and (a.attnum = any (i.indkey::int2[]) or exists (
        select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
          and d.refobjid = i.indrelid and d.refobjsubid = a.attnum))), '[]'),
    'predicate', case when i.indpred is not null then ${unlessBusy('i.indrelid', 'pg_get_expr(i.indpred, i.indrelid)')} end, 'isUnique', i.indisunique, 'isPrimary', i.indisprimary,
    'isExclusion', i.indisexclusion, 'isValid', i.indisvalid,
    'isSpecial', exists (select from unnest(i.indclass::oid[]) k (class) join pg_opclass o on o.oid = k.class where not o.opcdefault)
      or exists (select from unnest(i.indoption::int2[]) k (flag) where k.flag <> 0),
    'parent', (select h.inhparent::bigint from pg_inherits h where h.inhrelid = c.oid limit 1)))
  from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam join pg_namespace n on n.oid = c.relnamespace where ${OWN}`

const CONSTRAINTS = (
  isEnforced: string,
) => `select json_agg(json_build_object('id', k.oid::bigint, 'name', k.conname, 'table', k.conrelid::bigint, 'kind', k.contype,
    'columns', ${namesOf('k.conrelid', 'k.conkey')}, 'other', nullif(k.confrelid, 0)::bigint, 'otherColumns', ${namesOf('k.confrelid', 'k.confkey')},
    'isValid', k.convalidated, 'isEnforced', ${isEnforced}, 'definition', ${unlessBusy('k.conrelid', 'pg_get_constraintdef(k.oid)')}, 'index', nullif(k.conindid, 0)::bigint,
    'parent', nullif(k.conparentid, 0)::bigint, 'isInherited', k.coninhcount > 0))
  from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace where k.conrelid <> 0 and ${OWN}`

const TRIGGERS = `select json_agg(json_build_object('name', t.tgname, 'table', t.tgrelid::bigint, 'isEnabled', t.tgenabled <> 'D',
    'uses', ${usesOf('pg_trigger', 't.oid', 't.tgrelid')},
    'events', array_remove(array[case when t.tgtype & 4 > 0 then 'INSERT' end, case when t.tgtype & 16 > 0 then 'UPDATE' end,
      case when t.tgtype & 8 > 0 then 'DELETE' end, case when t.tgtype & 32 > 0 then 'TRUNCATE' end], null),
    'function', (select json_build_object('schema', fn.nspname, 'name', p.proname) from pg_proc p join pg_namespace fn on fn.oid = p.pronamespace where p.oid = t.tgfoid)))
  from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace where not t.tgisinternal and ${OWN}`

const POLICIES = `select json_agg(json_build_object('name', y.polname, 'table', y.polrelid::bigint, 'uses', ${usesOf('pg_policy', 'y.oid', 'y.polrelid')})) from pg_policy y`

/** What depends by itself (`n`), and the columns that are computed of others. */
const DEPENDENTS = `select json_agg(distinct jsonb_build_object('on', d.refobjid::bigint, 'column', a.attname,
    'kind', case when r.oid is not null then case when r.rulename = '_RETURN' then 'view' else 'rule' end when p.oid is not null then 'function'
      when g.attrelid is not null then 'generated column'
      when f.oid is not null then case when fa.attgenerated <> '' then 'generated column' else 'default' end
      when s.oid is not null then 'statistics' else 'publication' end,
    'schema', coalesce(rn.nspname, pn.nspname, fn.nspname, sn.nspname, ''),
    'name', coalesce(case when r.rulename <> '_RETURN' then r.rulename end, rc.relname, p.proname, fa.attname, g.attname, s.stxname, ''),
    'relation', coalesce(rc.oid, fc.oid, g.attrelid)::bigint))
  from pg_depend d join pg_class c on c.oid = d.refobjid join pg_namespace n on n.oid = c.relnamespace
    left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and d.refobjsubid > 0
    left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
      left join pg_class rc on rc.oid = r.ev_class left join pg_namespace rn on rn.oid = rc.relnamespace
    left join pg_proc p on d.classid = 'pg_proc'::regclass and p.oid = d.objid left join pg_namespace pn on pn.oid = p.pronamespace
    left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
      left join pg_attribute fa on fa.attrelid = f.adrelid and fa.attnum = f.adnum
      left join pg_class fc on fc.oid = f.adrelid left join pg_namespace fn on fn.oid = fc.relnamespace
    left join pg_attribute g on d.classid = 'pg_class'::regclass and g.attrelid = d.objid and g.attnum = d.objsubid and d.objsubid > 0 and g.attgenerated <> '' -- 14
    left join pg_statistic_ext s on d.classid = 'pg_statistic_ext'::regclass and s.oid = d.objid left join pg_namespace sn on sn.oid = s.stxnamespace
  where d.refclassid = 'pg_class'::regclass and ${OWN} and d.deptype in ('n', 'a')
    and (r.oid is not null and r.ev_class <> d.refobjid or r.oid is not null and r.rulename <> '_RETURN' and d.refobjsubid > 0 or p.oid is not null or s.oid is not null or g.attrelid is not null
      or f.oid is not null and not (f.adrelid = d.refobjid and f.adnum = d.refobjsubid))`

const PUBLICATIONS = (
  columns: string,
  schemas: string,
) => `select json_agg(json_build_object('name', b.pubname, 'allTables', b.puballtables, 'schemas', ${schemas},
    'tables', coalesce((select json_agg(json_build_object('table', l.prrelid::bigint, 'columns', ${columns}, 'uses', ${usesOf('pg_publication_rel', 'l.oid', 'l.prrelid')}))
      from pg_publication_rel l where l.prpubid = b.oid), '[]'))) from pg_publication b`

const TYPES = `select json_agg(json_build_object('schema', n.nspname, 'name', t.typname, 'kind', t.typtype,
    'base', case when t.typtype = 'd' then ${typeRef('t.typbasetype', 't.typtypmod')} end, 'notNull', t.typnotnull, 'default', t.typdefault,
    'checks', coalesce((select json_agg(json_build_object('name', k.conname, 'isValid', k.convalidated, 'definition', pg_get_constraintdef(k.oid)))
      from pg_constraint k where k.contypid = t.oid and k.contype = 'c'), '[]'),
    'values', coalesce((select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid), '[]')))
  from pg_type t join pg_namespace n on n.oid = t.typnamespace left join pg_class c on c.oid = t.typrelid
  where ${OWN} and not (t.typelem <> 0 and t.typcategory = 'A') and (t.typtype <> 'c' or c.relkind = 'c')`

const CASTS = `select json_agg(json_build_object('from', s.typname, 'to', t.typname, 'method', k.castmethod, 'context', k.castcontext))
  from pg_cast k join pg_type s on s.oid = k.castsource join pg_type t on t.oid = k.casttarget where k.oid >= 16384`

const FUNCTIONS = `select json_agg(json_build_object('schema', n.nspname, 'name', p.proname, 'kind', p.prokind, 'volatility', p.provolatile, 'language', l.lanname,
    'args', coalesce((select json_agg(t.typname order by i.at) from unnest(p.proargtypes) with ordinality i (type, at) join pg_type t on t.oid = i.type), '[]'),
    'returnsTrigger', p.prorettype = 'trigger'::regtype,
    'text', case when l.lanname in ('sql', 'plpgsql') and p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) end))
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
  where ${OWN} and not exists (select from pg_depend x where x.classid = 'pg_proc'::regclass and x.objid = p.oid and x.deptype = 'e')`

const USES = `select json_agg(distinct jsonb_build_object('routine', p.proname, 'table', coalesce(f.adrelid, k.conrelid, r.ev_class, y.polrelid, i.indrelid)::bigint,
    'column', a.attname))
  from pg_depend d join pg_proc p on p.oid = d.refobjid join pg_namespace n on n.oid = p.pronamespace
    left join pg_attrdef f on d.classid = 'pg_attrdef'::regclass and f.oid = d.objid
    left join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
    left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid and k.conrelid <> 0
    left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
    left join pg_policy y on d.classid = 'pg_policy'::regclass and y.oid = d.objid
    left join pg_index i on d.classid = 'pg_class'::regclass and i.indexrelid = d.objid
  where d.refclassid = 'pg_proc'::regclass and ${OWN} and coalesce(f.adrelid, k.conrelid, r.ev_class, y.polrelid, i.indrelid) is not null`

const HEAD = `select json_build_object('version', current_setting('server_version_num')::int,
    'timeZone', (select reset_val from pg_settings where name = 'TimeZone'), 'role', current_user, 'searchPath', to_json(current_schemas(false)))`

/** Each is one value as JSON, or null for an empty list. Columns and catalogues that came with 15 and 18 are asked for there only. */
export const catalogueQueries = (version: number) => ({
  head: HEAD,
  schemas: `select json_agg(n.nspname) ${OF_NAMES}`,
  relations: RELATIONS,
  indexes: INDEXES,
  constraints: CONSTRAINTS(version >= 180000 ? 'k.conenforced' : 'true'),
  triggers: TRIGGERS,
  policies: POLICIES,
  dependents: DEPENDENTS,
  publications:
    version >= 150000
      ? PUBLICATIONS(
          `case when l.prattrs is not null then ${namesOf('l.prrelid', 'l.prattrs::int2[]')} end`,
          `coalesce((select json_agg(n.nspname) from pg_publication_namespace w join pg_namespace n on n.oid = w.pnnspid where w.pnpubid = b.oid), '[]')`,
        )
      : PUBLICATIONS('null', `'[]'::json`),
  types: TYPES,
  casts: CASTS,
  functions: FUNCTIONS,
  uses: USES,
  extensions: `select json_agg(extname) from pg_extension`,
})
