-- who is in the way of a migration that runs, as people are shown it, and whether somebody asked to end that session
create table lockkeeper.blocker (
  id bigint generated always as identity primary key,
  request_id bigint not null references lockkeeper.request,
  pid int not null,
  -- by these it is known again: when the session and its transaction began, in microseconds since 1970
  backend text,
  transaction text,
  shown jsonb not null,
  seen_at timestamptz not null default clock_timestamp(),
  gone_at timestamptz,
  asked_by text,
  asked_at timestamptz,
  done_at timestamptz
);
create index blocker_request on lockkeeper.blocker (request_id, id);
