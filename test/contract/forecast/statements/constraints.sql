alter table plain add constraint plain_customer foreign key (a) references customers;

alter table plain add constraint plain_customer foreign key (a) references customers (id) on delete cascade on update cascade;

alter table plain add constraint plain_customer foreign key (a) references customers not valid;

alter table plain add constraint plain_customer foreign key (a) references customers deferrable initially deferred;

alter table plain add foreign key (a) references plain (id);

alter table plain add foreign key (a) references plain (id) not valid;

alter table plain add constraint plain_customer foreign key (a) references customers not valid;
alter table plain validate constraint plain_customer;

alter table plain add constraint plain_customer foreign key (a) references customers not valid, validate constraint plain_customer;

alter table plain add foreign key (a) references customers (team);

alter table plain add foreign key (note) references customers (id);

alter table plain add foreign key (a) references absent;

alter table empty add foreign key (customer_id) references customers;

alter table orders add foreign key (customer_id) references sales.invoices (id);

alter table loose validate constraint loose_customer;

alter table loose validate constraint loose_quantity;

alter table loose validate constraint loose_quantity, validate constraint loose_customer;

alter table orders validate constraint orders_customer_id_fkey;

alter table orders drop constraint orders_customer_id_fkey;

alter table loose drop constraint loose_customer;

alter table staff drop constraint staff_manager_id_fkey;

alter table orders drop constraint orders_total;

alter table orders drop constraint if exists absent;

alter table orders drop constraint absent;

alter table customers drop constraint customers_code_key;

alter table customers drop constraint customers_code_key cascade;

alter table customers drop constraint customers_pkey cascade;

alter table orders drop constraint orders_pkey;

alter table plain drop constraint plain_pkey;

alter table plain drop constraint plain_a;

alter table keyless drop constraint keyless_proven_check;

alter table plain add constraint plain_positive check (a > 0);

alter table plain add constraint plain_positive check (a > 0) not valid;

alter table plain add constraint plain_positive check (a > 0) not valid;
alter table plain validate constraint plain_positive;

alter table plain add constraint plain_negative check (a < 0);

alter table plain add constraint plain_ticked check (tick() > 0);

alter table events add constraint events_kind check (kind <> '');

alter table events add constraint events_kind check (kind <> '') not valid;

alter table only events add constraint events_kind check (kind <> '') no inherit;

alter table parent add constraint parent_note check (note <> '');

alter table parent add constraint parent_note check (note <> '') no inherit;

alter table orders alter constraint orders_customer_id_fkey deferrable initially deferred;

alter table deferred alter constraint deferred_customer not deferrable;

alter table plain add constraint plain_note unique (note, id);

alter table plain add unique (b);

alter table plain add constraint plain_flag unique (b);

update plain set b = 1;
alter table plain add constraint plain_flag unique (b);

alter table keyless add constraint keyless_pkey primary key (id);

alter table keyless add primary key (ref);

alter table keyless add primary key (proven);

alter table keyless add constraint keyless_pkey primary key using index keyless_id;

alter table keyless add constraint keyless_pkey primary key using index keyless_ref;

alter table keyless add constraint keyless_pkey primary key using index keyless_proven;

alter table keyless add constraint keyless_key unique using index keyless_ref;

alter table keyless add constraint keyless_id unique using index keyless_id;

alter table keyless add constraint keyless_key unique using index keyless_name;

alter table plain add primary key (b);

alter table plain drop constraint plain_pkey, add constraint plain_pkey primary key (id, b);

alter table bookings add constraint bookings_during exclude using gist (during with &&);

alter table bookings add constraint bookings_during exclude using btree (room with =);

-- from 15
alter table plain add constraint plain_note unique nulls not distinct (note, id);

alter table events add unique (id, at, kind);

alter table events add unique (kind);

alter table only events add primary key (id, at);

alter table events add constraint events_note foreign key (id) references customers;

alter table events add constraint events_note foreign key (id) references customers not valid;

alter table logs add constraint logs_customer foreign key (id) references customers not valid;

alter table order_lines add foreign key (customer_id, quantity) references readings (id, region);

alter table order_lines add foreign key (customer_id, quantity) references readings (id, region) not valid;

alter table events drop constraint events_customer_id_fkey;

alter table events_2023 drop constraint events_2023_customer_id_fkey;

alter table events_2023 drop constraint events_customer_id_fkey;

alter table alarms drop constraint alarms_reading_region_fkey;

alter table events drop constraint events_pkey;

alter table readings drop constraint readings_pkey cascade;

alter table events validate constraint events_customer_id_fkey;

-- from 18
alter table plain add constraint plain_customer foreign key (a) references customers not enforced;

-- from 18
alter table newer alter constraint newer_customer enforced;

-- from 18
alter table plain add constraint plain_positive check (a > 0) not enforced;

-- from 18
alter table orders alter constraint orders_customer_id_fkey not enforced;

-- from 18
alter table proofs alter constraint proofs_proven no inherit;

-- from 18
alter table newer add constraint newer_other primary key (a);

-- from 18
alter table keyless add constraint keyless_ref_set not null ref not valid;
alter table keyless add primary key (ref);

-- from 18
alter table plain drop constraint plain_b_not_null;
