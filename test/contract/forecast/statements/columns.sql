alter table plain add column extra integer;

alter table plain add column extra integer default 0;

alter table plain add column extra integer not null default 0;

alter table plain add column extra integer default null;

alter table plain add column extra timestamp(3) not null default current_timestamp;

alter table plain add column extra timestamptz default now();

alter table plain add column extra text default current_user;

alter table plain add column extra text[] default array[]::text[];

alter table plain add column extra text[] default '{}';

alter table plain add column extra jsonb not null default '{}'::jsonb;

alter table plain add column extra mood not null default 'calm';

alter table plain add column extra integer default twice(2);

alter table plain add column extra integer default tick();

alter table plain add column extra integer not null;

alter table empty add column extra integer not null;

alter table plain add column extra uuid default gen_random_uuid();

alter table plain add column extra uuid not null default gen_random_uuid();

alter table plain add column extra timestamptz default clock_timestamp();

alter table plain add column extra timestamptz default statement_timestamp();

alter table plain add column extra double precision default random();

alter table plain add column extra bigint default nextval('counter');

alter table plain add column extra serial;

alter table plain add column extra bigserial not null;

alter table plain add column extra integer generated always as identity;

alter table plain add column extra integer generated always as (b * 2) stored;

alter table plain add column extra uuid, alter column extra set default gen_random_uuid();

alter table plain add column extra uuid;
alter table plain alter column extra set default gen_random_uuid();

alter table plain add column extra integer check (extra > 0);

alter table plain add column extra integer default 1 check (extra > 0);

alter table plain add column extra integer unique;

alter table plain add column extra integer default 1 unique;

alter table keyless add column extra serial primary key;

alter table keyless add column extra integer primary key;

alter table plain add column extra positive;

alter table plain add column extra positive default 1;

alter table plain add column extra named;

alter table plain add column extra label;

alter table plain add column extra filled;

alter table plain add column extra integer references customers;

alter table plain add column extra integer default null references customers;

alter table plain add column extra integer default 1 references customers;

alter table plain add column extra integer not null references customers;

alter table plain add column extra integer references plain;

alter table plain add column extra integer references readings_1;

alter table plain add column if not exists note text;

alter table plain add column if not exists extra text;

alter table plain add column note text;

alter table plain add column extra nonsense;

alter table plain add column extra text collate "en-x-icu";

alter table plain add column extra text, add column other text default 'x', add column more integer not null default 1;

alter table plain add column extra text, add column other uuid default gen_random_uuid();

alter table if exists absent add column extra text;

alter table absent add column extra text;

alter table events add column extra integer not null default 0;

alter table events add column extra uuid default gen_random_uuid();

alter table only events add column extra integer;

alter table events_2023 add column extra integer;

alter table parent add column extra integer;

alter table only parent add column extra integer;

alter table parent add column extra uuid default gen_random_uuid();

alter table published add column extra integer;

alter table scratch add column extra uuid default gen_random_uuid();

alter table sales.invoices add column extra integer default 0;

alter table shown_names add column extra integer;

alter table plain drop column note;

alter table plain drop column a;

alter table plain drop column b;

alter table plain drop column if exists absent;

alter table plain drop column absent;

alter table orders drop column customer_id;

alter table orders drop column note;

alter table customers drop column code;

alter table customers drop column code cascade;

alter table customers drop column id cascade;

alter table shown drop column name;

alter table shown drop column name cascade;

alter table shown drop column hidden;

alter table totals drop column a;

alter table totals drop column a cascade;

alter table totals drop column b;

alter table watched drop column a;

alter table watched drop column a cascade;

alter table events drop column note;

alter table events drop column at;

alter table events_2023 drop column note;

alter table parent drop column note;

alter table child drop column note;

alter table guarded drop column owner;

alter table guarded drop column owner cascade;

alter table published drop column note;

alter table serials drop column id;

alter table plain drop column note, drop column b;

alter table plain rename column note to remark;

alter table plain rename note to b;

alter table shown rename column name to title;

alter table events rename column note to remark;

alter table events_2023 rename column note to remark;

alter table parent rename column note to remark;

alter table orders rename column customer_id to buyer_id;

alter table orders rename constraint orders_customer_id_fkey to orders_buyer_fkey;

alter table plain rename constraint plain_a to plain_a_key;

alter table plain rename to simple;

alter table events rename to happenings;

alter table plain rename to customers;

alter view shown_names rename to shown_labels;

alter view shown_names rename column name to title;

alter table plain alter note set not null;

alter table plain alter b drop not null;

alter table plain alter id drop not null;

alter table plain alter b set not null;

alter table empty alter note set not null;

alter table proofs alter proven set not null;

alter table proofs alter both_a set not null;

alter table proofs alter positive set not null;

alter table proofs alter counted set not null;

alter table proofs alter either set not null;

alter table proofs alter pending set not null;

alter table proofs alter bare set not null;

alter table proofs alter proven set not null, alter bare set not null;

alter table proofs alter proven set not null, alter both_a set not null;

alter table proofs alter proven set not null, drop constraint proofs_proven;

alter table proofs add constraint proofs_bare check (bare is not null), alter bare set not null;

alter table proofs add constraint proofs_bare check (bare is not null) not valid;
alter table proofs validate constraint proofs_bare;
alter table proofs alter bare set not null;
alter table proofs drop constraint proofs_bare;

alter table proofs validate constraint proofs_pending;

alter table proofs validate constraint proofs_pending;
alter table proofs alter pending set not null;

update loose set customer_id = null where id = 1;
alter table loose alter customer_id set not null;

alter table events alter note set not null;

alter table only events alter note set not null;

alter table events_2023 alter note set not null;

alter table parent alter note set not null;

alter table logs alter at set not null;

alter table logs_2026 alter at set not null;

alter table plain alter note set default 'x';

alter table plain alter b drop default;

alter table plain alter note set default gen_random_uuid()::text;

alter table events alter note set default 'x';

alter table only events alter note set default 'x';

alter table totals alter b drop expression;

alter table totals alter b set default 1;

alter table identities alter id drop identity;

alter table identities alter id set generated always;

alter table identities alter id restart with 1000;

alter table plain alter b add generated by default as identity;

alter table plain alter b drop default, alter b add generated by default as identity;

alter table plain alter note set storage external;

alter table plain alter note set compression pglz;

alter table plain alter note set statistics 500;

alter table plain alter note set (n_distinct = 5);

alter table plain alter note reset (n_distinct);

-- from 18
alter table plain add column extra integer generated always as (b * 2) virtual;

-- from 18
alter table plain add column extra integer generated always as (b * 2) virtual check (extra > 0);

-- from 18
alter table plain add column extra integer generated always as (b * 2) virtual not null;

-- from 17
alter table totals alter b set expression as (a * 3);

-- from 18
alter table newer alter v set expression as (a * 3);

-- from 18
alter table newer alter a set not null;

-- from 18
alter table newer validate constraint newer_a;

-- from 18
alter table proofs add constraint proofs_bare not null bare not valid;

-- from 18
alter table proofs add constraint proofs_bare not null bare;

-- from 18
alter table newer drop column a;

-- from 18
alter table newer drop column v;
