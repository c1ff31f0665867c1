-- What one person is told about one delivery of Slack's. Nobody says whether an acknowledgement was heard, so it does not travel in one.
create table lockkeeper.answer (
  id uuid primary key,
  kind text not null check (kind in ('command', 'click', 'form')),
  -- taken: a replica works on it; due: what is said is written; sent, gone: nothing more comes of it
  state text not null default 'taken' check (state in ('taken', 'due', 'sent', 'gone')),
  account text not null,
  channel text,
  thread text,
  view text,
  -- whoever has it may write to this person, so it is sealed, and emptied when nothing more is said
  response_url text,
  -- while it is taken: what is said when nobody comes to its end
  said jsonb,
  -- parts of it that stand in Slack
  parts int not null default 0,
  -- a form: what each acknowledgement of it says, and what was said before that was known
  response jsonb,
  promised jsonb,
  -- the replica that works on it has it until then, or until it is dead
  owner text,
  held_until timestamptz not null,
  look_at timestamptz not null,
  tries int not null default 0,
  at timestamptz not null default clock_timestamp()
);
create index answer_to_look_at on lockkeeper.answer (look_at) where state in ('taken', 'due');
alter table lockkeeper.seen add column answer uuid;
