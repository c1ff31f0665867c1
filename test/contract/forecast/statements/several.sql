alter table loose validate constraint loose_quantity, alter quantity set default 1;

alter table loose validate constraint loose_customer, alter quantity set default 1;

alter table order_lines add column extra integer, add foreign key (customer_id) references customers;

alter table plain add column extra integer, add foreign key (extra) references customers;

alter table orders drop constraint orders_customer_id_fkey, add column extra integer;

alter table orders drop constraint orders_customer_id_fkey, add constraint orders_customer_id_fkey foreign key (customer_id) references customers on delete cascade;

alter table plain set (fillfactor = 70), alter note set statistics 10;

alter table plain set (fillfactor = 70), alter note set default 'x';

alter table plain drop column note, add column note integer;

alter table plain alter a type bigint, add constraint plain_positive check (a > 0), alter b drop not null;

alter table plain alter note set not null, alter note set default 'x', add column extra text default 'y';

alter table plain add column extra text, alter column note type varchar(50), drop column b;

alter table plain drop constraint plain_pkey, drop column id, add column id serial not null, add constraint plain_pkey primary key (id);

alter table serials drop constraint serials_pkey, drop column id, add column id text not null default 'x', add constraint serials_pkey primary key (id);

alter table plain rename column note to remark;
alter table plain alter remark set not null;

alter table plain rename to simple;
alter table simple add column extra integer;

alter table plain add column extra integer;
update plain set extra = a;
alter table plain alter extra set not null;

alter table plain add column extra integer;
create index plain_extra on plain (extra);
alter table plain add foreign key (extra) references customers;

drop index plain_b;
create index plain_b on plain (b, a);

create table fresh (id integer primary key);
alter table plain add column fresh_id integer references fresh;

create table fresh (id integer primary key);
alter table plain add column fresh_id integer;
alter table plain add constraint plain_fresh foreign key (fresh_id) references fresh (id);

drop table order_lines;
drop table sales.invoices;
drop table orders;

alter table plain drop column note;
alter table plain add column note varchar(10);
alter table plain alter note type varchar(20);

create index plain_note on plain (note);
alter table plain alter note type varchar(50);

alter table texts alter c type varchar(200);
alter table texts alter c type varchar(300);

alter table proofs drop constraint proofs_proven;
alter table proofs alter proven set not null;

alter table plain add constraint plain_noted check (note is not null);
alter table plain alter note set not null;

alter table orders drop constraint orders_customer_id_fkey;
alter table orders alter customer_id type bigint;

create view fresh as select note from plain;
alter table plain alter note type varchar(50);

drop view shown_twice;
drop view shown_names;
alter table shown alter name type varchar(50);
create view shown_names as select id, name from shown;

drop trigger watched_a on watched;
alter table watched alter a type bigint;

create type fresh as enum ('calm', 'busy');
alter table tickets alter state type fresh using state::text::fresh;

alter table tickets alter state drop default;
alter table tickets alter state type text;
drop type mood;

lock table plain in access exclusive mode;
alter table plain add column extra integer;

begin;
alter table plain add column extra integer;

alter table plain add column extra integer;
alter table plain add column extra integer;

insert into customers (id, code) values (1000, 'x');
alter table orders add column extra integer default 1000 references customers;

delete from plain;
alter table plain add column extra integer not null;

truncate plain;
alter table plain add column extra integer not null;

create table fresh (id integer primary key, note text not null);
create unique index fresh_note on fresh (note);
insert into fresh (id, note) select id, 'x' || id from customers;
drop table fresh;
