-- What only PostgreSQL 18 has.
create table newer (id integer primary key, a integer, v integer generated always as (a * 2) virtual, customer_id integer);
insert into newer (id, a, customer_id) select n, n, n from generate_series(1, 200) n;
alter table newer add constraint newer_customer foreign key (customer_id) references customers not enforced;
alter table newer add constraint newer_a not null a not valid;
