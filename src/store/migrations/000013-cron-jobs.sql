-- one row for each thing that repeats. Whoever does it moves next_at on in the same transaction, so that it is done once
create table lockkeeper.rota (
  name text primary key,
  -- the cron expression and zone that next_at was computed with
  plan text not null,
  next_at timestamptz not null,
  -- the replica that was elected for it has until then
  lease timestamptz
);
-- occurrences of recurring windows that could not be written down, each told once
create table lockkeeper.occurrence_refused (
  occurrence text primary key,
  at timestamptz not null default lockkeeper.now()
);
