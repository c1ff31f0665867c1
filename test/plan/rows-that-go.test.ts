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
