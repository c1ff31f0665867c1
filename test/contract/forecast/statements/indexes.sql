create index plain_note on plain (note);

create unique index plain_note on plain (id, note);

create index on plain (note);

create index if not exists plain_b on plain (b);

create index if not exists plain_note on plain (note);

create index plain_b on plain (b);

create index plain_lower on plain (lower(note));

create index plain_partial on plain (b) where note is not null;

create index plain_brin on plain using brin (b);

create index plain_gin on kinds using gin (docb);

create index plain_hash on plain using hash (note);

create index plain_include on plain (b) include (note);

create index plain_absent on plain (absent);

create unique index plain_doubled on invalid (u);

create index on shown_totals (total);

create index on shown_names (id);

create index on sales.invoices (number);

create index on empty (note);

create index on parent (note);

create index plain_custom on plain (twice(a));

create index plain_volatile on plain (tick());

drop index plain_b;

drop index plain_b, orders_placed;

drop index if exists absent;

drop index absent;

drop index plain_pkey;

drop index plain_a;

drop index keyless_id;

drop index shown_totals_id;

alter index plain_b rename to plain_by_b;

alter index if exists absent rename to plain_by_b;

alter table plain_b rename to plain_by_b;

alter index plain_b set (fillfactor = 70);

alter index plain_b set tablespace pg_default;

alter index marked_lower alter column 1 set statistics 100;

reindex index plain_b;

reindex table plain;

reindex index invalid_c;

cluster plain using plain_b;

alter table plain add constraint plain_b_key unique (b), drop constraint plain_a;

create statistics plain_note_b on note, b from plain;

alter statistics plain_ab set statistics 100;

drop statistics plain_ab;

comment on index plain_b is 'b';

comment on column plain.b is 'b';

comment on constraint plain_a on plain is 'a';

comment on table plain is null;

comment on type mood is 'm';

comment on view shown_names is 'm';
