import type { Queryable } from '../../database/connect.ts'
import { OUTSIDE } from '../../sql/outside.ts'

/**
 * What of this database acts outside of its transaction, as far as is known or cannot be excluded: functions by what their body names, in a
 * language that may do anything, or in C of an extension that nobody here knows; foreign tables of wrappers that are not known to end
 * their remote transaction with the local one. Those whose names are among the words.
 */
export async function actingOutside(client: Queryable, words: ReadonlySet<string>): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select p.proname::text as name from pg_proc p join pg_language l on l.oid = p.prolang join pg_namespace n on n.oid = p.pronamespace
      where n.nspname not in ('pg_catalog', 'information_schema') and lower(p.proname) = any ($2) and case l.lanname
        when 'internal' then false
        when 'c' then not exists (select from pg_depend d join pg_extension x on x.oid = d.refobjid
          where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' and x.extname = any ($3))
        else not l.lanpltrusted or p.prosrc ~* $1 or (p.prosrc = '' and p.prokind <> 'a' and pg_get_functiondef(p.oid) ~* $1) end
     union
     select c.relname::text from pg_foreign_table t join pg_class c on c.oid = t.ftrelid join pg_foreign_server s on s.oid = t.ftserver
       join pg_foreign_data_wrapper w on w.oid = s.srvfdw where w.fdwname not in ('postgres_fdw', 'file_fdw') and lower(c.relname) = any ($2)
     order by 1`,
    [OUTSIDE, [...words], KNOWN_EXTENSIONS],
  )
  return rows.map(({ name }) => name)
}

/** Their functions compute, or write rows of their own tables; the few that act outside are named in `OUTSIDE`. */
const KNOWN_EXTENSIONS =
  `adminpack amcheck autoinc bloom bool_plperl btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw fuzzystrmatch
  hstore hstore_plperl insert_username intagg intarray isn jsonb_plperl lo ltree moddatetime old_snapshot pageinspect pg_buffercache
  pg_freespacemap pg_prewarm pg_stat_statements pg_surgery pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks pgstattuple plpgsql
  postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent uuid-ossp xml2 address_standardizer postgis postgis_raster postgis_sfcgal postgis_topology pgrouting h3 vector timescaledb pg_cron pg_partman pgmq pgaudit
  hypopg rum pg_bigm pgroonga pg_uuidv7 pgjwt pgsodium supabase_vault pg_graphql pg_jsonschema pg_hint_plan pg_ivm age hll ip4r
  semver periods temporal_tables`.split(/\s+/)
