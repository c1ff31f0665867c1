import type { Queryable } from '../../database/connect.ts'

/** The words of a file with those of every function of this database that it names, that such a function names, and so on. */
export const wordsCalled = (client: Queryable, words: ReadonlySet<string>): Promise<ReadonlySet<string>> => reach(client, words, byName)

/**
 * The same with all that runs by itself: functions of triggers, defaults, checks, indexes, policies and rules of the tables that it names, of
 * tables behind these (views, heirs, foreign keys), of domains and casts of types that it names, of operators in it, and of event triggers
 * that it raises. What is named and not used counts as well.
 */
export async function wordsReached(
  client: Queryable,
  file: { readonly sql: string; readonly words: ReadonlySet<string> },
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string; tags: readonly string[] | null }>(
    `select p.proname::text as name, e.evttags as tags from pg_event_trigger e join pg_proc p on p.oid = e.evtfoid where e.evtenabled <> 'D'`,
  )
  const raised = rows.filter(({ tags }) => tags === null || tags.some((tag) => isRaised(tag, file.sql)))
  const operators = await client.query<{ name: string }>(
    `select p.proname::text as name from pg_operator o join pg_namespace n on n.oid = o.oprnamespace join pg_proc p on p.oid = o.oprcode
      where n.nspname not in ('pg_catalog', 'information_schema') and position(o.oprname in $1) > 0`,
    [file.sql],
  )
  const found = [...raised, ...operators.rows].map(({ name }) => name.toLowerCase())
  return reach(client, new Set([...file.words, ...found]), async (asked, words, read) => [
    ...(await byName(asked, words, read)),
    ...(await byTable(asked, words, read)),
    ...(await byType(asked, words, read)),
    ...(await behind(asked, words)),
  ])
}

/** `CREATE TABLE`, with whatever may stand between the two words. */
const isRaised = (tag: string, sql: string): boolean => new RegExp(tag.replaceAll(' ', String.raw`\s[^;]*?`), 'i').test(sql)

/** `oid` of a function, null of a table. */
type Found = { readonly oid: number | null; readonly text: string }
type Step = (client: Queryable, words: readonly string[], read: readonly number[]) => Promise<readonly Found[]>

async function reach(client: Queryable, words: ReadonlySet<string>, step: Step): Promise<ReadonlySet<string>> {
  const all = new Set(words)
  const read = new Set<number>()
  for (;;) {
    const found = await step(client, [...all], [...read])
    if (found.length === 0) return all
    for (const { oid, text } of found) {
      if (oid === null) all.add(text.toLowerCase())
      else read.add(oid)
      for (const word of text.split(/[^\p{L}\p{N}_$]+/u)) all.add(word.toLowerCase())
      for (const [, name = ''] of text.matchAll(/"([^"]+)"/g)) all.add(name.toLowerCase())
    }
  }
}

/** Of an aggregate the functions that it is made of. */
const FUNCTIONS = `select p.oid::int8::float8 as oid, case when p.prokind <> 'a' then pg_get_functiondef(p.oid)
    else (select concat_ws(' ', aggtransfn, aggfinalfn, aggcombinefn, aggmtransfn, aggminvtransfn, aggmfinalfn) from pg_aggregate where aggfnoid = p.oid) end as text
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_language l on l.oid = p.prolang
 where n.nspname not in ('pg_catalog', 'information_schema') and (p.prokind = 'a' or l.lanname not in ('internal', 'c')) and p.oid <> all ($2::oid[])`

/** What checks and defaults of domains call. */
const OF_DOMAINS = `select d.refobjid as function, coalesce(k.contypid, t.oid) as type from pg_depend d
    left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid and k.contypid <> 0
    left join pg_type t on d.classid = 'pg_type'::regclass and t.oid = d.objid
   where d.refclassid = 'pg_proc'::regclass and coalesce(k.contypid, t.oid) is not null`

const byName: Step = async (client, words, read) =>
  (await client.query<Found>(`${FUNCTIONS} and lower(p.proname) = any ($1)`, [words, read])).rows

const byTable: Step = async (client, words, read) =>
  (
    await client.query<Found>(
      `${FUNCTIONS} and p.oid in (select calls.function from pg_class c join (
          select tgfoid as function, tgrelid as relation from pg_trigger where tgenabled <> 'D'
          union all
          select d.refobjid, coalesce(a.adrelid, r.ev_class, k.conrelid, y.polrelid, t.tgrelid, i.indrelid, s.stxrelid) from pg_depend d
            left join pg_attrdef a on d.classid = 'pg_attrdef'::regclass and a.oid = d.objid
            left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
            left join pg_constraint k on d.classid = 'pg_constraint'::regclass and k.oid = d.objid
            left join pg_policy y on d.classid = 'pg_policy'::regclass and y.oid = d.objid
            left join pg_trigger t on d.classid = 'pg_trigger'::regclass and t.oid = d.objid and t.tgenabled <> 'D'
            left join pg_index i on d.classid = 'pg_class'::regclass and i.indexrelid = d.objid
            left join pg_statistic_ext s on d.classid = 'pg_statistic_ext'::regclass and s.oid = d.objid
           where d.refclassid = 'pg_proc'::regclass
          union all
          select ofdomain.function, a.attrelid from pg_attribute a join (${OF_DOMAINS}) ofdomain on ofdomain.type = a.atttypid
        ) calls on calls.relation = c.oid
        where lower(c.relname) = any ($1))`,
      [words, read],
    )
  ).rows

const byType: Step = async (client, words, read) =>
  (
    await client.query<Found>(
      `${FUNCTIONS} and p.oid in (select ofdomain.function from (${OF_DOMAINS}) ofdomain join pg_type t on t.oid = ofdomain.type where lower(t.typname) = any ($1)
        union all
        select k.castfunc from pg_cast k join pg_type t on t.oid in (k.castsource, k.casttarget) where lower(t.typname) = any ($1))`,
      [words, read],
    )
  ).rows

async function behind(client: Queryable, words: readonly string[]): Promise<readonly Found[]> {
  const { rows } = await client.query<Found>(
    `select distinct null::float8 as oid, other.relname::text as text from pg_class named join (
        select confrelid as relation, conrelid as other from pg_constraint where contype = 'f'
        union all
        select inhparent, inhrelid from pg_inherits
        union all
        select r.ev_class, d.refobjid from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
      ) ties on ties.relation = named.oid join pg_class other on other.oid = ties.other
      where lower(named.relname) = any ($1) and lower(other.relname) <> all ($1)`,
    [words],
  )
  return rows
}
