-- asked for when something is about to be sent. What a crash of the server loses is a second's worth of pace, so no log is written for it
create unlogged table lockkeeper.pace (
  bucket text primary key,
  -- as if orders came in an even row: when the last one that was let through will have been due
  used_until timestamptz not null,
  -- from when to when Slack said to wait; a clock that is put back to before it was said ends it
  limited tstzrange not null default 'empty'
);
