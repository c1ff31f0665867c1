alter table lockkeeper.request
  -- when the request is to look again: to be checked, to start, or to see whether what held it up is gone
  add column wake_at timestamptz,
  -- when the opening closes in which it runs; of a maintenance window that is extended, the window knows
  add column closes_at timestamptz,
  add column overrun_told_at timestamptz,
  -- it starts when its maintenance window does, and not at a time of its own in it
  add column follows_start boolean not null default false;
create index request_wake on lockkeeper.request (wake_at) where wake_at is not null and started_at is null and state in ('waiting','granted');

-- what somebody was offered instead of a refusal. It is taken once, by whoever it was made to
create table lockkeeper.offer (
  token text primary key,
  account text not null,
  human text not null,
  target text not null,
  ask jsonb not null,
  asked_in text,
  not_before timestamptz not null,
  made_at timestamptz not null default lockkeeper.now(),
  request_id bigint references lockkeeper.request
);
create index offer_made on lockkeeper.offer (made_at);
