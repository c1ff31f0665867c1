import type { Queryable } from '../database/connect.ts'

/**
 * A column or table that was renamed to `_deprecated_…` to be dropped after a safety period: the step of a removal that waits. Found in the
 * database, so nothing has to be remembered and what was done by hand counts as well.
 */
export type SetAside = {
  readonly kind: 'column' | 'table'
  /** `orders._deprecated_note`; the schema `public` is left out. */
  readonly name: string
  /** As SQL names it. */
  readonly sql: { readonly table: string; readonly column: string | null }
  /** Days, `2026-12-30`, from its comment; null where the comment says none. */
  readonly since: string | null
  readonly until: string | null
}

/** Of people's schemas, sorted by name. */
export async function readSetAside(client: Queryable): Promise<readonly SetAside[]> {
  const { rows } = await client.query<{
    kind: SetAside['kind']
    name: string
    table: string
    column: string | null
    comment: string | null
  }>(
    `select * from (
       select 'table' as kind, case when n.nspname = 'public' then '' else n.nspname || '.' end || c.relname as name,
         format('%I.%I', n.nspname, c.relname) as "table", null::text as "column", obj_description(c.oid, 'pg_class') as comment
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p') and c.relname like '\\_deprecated\\_%' and ${PEOPLES}
       union all
       select 'column', case when n.nspname = 'public' then '' else n.nspname || '.' end || c.relname || '.' || a.attname,
         format('%I.%I', n.nspname, c.relname), quote_ident(a.attname), col_description(c.oid, a.attnum)
       from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped and a.attname like '\\_deprecated\\_%' and ${PEOPLES}
     ) found order by name`,
  )
  return rows.map(({ kind, name, table, column, comment }) => ({ kind, name, sql: { table, column }, ...daysOf(comment) }))
}

const PEOPLES = `n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`

/** `Not used since 2026-11-30. Drop it after 2026-12-30.`, as the review advises it; the last day of any other comment is when it may go. */
export function daysOf(comment: string | null): Pick<SetAside, 'since' | 'until'> {
  const days = [...(comment ?? '').matchAll(/\b(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b/g)].map(([day]) => day)
  return { since: days.length > 1 ? (days[0] ?? null) : null, until: days.at(-1) ?? null }
}

/** `today`: a day, in the zone of the target. */
export const isDue = ({ until }: Pick<SetAside, 'until'>, today: string): boolean => until !== null && until < today

/** The migration that ends it. */
export const dropSql = ({ kind, sql }: SetAside): string =>
  kind === 'table' ? `DROP TABLE ${sql.table};` : `ALTER TABLE ${sql.table} DROP COLUMN ${sql.column};`
