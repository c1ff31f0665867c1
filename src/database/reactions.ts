import type { Queryable } from './connect.ts'

type Named = { readonly schema: string; readonly table: string; readonly name: string }
export type WriteEvent = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'

/** What stands in the database already and runs when a statement calls it or writes its table. */
export type Reactions = {
  /** By name alone. `text` is the whole CREATE statement; null where the language is not one that we read. */
  readonly routines: readonly { readonly name: string; readonly language: string; readonly text: string | null }[]
  /** Those that people made and that fire; `routine` is the function's name without its schema. */
  readonly triggers: readonly (Named & { readonly events: readonly WriteEvent[]; readonly routine: string })[]
  /** `text` is the whole CREATE RULE. */
  readonly rules: readonly (Named & { readonly event: WriteEvent; readonly text: string })[]
  /** Foreign keys by which a DELETE of `table` reaches the rows of `child`. */
  readonly cascades: readonly {
    readonly schema: string
    readonly table: string
    readonly childSchema: string
    readonly child: string
    readonly does: 'delete' | 'unset'
  }[]
}

export const noReactions: Reactions = { routines: [], triggers: [], rules: [], cascades: [] }

/** Whatever belongs to extensions is left out. */
export async function readReactions(client: Queryable): Promise<Reactions> {
  const { rows } = await client.query<Reactions>(
    `select
       coalesce((select json_agg(json_build_object('name', p.proname, 'language', l.lanname,
           'text', case when l.lanname in ('sql', 'plpgsql') then pg_get_functiondef(p.oid) end))
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
         where ${OWN} and p.prokind in ('f', 'p') and ${notOfExtension('pg_proc', 'p')}), '[]') as routines,
       coalesce((select json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'name', t.tgname, 'routine', p.proname,
           'events', array_remove(array[case when t.tgtype & 4 > 0 then 'INSERT' end, case when t.tgtype & 16 > 0 then 'UPDATE' end,
             case when t.tgtype & 8 > 0 then 'DELETE' end, case when t.tgtype & 32 > 0 then 'TRUNCATE' end], null)))
         from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace join pg_proc p on p.oid = t.tgfoid
         where ${OWN} and not t.tgisinternal and t.tgenabled in ('O', 'A')), '[]') as triggers,
       coalesce((select json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'name', r.rulename,
           'event', (array['SELECT', 'UPDATE', 'INSERT', 'DELETE'])[r.ev_type::text::int], 'text', pg_get_ruledef(r.oid)))
         from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
         where ${OWN} and r.rulename <> '_RETURN' and r.ev_enabled in ('O', 'A') and ${notOfExtension('pg_class', 'c')}), '[]') as rules,
       coalesce((select json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'childSchema', cn.nspname, 'child', cc.relname,
           'does', case k.confdeltype when 'c' then 'delete' else 'unset' end))
         from pg_constraint k join pg_class c on c.oid = k.confrelid join pg_namespace n on n.oid = c.relnamespace
           join pg_class cc on cc.oid = k.conrelid join pg_namespace cn on cn.oid = cc.relnamespace
         where k.contype = 'f' and k.confdeltype in ('c', 'n', 'd') and k.conparentid = 0), '[]') as cascades`,
  )
  return rows[0] ?? noReactions
}

const OWN = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'`

const notOfExtension = (catalogue: string, alias: string) =>
  `not exists (select from pg_depend d where d.classid = '${catalogue}'::regclass and d.objid = ${alias}.oid and d.deptype = 'e')`
