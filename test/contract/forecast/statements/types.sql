alter table texts alter c type varchar(200);

alter table texts alter c type text;

alter table texts alter free type varchar;

alter table texts alter v type varchar(100);

alter table texts alter free type varchar(255);

alter table texts alter bare type varchar(255);

alter table texts alter bare type text;

alter table texts alter c set data type varchar(200), alter v set data type text;

alter table marked alter c type varchar(200);

alter table marked alter c type text;

alter table invalid alter c type varchar(200);

alter table invalid alter u type varchar(200);

alter table checked alter c type varchar(200);

alter table checked alter d type varchar(200);

alter table events alter kind type varchar(40);

alter table events alter kind type text;

alter table logs alter line type varchar(100);

alter table logs alter line type varchar(20);

alter table tree alter word type text;

alter table logs_2023 alter line type varchar(100);

alter table texts alter c type text collate "en-x-icu";

alter table texts alter own type varchar(100);

alter table texts alter own type varchar(100) collate "en-x-icu";

alter table texts alter c type varchar(100);

alter table texts alter c type varchar(100) using c;

alter table texts alter c type varchar(100) using c || '';

alter table texts alter c type varchar(200) using c::varchar(200);

alter table texts alter free type citext;

alter table texts alter fixed type text;

alter table texts alter fixed type char(20);

alter table texts alter fixed type varchar(10);

alter table texts alter code type uuid using code::uuid;

alter table texts alter code type uuid;

alter table texts alter c type integer using length(c);

alter table texts alter missing type text;

alter table numbers alter i type bigint;

alter table numbers alter s type integer;

alter table numbers alter b type integer;

alter table numbers alter r type double precision;

alter table numbers alter d type real;

alter table numbers alter i type oid;

alter table numbers alter i type text;

alter table numbers alter n type numeric(12,2);

alter table numbers alter n type numeric(18,2);

alter table numbers alter n type numeric;

alter table numbers alter n type numeric(12,4);

alter table numbers alter n type numeric(65,30);

alter table numbers alter n type numeric(8,2);

alter table numbers alter bare type numeric(65,30);

alter table numbers alter d type numeric(65,30);

alter table numbers alter d type numeric;

alter table numbers alter i type numeric;

alter table numbers alter n type double precision;

alter table numbers alter b type bigint;

alter table numbers alter i type boolean using i > 0;

-- zone UTC
alter table times alter ts type timestamptz;

-- zone Etc/UTC
alter table times alter ts type timestamptz;

-- zone GMT
alter table times alter ts type timestamptz;

-- zone UTC
alter table times alter ts type timestamptz(6);

-- zone UTC
alter table times alter ts3 type timestamptz;

-- zone UTC
alter table times alter ts3 type timestamptz(6);

-- zone UTC
alter table times alter ts3 type timestamptz(3);

-- zone Europe/London
alter table times alter ts type timestamptz;

-- zone Atlantic/Reykjavik
alter table times alter ts type timestamptz;

-- zone Africa/Abidjan
alter table times alter ts type timestamptz;

-- zone UTC
alter table times alter ts type timestamptz using ts at time zone 'UTC';

-- zone UTC
alter table times alter tz type timestamp;

-- zone Europe/London
alter table times alter tz type timestamp;

-- zone Europe/London
set time zone 'UTC';
alter table times alter ts type timestamptz;

-- zone UTC
set local timezone to 'Europe/Berlin';
alter table times alter ts type timestamptz;

alter table times alter ts3 type timestamp(6);

alter table times alter ts3 type timestamp;

alter table times alter ts type timestamp(6);

alter table times alter ts type timestamp(3);

alter table times alter tz type timestamptz(6);

alter table times alter tz6 type timestamptz;

alter table times alter tz6 type timestamptz(3);

alter table times alter iv type interval;

alter table times alter iv type interval(6);

alter table times alter tm type time(6);

alter table times alter tm type time;

alter table times alter day type timestamp;

alter table times alter ts type date;

alter table times alter day type text;

alter table kinds alter net type inet;

alter table kinds alter address type cidr using address::cidr;

alter table kinds alter feeling type text;

alter table kinds alter word type mood using word::mood;

alter table kinds alter word type mood;

alter table kinds alter doc type jsonb;

alter table kinds alter docb type json;

alter table kinds alter doc type text;

alter table kinds alter list type varchar(20)[];

alter table kinds alter list type text[];

alter table kinds alter bare_list type text[];

alter table kinds alter plain type label;

alter table kinds alter plain type named;

alter table kinds alter plain type positive using plain::integer;

alter table kinds alter tag type text;

alter table kinds alter amount type integer;

alter table kinds alter amount type bigint;

alter table kinds alter bits type bit(16) using bits::bit(16);

alter table kinds alter vbits type varbit(16);

alter table kinds alter vbits type varbit;

alter table kinds alter flag type integer using flag::integer;

alter table customers alter code type varchar(40);

alter table orders alter customer_code type varchar(40);

alter table orders alter customer_code type text;

alter table orders alter customer_id type bigint;

alter table customers alter id type bigint;

alter table orders alter id type bigint;

alter table staff alter id type bigint;

alter table events alter customer_id type bigint;

alter table readings alter region type bigint;

alter table readings alter id type bigint;

alter table alarms alter reading type bigint;

alter table shown alter name type varchar(50);

alter table shown alter total type numeric(12,2);

alter table shown alter hidden type varchar(50);

alter table totals alter a type bigint;

alter table totals alter b type bigint;

alter table totals alter c type varchar(50);

alter table watched alter a type bigint;

alter table watched alter b type varchar(20);

alter table parent alter note type varchar(100);

alter table child alter note type varchar(100);

alter table parent alter note type varchar(20);

alter table guarded alter owner type text;

alter table guarded alter note type varchar(50);

alter table published alter note type varchar(50);

alter table identities alter id type bigint;

alter table serials alter id type bigint;

alter table orders alter state type text;

alter table orders alter note type varchar(50), alter total type numeric(12,2);

alter table numbers alter i type bigint, alter n type numeric(12,2);

alter table orders alter total type numeric(12,2);

alter table scratch alter note type varchar(50);

alter table sales.invoices alter order_id type bigint;

alter table empty alter id type bigint;

alter table empty alter note type varchar(10);

alter table shown_totals alter total type numeric(12,2);

alter type place alter attribute city type varchar(50);

-- from 18
alter table newer alter v type bigint;

-- from 18
alter table newer alter customer_id type bigint;
