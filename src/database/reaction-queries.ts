const OWN = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'`

const notOfExtension = (catalogue: string, alias: string) =>
  `not exists (select from pg_depend x where x.classid = '${catalogue}'::regclass and x.objid = ${alias}.oid and x.deptype = 'e')`

const pairOf = (relation: string, other: string) => `join pg_class c on c.oid = ${relation} join pg_namespace n on n.oid = c.relnamespace
  join pg_class oc on oc.oid = ${other} join pg_namespace o on o.oid = oc.relnamespace`
const PAIR = `'schema', n.nspname, 'table', c.relname, 'otherSchema', o.nspname, 'other', oc.relname`

const columnsOf = (relation: string, numbers: string) =>
  `(select json_agg(a.attname) from pg_attribute a where a.attrelid = ${relation} and a.attnum = any (${numbers}))`

const firesOf = (enabled: string) =>
  `case ${enabled} when 'O' then 'origin' when 'A' then 'always' when 'R' then 'replica' else 'never' end`

/** One that is declared to change nothing may still call others that do; what only C code knows is taken at its word. */
const MAY_WRITE = `(p.provolatile = 'v' or exists (select from pg_language l where l.oid = p.prolang and l.lanname in ('sql', 'plpgsql')))
  and ${notOfExtension('pg_proc', 'p')}`

/** A check is one of every type that is made of the domain. */
const DOMAIN_CALLS = `with recursive calls (function, type, by) as (
    select d.refobjid, coalesce(k.contypid, t.oid), case when k.oid is null then 'default' else 'check' end from pg_depend d
      left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid and k.contypid <> 0
      left join pg_type t on d.classid = 'pg_type'::regclass and t.oid = d.objid and t.typtype = 'd'
     where d.refclassid = 'pg_proc'::regclass and coalesce(k.contypid, t.oid) is not null
    union
    select calls.function, whole.type, 'check' from calls join (
        select typbasetype as part, oid as type from pg_type where typtype = 'd'
        union all select typelem, oid from pg_type where typcategory = 'A'
        union all select a.atttypid, r.reltype from pg_attribute a join pg_class r on r.oid = a.attrelid where a.attnum > 0 and not a.attisdropped
      ) whole on whole.part = calls.type and whole.type <> 0
     where calls.by = 'check')`

const USES = `select d.refobjid as function, coalesce(a.adrelid, k.conrelid, r.ev_class, y.polrelid, i.indrelid) as relation,
      case when a.oid is not null then case when t.attgenerated = '' then 'default' else 'generated column' end
        when k.oid is not null then 'check' when r.oid is not null then 'view' when y.oid is not null then 'policy' else 'index' end as by,
      t.attname as column_name,
      case y.polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' end as event
    from pg_depend d
      left join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
      left join pg_attribute t on t.attrelid = a.adrelid and t.attnum = a.adnum
      left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid and k.conrelid <> 0
      left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid and r.rulename = '_RETURN'
      left join pg_policy y on d.classid = 'pg_policy'::regclass and y.oid = d.objid
      left join pg_index i on d.classid = 'pg_class'::regclass and i.indexrelid = d.objid
    where d.refclassid = 'pg_proc'::regclass
  union all
  select calls.function, a.attrelid, calls.by, case when calls.by = 'default' then a.attname end, null from calls
    join pg_attribute a on a.atttypid = calls.type where a.attnum > 0 and not a.attisdropped
  union all
  select k.castfunc, a.attrelid, 'cast', null, null from pg_cast k join pg_attribute a on a.atttypid = k.casttarget
    where k.castfunc <> 0 and k.castcontext in ('a', 'i') and a.attnum > 0 and not a.attisdropped`

const AGGREGATE_TEXT = `(select format('create function %I() returns void language sql as %L', p.proname, 'select ' || coalesce(string_agg(f.proname || '()', ', '), '1'))
  from pg_aggregate g join pg_proc f on f.oid in (aggtransfn, aggfinalfn, aggcombinefn, aggmtransfn, aggminvtransfn, aggmfinalfn)
  where g.aggfnoid = p.oid and f.pronamespace <> 'pg_catalog'::regnamespace)`

/** Each is one list as JSON, or null for none. */
export const REACTION_QUERIES = {
  routines: `select json_agg(json_build_object('schema', n.nspname, 'name', p.proname, 'language', case when p.prokind = 'a' then 'sql' else l.lanname end,
      'args', coalesce((select json_agg(t.typname order by i.at) from unnest(p.proargtypes) with ordinality i (type, at) join pg_type t on t.oid = i.type), '[]'),
      'text', case when p.prokind = 'a' then ${AGGREGATE_TEXT} when l.lanname in ('sql', 'plpgsql') then pg_get_functiondef(p.oid) end))
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
    where ${OWN} and p.prokind in ('f', 'p', 'a') and ${notOfExtension('pg_proc', 'p')}`,
  triggers: `select json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'name', t.tgname,
      'routines', (select json_agg(distinct p.proname) from pg_proc p where p.oid = t.tgfoid or p.oid in (
        select d.refobjid from pg_depend d where d.classid = 'pg_trigger'::regclass and d.objid = t.oid and d.refclassid = 'pg_proc'::regclass)),
      'isInstead', t.tgtype & 64 > 0, 'isForEachRow', t.tgtype & 1 > 0, 'fires', ${firesOf('t.tgenabled')},
      'columns', case when not exists (select from pg_attribute a where a.attrelid = t.tgrelid and a.attnum = any (t.tgattr) and a.attgenerated <> '')
        then ${columnsOf('t.tgrelid', 't.tgattr')} end,
      'events', array_remove(array[case when t.tgtype & 4 > 0 then 'INSERT' end, case when t.tgtype & 16 > 0 then 'UPDATE' end,
        case when t.tgtype & 8 > 0 then 'DELETE' end, case when t.tgtype & 32 > 0 then 'TRUNCATE' end], null)))
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where ${OWN} and not t.tgisinternal`,
  rules: `select json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'name', r.rulename, 'fires', ${firesOf('r.ev_enabled')},
      'event', (array['SELECT', 'UPDATE', 'INSERT', 'DELETE'])[r.ev_type::text::int], 'text', pg_get_ruledef(r.oid)))
    from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
    where ${OWN} and r.rulename <> '_RETURN' and ${notOfExtension('pg_class', 'c')}`,
  eventTriggers: `select json_agg(json_build_object('name', e.evtname, 'routine', p.proname, 'fires', ${firesOf('e.evtenabled')},
      'tags', coalesce(e.evttags, case e.evtevent when 'sql_drop' then '{DROP}' when 'table_rewrite' then '{ALTER}' end::text[])))
    from pg_event_trigger e join pg_proc p on p.oid = e.evtfoid
    where e.evtevent <> 'login' and ${notOfExtension('pg_event_trigger', 'e')}`,
  operators: `select json_agg(json_build_object('name', r.oprname, 'routine', p.proname))
    from pg_operator r join pg_namespace n on n.oid = r.oprnamespace join pg_proc p on p.oid = r.oprcode
    where ${OWN} and ${MAY_WRITE}`,
  domains: `${DOMAIN_CALLS} select json_agg(distinct jsonb_build_object('name', t.typname, 'by', calls.by, 'routine', p.proname))
    from calls join pg_type t on t.oid = calls.type join pg_proc p on p.oid = calls.function join pg_namespace n on n.oid = t.typnamespace
    where ${OWN} and ${MAY_WRITE}`,
  casts: `select json_agg(json_build_object('name', t.typname, 'from', s.typname, 'routine', p.proname))
    from pg_cast k join pg_proc p on p.oid = k.castfunc join pg_type t on t.oid = k.casttarget join pg_type s on s.oid = k.castsource
      join pg_namespace n on n.oid = p.pronamespace
    where ${OWN} and ${MAY_WRITE}`,
  uses: `${DOMAIN_CALLS} select json_agg(distinct jsonb_build_object('schema', n.nspname, 'table', c.relname, 'routine', p.proname, 'by', u.by,
      'column', u.column_name, 'event', u.event, 'isOff', u.by = 'policy' and not row_security_active(c.oid)))
    from (${USES}) u join pg_proc p on p.oid = u.function join pg_class c on c.oid = u.relation join pg_namespace n on n.oid = c.relnamespace
    where ${OWN} and ${MAY_WRITE}`,
  // those that a partition has from the referring table count once
  references: `select json_agg(json_build_object(${PAIR}, 'name', k.conname,
      'columns', ${columnsOf('k.confrelid', 'k.confkey')}, 'otherColumns', ${columnsOf('k.conrelid', 'k.conkey')},
      'onDelete', case when k.confdeltype = 'c' then 'delete' when k.confdeltype in ('n', 'd') then 'unset' end,
      'onUpdate', case when k.confupdtype = 'c' then 'update' when k.confupdtype in ('n', 'd') then 'unset' end,
      'fires', coalesce((select ${firesOf('t.tgenabled')} from pg_trigger t where t.tgconstraint = k.oid and t.tgrelid = k.confrelid limit 1), 'origin')))
    from pg_constraint k ${pairOf('k.confrelid', 'k.conrelid')}
    where k.contype = 'f' and (k.conparentid = 0 or exists (select from pg_constraint u where u.oid = k.conparentid and u.conrelid = k.conrelid))`,
  heirs: `select json_agg(json_build_object(${PAIR}, 'isPartition', oc.relispartition,
      'keys', case when not 0 = any (d.partattrs) then ${columnsOf('d.partrelid', 'd.partattrs')} end))
    from pg_inherits h ${pairOf('h.inhparent', 'h.inhrelid')} left join pg_partitioned_table d on d.partrelid = h.inhparent
    where c.relkind in ('r', 'p')`,
  views: `select json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'text', v.text, 'isUpdatable', v.updatable))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
      cross join lateral (select pg_get_viewdef(c.oid) as text, pg_relation_is_updatable(c.oid::regclass, false) <> 0 as updatable) v
    where ${OWN} and c.relkind = 'v' and (v.updatable or v.text ~ 'set_config|pg_advisory_unlock') and ${notOfExtension('pg_class', 'c')}`,
  reads: `select json_agg(distinct jsonb_build_object(${PAIR})) from pg_rewrite r join pg_depend d
      on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
      ${pairOf('r.ev_class', 'd.refobjid')}
    where ${OWN} and r.rulename = '_RETURN' and oc.relkind in ('v', 'm')`,
}
