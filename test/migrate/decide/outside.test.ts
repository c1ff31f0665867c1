import { afterAll, beforeAll, expect, test } from 'vitest'
import pg from 'pg'
import { actingOutside } from '../../../src/migrate/decide/outside.ts'
import { wordsReached } from '../../../src/migrate/decide/reach.ts'
import { createDatabase, type TestDatabase } from '../../helpers/postgres.ts'

let database: TestDatabase
let client: pg.Client

beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query(`
    create extension dblink; create extension pgcrypto; create function strange(text, text) returns bytea language c strict as '$libdir/pgcrypto', 'pg_digest';
    create table plain (id int); create table watched (id int); create table filled (id int); create table held (id int check (id < 7)); create table hidden (id int); create view shown as select 1 as id;
    create function far() returns int language plpgsql as $$ begin perform dblink_exec('x', 'y'); return 1; end $$;
    create function "through it"() returns int language sql as 'select far()';
    create function atomic() returns int language sql begin atomic select far(); end;
    create function near() returns int language sql as 'select 1';
    create function on_row() returns trigger language plpgsql as $$ begin perform atomic(); return new; end $$;
    create trigger watching after insert on watched for each row execute function on_row();
    alter table filled alter id set default far();
    alter table held add check (id < far()); create policy own on hidden using (id < far());
    create or replace view shown as select far() as id;
    create function blank() returns trigger language plpgsql as $$ begin return new; end $$;
    create foreign data wrapper other; create server away foreign data wrapper other; create foreign table keys (id int) server away;
    create table chained (id int); create procedure fill() language plpgsql as $$ begin insert into chained values (1); end $$;
    create function on_chain() returns trigger language plpgsql as $$ begin insert into "watched" values (1); return new; end $$;
    create trigger chaining after insert on chained for each row execute function on_chain();
    create view window_on as select * from watched; create table held_by (id int primary key); alter table watched add foreign key (id) references held_by on delete cascade;
    create table parts (id int) partition by list (id); create table part_one partition of parts for values in (1); create trigger parting after insert on part_one for each row execute function on_row();
    create function on_ddl() returns event_trigger language plpgsql as $$ begin perform pg_logical_emit_message(false, 'ddl', tg_tag); end $$;
    create function step(int, int) returns int language sql as 'select far()'; create aggregate "gather all" (int) (sfunc = step, stype = int);
    create function same(int, int) returns bool language sql as 'select far() = 1'; create operator === (function = same, leftarg = int, rightarg = int);
    create type pair as (x int); create function unpair(pair) returns int language sql as 'select far()'; create cast (pair as int) with function unpair(pair);
    create function steady(int) returns int language plpgsql immutable as $$ begin return far(); end $$; create table sorted (id int); create index on sorted (steady(id));
    create domain checked as int check (value < far()); create table domained (id checked); create domain given as int default far(); create table defaulted (n int, id given);
    create table guarded (id int); create trigger guarding before insert on guarded for each row when (far() = 1) execute function blank();
    create table made (id int, twice int generated always as (steady(id)) stored); create statistics counted on (steady(id)), id from sorted;
    create event trigger saying on ddl_command_end when tag in ('CREATE EXTENSION', 'ALTER VIEW') execute function on_ddl()`)
})
afterAll(async () => {
  await client.end()
  await database.close()
})

const reached = async (sql: string) => {
  const words = new Set(sql.split(/\W+/).concat(sql.split(/'|"/)))
  return actingOutside(client, await wordsReached(client, { sql, words }))
}

test.each([
  ['what it calls', 'select far()', ['far']],
  ['what calls that', 'select "through it"()', ['far']],
  ['a body in SQL that calls it', 'select atomic()', ['far']],
  ['a trigger of a table', 'insert into watched values (1)', ['far']],
  ['a default of a table', 'insert into filled default values', ['far']],
  ['a check of a table', 'update held set id = 1', ['far']],
  ['a policy of a table', 'update hidden set id = 1', ['far']],
  ['a foreign table of a wrapper that nobody knows', 'insert into keys values (1)', ['keys']],
  ['a trigger behind a trigger behind a procedure', 'call fill()', ['far']],
  ['a table behind a view', 'insert into window_on values (1)', ['far']],
  ['a table whose rows go with those of another', 'delete from held_by', ['far']],
  ['a partition', 'insert into parts values (1)', ['far']],
  ['a function in C that belongs to nothing known', "select strange('a', 'md5')", ['strange']],
  ['a view', 'select id from shown', ['far']],
  ['an aggregate', 'select "gather all"(1)', ['far']],
  ['an operator', 'select 1 === 2', ['far']],
  ['an operator with its schema', 'select 1 operator(public.===) 2', ['far']],
  ['a cast', 'select row(1)::pair::int', ['far']],
  ['an expression of an index', 'insert into sorted values (1)', ['far']],
  ['a check of a domain', 'insert into domained values (1)', ['far']],
  ['a default of a domain', 'insert into defaulted (n) values (1)', ['far']],
  ['a value of a domain', 'select 1::checked', ['far']],
  ['the condition of a trigger', 'insert into guarded values (1)', ['far']],
  ['a generated column', 'insert into made values (1)', ['far']],
  ['an event trigger', 'create\nextension lo', ['on_ddl']],
  ['an event trigger in a block', "do $$ begin execute 'alter view shown rename to seen'; end $$", ['far', 'on_ddl']],
])('a file reaches %s', async (_what, sql, names) => {
  expect(await reached(sql)).toEqual(names)
})

test.each(['insert into plain values (near())', 'create table other (id int)', 'alter table plain add x int', "select digest('a', 'md5')"])(
  'what the file does not reach is not held against it: %s',
  async (sql) => {
    expect(await reached(sql)).toEqual([])
  },
)
