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
