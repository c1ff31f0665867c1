-- how it will end, once maintenance mode is off; the outcome is written already
alter table lockkeeper.request add column ending text check (ending in ('failed','cancelled','needs_human'));
