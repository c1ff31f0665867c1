create index on events (customer_id);

create index on only events (customer_id);

create index on only logs (id);
create index logs_2023_id on logs_2023 (id);
create index logs_2024_id on logs_2024 (id);
alter index logs_id_idx attach partition logs_2023_id;
alter index logs_id_idx attach partition logs_2024_id;

create index on events_2023 (note);

create unique index on events (id, at, kind);

create unique index on events (kind);

drop index events_kind;

drop index events_2023_kind_idx;

alter index events_kind rename to events_by_kind;

reindex table events_2023;

create index if not exists events_kind on events (kind);

alter table logs attach partition logs_2025 for values from ('2025-01-01') to ('2026-01-01');

alter table logs attach partition logs_2026 for values from ('2026-01-01') to ('2027-01-01');

alter table logs attach partition logs_2027 for values from ('2027-01-01') to ('2028-01-01');

alter table logs attach partition logs_2025 default;

alter table logs attach partition logs_2025 for values from ('2024-06-01') to ('2026-01-01');

alter table logs attach partition logs_2025 for values from ('2027-01-01') to ('2028-01-01');

alter table logs attach partition plain for values from ('2027-01-01') to ('2028-01-01');

alter table events attach partition events_2026 for values from ('2026-01-01') to ('2027-01-01');

alter table events_2026 add constraint events_2026_at check (at >= '2026-01-01' and at < '2027-01-01');
alter table events attach partition events_2026 for values from ('2026-01-01') to ('2027-01-01');

alter table events_default add constraint events_default_at check (at < '2026-01-01' or at >= '2027-01-01');
alter table events attach partition events_2026 for values from ('2026-01-01') to ('2027-01-01');

alter table readings attach partition readings_3 for values in (3);

alter table tree_1 attach partition alarms for values in (3);

create table events_2027 partition of events for values from ('2027-01-01') to ('2028-01-01');

create table events_2027 partition of events for values from ('2024-06-01') to ('2028-01-01');

create table logs_2028 partition of logs for values from ('2028-01-01') to ('2029-01-01');

create table logs_rest partition of logs default;

create table readings_4 partition of readings for values in (4);

create table tree_1_2 partition of tree_1 for values in (2);

create table tree_3 partition of tree for values in (3) partition by list (b);

alter table logs detach partition logs_2023;

alter table events detach partition events_2023;

alter table events detach partition events_default;

alter table readings detach partition readings_1;

alter table tree detach partition tree_1;

alter table logs detach partition plain;

alter table events disable trigger user;

create trigger events_touch before insert on events for each row execute function touch();

create trigger events_2023_touch before insert on events_2023 for each row execute function touch();

alter table events enable row level security;

alter table events set (autovacuum_enabled = false);

alter table events replica identity full;

alter table events cluster on events_kind;

alter table events set unlogged;

comment on table events is 'events';

analyze events;

analyze plain;

insert into events values (9999, '2023-01-01', 'k', 1, 'n');

delete from events;

delete from readings where id = 1;

update events set at = '2024-01-01' where id = 1;

select count(*) from events;
