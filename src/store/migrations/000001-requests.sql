create table lockkeeper.request (
  id bigint generated always as identity primary key,
  token text not null unique,
  kind text not null default 'deploy',
  target text not null,
  -- system identifier and OID of the database: services may share one. Null until the plan was read
  identity_key text,
  -- as it acted (U… or os:name), and the human behind it (people: in the configuration)
  requester text not null,
  requester_human text not null,
  asked_in text,
  channel text not null,
  ask jsonb not null,
  state text not null check (state in ('planning','waiting','granted','running','needs_human',
    'succeeded','failed','cancelled','rejected','expired','refused')),
  plan jsonb,
  digest text,
  evidence jsonb,
  policy jsonb,
  outcome jsonb,
  cancel_requested_at timestamptz,
  cancel_requested_by text,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz,
  granted_at timestamptz,
  grant_expires_at timestamptz,
  started_at timestamptz,
  ended_at timestamptz,
  -- grows with every change that people can see; the renderer compares it with what it has drawn
  revision bigint not null default 1,
  drawn_revision bigint not null default 0,
  draw_after timestamptz not null default clock_timestamp(),
  draw_lease timestamptz
);
create unique index request_active_target on lockkeeper.request (target)
  where state in ('planning','waiting','granted','running','needs_human');
create unique index request_active_database on lockkeeper.request (identity_key)
  where identity_key is not null and state in ('planning','waiting','granted','running','needs_human');
create index request_target_id on lockkeeper.request (target, id desc);
create index request_due on lockkeeper.request (expires_at) where state = 'waiting';

create table lockkeeper.vote (
  id bigint generated always as identity primary key,
  request_id bigint not null references lockkeeper.request,
  digest text not null,
  actor text not null,
  human text not null,
  decision text not null check (decision in ('approve','reject')),
  reason text,
  at timestamptz not null default clock_timestamp(),
  unique (request_id, digest, human)
);

create table lockkeeper.step (
  request_id bigint not null references lockkeeper.request,
  ordinal int not null,
  name text not null,
  title text not null,
  state text not null default 'pending' check (state in ('pending','running','done','skipped','failed','cancelled','unknown')),
  attempt int not null default 0,
  -- while it runs: what it is doing or waiting for; afterwards one line of numbers
  details text,
  output text,
  data jsonb,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (request_id, name)
);

-- one row a change of state; each becomes one post in the thread
create table lockkeeper.event (
  id bigint generated always as identity primary key,
  request_id bigint not null references lockkeeper.request,
  kind text not null,
  data jsonb not null default '{}',
  at timestamptz not null default clock_timestamp()
);
create index event_request on lockkeeper.event (request_id, id);

-- what stands in Slack: intent first, then the time stamp that Slack gave
create table lockkeeper.message (
  id bigint generated always as identity primary key,
  key text not null unique,
  request_id bigint references lockkeeper.request,
  channel text not null,
  intent text not null unique,
  ts text,
  hash text,
  state text not null default 'intended' check (state in ('intended','sent','unsure','given_up')),
  attempts int not null default 0,
  next_try_at timestamptz not null default clock_timestamp(),
  last_error text,
  created_at timestamptz not null default clock_timestamp(),
  sent_at timestamptz
);
create index message_request on lockkeeper.message (request_id);

create table lockkeeper.backup (
  name text primary key,
  request_id bigint references lockkeeper.request,
  target text not null,
  path text not null,
  state text not null check (state in ('writing','written','verified','failed','pruned')),
  bytes bigint,
  raw_bytes bigint,
  seconds double precision,
  manifest jsonb,
  created_at timestamptz not null default clock_timestamp(),
  verified_at timestamptz
);
create index backup_target on lockkeeper.backup (target, created_at desc);

-- what was handled already: envelope ids, trigger ids, signatures
create table lockkeeper.seen (
  key text primary key,
  at timestamptz not null default clock_timestamp()
);

-- who has opened App Home, so that it can be kept current
create table lockkeeper.home (
  account text primary key,
  hash text,
  opened_at timestamptz not null default clock_timestamp()
);

-- who did what, for every act that was allowed or refused
create table lockkeeper.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  act text not null,
  target text,
  request_id bigint,
  result text not null,
  data jsonb not null default '{}'
);
