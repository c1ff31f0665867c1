-- the executor that has the lease; when it dies, its lease need not run out
alter table lockkeeper.request add column draw_owner text;
