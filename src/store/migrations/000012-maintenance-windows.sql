-- what is due is decided by this clock, which all replicas share; tests set it forward
alter table lockkeeper.store add column clock_offset interval not null default '0';
create function lockkeeper.now() returns timestamptz language sql volatile
as $$ select clock_timestamp() + (select clock_offset from lockkeeper.store) $$;
alter table lockkeeper.request alter column created_at set default lockkeeper.now();
alter table lockkeeper.vote alter column at set default lockkeeper.now();
alter table lockkeeper.event alter column at set default lockkeeper.now();

create table lockkeeper.maintenance (
  id bigint generated always as identity primary key,
  token text not null unique,
  -- for --in-window; null: by number alone
  name text,
  targets text[] not null check (cardinality(targets) > 0),
  starts_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > starts_at),
  timezone text not null,
  reason text not null,
  -- what will run in it, as people say it
  work text,
  owner text not null,
  owner_human text not null,
  channels text[] not null,
  state text not null default 'scheduled' check (state in ('scheduled','open','completed','cancelled')),
  standby text,
  standby_confirmed_at timestamptz,
  opened_at timestamptz,
  closed_at timestamptz,
  -- release notes: what ran, outcome, duration, commits and migrations
  outcome jsonb,
  -- of a recurring one: rule and start, so that one replica writes it down
  occurrence text unique,
  -- grows with each change of the hours; notices belong to one
  plan_no int not null default 1,
  created_at timestamptz not null default lockkeeper.now(),
  revision bigint not null default 1,
  drawn_revision bigint not null default 0,
  draw_after timestamptz not null default clock_timestamp(),
  draw_lease timestamptz,
  draw_owner text
);
create index maintenance_ahead on lockkeeper.maintenance (starts_at) where state in ('scheduled','open');
create index maintenance_to_draw on lockkeeper.maintenance (draw_after)
  where draw_lease is not null or draw_after < 'infinity' or revision > drawn_revision;

-- one row a stage: 'before:<ms>', 'start', 'during:<n>', 'end', 'check:<phase>'. Sent once, or recorded as missed, or withdrawn
create table lockkeeper.notice (
  id bigint generated always as identity primary key,
  maintenance_id bigint not null references lockkeeper.maintenance,
  plan_no int not null,
  stage text not null,
  due_at timestamptz not null,
  -- later than this it helps nobody
  useful_until timestamptz not null,
  state text not null default 'pending' check (state in ('pending','sent','missed','withdrawn')),
  decided_at timestamptz,
  unique (maintenance_id, plan_no, stage)
);
create index notice_due on lockkeeper.notice (due_at) where state = 'pending';
-- how much a channel was told in the last minute
create index notice_told on lockkeeper.notice (decided_at) where state = 'sent';

-- one row a change of plan or a notice; each becomes one post in the window's thread
create table lockkeeper.maintenance_event (
  id bigint generated always as identity primary key,
  maintenance_id bigint not null references lockkeeper.maintenance,
  kind text not null,
  data jsonb not null default '{}',
  at timestamptz not null default lockkeeper.now()
);
create index maintenance_event_window on lockkeeper.maintenance_event (maintenance_id, id);

create table lockkeeper.checklist_item (
  id bigint generated always as identity primary key,
  maintenance_id bigint not null references lockkeeper.maintenance,
  phase text not null check (phase in ('T-48h','T-1h','during','T+2h')),
  ordinal int not null,
  text text not null,
  owner text,
  knows text check (knows in ('backup','rehearsal','health')),
  done_by text,
  done_at timestamptz,
  unique (maintenance_id, phase, ordinal)
);

-- a post in a channel that belongs to no single request or window: many notices at once, a freeze, the week's digest, a page
create table lockkeeper.bulletin (
  id bigint generated always as identity primary key,
  token text not null unique,
  channel text not null,
  kind text not null,
  data jsonb not null default '{}',
  created_at timestamptz not null default lockkeeper.now(),
  revision bigint not null default 1,
  drawn_revision bigint not null default 0,
  draw_after timestamptz not null default clock_timestamp(),
  draw_lease timestamptz,
  draw_owner text
);
create index bulletin_to_draw on lockkeeper.bulletin (draw_after)
  where draw_lease is not null or draw_after < 'infinity' or revision > drawn_revision;

create table lockkeeper.freeze (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('freeze','lock')),
  -- null: all targets
  targets text[],
  reason text not null,
  set_by text not null,
  set_by_human text not null,
  from_at timestamptz not null default lockkeeper.now(),
  until_at timestamptz,
  lifted_at timestamptz,
  lifted_by text,
  -- whoever set it was told that it ends soon
  told_at timestamptz,
  ended_told_at timestamptz,
  check (until_at is null or until_at > from_at)
);
create index freeze_in_force on lockkeeper.freeze (until_at) where lifted_at is null;

-- a request for a window: it may start from not_before on, and not after not_after
alter table lockkeeper.request
  add column not_before timestamptz,
  add column not_after timestamptz,
  add column maintenance_id bigint references lockkeeper.maintenance,
  -- when what was approved is compared again with the world, before its turn
  add column check_at timestamptz,
  add column override_reason text,
  add column escalated_at timestamptz;
create index request_turn on lockkeeper.request (not_before) where state = 'granted' and started_at is null;
create index request_maintenance on lockkeeper.request (maintenance_id) where maintenance_id is not null;

alter table lockkeeper.message
  add column maintenance_id bigint references lockkeeper.maintenance,
  add column bulletin_id bigint references lockkeeper.bulletin;
create index message_maintenance on lockkeeper.message (maintenance_id) where maintenance_id is not null;
create index message_bulletin on lockkeeper.message (bulletin_id) where bulletin_id is not null;

-- what leaves by other ways than Slack. A key is sent once; whoever receives it twice after a crash sees the same id
create table lockkeeper.delivery (
  id bigint generated always as identity primary key,
  key text not null unique,
  kind text not null check (kind in ('mail','webhook','page')),
  -- an address, or the reference of a URL in the configuration; never a secret
  destination text not null,
  payload jsonb not null,
  state text not null default 'pending' check (state in ('pending','sent','given_up')),
  attempts int not null default 0,
  next_try_at timestamptz not null default clock_timestamp(),
  lease timestamptz,
  last_error text,
  created_at timestamptz not null default lockkeeper.now(),
  sent_at timestamptz
);
create index delivery_due on lockkeeper.delivery (next_try_at) where state = 'pending';

-- on-call is paged about a request until somebody acknowledges
create table lockkeeper.page (
  id bigint generated always as identity primary key,
  token text not null unique,
  request_id bigint references lockkeeper.request,
  reason text not null check (reason in ('needs_human','failed','health_lost')),
  text text not null,
  count int not null default 0,
  next_at timestamptz not null default lockkeeper.now(),
  acknowledged_by text,
  acknowledged_at timestamptz,
  created_at timestamptz not null default lockkeeper.now(),
  unique (request_id, reason)
);
create index page_due on lockkeeper.page (next_at) where acknowledged_at is null;
