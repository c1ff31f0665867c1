/** Where the forecast says more than what happens, and why; each with the majors on which it does. Held against what is computed, in full. */
export const stronger: readonly Reason[] = [
  {
    why: 'What the rows hold is not read beforehand: it is said what would be read and built, and one row does not fit, so that all is undone.',
    of: [
      ['14 15 16 17 18', 'alter table plain add column extra integer default 1 unique;', 'error 23505'],
      [
        '14 15 16 17 18',
        `update loose set customer_id = null where id = 1;
alter table loose alter customer_id set not null;`,
        'error 23502',
      ],
      ['14 15 16 17 18', 'alter table plain add constraint plain_negative check (a < 0);', 'error 23514'],
      [
        '14 15 16 17 18',
        `update plain set b = 1;
alter table plain add constraint plain_flag unique (b);`,
        'error 23505',
      ],
      [
        '14 15 16 17 18',
        'alter table order_lines add foreign key (customer_id, quantity) references readings (id, region);',
        'error 23503',
      ],
      ['14 15 16 17 18', 'create unique index plain_doubled on invalid (u);', 'error 23505'],
      ['14 15 16 17 18', 'alter domain positive add constraint positive_small check (value < 10);', 'error 23514'],
      ['14 15 16 17 18', 'create unique index concurrently invalid_u on invalid (u);', 'error 23505'],
      ['14 15 16 17 18', `alter table logs attach partition logs_2025 for values from ('2027-01-01') to ('2028-01-01');`, 'error 23514'],
      ['14 15 16 17 18', 'alter table readings detach partition readings_1;', 'error 23503'],
      ['14 15 16 17 18', 'delete from readings where id = 1;', 'error 23503'],
      [
        '14 15 16 17 18',
        `alter table serials drop constraint serials_pkey, drop column id, add column id text not null default 'x', add constraint serials_pkey primary key (id);`,
        'error 23505',
      ],
      ['14 15 16 17 18', `update customers set code = code || 'x';`, 'error 23503'],
      ['14 15 16 17 18', 'delete from orders where id = 1;', 'error 23503'],
    ],
  },
  {
    why: 'The table has no rows. That there are none now is no promise for the moment in which it runs.',
    of: [
      ['14 15 16 17 18', 'alter table empty add column extra integer not null;', 'scans empty'],
      ['14 15 16 17 18', 'alter table empty alter note set not null;', 'scans empty'],
      ['14 15 16 17 18', 'alter table empty add foreign key (customer_id) references customers;', 'scans empty; scans customers'],
      ['14 15 16 17 18', 'create index on empty (note);', 'scans empty'],
      [
        '14 15 16 17 18',
        `truncate plain;
alter table plain add column extra integer not null;`,
        'scans plain',
      ],
      ['14 15 16 17 18', 'alter table empty alter id type bigint;', 'scans empty'],
      ['14 15 16 17 18', 'alter table empty alter note type varchar(10);', 'scans empty'],
    ],
  },
  {
    why: 'No row refers to anything, so PostgreSQL does not read the other table; with one that does it would.',
    of: [
      ['14 15 16 17 18', 'alter table plain add column extra integer default null references customers;', 'scans customers'],
      [
        '14 15 16 17 18',
        `-- CreateTable
CREATE TABLE "Post" (
    "id" SERIAL NOT NULL,
    "title" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "authorId" INTEGER NOT NULL,
    CONSTRAINT "Post_pkey" PRIMARY KEY ("id")
);
-- AddForeignKey
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;`,
        'scans customers',
      ],
      [
        '14 15 16 17 18',
        `-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "sales";
-- CreateTable
CREATE TABLE "sales"."refunds" ("id" UUID NOT NULL DEFAULT gen_random_uuid(), "invoiceId" INTEGER NOT NULL, CONSTRAINT "refunds_pkey" PRIMARY KEY ("id"));
-- AddForeignKey
ALTER TABLE "sales"."refunds" ADD CONSTRAINT "refunds_invoiceId_fkey" FOREIGN KEY ("invoiceId") REFERENCES "sales"."invoices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;`,
        'scans sales.invoices',
      ],
      ['14 15 16 17 18', 'alter table plain add column extra integer, add foreign key (extra) references customers;', 'scans customers'],
      [
        '14 15 16 17 18',
        `alter table plain add column extra integer;
create index plain_extra on plain (extra);
alter table plain add foreign key (extra) references customers;`,
        'scans customers',
      ],
      [
        '14 15 16 17 18',
        'create table fresh (reading integer, region integer, foreign key (reading, region) references readings);',
        'scans readings_1; scans readings_2',
      ],
    ],
  },
  {
    why: 'PostgreSQL refuses it for a reason that is not looked for. Nothing of it happens, and the run ends there.',
    of: [
      ['14 15 16 17 18', 'create event trigger fresh on ddl_command_end execute function tick();', 'error 42P17'],
      ['14', 'create extension absent_extension;', 'error 58P01'],
      ['14 15 16 17 18', `security label on table plain is 'x';`, 'error 22023'],
      ['14 15 16 17 18', 'create server absent_server foreign data wrapper absent_wrapper;', 'error 42704'],
      ['14 15 16 17 18', `alter table logs attach partition logs_2025 for values from ('2024-06-01') to ('2026-01-01');`, 'error 42P17'],
      ['14 15 16 17 18', `create table events_2027 partition of events for values from ('2024-06-01') to ('2028-01-01');`, 'error 42P17'],
      ['14 15 16 17 18', 'alter table plain of place;', 'error 42804'],
      ['15 16 17 18', 'create extension absent_extension;', 'error 0A000'],
      ['18', 'alter table proofs alter constraint proofs_proven no inherit;', 'error 42809'],
    ],
  },
  {
    why: 'PostgreSQL 14 takes a weaker lock here than all later ones; one rule serves all.',
    of: [
      [
        '14',
        'alter table readings attach partition readings_3 for values in (3);',
        'lock alarms ShareRowExclusive, not AccessShare; scans alarms',
      ],
      ['14', 'create table readings_4 partition of readings for values in (4);', 'lock alarms ShareRowExclusive, not AccessShare'],
      ['14', 'drop table orders, order_lines, sales.invoices, alarms;', 'lock readings AccessExclusive, not none'],
      ['14', 'alter table alarms alter reading type bigint;', 'lock readings AccessExclusive, not ShareRowExclusive'],
    ],
  },
  {
    why: 'Before 18 the lock is weaker here; one rule serves all.',
    of: [
      [
        '14 15 16 17',
        `alter table parent add constraint parent_note check (note <> '') no inherit;`,
        'lock child AccessExclusive, not none',
      ],
      [
        '14 15 16 17',
        'alter table events add unique (id, at, kind);',
        'lock events_2023 AccessExclusive, not Share; lock events_2024 AccessExclusive, not Share; lock events_default AccessExclusive, not Share',
      ],
    ],
  },
  {
    why: 'The constraint is valid already, so nothing is left to do.',
    of: [
      [
        '14 15 16 17 18',
        'alter table events validate constraint events_customer_id_fkey;',
        'lock events_2023 ShareUpdateExclusive, not none; lock events_2024 ShareUpdateExclusive, not none; lock events_default ShareUpdateExclusive, not none',
      ],
    ],
  },
  {
    why: 'A composite type is locked with every column that could have it, and none has it.',
    of: [['14 15 16 17 18', 'alter type place rename attribute city to town;', 'lock place AccessExclusive, not none']],
  },
  {
    why: 'Each partition is a transaction of its own, and only the first one that waits is seen; an index of the parent has no file.',
    of: [
      [
        '14 15 16 17 18',
        'reindex table events;',
        'lock events_2024 Share, not none; lock events_default Share, not none; builds events_pkey on events; builds events_kind on events',
      ],
    ],
  },
  {
    why: 'The partitions have no trigger of a user.',
    of: [
      [
        '14 15 16 17 18',
        'alter table events disable trigger user;',
        'lock events_2023 ShareRowExclusive, not none; lock events_2024 ShareRowExclusive, not none; lock events_default ShareRowExclusive, not none',
      ],
    ],
  },
  {
    why: 'A row goes into one partition; into which is decided by its values.',
    of: [
      [
        '14 15 16 17 18',
        `insert into events values (9999, '2023-01-01', 'k', 1, 'n');`,
        'lock events_default RowExclusive, not none; lock events_2024 RowExclusive, not none',
      ],
    ],
  },
  {
    why: 'It is there already, so nothing is moved.',
    of: [
      [
        '14 15 16 17 18',
        'alter table plain set tablespace pg_default;',
        'rewrites plain; scans plain; builds plain_pkey on plain; builds plain_a on plain; builds plain_b on plain',
      ],
      [
        '15 16 17 18',
        'alter table plain set access method heap;',
        'rewrites plain; scans plain; builds plain_pkey on plain; builds plain_a on plain; builds plain_b on plain',
      ],
    ],
  },
  {
    why: 'PostgreSQL finds the row by an index; whether it does is decided by its statistics.',
    of: [['14 15 16 17 18', `update plain set note = 'y' where id = 1;`, 'scans plain']],
  },
  {
    why: 'What a file undoes itself is told nevertheless.',
    of: [
      [
        '14 15 16 17 18',
        `savepoint here;
alter table plain add column extra integer;
rollback to savepoint here;`,
        'lock plain AccessExclusive, not none',
      ],
    ],
  },
  {
    why: 'The rows of the referring table are not asked as a whole: none can refer to what was no partition.',
    of: [['15 16 17 18', 'alter table readings attach partition readings_3 for values in (3);', 'scans alarms']],
  },
  {
    why: 'Both tables are read whole in one pass by their indexes, which counters do not show as a scan.',
    of: [
      ['16 17 18', 'alter table plain add constraint plain_customer foreign key (a) references customers;', 'scans customers'],
      [
        '16 17 18',
        'alter table plain add constraint plain_customer foreign key (a) references customers (id) on delete cascade on update cascade;',
        'scans customers',
      ],
      [
        '16 17 18',
        'alter table plain add constraint plain_customer foreign key (a) references customers deferrable initially deferred;',
        'scans customers',
      ],
      [
        '16 17 18',
        `alter table plain add constraint plain_customer foreign key (a) references customers not valid;
alter table plain validate constraint plain_customer;`,
        'scans customers',
      ],
      [
        '16 17 18',
        'alter table plain add constraint plain_customer foreign key (a) references customers not valid, validate constraint plain_customer;',
        'scans customers',
      ],
    ],
  },
  {
    why: 'A foreign key that is not enforced is made anew with less.',
    of: [['18', 'alter table newer alter customer_id type bigint;', 'lock customers AccessExclusive, not ShareRowExclusive']],
  },
]

type Reason = {
  readonly why: string
  /** Majors, the case, and what the forecast has more. */
  readonly of: readonly (readonly [string, string, string])[]
}
