import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readReactions } from '../../src/database/reactions.ts'
import { reviewMigrations } from '../../src/sql/review.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'

/** What PostgreSQL does is the measure: where rows of `a` are gone afterwards, the review said breaking. */

let database: TestDatabase
let client: pg.Client
beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(
    'create table a (id int primary key, n int); create table b (id int, n int); insert into a select g, g from generate_series(1, 5) g',
  )
})
afterAll(async () => {
  await client.end()
  await database.close()
})

const body = (sql: string, returns = 'void') => `create function f() returns ${returns} language plpgsql as $$ begin ${sql} end $$;`

test.each([
  'with m as (delete from a returning *) insert into b select * from m',
  'with m as (delete from a returning *) select count(*) from m',
  'create table c as with m as (delete from a returning *) select * from m',
  'with m as (delete from a returning *) select * into c from m',
  'explain analyze delete from a',
  'explain (analyze, costs off) with m as (delete from a returning *) insert into b select * from m',
  'merge into a using (select 1) s on true when matched then delete',
  'prepare p1 as delete from a; execute p1',
  'prepare p2 as delete from a; explain analyze execute p2',
  'do $$ begin delete from a; end $$',
  "do $$ begin execute 'delete from a'; end $$",
  "do $$ declare t text := 'a'; begin execute format('delete from %I', t); end $$",
  'do $$ declare r a%rowtype; begin for r in delete from a returning * loop null; end loop; end $$',
  `${body('delete from a;')} select f()`,
  `${body('delete from a; return 1;', 'int')} update b set n = f(); insert into b values (f())`,
  `${body('delete from a; return 1;', 'int')} create table c (id int default f()); insert into c default values`,
  `${body('delete from a; return 1;', 'int')} insert into b values (1); alter table b add column x int default f()`,
  `${body('delete from a; return 1;', 'int')} create view v as select f(); select * from v`,
  `${body('delete from a; return new;', 'trigger')} create trigger t before insert on b for each row execute function f(); insert into b values (1)`,
  'create rule r as on insert to b do also delete from a; insert into b values (1)',
  "create function f() returns void language sql as 'delete from a'; select f()",
  'create function f() returns int begin atomic delete from a; select 1; end; select f()',
  'create procedure q() language plpgsql as $$ begin truncate a; end $$; call q()',
  'create table c (id int primary key); insert into c select id from a; alter table a add foreign key (id) references c on delete cascade; delete from c',
  'create table c (id int, n int); alter table a inherit c; delete from c',
  'create table if not exists a (id int); delete from a',
  'create view v as select * from a; delete from v',
])('%s', async (sql) => {
  const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], {
    sizes: [
      { schema: 'public', name: 'a', rows: 5, bytes: 1 },
      { schema: 'public', name: 'b', rows: 0, bytes: 1 },
    ],
    schema: 'public',
  })
  await client.query('begin')
  try {
    await client.query(sql)
    expect((await client.query('select from a')).rowCount).toBeLessThan(5)
  } finally {
    await client.query('rollback; deallocate all')
  }
  expect(review?.class).toBe('breaking')
  expect(review?.findings.length).toBeGreaterThan(0)
})

/** What was in the database before the plan, the file, and what an approver reads of it. */
test.each([
  [
    `${body('delete from a; return new;', 'trigger')} create trigger t before update on b for each row execute function f()`,
    'update b set n = 1',
    'trigger t of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return null;', 'trigger')} create trigger t after insert on b for each statement execute function f()`,
    'with m as (insert into b values (2) returning *) select * from m',
    'trigger t of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return null;', 'trigger')} create trigger t after truncate on b for each statement execute function f()`,
    'truncate b',
    'trigger t of b runs with it: rows of a are deleted',
  ],
  ['create rule r as on insert to b do also delete from a', 'insert into b values (1)', 'rule r of b runs with it: rows of a are deleted'],
  [
    'alter table b add primary key (id); alter table a add foreign key (id) references b on delete cascade not valid; insert into b select id from a on conflict do nothing',
    'delete from b',
    'rows of a go with those of b (ON DELETE CASCADE)',
  ],
  [
    `create table top (id int primary key); insert into top values (1); alter table b add primary key (id), add top int references top on delete cascade;
     alter table a add foreign key (id) references b on delete cascade not valid; insert into b select id, 1, 1 from a on conflict (id) do update set top = 1`,
    'delete from top',
    'rows of a go with those of b (ON DELETE CASCADE)',
  ],
  [body('delete from a;'), 'select f()', 'rows of a are deleted'],
  ['create procedure q() language plpgsql as $$ begin truncate a; end $$', 'call q()', 'a is emptied'],
  [
    `create function g() returns void language sql as 'delete from a'; ${body('perform g();')}`,
    'do $$ begin perform f(); end $$',
    'rows of a are deleted',
  ],
  [body('delete from a;'), 'create function f(x int) returns int language sql as $$ select 1 $$; select f()', 'rows of a are deleted'],
  [
    "create procedure q() language sql as 'delete from a'",
    'create procedure q(x int) language sql as $$ select 1 $$; call q()',
    'rows of a are deleted',
  ],
  [body('delete from a;').replace('f()', 'json_purge()'), 'select json_purge()', 'rows of a are deleted'],
  [
    body('delete from a; return null;', 'trigger'),
    'create trigger t after update on b for each statement execute function f(); update b set n = 1',
    'with a trigger to b, from then on: rows of a are deleted',
  ],
  [
    `${body('delete from a; return null;', 'trigger')} create trigger t after update on b for each statement execute function f(); alter table b disable trigger t`,
    'alter table b enable trigger t; update b set n = 1',
    'trigger t of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return 1;', 'int')} alter table b alter n set default f()`,
    'insert into b (id) values (1)',
    'function f in a default of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return true;', 'bool')} alter table b add check (f()) not valid`,
    'update b set n = 1',
    'function f in a check of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return 1;', 'int')} create view w as select f(); create view v as select * from w`,
    'create table c as select * from v',
    'function f of w runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return 1;', 'int')} create materialized view v as select f() with no data`,
    'refresh materialized view v',
    'function f of v runs with it: rows of a are deleted',
  ],
  ['create view w as select * from a; create view v as select * from w', 'delete from v', 'rows of a go with those of its view w'],
  [
    `${body('delete from a; return null;', 'trigger')} create trigger t after insert on b for each statement execute function f(); create view v as select * from b`,
    'insert into v values (1)',
    'trigger t of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return new;', 'trigger')} create view v as select * from b; create trigger t instead of insert on v for each row execute function f()`,
    'insert into v values (1)',
    'trigger t of v runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return null;', 'trigger')} create table p (id int) partition by list (id); create table p1 partition of p for values in (1);
     create trigger t after insert on p1 for each row execute function f()`,
    'insert into p values (1)',
    'trigger t of p1 runs with it: rows of a are deleted',
  ],
  ['create table c (id int, n int); alter table a inherit c', 'delete from c', 'rows of a go with those of c, from which it inherits'],
  [
    `${body('delete from a; return null;', 'trigger')} alter table b add primary key (id); create table k (b int references b on delete cascade);
     insert into k values (7); create trigger t after delete on k for each row execute function f()`,
    'delete from b',
    'trigger t of k runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return null;', 'trigger')} alter table b add primary key (id); create table k (b int references b on update cascade);
     insert into k values (7); create trigger t after update on k for each row execute function f()`,
    'update b set id = 8',
    'trigger t of k runs with it: rows of a are deleted',
  ],
  [
    'alter table b add primary key (id); alter table a add foreign key (id) references b not valid',
    'truncate b cascade',
    'a is emptied with b, to which it refers (CASCADE)',
  ],
  [
    `${body('delete from a;', 'event_trigger')} create event trigger e on ddl_command_end when tag in ('CREATE TABLE') execute function f()`,
    'create temporary table c (id int)',
    'event trigger e runs with it: rows of a are deleted',
  ],
  [
    `create function g(int, int) returns bool language plpgsql as $$ begin delete from a; return true; end $$; create operator === (function = g, leftarg = int, rightarg = int)`,
    'select 1 === 2',
    'operator === runs with it: rows of a are deleted',
  ],
  [
    'create table c () inherits (a); insert into c select * from a; delete from only a',
    'alter table c no inherit a',
    'the rows of c are no longer found through a',
  ],
  [
    'drop table a; create table a (id int) partition by list (id); create table p1 partition of a default; insert into a values (1)',
    'alter table a detach partition p1',
    'the rows of p1 are no longer found through a',
  ],
  [
    `${body('execute old; return new;', 'trigger').replace('begin', "declare old text := 'dele' || 'te from a'; begin")}
     create trigger t before update on b for each row execute function f()`,
    'update b set n = 1',
    null,
  ],
])('%s; then %s', async (before, sql, finding) => {
  await client.query('begin')
  try {
    await client.query('insert into b values (7, 7)')
    await client.query(before)
    const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], {
      sizes: [],
      schema: 'public',
      reactions: await readReactions(client),
    })
    await client.query(sql)
    expect((await client.query('select from a')).rowCount).toBeLessThan(5)
    expect(review?.class).toBe(finding === null ? 'unclear' : 'breaking')
    expect(review?.findings).toEqual(expect.arrayContaining([finding ?? []].flat()))
  } finally {
    await client.query('rollback')
  }
})

test.each([
  ['a trigger that is off', 'alter table b disable trigger t', 'update b set n = 1'],
  ['a trigger for another event', 'select 1', 'insert into b values (1)'],
  ['a trigger of a table of the same name in another schema', 'create schema s; create table s.b (n int)', 'update s.b set n = 1'],
])('%s says nothing', async (_, before, sql) => {
  await client.query('begin')
  try {
    await client.query(
      `${body('delete from a; return new;', 'trigger')} create trigger t before update on b for each row execute function f(); ${before}`,
    )
    const reactions = await readReactions(client)
    const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], { sizes: [], schema: 'public', reactions })
    await client.query(sql)
    expect((await client.query('select from a')).rowCount).toBe(5)
    expect(review?.class).toBe('transformative')
  } finally {
    await client.query('rollback')
  }
})

test('a trigger that only fills a column adds nothing, and one that writes its own table ends', async () => {
  await client.query('begin')
  try {
    await client.query(`${body('new.n := 1; update b set n = 2 where false; return new;', 'trigger')}
      create trigger t before update on b for each row execute function f()`)
    const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from('update b set n = 1') }], {
      sizes: [],
      schema: 'public',
      reactions: await readReactions(client),
    })
    expect(review).toMatchObject({ class: 'transformative', summary: 'backfills b; by trigger t of b backfills b', findings: [] })
  } finally {
    await client.query('rollback')
  }
})

/** What a function or a foreign key of the database adds is said once, in however many ways it is reached. */
test('functions that call each other, and tables that refer to each other, in very many ways are read once', async () => {
  await client.query('begin')
  try {
    await client.query(`do $$ begin for i in 1..24 loop
      execute format('create function g%s() returns void language plpgsql as $x$ begin perform g%s(); perform g%s(); end $x$', i, i + 1, i + 1);
      execute format('create table d%s (id int primary key)', i);
      for j in 1..i - 1 loop execute format('alter table d%s add column r%s int references d%s on delete cascade', i, j, j); end loop;
    end loop; end $$; create function g25() returns void language sql as 'delete from a'`)
    const reviews = await reviewMigrations(
      ['select g1()', 'delete from d1'].map((sql) => ({ name: sql, content: Buffer.from(sql) })),
      { sizes: [], schema: 'public', reactions: await readReactions(client) },
    )
    expect(reviews[0]?.findings).toEqual(['rows of a are deleted'])
    expect(reviews[1]?.findings).toHaveLength(1 + (24 * 23) / 2)
  } finally {
    await client.query('rollback')
  }
})

test.each([
  [
    'a function that the plan replaces',
    body('delete from a;'),
    'create or replace function f() returns void language plpgsql as $$ begin end $$; select f()',
    'creates function f',
  ],
  [
    'a key that an UPDATE leaves alone',
    'alter table b add primary key (id); create table k (b int references b on update cascade)',
    'update b set n = 1',
    'backfills b',
  ],
  [
    'the table of a view with a trigger in its place',
    `${body('return null;', 'trigger')} create view v as select * from a; create trigger t instead of update on v for each row execute function f()`,
    'update v set n = 1',
    'backfills v',
  ],
  ['an option that is off', 'select 1', 'explain (analyze 0) delete from a', 'changes nothing'],
])('%s adds nothing', async (_, before, sql, summary) => {
  await client.query('begin')
  try {
    await client.query(before)
    const reactions = await readReactions(client)
    const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], { sizes: [], schema: 'public', reactions })
    await client.query(sql)
    expect((await client.query('select from a')).rowCount).toBe(5)
    expect(review).toMatchObject({ summary, findings: [] })
  } finally {
    await client.query('rollback')
  }
})

test('what goes with a type, an extension, a function or an attribute is said', async () => {
  const said = async (sql: string) =>
    (await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], { sizes: [], schema: 'public' }))[0]?.findings
  expect(await said('drop type mood cascade')).toEqual(['columns of type mood are dropped with it (CASCADE), with what they hold'])
  expect(await said('drop extension citext cascade')).toEqual([
    'the tables that belong to it and columns that use extension citext are dropped with it (CASCADE), with what they hold',
  ])
  expect(await said('drop extension pg_cron')).toEqual(['extension pg_cron is dropped with the tables that belong to it'])
  expect(await said('drop function total(int) cascade')).toEqual([
    'generated columns that call function total are dropped with it (CASCADE), with what they hold',
  ])
  expect(await said('alter type address drop attribute street')).toEqual([
    'attribute street goes from every value of type address, with what it holds',
  ])
})

test('an INSERT of a hundred and fifty thousand rows is read', async () => {
  const sql = `insert into b values ${Array.from({ length: 150_000 }, () => '(1, 2)').join(', ')}`
  const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], { sizes: [], schema: 'public' })
  expect(review).toMatchObject({ class: 'transformative', summary: 'adds rows to b' })
})
