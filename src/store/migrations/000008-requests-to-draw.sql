create index request_to_draw on lockkeeper.request (draw_after)
  where draw_lease is not null or draw_after < 'infinity' or revision > drawn_revision;
