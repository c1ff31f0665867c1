create table fresh (id integer primary key, note text);

create table fresh (id integer primary key, customer_id integer references customers);

create table fresh (id integer primary key, customer_id integer references customers, order_id integer references orders on delete cascade);

create table fresh (id serial primary key, state mood not null default 'calm', amount positive);

create table fresh (like plain including all);

create table fresh as select * from plain;

create table if not exists plain (id integer);

create table plain (id integer);

create table sales.fresh (id integer primary key);

create table absent.fresh (id integer primary key);

create unlogged table fresh (id integer);

create temporary table fresh (id integer);

create table fresh () inherits (parent);

create table fresh (reading integer, region integer, foreign key (reading, region) references readings);

create table fresh (id integer, at date) partition by range (at);

create table fresh (id integer primary key);
alter table fresh add column customer_id integer references customers;
create index fresh_customer on fresh (customer_id);

create table fresh (id integer primary key, note text);
insert into fresh select id, note from plain;
alter table fresh alter note set not null;

select * into fresh from plain;

drop table plain;

drop table orders;

drop table orders cascade;

drop table order_lines;

drop table customers cascade;

drop table staff;

drop table shown;

drop table shown cascade;

drop table if exists absent;

drop table absent;

drop table plain, empty;

drop table orders, order_lines, sales.invoices, alarms;

drop table events;

drop table events_2023;

drop table events_default;

drop table logs_2023;

drop table readings_1;

drop table readings cascade;

drop table parent;

drop table parent cascade;

drop table child;

drop table published;

drop table watched;

drop table serials;

drop table sales.invoices;

drop schema sales;

drop schema sales cascade;

create schema fresh;

create schema if not exists sales;

truncate plain;

truncate customers;

truncate customers cascade;

truncate order_lines;

truncate orders, order_lines, sales.invoices;

truncate events;

truncate events_2023;

truncate serials restart identity;

truncate only parent;

alter table plain set unlogged;

alter table scratch set logged;

alter table orders set unlogged;

alter table order_lines set unlogged;

alter table plain set schema sales;

alter table events set schema sales;

alter table serials set schema sales;

alter table plain set (fillfactor = 70);

alter table plain set (autovacuum_enabled = false);

alter table plain set (toast_tuple_target = 256);

alter table plain reset (fillfactor);

alter table plain set (user_catalog_table = true);

alter table plain set tablespace pg_default;

-- from 15
alter table plain set access method heap;

alter table plain cluster on plain_b;

alter table plain set without cluster;

alter table plain set without oids;

cluster plain using plain_pkey;

alter table plain owner to current_user;

create role forecast_other;
alter table plain owner to forecast_other;

create role forecast_other;
alter table events owner to forecast_other;

alter table plain enable row level security;

alter table guarded disable row level security;

alter table plain force row level security;

alter table guarded no force row level security;

create policy plain_all on plain using (true);

create policy plain_own on plain using (exists (select from customers where customers.id = plain.a));

alter policy guarded_own on guarded using (true);

drop policy guarded_own on guarded;

drop policy if exists absent on guarded;

alter table plain replica identity full;

alter table plain replica identity nothing;

alter table plain replica identity using index plain_pkey;

alter table plain disable trigger all;

alter table watched disable trigger watched_all;

alter table watched disable trigger user;

alter table watched enable always trigger watched_all;

alter table watched enable replica trigger watched_all;

alter table orders disable trigger all;

create rule plain_kept as on delete to plain do instead nothing;

create rule plain_kept as on delete to plain do instead nothing;
alter table plain disable rule plain_kept;

create rule plain_kept as on delete to plain do also delete from customers where customers.id = old.a;

alter table logs_2025 inherit parent;

create table stepchild (id integer not null, note varchar(50));
alter table stepchild inherit parent;

alter table child no inherit parent;

alter table plain of place;

lock table plain;

lock table plain in share mode;

lock table plain in access share mode nowait;

lock table events in share row exclusive mode;

lock table parent;

lock table only parent;

lock table shown_names;

insert into plain values (1000, 1000, 1, 'x');

insert into orders (id, customer_id) values (1000, 1);

insert into plain select id + 1000, a + 1000, b, note from plain;

update plain set note = 'y';

update plain set note = 'y' where id = 1;

update customers set code = code || 'x';

update events set note = 'y';

update shown_names set name = 'x';

delete from plain;

delete from plain where note = 'none';

delete from orders where id = 1;

delete from order_lines using orders where orders.id = order_lines.order_id;

select 1;

select count(*) from plain;

select * from plain for update;

select * from plain join customers on customers.id = plain.a;

with moved as (delete from plain returning *) insert into empty (id, note) select id, note from moved;

do $$ begin execute 'alter table plain add column extra integer'; end $$;

do $$ begin alter table plain add column extra integer; end $$;

do $$ begin if not exists (select from pg_type where typname = 'mood') then create type mood as enum ('x'); end if; end $$;

select tick();

select setval('counter', 100);

select nextval('counter');

select pg_advisory_xact_lock(1);

select set_config('search_path', 'sales', true);
alter table invoices add column extra integer;

set search_path to sales;
alter table invoices add column extra integer;

set lock_timeout = 0;
alter table plain add column extra integer;

set local statement_timeout = '5s';

-- from 15
merge into plain using customers on customers.id = plain.id when matched then update set note = 'y';

values (1);

explain select * from plain;

explain analyze update plain set note = 'z';

prepare asked as select * from plain;

declare walking cursor for select * from plain;

alter table plain nonsense;

select * from absent;

insert into absent values (1);

update plain set absent = 1;

savepoint here;
alter table plain add column extra integer;
rollback to savepoint here;
