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
