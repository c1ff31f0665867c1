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
  await client.query('create role shopkeeper; grant all on a, b to shopkeeper')
})
afterAll(async () => {
  await client.query('drop owned by shopkeeper; drop role shopkeeper')
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
  `create type pair as (x int); create function f(pair) returns int language plpgsql as $$ begin delete from a; return 1; end $$;
   create cast (pair as int) with function f(pair); select row(1)::pair::int`,
  `create function g(int, int) returns bool language plpgsql as $$ begin delete from a; return true; end $$;
   create operator === (function = g, leftarg = int, rightarg = int); select 1 === 2`,
  `create function g(int, int) returns int language plpgsql as $$ begin delete from a; return 1; end $$;
   create aggregate worst_of (int) (sfunc = g, stype = int); select worst_of(n) from a`,
  `${body('delete from a; return 1;', 'int')} create domain d as int default f(); create table c (x d); insert into c default values`,
  `${body('delete from a; return true;', 'bool')} create domain d as int check (f()); select 1::d`,
  `${body('delete from a; return 1;', 'int')} create function g(n int) returns int immutable language plpgsql as $$ begin return f(); end $$;
   create table c (n int, m int generated always as (g(n)) stored); insert into c values (1)`,
  `${body('delete from a;', 'event_trigger')} create event trigger e on ddl_command_end execute function f(); create table c ()`,
  `${body('delete from a; return true;', 'bool')} create function g() returns trigger language plpgsql as $$ begin return new; end $$;
   create trigger t before insert on b for each row when (f()) execute function g(); insert into b values (1)`,
  `${body('delete from a; return null;', 'trigger')} create trigger t after insert on b execute function f();
   set session_replication_role = replica; insert into b values (1); reset session_replication_role; insert into b values (2)`,
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
    `${body('truncate a;', 'event_trigger')} create event trigger e on sql_drop execute function f(); create table c (id int)`,
    'drop table c',
    'event trigger e runs with it: a is emptied',
  ],
  [
    `${body('delete from a;', 'event_trigger')} create event trigger e on table_rewrite execute function f()`,
    'alter table b alter column id type bigint',
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
    `create type pair as (x int); create function f(pair) returns int language plpgsql as $$ begin delete from a; return 1; end $$;
     create cast (pair as int) with function f(pair)`,
    'select row(1)::pair::int',
    'the cast from pair to int4 may run with it: rows of a are deleted',
  ],
  [
    `create type pair as (x int); create function f(pair) returns int language plpgsql as $$ begin delete from a; return 1; end $$;
     create cast (pair as int) with function f(pair) as assignment`,
    'insert into b (id) select row(1)::pair',
    'function f in a cast to a type of b may run with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return 1;', 'int')} create domain d as int default f(); create table c (x d, y int)`,
    'insert into c (y) values (1)',
    'function f in a default of c runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return true;', 'bool')} create domain d as int check (f()); create domain e as d; create table c (x e[])`,
    "insert into c values ('{1}')",
    'function f in a check of c runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return true;', 'bool')} create domain d as int check (f())`,
    'select 1::d',
    'the check of type d runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return 1;', 'int')} create domain d as int default f()`,
    'alter table b add column x d',
    'the default of type d runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return 1;', 'int')} alter table b alter n set default f()`,
    'update b set n = default',
    'function f in a default of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return 1;', 'int')} create function g(n int) returns int immutable language plpgsql as $$ begin return f(); end $$;
     alter table b add m int; truncate b; alter table b drop m, add m int generated always as (g(n)) stored; insert into a values (9, 9) on conflict do nothing`,
    'insert into b (n) values (1)',
    'function g in a generated column of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return 1;', 'int')} create function g(n int) returns int immutable language plpgsql as $$ begin return f(); end $$;
     truncate b; create index on b (g(n))`,
    'insert into b (n) values (1)',
    'function g in an index of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return true;', 'bool')} alter table b add constraint held check (f()) not valid`,
    'alter table b validate constraint held',
    'function f in a check of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return true;', 'bool')} create policy p on b for select using (f()); alter table b enable row level security`,
    'set role shopkeeper; select * from b',
    'function f in a policy of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return true;', 'bool')} create policy p on b for insert with check (f()); alter table b enable row level security; set local role shopkeeper`,
    'insert into b values (1)',
    'function f in a policy of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return null;', 'trigger')} create table p (id int, n int) partition by list (id); create table p1 partition of p for values in (1);
     create table p2 partition of p for values in (2); insert into p values (1); create trigger t after delete on p1 for each row execute function f()`,
    'update p set id = 2',
    'trigger t of p1 runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return null;', 'trigger')} create table p (id int, n int) partition by list (id); create table p1 partition of p for values in (1);
     create table p2 partition of p for values in (2); insert into p values (1); create trigger t after insert on p for each row execute function f()`,
    'merge into p using (select 1) s on true when matched then update set id = 2',
    'trigger t of p1 runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return new;', 'trigger')} create trigger t before insert on b for each row execute function f()`,
    "set session_replication_role = replica; insert into b values (1); set session_replication_role = 'local'; insert into b values (2)",
    'trigger t of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return new;', 'trigger')} create trigger t before insert on b for each row execute function f(); alter table b enable replica trigger t`,
    "select set_config('session_replication_role', 'replica', true); insert into b values (1)",
    'trigger t of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return new;', 'trigger')} create trigger t before insert on b for each row execute function f(); alter table b disable trigger t`,
    'do $$ begin alter table b enable trigger all; insert into b values (1); end $$',
    'trigger t of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a; return new;', 'trigger')} create trigger t before insert on b for each row execute function f(); create schema s; create table s.b ()`,
    'alter table s.b disable trigger all; insert into b values (1)',
    'trigger t of b runs with it: rows of a are deleted',
  ],
  [
    'create rule r as on insert to b do also delete from a; alter table b disable rule r',
    'alter table b enable rule r; insert into b values (1)',
    'rule r of b runs with it: rows of a are deleted',
  ],
  [
    `${body('delete from a;', 'event_trigger')} create event trigger e on ddl_command_end execute function f(); alter event trigger e disable`,
    'alter event trigger e enable; create table c ()',
    'event trigger e runs with it: rows of a are deleted',
  ],
  [
    `create function g(int, int) returns int language plpgsql as $$ begin delete from a; return 1; end $$;
     create aggregate worst_of (int) (sfunc = g, stype = int)`,
    'select worst_of(n) from b',
    'rows of a are deleted',
  ],
  [
    `${body('delete from a; return true;', 'bool')} create function g() returns trigger language plpgsql as $$ begin return new; end $$;
     create trigger t before insert on b for each row when (f()) execute function g()`,
    'insert into b values (1)',
    'trigger t of b runs with it: rows of a are deleted',
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
  [
    `${body('drop table a;', 'event_trigger')} create event trigger e on ddl_command_end when tag in ('CREATE TABLE') execute function f()`,
    'create table c (id int)',
    'event trigger e runs with it: table a is dropped with its rows',
  ],
  [
    `${body("execute 'alter table a drop column n';", 'event_trigger')} create event trigger e on ddl_command_start when tag in ('CREATE INDEX') execute function f()`,
    'create index on b (id)',
    'event trigger e runs with it: a.n is dropped with what it holds',
  ],
])('what an event trigger drops is said with what fires it: %s', async (setting, sql, finding) => {
  await client.query('begin')
  try {
    await client.query(setting)
    const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], {
      sizes: [],
      schema: 'public',
      reactions: await readReactions(client),
    })
    await client.query(sql)
    const { rowCount } = await client.query(
      `select from pg_attribute where attrelid = to_regclass('a') and attname in ('id', 'n') and not attisdropped`,
    )
    expect(rowCount).toBeLessThan(2)
    expect(review).toMatchObject({ class: 'breaking', findings: expect.arrayContaining([finding]) })
  } finally {
    await client.query('rollback')
  }
})

test.each([
  ['a trigger that is off', 'alter table b disable trigger t', 'update b set n = 1'],
  ['a trigger for another event', 'select 1', 'insert into b values (1)'],
  ['a trigger of a table of the same name in another schema', 'create schema s; create table s.b (n int)', 'update s.b set n = 1'],
  [
    'a trigger that the file switches off',
    'select 1',
    'alter table b disable trigger t; update b set n = 1; alter table b enable trigger t',
  ],
  [
    'a trigger that the file switches off with all of its table',
    'select 1',
    'alter table public.b disable trigger all; update b set n = 1',
  ],
  ['a trigger that the file drops', 'select 1', 'drop trigger t on b; update b set n = 1'],
  [
    'a trigger in a session for replicas',
    'select 1',
    "set session_replication_role = 'replica'; update b set n = 1; set session_replication_role to default",
  ],
  ['a trigger in a transaction for replicas', 'select 1', 'set local session_replication_role = replica; update b set n = 1'],
  [
    'a trigger in a session that a function makes one for replicas',
    'select 1',
    "select set_config('session_replication_role', 'replica', true); update b set n = 1",
  ],
  [
    'a trigger of another column',
    'drop trigger t on b; create trigger t before update of id on b for each row execute function f()',
    'update b set n = 1',
  ],
  [
    'a foreign key that the file drops',
    'drop trigger t on b; alter table b add primary key (id); alter table a add constraint k foreign key (id) references b on delete cascade not valid; insert into b select id from a',
    'alter table a drop constraint k; update b set n = 1; merge into b using (select 1) s on true when matched then delete',
  ],
  [
    'a default for which there is a value',
    'alter table b disable trigger t; create function g() returns int language plpgsql as $$ begin delete from a; return 1; end $$; alter table b alter n set default g()',
    'insert into b (id, n) values (1, 1)',
  ],
  [
    'a policy that does not bind',
    'alter table b disable trigger t; create function g() returns bool language plpgsql as $$ begin delete from a; return true; end $$; create policy p on b using (g()); alter table b enable row level security',
    'update b set n = 1',
  ],
  [
    'a trigger for each statement of a partition',
    'create table p (n int) partition by list (n); create table p1 partition of p default; create trigger t before update on p1 for each statement execute function f()',
    'update p set n = 1',
  ],
  [
    'a trigger of a partition for rows that stay there',
    'create table p (n int, k int) partition by list (k); create table p1 partition of p default; create trigger t after delete on p1 for each row execute function f(); insert into p values (1)',
    'update p set n = 1',
  ],
  [
    'a trigger of partitions that the file switches off',
    'create table p (n int, k int) partition by list (k); create table p1 partition of p default; create trigger t after update on p for each row execute function f(); insert into p values (1)',
    'alter table p disable trigger t; update p set n = 1',
  ],
])('%s says nothing', async (_, before, sql) => {
  await client.query('begin')
  try {
    await client.query(
      `${body('delete from a; return new;', 'trigger')} create trigger t before update on b for each row execute function f(); ${before}`,
    )
    const reactions = await readReactions(client)
    const [review] = await reviewMigrations([{ name: 'm', content: Buffer.from(sql) }], {
      sizes: [],
      schema: 'public',
      reactions,
      isOneScript: true,
    })
    await client.query(sql)
    expect((await client.query('select from a')).rowCount).toBe(5)
    expect(review?.class).toBe(/then delete/.test(sql) ? 'breaking' : 'transformative')
    expect(review?.findings.filter((finding) => /\ba\b(?! trigger)/.test(finding))).toEqual([])
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
