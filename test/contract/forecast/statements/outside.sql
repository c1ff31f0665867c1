reindex table events;

create index concurrently orders_note on orders (note);

create unique index concurrently texts_pair on texts (id, code);

create unique index concurrently invalid_u on invalid (u);

create index concurrently if not exists plain_b on plain (b);

create index concurrently on events_2023 (note);

create index concurrently on events (note);

drop index concurrently numbers_i;

drop index concurrently events_kind;

reindex index concurrently plain_b;

reindex table concurrently plain;

reindex (concurrently) table plain;

alter table logs detach partition logs_2023 concurrently;

alter table events detach partition events_2023 concurrently;

vacuum plain;

vacuum full plain;

vacuum (analyze) plain;
