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
  this.hash := encode(sha256(convert_to(this.prev || E'\n' || lockkeeper.audit_line(this), 'UTF8')), 'hex');
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
