import { describe, expect, test } from 'vitest'
import { migrationFile } from '../../src/plan/files.ts'
import { reviewMigrations } from '../../src/sql/review.ts'

const sizes = ['a', 'b', 'orders'].map((name) => ({ schema: 'public', name, rows: 1_000, bytes: 1 }))

const review = (...contents: readonly string[]) =>
  reviewMigrations(
    contents.map((content, at) => migrationFile(`m${at}`, Buffer.from(content), null)),
    { sizes, schema: 'public' },
  )

const lastOf = async (...contents: readonly string[]) => (await review(...contents)).at(-1)

const plpgsql = (name: string, body: string, returns = 'void') =>
  `create function ${name}() returns ${returns} language plpgsql as $$ begin ${body} end $$;`

describe('an effect is found wherever it stands in a statement', () => {
  test.each([
    ['with m as (delete from a returning *) insert into b select * from m', 'breaking', 'deletes rows of a; adds rows to b'],
    ['with m as (delete from a returning *) select * from m', 'breaking', 'deletes rows of a'],
    ['with m as (update a set x = 1 returning *) select * from m', 'transformative', 'backfills a'],
    ['with m as (insert into a values (1) returning *) select * from m', 'transformative', 'adds rows to a'],
    [
      'with s as (merge into a using b on true when matched then delete returning 1) select 1 from s',
      'breaking',
      'deletes rows of a; merges rows into a',
    ],
    ['with x as (select 1), y as (delete from a) update b set n = 1', 'breaking', 'deletes rows of a; backfills b'],
    ['select * from (with m as (select purge()) select * from m) t', 'unclear', 'calls purge, which may change data'],
    ['select 1 union all (select purge())', 'unclear', 'calls purge, which may change data'],
    ['create table c as with m as (delete from a returning *) select * from m', 'breaking', 'deletes rows of a; creates table c'],
    ['create table c as select purge(id) from a', 'unclear', 'calls purge, which may change data; creates table c'],
    ['with m as (delete from a returning *) select * into c from m', 'breaking', 'deletes rows of a; creates table c'],
    ['select * into c from a', 'additive', 'creates table c'],
    ['explain analyze delete from a', 'breaking', 'deletes rows of a'],
    ['explain (analyze, costs off) create table c as select 1', 'additive', 'creates table c'],
    ['explain (analyze true) update a set x = 1', 'transformative', 'backfills a'],
    ['explain (analyze false) delete from a', 'additive', 'changes nothing'],
    ['explain delete from a', 'additive', 'changes nothing'],
    ['merge into a using b on a.id = b.id when matched then delete', 'breaking', 'deletes rows of a; merges rows into a'],
    ['insert into a values (1) on conflict (id) do update set x = 2', 'transformative', 'adds rows to a or overwrites them'],
    ['truncate a cascade', 'breaking', 'empties a and every table that refers to it'],
    ['copy (delete from a returning *) to stdout', 'breaking', 'deletes rows of a'],
    ["copy a from '/tmp/rows.csv'", 'transformative', 'adds rows to a'],
    ["copy a to '/tmp/rows.csv'", 'unclear', 'writes a file on the server of the database'],
    ["copy a from program 'curl example.org'", 'unclear', 'runs a program on the server of the database; adds rows to a'],
    ["copy a to program 'sh'", 'unclear', 'runs a program on the server of the database'],
    ['declare c cursor for select purge()', 'unclear', 'calls purge, which may change data'],
    ['prepare p as delete from a; execute p', 'breaking', 'deletes rows of a'],
    ['prepare p as delete from a', 'additive', 'changes nothing'],
    ['execute p', 'unclear', 'runs prepared statement p'],
    ['prepare p as delete from a returning *; create table c as execute p', 'breaking', 'deletes rows of a; creates table c'],
    ['alter table a add column x int default purge()', 'unclear', 'calls purge, which may change data; adds a.x, nullable'],
    ['alter table a alter column x set default purge()', 'additive', 'changes the default of a.x'],
    ['alter table a add column x uuid default gen_random_uuid()', 'transformative', 'adds a.x, nullable'],
    ['update a set x = audit.lower(x)', 'unclear', 'calls audit.lower, which may change data; backfills a'],
    ['update a set x = lower(x), y = public.uuid_generate_v4()', 'transformative', 'backfills a'],
    ['create schema s create table s.t (id int) create index on s.t (id)', 'additive', 'creates schema s; creates table s.t'],
    ['vacuum full a', 'transformative', 'rewrites a'],
    ['vacuum a', 'additive', 'changes nothing'],
    ['cluster a using i', 'transformative', 'rewrites a'],
  ])('%s', async (sql, kind, summary) => expect(await lastOf(sql)).toMatchObject({ class: kind, summary }))
})

describe('rules and triggers do what they do whenever their table is written', () => {
  test.each([
    [
      'create rule r as on insert to a do also delete from b',
      'breaking',
      'adds a rule to a that deletes rows of b; adds a rule to a',
      'with a rule to a, from then on: rows of b are deleted',
    ],
    [
      'create rule r as on delete to a do instead nothing',
      'breaking',
      'adds a rule to a that ignores every DELETE',
      'from then on every DELETE of a is ignored',
    ],
    [
      `${plpgsql('f', 'delete from b; return new;', 'trigger')} create trigger t after insert on a for each row execute function f()`,
      'breaking',
      'adds a trigger to a that deletes rows of b; adds a trigger to a; creates function f',
      'with a trigger to a, from then on: rows of b are deleted',
    ],
  ])('%s', async (sql, kind, summary, finding) =>
    expect(await lastOf(sql)).toMatchObject({ class: kind, summary, findings: expect.arrayContaining([finding]) }),
  )
})

describe('a body counts where it is run', () => {
  test.each([
    [plpgsql('f', 'delete from a;'), 'additive', 'creates function f'],
    [`${plpgsql('f', 'delete from a;')} select f()`, 'breaking', 'deletes rows of a; creates function f'],
    [
      `${plpgsql('f', 'delete from a;')} update b set n = 1 where f() is null`,
      'breaking',
      'deletes rows of a; backfills b; creates function f',
    ],
    [`${plpgsql('f', 'perform g();')} ${plpgsql('g', 'truncate a;')} select f()`, 'breaking', 'empties a; creates functions f and g'],
    [`${plpgsql('f', 'perform f();')} select f()`, 'additive', 'creates function f'],
    ["create function f() returns void language sql as 'delete from a'; select f()", 'breaking', 'deletes rows of a; creates function f'],
    [
      'create function f() returns int language sql begin atomic delete from a; select 1; end; select public.f()',
      'breaking',
      'deletes rows of a; creates function f',
    ],
    ['create procedure p() language plpgsql as $$ begin drop table a; end $$; call p()', 'breaking', 'drops table a; creates procedure p'],
    ['call archive.old(1)', 'unclear', 'calls procedure archive.old'],
    ['do $$ begin delete from a; end $$', 'breaking', 'deletes rows of a'],
    ['do $$ begin if true then update a set x = 1; end if; end $$', 'transformative', 'backfills a'],
    ['do $$ declare r record; begin for r in delete from a returning * loop null; end loop; end $$', 'breaking', 'deletes rows of a'],
    ["do $$ begin create type e as enum ('x'); exception when duplicate_object then null; end $$", 'additive', 'creates type e'],
    ["do $$ begin execute 'truncate a'; end $$", 'breaking', 'empties a'],
    [
      "do $$ declare t text; begin execute format('drop table %I', t); end $$",
      'breaking',
      'runs SQL that a code block puts together, which names a DELETE, TRUNCATE or DROP',
    ],
    ['do $$ declare t text; begin execute t; end $$', 'unclear', 'runs SQL that a code block puts together'],
    ['do $$ declare x int := purge(); begin x := 1 + other(x); end $$', 'unclear', 'calls purge and other, which may change data'],
    ['do $$ declare o orders%rowtype; begin delete from a; end $$', 'breaking', 'deletes rows of a'],
    ["do language plpython3u 'plpy.execute(1)'", 'unclear', 'runs a code block'],
    ['do language plpython3u \'plpy.execute("delete from a")\'', 'breaking', 'runs a code block, which names a DELETE, TRUNCATE or DROP'],
  ])('%s', async (sql, kind, summary) => expect(await lastOf(sql)).toMatchObject({ class: kind, summary }))

  test('also in a later file', async () => {
    expect(await lastOf(plpgsql('f', 'delete from a;'), 'select f()')).toMatchObject({ class: 'breaking', summary: 'deletes rows of a' })
    expect(await lastOf('prepare p as delete from a', 'execute p')).toMatchObject({ class: 'breaking', summary: 'deletes rows of a' })
  })
})

describe('a table that the plan creates is no cover for an old one', () => {
  test.each([
    ['create table c (id int); delete from c', 'breaking', false],
    ['create table if not exists a (id int); delete from a', 'breaking', true],
    ['create table if not exists c (id int); delete from c', 'breaking', true],
    ['create temporary table a (id int); delete from a', 'breaking', true],
    ['create table c (id int) partition by list (id); alter table c attach partition a default; delete from c', 'breaking', true],
    ['create table c (id int); alter table a inherit c; delete from c', 'breaking', true],
    [
      'create table c (id int primary key); alter table a add foreign key (c) references c on delete cascade; delete from c',
      'breaking',
      true,
    ],
    [
      'create table c (id int primary key); alter table a add column c int references c on delete set null; delete from c',
      'breaking',
      true,
    ],
    ['create table "public.a" (id int); delete from a', 'breaking', true],
    ['set search_path to audit; create table a (id int); reset search_path; delete from a', 'breaking', true],
    ["select set_config('search_path', 'audit', false); create table a (id int); delete from public.a", 'breaking', true],
    ['do $$ begin if false then create table c (id int); end if; end $$; delete from c', 'breaking', true],
  ])('%s', async (sql, kind, isSeen) => expect((await lastOf(sql))?.class === kind).toBe(isSeen))

  test('nor in a schema of another name', async () => {
    const file = migrationFile('m', Buffer.from('create table public.t (id int); delete from t'), null)
    expect(await reviewMigrations([file], { sizes: [], schema: 'shop' })).toMatchObject([{ class: 'breaking' }])
  })
})

test('what the file switches off is said, and that it stays off', async () => {
  const said = async (sql: string) => {
    const found = await lastOf(sql)
    return [found?.class, found?.summary, ...(found?.findings ?? [])]
  }
  expect(await said('alter table a disable trigger audit')).toEqual([
    'transformative',
    'switches trigger audit of a off',
    'trigger audit of a does nothing from then on, until something switches it on again',
  ])
  expect(await said('alter table a disable trigger all')).toEqual([
    'transformative',
    'switches triggers and foreign keys of a off',
    'triggers and foreign keys of a do nothing from then on, until something switches them on again',
  ])
  expect(await said('alter table a enable always trigger audit')).toEqual([
    'transformative',
    'switches trigger audit of a on, for replicas too',
  ])
  expect(await said('alter table a enable rule r')).toEqual(['transformative', 'switches rule r of a on'])
})
