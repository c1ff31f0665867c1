-- few rows, asked for at each scrape and by doctor, in a table that keeps every message
create index message_unsent on lockkeeper.message (created_at) where state in ('intended', 'unsure');
