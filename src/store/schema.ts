/**
 * The bot's own tables: the truth that people see. Numbered, applied once each, in order, inside one transaction, under an advisory
 * lock (`migrate.ts`). A released entry is never edited.
 */
export const storeMigrations: readonly { readonly id: number; readonly name: string; readonly sql: string }[] = [
  {
    id: 1,
    name: 'requests, votes, steps, events, messages, backups',
    sql: `
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
`,
  },
  {
    id: 2,
    name: 'who draws a request',
    sql: `
-- the executor that has the lease; when it dies, its lease need not run out
alter table lockkeeper.request add column draw_owner text;
`,
  },
  {
    id: 3,
    name: 'the audit log is a chain',
    sql: `
-- which store this is: messages in Slack carry it, so that a second bot with another store is noticed
create table lockkeeper.store (
  singleton boolean primary key default true check (singleton),
  id uuid not null default gen_random_uuid(),
  created_at timestamptz not null default clock_timestamp(),
  -- by channel, the newest message of another store that an operator has answered with "this store takes over"
  took_over jsonb not null default '{}'
);
insert into lockkeeper.store default values;

-- 'bot': the bot itself; 'recovery': the bot, going on with what another process began
alter table lockkeeper.audit
  add column entry text not null default 'bot',
  add column human text,
  add column digest text,
  add column seq bigint,
  add column prev text,
  add column hash text;

-- docs/audit.md describes this line; programs outside compute it too, so it must never change
create function lockkeeper.audit_field(value text) returns text language sql immutable
as $$ select case when value is null then '-' else octet_length(convert_to(value, 'UTF8')) || ':' || value end $$;

create function lockkeeper.audit_line(r lockkeeper.audit) returns text language sql stable
as $$ select concat_ws('|',
  lockkeeper.audit_field(r.seq::text), lockkeeper.audit_field(r.id::text),
  lockkeeper.audit_field(to_char(r.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
  lockkeeper.audit_field(r.entry), lockkeeper.audit_field(r.actor), lockkeeper.audit_field(r.human), lockkeeper.audit_field(r.act),
  lockkeeper.audit_field(r.target), lockkeeper.audit_field(r.request_id::text), lockkeeper.audit_field(r.result),
  lockkeeper.audit_field(r.digest), lockkeeper.audit_field(r.data::text)) $$;

-- one row is put at the end of the chain; the lock lasts until the transaction ends, which is at once
create function lockkeeper.audit_append(row_id bigint) returns void language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  this lockkeeper.audit;
  head record;
begin
  perform pg_advisory_xact_lock(7341, 3);
  select * into this from lockkeeper.audit where id = row_id;
  if not found or this.hash is not null then return; end if;
  select seq, hash into head from lockkeeper.audit where seq is not null order by seq desc limit 1;
  this.seq := coalesce(head.seq, 0) + 1;
  this.prev := coalesce(head.hash, repeat('0', 64));
  this.hash := encode(sha256(convert_to(this.prev || E'\\n' || lockkeeper.audit_line(this), 'UTF8')), 'hex');
  update lockkeeper.audit set seq = this.seq, prev = this.prev, hash = this.hash where id = row_id;
end $$;

create unique index audit_seq on lockkeeper.audit (seq);
do $$
declare row_id bigint;
begin
  for row_id in select id from lockkeeper.audit order by id loop perform lockkeeper.audit_append(row_id); end loop;
end $$;
create index audit_target on lockkeeper.audit (target, seq desc);
create index audit_request on lockkeeper.audit (request_id, seq desc);
create index audit_unchained on lockkeeper.audit (id) where hash is null;
create index audit_seldom on lockkeeper.audit (act, id) where act in ('audit accept', 'configuration');

-- at commit, so that the lock is held for no longer than that
create function lockkeeper.audit_chain() returns trigger language plpgsql
as $$ begin perform lockkeeper.audit_append(new.id); return null; end $$;
create constraint trigger audit_chain after insert on lockkeeper.audit deferrable initially deferred
  for each row execute function lockkeeper.audit_chain();

create function lockkeeper.audit_guard() returns trigger language plpgsql
as $$
begin
  -- the one change there is: a new row gets its place in the chain
  if tg_op = 'UPDATE' and old.hash is null and new.hash is not null
    and (old.id, old.at, old.entry, old.actor, old.human, old.act, old.target, old.request_id, old.result, old.digest, old.data)
      is not distinct from
      (new.id, new.at, new.entry, new.actor, new.human, new.act, new.target, new.request_id, new.result, new.digest, new.data)
    then return new;
  end if;
  raise exception 'the audit log is append-only: % is refused', lower(tg_op) using errcode = 'insufficient_privilege';
end $$;
create trigger audit_guard before update or delete on lockkeeper.audit for each row execute function lockkeeper.audit_guard();
create trigger audit_guard_all before truncate on lockkeeper.audit for each statement execute function lockkeeper.audit_guard();

-- a row comes without a place: nobody may claim one
create function lockkeeper.audit_new() returns trigger language plpgsql
as $$ begin new.seq := null; new.prev := null; new.hash := null; return new; end $$;
create trigger audit_new before insert on lockkeeper.audit for each row execute function lockkeeper.audit_new();

-- also in a session that calls itself a replica
alter table lockkeeper.audit enable always trigger audit_chain;
alter table lockkeeper.audit enable always trigger audit_guard;
alter table lockkeeper.audit enable always trigger audit_guard_all;
alter table lockkeeper.audit enable always trigger audit_new;
`,
  },
  {
    id: 4,
    name: 'break-glass and its review',
    sql: `
alter table lockkeeper.vote drop constraint vote_decision_check;
alter table lockkeeper.vote add constraint vote_decision_check check (decision in ('approve','reject','break_glass'));

create table lockkeeper.break_glass (
  request_id bigint primary key references lockkeeper.request,
  reason text not null check (btrim(reason) <> ''),
  asked_by text not null,
  asked_at timestamptz not null default clock_timestamp(),
  digest text,
  broken_by text,
  broken_at timestamptz,
  -- humans, not accounts: nobody of them may review
  involved text[] not null,
  remind_ms bigint,
  remind_at timestamptz,
  reviewed_by text,
  reviewed_by_human text,
  reviewed_at timestamptz,
  note text,
  check ((broken_at is null) = (broken_by is null) and (broken_at is null) = (digest is null) and (broken_at is null) = (remind_at is null)),
  check ((reviewed_at is null) = (reviewed_by is null) and (reviewed_at is null) = (reviewed_by_human is null)),
  check (reviewed_at is null or (broken_at is not null and reviewed_by_human <> all(involved)))
);
create index break_glass_unreviewed on lockkeeper.break_glass (remind_at) where broken_at is not null and reviewed_at is null;
`,
  },
  {
    id: 5,
    name: 'what is not yet in Slack',
    sql: `
-- few rows, asked for at each scrape and by doctor, in a table that keeps every message
create index message_unsent on lockkeeper.message (created_at) where state in ('intended', 'unsure');
`,
  },
  {
    id: 6,
    name: 'who reviews a broken glass',
    sql: `
-- as the rules were then: the target may stop allowing break-glass, and the mark must not stay for ever
alter table lockkeeper.break_glass add column review text[] not null default '{}';
`,
  },
  {
    id: 7,
    name: 'the keys that sign evidence',
    sql: `
-- public keys only; several replicas may sign, each with its own
create table lockkeeper.evidence_key (
  key_id text primary key,
  public_key text not null,
  registered_at timestamptz not null default clock_timestamp()
);
`,
  },
  {
    id: 8,
    name: 'what is to be drawn is found without reading all requests',
    sql: `
create index request_to_draw on lockkeeper.request (draw_after)
  where draw_lease is not null or draw_after < 'infinity' or revision > drawn_revision;
`,
  },
  {
    id: 11,
    name: 'the pace towards Slack is shared',
    sql: `
-- asked for when something is about to be sent. What a crash of the server loses is a second's worth of pace, so no log is written for it
create unlogged table lockkeeper.pace (
  bucket text primary key,
  -- as if orders came in an even row: when the last one that was let through will have been due
  used_until timestamptz not null,
  -- from when to when Slack said to wait; a clock that is put back to before it was said ends it
  limited tstzrange not null default 'empty'
);
`,
  },
  {
    id: 12,
    name: 'maintenance windows, notices, freezes',
    sql: `
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
`,
  },
  {
    id: 13,
    name: 'what repeats',
    sql: `
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
`,
  },
  {
    id: 14,
    name: 'a request waits for its turn',
    sql: `
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
`,
  },
  {
    id: 15,
    name: 'mails that go together, what is withdrawn, pages that are over',
    sql: `
alter table lockkeeper.delivery
  -- goes inside the mail of this one; decided once, so that a repetition says the same
  add column with_id bigint references lockkeeper.delivery,
  drop constraint delivery_state_check,
  add constraint delivery_state_check check (state in ('pending','sent','given_up','withdrawn'));
drop index lockkeeper.delivery_due;
create index delivery_due on lockkeeper.delivery (next_try_at) where state = 'pending' and with_id is null;
create index delivery_waiting on lockkeeper.delivery (destination, id) where state = 'pending' and with_id is null;
create index delivery_with on lockkeeper.delivery (with_id) where with_id is not null;

-- the request was closed before anybody acknowledged
alter table lockkeeper.page add column closed_at timestamptz;
drop index lockkeeper.page_due;
create index page_due on lockkeeper.page (next_at) where acknowledged_at is null and closed_at is null;
create index request_failed on lockkeeper.request (ended_at) where state = 'failed';
`,
  },
  {
    id: 16,
    name: 'a run ends when maintenance mode is off again',
    sql: `
-- how it will end, once maintenance mode is off; the outcome is written already
alter table lockkeeper.request add column ending text check (ending in ('failed','cancelled','needs_human'));
`,
  },
  {
    id: 20,
    name: 'what Home shows',
    sql: `
-- one row: of what state of things the Homes were drawn that people opened lately
create table lockkeeper.home_drawn (
  id boolean primary key default true check (id),
  -- null: they are to be drawn again
  mark text,
  -- when something begins or ends that no row tells, by the clock of windows
  next_at timestamptz not null default '-infinity',
  -- the replica that draws them has until then; also the pause before the next time
  lease timestamptz not null default '-infinity'
);
insert into lockkeeper.home_drawn default values;
`,
  },
]
