create type fresh as enum ('a', 'b');

create type mood as enum ('a', 'b');

create type fresh as (a integer, b text);

alter type mood add value 'new';

alter type mood add value if not exists 'calm';

alter type mood add value 'calm';

alter type mood add value 'new' before 'busy';

alter type mood add value 'new';
insert into tickets (id, state) values (1000, 'new');

alter type mood add value 'new';
alter table tickets alter state set default 'new';

alter type mood rename value 'calm' to 'quiet';

alter type mood rename to humour;

alter type mood owner to current_user;

alter type mood set schema sales;

alter type place add attribute zip text;

alter type place drop attribute city;

alter type place rename attribute city to town;

drop type mood;

drop type mood cascade;

drop type place;

drop type if exists absent;

create domain fresh as text check (value <> '');

alter domain positive add constraint positive_small check (value < 1000);

alter domain positive add constraint positive_small check (value < 1000) not valid;

alter domain positive add constraint positive_small check (value < 10);

alter domain positive add constraint positive_small check (value < 1000) not valid;
alter domain positive validate constraint positive_small;

alter domain positive set not null;

alter domain filled drop not null;

alter domain positive drop constraint positive_check;

alter domain named set default 'other';

alter domain named drop default;

alter domain label add check (value <> '');

alter domain positive rename to above_zero;

alter domain positive rename constraint positive_check to positive_value;

drop domain label;

drop domain label cascade;

create sequence fresh;

create sequence fresh owned by plain.a;

alter sequence counter restart;

alter sequence counter restart with 1000;

alter sequence counter as bigint;

alter sequence counter increment by 10;

alter sequence counter owned by plain.a;

alter sequence serials_id_seq as bigint;

alter sequence counter rename to counted;

alter sequence counter owner to current_user;

drop sequence counter;

drop sequence serials_id_seq;

drop sequence serials_id_seq cascade;

create view fresh as select * from plain;

create or replace view shown_names as select id, name, hidden from shown;

create or replace view shown_names as select id from shown;

create view shown_names as select 1;

drop view shown_twice;

drop view shown_names;

drop view shown_names cascade;

drop view if exists absent;

alter view shown_names alter column name set default 'x';

alter view shown_names set (security_barrier = true);

create materialized view fresh as select * from plain;

create materialized view fresh as select * from plain with no data;

refresh materialized view shown_totals;

refresh materialized view concurrently shown_totals;

refresh materialized view shown_totals with no data;

drop materialized view shown_totals;

alter materialized view shown_totals rename to shown_sums;

create function fresh() returns integer language sql as 'select 1';

create or replace function twice(integer) returns integer language sql immutable as 'select $1 + $1';

create or replace function touch() returns trigger language plpgsql as 'begin return null; end';

alter function tick() stable;

alter function tick() rename to tock;

drop function tick();

drop function touch();

drop function touch() cascade;

drop function if exists absent();

create procedure fresh() language sql as 'select 1';

create aggregate fresh (integer) (sfunc = int4pl, stype = integer);

create trigger plain_touch before update on plain for each row execute function touch();

create trigger plain_touch after insert on plain for each statement execute function touch();

create or replace trigger watched_all after update on watched for each row execute function touch();

create constraint trigger plain_later after insert on plain deferrable initially deferred for each row execute function touch();

create trigger watched_all after update on watched for each row execute function touch();

alter trigger watched_all on watched rename to watched_every;

drop trigger watched_all on watched;

drop trigger if exists absent on watched;

drop trigger absent on watched;

create event trigger fresh on ddl_command_end execute function tick();

create publication fresh for table plain;

create publication fresh for table plain, events;

create publication fresh for all tables;

create publication fresh;

-- from 15
create publication fresh for tables in schema sales;

alter publication feed add table plain;

alter publication feed drop table published;

alter publication feed set table plain;

alter publication feed set (publish = 'insert');

drop publication feed;

grant select on plain to public;

revoke all on plain from public;

grant usage on schema sales to public;

grant select on all tables in schema public to public;

grant select (note) on plain to public;

grant usage on type mood to public;

grant execute on function tick() to public;

alter default privileges in schema public grant select on tables to public;

grant usage on sequence counter to public;

create role forecast_other;

create extension hstore;

create extension if not exists citext;

drop extension citext;

create extension absent_extension;

create cast (integer as mood) with inout;

create collation fresh from "C";

create operator === (leftarg = integer, rightarg = integer, function = int4eq);

create text search configuration fresh (copy = simple);

alter schema sales rename to trade;

alter schema sales owner to current_user;

security label on table plain is 'x';

create foreign data wrapper fresh;

create server absent_server foreign data wrapper absent_wrapper;

reassign owned by current_user to current_user;

notify something;

listen something;

set constraints all deferred;

set role none;

reset all;

discard plans;

call absent();
