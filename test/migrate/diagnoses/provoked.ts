/** A statement that makes a real server say something, after what is there before it. */
export type Provoked = {
  readonly state: string
  readonly sql: string
  /** As a script of its own, outside of the transaction that is undone. */
  readonly alone?: true
}

/** In every row's database. */
export const THERE = `create table customers (id int primary key, email text);
create table orders (id int primary key, customer_id int, total int, note text default 'none', placed timestamptz default '2026-01-01');
insert into customers values (1, 'a@example.com'), (2, 'a@example.com');
insert into orders values (1, 9, null), (2, 1, -5);
create type status as enum ('open');
create view totals as select total from orders;
create materialized view sums as select sum(total) as sum from orders with no data;
create table taxed (net int, gross int generated always as (net * 2) stored);
create table watched (amount int); create function seen() returns trigger language plpgsql as 'begin return new; end';
create trigger watched_amount before update of amount on watched for each row execute function seen();
create table ruled (amount int); create rule ruled_amount as on update to ruled where new.amount > 0 do also select new.amount;
create table secret (owner text, amount int); alter table secret enable row level security; create policy own on secret using (amount > 0);
grant select, insert on secret to pg_monitor;
create table parts (id int, day date) partition by range (day); create table parts_2026 partition of parts for values from ('2026-01-01') to ('2027-01-01');
create table children (id int primary key, parent int references customers deferrable initially deferred);
create table numbered (id int generated always as identity, name text);
create table booked (room int, during int4range, exclude using gist (during with &&)); insert into booked values (1, '[1,5)');
create function twice(n int) returns int language sql as 'select n * 2';
create function stamp() returns timestamptz language sql volatile as 'select clock_timestamp()';
`

export const PROVOKED: Readonly<Record<string, Provoked>> = {
  'rows that Prisma does not send': { state: '57014', sql: 'copy customers (id, email) from stdin;', alone: true },
  'COPY from a client in a block': { state: '0A000', sql: `do $$ begin execute 'copy customers from stdin'; end $$;` },
  'a column in a view': { state: '0A000', sql: 'alter table orders alter column total type bigint;' },
  'a column in a rule': { state: '0A000', sql: 'alter table ruled alter column amount type bigint;' },
  'a column in a generated column': { state: '0A000', sql: 'alter table taxed alter column net type bigint;' },
  'a column in a trigger': { state: '0A000', sql: 'alter table watched alter column amount type bigint;' },
  'a column in a policy': { state: '0A000', sql: 'alter table secret alter column amount type bigint;' },
  'an extension that is not there': { state: '0A000', sql: 'create extension vector;' },
  'a key without the partition key': { state: '0A000', sql: 'alter table parts add primary key (id);' },
  'another database': { state: '0A000', sql: 'select * from elsewhere.public.orders;' },
  'a text that is too long': { state: '22001', sql: 'alter table customers alter column email type varchar(3);' },
  'a number that is too large': { state: '22003', sql: 'insert into orders (id) values (3000000000);' },
  'a date that is none': { state: '22007', sql: `insert into orders (id, placed) values (3, 'soon');` },
  'a day that is not in the calendar': { state: '22008', sql: `insert into orders (id, placed) values (3, '2026-02-30');` },
  'a text that is no number': { state: '22P02', sql: 'alter table customers alter column email type int using email::int;' },
  'a value that an enum does not have': {
    state: '22P02',
    sql: `alter table customers alter column email type status using email::status;`,
  },
  'a required column without values': { state: '23502', sql: 'alter table orders alter column total set not null;' },
  'a foreign key that rows break': {
    state: '23503',
    sql: 'alter table orders add constraint orders_customer foreign key (customer_id) references customers;',
  },
  duplicates: { state: '23505', sql: 'create unique index customers_email on customers (email);' },
  'a check that rows break': { state: '23514', sql: 'alter table orders add constraint positive check (total > 0);' },
  'a row without a partition': { state: '23514', sql: `insert into parts values (1, '2030-01-01');` },
  'rows that exclude each other': { state: '23P01', sql: `insert into booked values (1, '[2,3)');` },
  'a read-only transaction of its own': { state: '25006', sql: 'set transaction read only; create table t (id int);' },
  'a statement after a failure': { state: '25P02', sql: `begin; create table b (id int)`, alone: true },
  'CONCURRENTLY beside others': { state: '25001', sql: 'create index concurrently i on orders (total); select 1;', alone: true },
  'a prepared statement that is not there': { state: '26000', sql: 'execute nothing;' },
  'a prepared statement that is there twice': { state: '42P05', sql: 'prepare s0 as select 1; prepare s0 as select 1;' },
  'what others depend on': { state: '2BP01', sql: 'alter table orders drop column total;' },
  'a key that others point at': { state: '2BP01', sql: 'alter table customers drop constraint customers_pkey;' },
  'a block that commits among others': { state: '2D000', sql: 'select 1; do $$ begin commit; end $$;', alone: true },
  'a schema that is not there': { state: '3F000', sql: 'create table audit.t (id int);' },
  'an identity that is written to': { state: '428C9', sql: `insert into numbered values (1, 'a');` },
  'a role that is not there': { state: '42704', sql: 'grant select on orders to nobody_knows;' },
  'a table of another role': { state: '42501', sql: 'set local role pg_monitor; alter table orders add column x int;' },
  'a table that the role may not read': { state: '42501', sql: 'set local role pg_monitor; update orders set total = 1;' },
  'a row that row-level security refuses': { state: '42501', sql: `set local role pg_monitor; insert into secret values ('x', -1);` },
  'an extension that only a superuser may create': { state: '42501', sql: 'set local role pg_monitor; create extension file_fdw;' },
  'a mistake': { state: '42601', sql: 'select 1;\ncreate tabel t (id int);' },
  'an INSERT with too many values': { state: '42601', sql: `insert into customers (id) values (5, 'x');` },
  'a UNION of different lengths': { state: '42601', sql: 'select 1 union select 1, 2;' },
  'a column that is named twice': { state: '42701', sql: 'alter table orders add column total int;' },
  'a column that is ambiguous': { state: '42702', sql: 'select id from orders join customers on true;' },
  'a column that is not there': { state: '42703', sql: 'select 1;\nupdate orders\n   set nothing = 1;' },
  'a function that is not there': { state: '42883', sql: 'alter table orders add column code text default nanoid(10);' },
  'a table that is not there': { state: '42P01', sql: 'alter table missing add column x int;' },
  'a table that is there': { state: '42P07', sql: 'create table orders (id int);' },
  'a type that is there': { state: '42710', sql: `create type status as enum ('a');` },
  'a type that does not cast': { state: '42804', sql: 'alter table customers alter column email type int;' },
  'a default that does not cast': { state: '42804', sql: 'alter table orders alter column note type int using null;' },
  'a foreign key of another type': {
    state: '42804',
    sql: 'alter table orders add constraint orders_note foreign key (note) references customers;',
  },
  'types that cannot be compared': { state: '42804', sql: 'select case when true then 1 else now() end;' },
  'a view that is altered as a table': { state: '42809', sql: 'alter table totals add column x int;' },
  'a foreign key NOT VALID on a partitioned table': {
    state: '42809',
    sql: 'alter table parts add constraint parts_id foreign key (id) references customers not valid;',
  },
  'a foreign key without a key to point at': {
    state: '42830',
    sql: 'alter table orders add foreign key (note) references customers (email);',
  },
  'a cast that there is not': { state: '42846', sql: 'select 1::int::date;' },
  'a conflict target without a key': { state: '42P10', sql: `insert into customers values (3, 'b') on conflict (email) do nothing;` },
  'a function that returns something else': {
    state: '42P13',
    sql: `create or replace function twice(n int) returns text language sql as 'select n::text';`,
  },
  'a second primary key': { state: '42P16', sql: 'alter table customers add primary key (email);' },
  'a view with fewer columns': { state: '42P16', sql: 'create or replace view totals as select id from orders;' },
  'a key that would become optional': { state: '42P16', sql: 'alter table customers alter column id drop not null;' },
  'an index over what changes': { state: '42P17', sql: 'create index i on orders (stamp());' },
  'values that are too long for an index': {
    state: '54000',
    sql: `insert into customers select 9, string_agg(md5(i::text), '') from generate_series(1, 2000) i; create index i on customers (email);`,
  },
  'too many columns': {
    state: '54011',
    sql: `do $$ begin execute 'create table wide (' || (select string_agg('c' || i || ' int', ',') from generate_series(1, 1700) i) || ')'; end $$;`,
  },
  'a view that was never filled': { state: '55000', sql: 'select * from sums;' },
  'rows and their table in one file': {
    state: '55006',
    sql: 'insert into children values (1, 1);\nalter table children add column x int;',
  },
  'a table that a cursor reads': {
    state: '55006',
    sql: 'declare c cursor for select * from orders; fetch c; alter table orders add column x int;',
  },
  'a lock that is held': {
    state: '55P03',
    sql: `do $$ begin raise lock_not_available using message = 'canceling statement due to lock timeout'; end $$;`,
  },
  'a lock that is not waited for': {
    state: '55P03',
    sql: `do $$ begin raise lock_not_available using message = 'could not obtain lock on relation "orders"'; end $$;`,
  },
  'an enum value that is too new': {
    state: '55P04',
    sql: `alter type status add value 'sent'; create table t (s status default 'sent');`,
    alone: true,
  },
  'a statement that takes too long': { state: '57014', sql: `set local statement_timeout = '50ms'; select pg_sleep(5);` },
  'a file that the server does not have': { state: '58P01', sql: `copy customers from '/nowhere/rows.csv';` },
  'a message of its own': {
    state: 'P0001',
    sql: `do $$ begin raise exception 'orders are open; timed out' using hint = 'close them'; end $$;`,
  },
  'more locks than the server has room for': {
    state: '53200',
    sql: `do $$ begin raise out_of_memory using message = 'out of shared memory', hint = 'You might need to increase max_locks_per_transaction.'; end $$;`,
  },
  'a server that changes the same': {
    state: 'XX000',
    sql: `do $$ begin raise internal_error using message = 'tuple concurrently updated'; end $$;`,
  },
  'what nobody knows': { state: '22012', sql: 'select 1;\nselect total / 0 from orders;' },
  'what nobody knows, with a place': { state: '42803', sql: 'select 1;\nselect id,\n       count(*)\n  from orders;' },
  'a column that is named twice in one INSERT': { state: '42701', sql: 'insert into orders (id, id) values (3, 4);' },
  'a table that FROM does not name': { state: '42P01', sql: 'update orders set total = customers.id;' },
  'a partition that is none': { state: '42P01', sql: 'alter table parts detach partition orders;' },
  'a setting that is none': { state: '42704', sql: 'set sql_mode to ansi;' },
  'an operator for other types': { state: '42883', sql: 'update orders set total = note + 1;' },
  'a table that others refer to, emptied': { state: '0A000', sql: 'truncate customers;' },
  'VACUUM beside something else': { state: '25001', sql: 'select 1; vacuum orders;', alone: true },
}
