-- as the rules were then: the target may stop allowing break-glass, and the mark must not stay for ever
alter table lockkeeper.break_glass add column review text[] not null default '{}';
