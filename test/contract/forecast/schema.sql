-- What the statements of this folder run on: each table has rows, and something that PostgreSQL treats in a way of its own.
create extension citext;
create schema sales;
create type mood as enum ('calm', 'busy', 'away');
create type place as (street text, city text);
create domain label as text;
create domain positive as integer check (value > 0);
create domain named as text default 'none';
create domain filled as text not null default 'full';
create function twice(integer) returns integer language sql immutable as 'select $1 * 2';
create function tick() returns integer language plpgsql volatile as 'begin return 1; end';
create function touch() returns trigger language plpgsql as 'begin return new; end';
create sequence counter;

create table texts (id integer primary key, c varchar(100) not null, v varchar(200), free text, bare varchar, fixed char(10), code text,
  own varchar(50) collate "en-x-icu");
insert into texts select n, 'c' || n, 'v' || n, 'f' || n, 'b' || n, n::text, gen_random_uuid()::text, 'o' || n from generate_series(1, 200) n;
create index texts_c on texts (c);
create index texts_free on texts (free);
create index texts_fixed on texts (fixed);
create index texts_code on texts (code);
create index texts_own on texts (own);

create table marked (id integer primary key, c varchar(100), other integer);
insert into marked select n, 'c' || n, n from generate_series(1, 200) n;
create index marked_lower on marked (lower(c));
create index marked_partial on marked (other) where c is not null;
create table invalid (id integer primary key, c varchar(100), u varchar(100));
insert into invalid select n, 'c' || n, 'same' from generate_series(1, 200) n;
create index invalid_c on invalid (c);
create unique index invalid_pair on invalid (u, id);
update pg_index set indisvalid = false where indexrelid in ('invalid_c'::regclass);
create table checked (id integer primary key, c varchar(100) check (c <> ''), d varchar(100));
insert into checked select n, 'c' || n, 'd' || n from generate_series(1, 200) n;

create table numbers (id integer primary key, s smallint, i integer, b bigint, r real, d double precision, n numeric(10, 2), bare numeric);
insert into numbers select n, n, n, n, n, n, n, n from generate_series(1, 200) n;
create index numbers_i on numbers (i);
create index numbers_n on numbers (n);

create table times (id integer primary key, ts timestamp, ts3 timestamp(3), tz timestamptz, tz6 timestamptz(6), iv interval(3), tm time(3), day date);
insert into times select n, '2024-06-01'::timestamp + n * '1 hour'::interval, '2024-06-01', '2024-06-01', '2024-06-01', '1 day', '12:00', '2024-06-01'
  from generate_series(1, 200) n;
create index times_ts on times (ts);
create index times_ts3 on times (ts3);
create index times_tz6 on times (tz6);

create table kinds (id integer primary key, net cidr, address inet, feeling mood, word text, doc json, docb jsonb, list varchar(10)[], bare_list varchar[],
  tag label, amount positive, plain text, bytes bytea, flag boolean, bits bit(8), vbits varbit(8));
insert into kinds select n, '10.0.0.0/8', '10.0.0.1', 'calm', 'calm', '{}', '{}', '{a}', '{a}', 'x', n, n::text, '\x00', true, b'00000000', b'1'
  from generate_series(1, 200) n;
create index kinds_net on kinds (net);
create index kinds_address on kinds (address);
create index kinds_feeling on kinds (feeling);
create index kinds_plain on kinds (plain);

create table customers (id integer primary key, code varchar(20) not null unique, email text, team integer);
insert into customers select n, 'c' || n, n || '@example.com', n % 10 from generate_series(1, 700) n;
create table orders (id integer primary key, customer_id integer not null references customers, customer_code varchar(20) references customers (code),
  note text, total numeric(10, 2), placed timestamptz, state mood not null default 'calm', constraint orders_total check (total >= 0));
insert into orders select n, n, 'c' || n, 'note', n, now(), 'calm' from generate_series(1, 200) n;
create index orders_customer on orders (customer_id);
create index orders_placed on orders (placed);
create table order_lines (id integer primary key, order_id integer not null references orders on delete cascade, quantity integer not null, customer_id integer);
insert into order_lines select n, n, n, n from generate_series(1, 200) n;
create table loose (id integer primary key, customer_id integer, quantity integer);
insert into loose select n, n, n from generate_series(1, 200) n;
alter table loose add constraint loose_customer foreign key (customer_id) references customers not valid;
alter table loose add constraint loose_quantity check (quantity > 0) not valid;
create table staff (id integer primary key, manager_id integer references staff, name text);
insert into staff select n, 1, 'n' from generate_series(1, 200) n;
create table "_CustomerToTeam" ("A" integer not null references customers on delete cascade, "B" integer not null references staff on delete cascade);
insert into "_CustomerToTeam" select n, n from generate_series(1, 200) n;
create unique index "_CustomerToTeam_AB_unique" on "_CustomerToTeam" ("A", "B");
create index "_CustomerToTeam_B_index" on "_CustomerToTeam" ("B");

create table proofs (id integer primary key, proven integer, both_a integer, positive integer, counted integer, either integer, pending integer, bare integer,
  constraint proofs_proven check (proven is not null),
  constraint proofs_both check (both_a is not null and both_a > 0),
  constraint proofs_positive check (positive > 0),
  constraint proofs_counted check (num_nonnulls(counted) = 1),
  constraint proofs_either check (either is not null or id < 0));
insert into proofs select n, n, n, n, n, n, n, n from generate_series(1, 200) n;
alter table proofs add constraint proofs_pending check (pending is not null) not valid;
create table keyless (id integer not null, ref integer, proven integer check (proven is not null), name text);
insert into keyless select n, n, n, 'n' from generate_series(1, 200) n;
create unique index keyless_id on keyless (id);
create unique index keyless_ref on keyless (ref);
create unique index keyless_proven on keyless (proven);
create index keyless_name on keyless (name);

create table events (id integer, at date not null, kind varchar(20), customer_id integer references customers, note text, primary key (id, at)) partition by range (at);
create table events_2023 partition of events for values from ('2023-01-01') to ('2024-01-01');
create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01');
create table events_default partition of events default;
insert into events select n, '2023-06-01'::date + n % 3 * 365, 'kind', n % 200 + 1, 'note' from generate_series(1, 600) n;
create index events_kind on events (kind);
create table events_2026 (id integer not null, at date not null, kind varchar(20), customer_id integer, note text);
insert into events_2026 select n, '2026-06-01', 'kind', n, 'note' from generate_series(1, 200) n;
create table logs (id integer not null, at date, line varchar(50)) partition by range (at);
create table logs_2023 partition of logs for values from ('2023-01-01') to ('2024-01-01');
create table logs_2024 partition of logs for values from ('2024-01-01') to ('2025-01-01');
insert into logs select n, '2023-06-01'::date + n % 2 * 365, 'line' from generate_series(1, 400) n;
create index logs_line on logs (line);
create table logs_2025 (id integer not null, at date, line varchar(50));
insert into logs_2025 select n, '2025-06-01', 'line' from generate_series(1, 200) n;
create table logs_2026 (id integer not null, at date, line varchar(50),
  constraint logs_2026_at check (at is not null and at >= '2026-01-01' and at < '2027-01-01'));
insert into logs_2026 select n, '2026-06-01', 'line' from generate_series(1, 200) n;
create index logs_2026_line on logs_2026 (line);
create table logs_2027 (id integer not null, at date, line varchar(50), constraint logs_2027_at check (at >= '2027-01-01' and at < '2028-01-01'));
insert into logs_2027 select n, '2027-06-01', 'line' from generate_series(1, 200) n;
create table readings (id integer, region integer, value integer, primary key (id, region)) partition by list (region);
create table readings_1 partition of readings for values in (1);
create table readings_2 partition of readings for values in (2);
insert into readings select n, n % 2 + 1, n from generate_series(1, 400) n;
create table readings_3 (id integer not null, region integer not null, value integer);
insert into readings_3 select n, 3, n from generate_series(1, 200) n;
create table alarms (id integer primary key, reading integer, region integer, foreign key (reading, region) references readings);
insert into alarms select n, n, n % 2 + 1 from generate_series(1, 200) n;
create table tree (id integer not null, a integer, b integer, word varchar(10)) partition by list (a);
create table tree_1 partition of tree for values in (1) partition by list (b);
create table tree_1_1 partition of tree_1 for values in (1);
create table tree_2 partition of tree for values in (2);
insert into tree select n, n % 2 + 1, 1, 'w' from generate_series(1, 400) n;
create index tree_word on tree (word);

create table priced (id integer primary key, amount positive, name named, word filled);
insert into priced select n, n, 'n', 'w' from generate_series(1, 200) n;
create table prices (id integer primary key, amount positive not null, tag label);
insert into prices select n, n, 't' from generate_series(1, 200) n;
create table tickets (id integer primary key, state mood not null default 'calm', earlier mood);
insert into tickets select n, 'calm', 'busy' from generate_series(1, 200) n;
create index tickets_state on tickets (state);
create table shown (id integer primary key, name text, total numeric(10, 2), hidden text);
insert into shown select n, 'n', n, 'h' from generate_series(1, 200) n;
create view shown_names as select id, name from shown;
create view shown_twice as select id from shown_names;
create materialized view shown_totals as select id, total from shown;
create unique index shown_totals_id on shown_totals (id);
create table totals (id integer primary key, a integer, b integer generated always as (a * 2) stored, c text);
insert into totals select n, n from generate_series(1, 200) n;
create index totals_b on totals (b);
create table watched (id integer primary key, a integer, b varchar(10));
insert into watched select n, n, 'b' from generate_series(1, 200) n;
create trigger watched_a before update of a on watched for each row execute function touch();
create trigger watched_all after insert on watched for each row execute function touch();
create table identities (id integer generated by default as identity primary key, note text);
insert into identities (note) select 'n' from generate_series(1, 200) n;
create table serials (id serial primary key, note text);
insert into serials (note) select 'n' from generate_series(1, 200) n;
create table guarded (id integer primary key, owner name, note text);
insert into guarded select n, 'somebody', 'n' from generate_series(1, 200) n;
alter table guarded enable row level security;
create policy guarded_own on guarded using (owner = current_user);
create table published (id integer primary key, note text);
insert into published select n, 'n' from generate_series(1, 200) n;
create publication feed for table published;
create table parent (id integer not null, note varchar(50));
create table child (extra integer) inherits (parent);
insert into parent select n, 'n' from generate_series(1, 200) n;
insert into child select n, 'n', n from generate_series(1, 200) n;
create table bookings (id integer primary key, during int4range, room integer);
insert into bookings select n, int4range(n * 10, n * 10 + 5), n from generate_series(1, 200) n;
create unlogged table scratch (id integer primary key, note text);
insert into scratch select n, 'n' from generate_series(1, 200) n;
create table plain (id integer primary key, a integer, b integer not null default 1, note text, constraint plain_a unique (a));
insert into plain select n, n, n, 'n' from generate_series(1, 200) n;
create index plain_b on plain (b);
create statistics plain_ab on a, b from plain;
comment on table plain is 'plain';
create table deferred (id integer primary key, customer_id integer, constraint deferred_customer foreign key (customer_id) references customers deferrable);
insert into deferred select n, n from generate_series(1, 200) n;
create table sales.invoices (id integer primary key, number text, order_id integer references orders);
insert into sales.invoices select n, 'n', n from generate_series(1, 200) n;
create table empty (id integer primary key, note text, customer_id integer);
