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
