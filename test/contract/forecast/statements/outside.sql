create index concurrently plain_note on plain (note);

create unique index concurrently plain_note on plain (id, note);

create index concurrently if not exists plain_b on plain (b);

create index concurrently on events_2023 (note);

create index concurrently on events (note);

drop index concurrently plain_b;

drop index concurrently events_kind;

reindex index concurrently plain_b;

reindex table concurrently plain;

reindex (concurrently) table plain;

alter table logs detach partition logs_2023 concurrently;

alter table events detach partition events_2023 concurrently;

vacuum plain;

vacuum full plain;

vacuum (analyze) plain;

reindex table events;
