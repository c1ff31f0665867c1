-- The schema of each target as its last verified run left it, to say later what is another: lines of text, compressed, without any value
create table lockkeeper.live_schema (
  target text primary key,
  -- of the database, as plans have it
  identity text not null,
  request_id bigint not null,
  commit text not null,
  lines bytea not null,
  taken_at timestamptz not null default lockkeeper.now()
);
