/** For each statement of `PROVOKED`: which diagnosis, headline, reason and next step, and the lines below them. */
export const SAID: Readonly<Record<string, { readonly code: string; readonly says: readonly string[]; readonly excerpt: string }>> = {
  'rows that Prisma does not send': {
    code: 'copy_from_client',
    says: [
      '`2_case` stopped: its `COPY … FROM stdin` waits for rows that Prisma does not send.',
      'Rows after such a statement are sent by `psql` alone; `pg_dump` writes them so for it. Nobody cancelled anything.',
      'Write the rows as `INSERT … VALUES` (`pg_dump --inserts` writes them so), or load them outside of the migration. Then ask again.',
    ],
    excerpt: 'ERROR: COPY from stdin failed: No source stream defined (57014)',
  },
  'COPY from a client in a block': {
    code: 'copy_from_client',
    says: [
      '`2_case` stopped: its `COPY … FROM stdin` waits for rows that Prisma does not send.',
      'Rows after such a statement are sent by `psql` alone; `pg_dump` writes them so for it. Nobody cancelled anything.',
      'Write the rows as `INSERT … VALUES` (`pg_dump --inserts` writes them so), or load them outside of the migration. Then ask again.',
    ],
    excerpt: 'ERROR: cannot COPY to/from client in PL/pgSQL (0A000)',
  },
  'a column in a view': {
    code: 'column_in_use',
    says: [
      '`2_case` stopped: the view `totals` uses column `total`, so its type cannot be changed.',
      'PostgreSQL changes the type of no column that a view, a rule, a trigger, a policy or a generated column uses.',
      "In the migration, drop the view `totals` before the change and create it again after it (`SELECT pg_get_viewdef('totals'::regclass)` shows how it is made), then ask again.",
    ],
    excerpt:
      'ERROR: cannot alter type of a column used by a view or rule (0A000)\nDETAIL: rule _RETURN on view totals depends on column "total"',
  },
  'a column in a rule': {
    code: 'column_in_use',
    says: [
      '`2_case` stopped: the rule `ruled_amount` uses column `amount`, so its type cannot be changed.',
      'PostgreSQL changes the type of no column that a view, a rule, a trigger, a policy or a generated column uses.',
      'In the migration, drop the rule `ruled_amount` before the change and create it again after it, then ask again.',
    ],
    excerpt:
      'ERROR: cannot alter type of a column used by a view or rule (0A000)\nDETAIL: rule ruled_amount on table ruled depends on column "amount"',
  },
  'a column in a generated column': {
    code: 'column_in_use',
    says: [
      '`2_case` stopped: the generated column `gross` uses column `net`, so its type cannot be changed.',
      'PostgreSQL changes the type of no column that a view, a rule, a trigger, a policy or a generated column uses.',
      'In the migration, drop the generated column `gross` before the change and create it again after it, then ask again.',
    ],
    excerpt:
      'ERROR: cannot alter type of a column used by a generated column (0A000)\nDETAIL: Column "net" is used by generated column "gross".',
  },
  'a column in a trigger': {
    code: 'column_in_use',
    says: [
      '`2_case` stopped: the trigger `watched_amount` uses column `amount`, so its type cannot be changed.',
      'PostgreSQL changes the type of no column that a view, a rule, a trigger, a policy or a generated column uses.',
      'In the migration, drop the trigger `watched_amount` before the change and create it again after it, then ask again.',
    ],
    excerpt:
      'ERROR: cannot alter type of a column used in a trigger definition (0A000)\nDETAIL: trigger watched_amount on table watched depends on column "amount"',
  },
  'a column in a policy': {
    code: 'column_in_use',
    says: [
      '`2_case` stopped: the policy `own` uses column `amount`, so its type cannot be changed.',
      'PostgreSQL changes the type of no column that a view, a rule, a trigger, a policy or a generated column uses.',
      'In the migration, drop the policy `own` before the change and create it again after it, then ask again.',
    ],
    excerpt:
      'ERROR: cannot alter type of a column used in a policy definition (0A000)\nDETAIL: policy own on table secret depends on column "amount"',
  },
  'an extension that is not there': {
    code: 'extension_missing',
    says: [
      '`2_case` stopped: the server does not have the extension `vector`.',
      'An extension is installed on the server itself before a database can have it.',
      'Install it on `db.example` (at a provider: switch it on there; `SELECT name FROM pg_available_extensions` lists what is there), then ask again.',
    ],
    excerpt:
      'ERROR: extension "vector" is not available (0A000)\nDETAIL: Could not open extension control file "/share/postgresql/extension/vector.control": No such file or directory.\nHINT: The extension must first be installed on the system where PostgreSQL is running.',
  },
  'a key without the partition key': {
    code: 'unique_without_partition_key',
    says: [
      '`2_case` stopped: a unique key of a partitioned table must hold the columns by which it is divided.',
      'Each partition checks only its own rows. PostgreSQL adds: `PRIMARY KEY constraint on table "parts" lacks column "day" which is part of the partition key`.',
      'Add these columns to the key, or make the key on each partition. Then ask again.',
    ],
    excerpt:
      'ERROR: unique constraint on partitioned table must include all partitioning columns (0A000)\nDETAIL: PRIMARY KEY constraint on table "parts" lacks column "day" which is part of the partition key.',
  },
  'another database': {
    code: 'not_supported',
    says: [
      '`2_case` stopped: the server cannot do what it asks for.',
      'PostgreSQL says: `cross-database references are not implemented: "elsewhere.public.orders"`.',
      'Write it in another way, or see whether a newer server can do it. Then ask again.',
    ],
    excerpt: 'ERROR: cross-database references are not implemented: "elsewhere.public.orders" (0A000)',
  },
  'a text that is too long': {
    code: 'value_does_not_fit',
    says: [
      '`2_case` stopped: a value does not fit the type that it should get.',
      'PostgreSQL says: `value too long for type character varying(3)`. Such a value stands in the migration or in a row that it converts.',
      'Find these rows (their number and their values), repair them in a migration of their own or widen the type, then ask again.',
    ],
    excerpt: 'ERROR: value too long for type character varying(3) (22001)',
  },
  'a number that is too large': {
    code: 'value_does_not_fit',
    says: [
      '`2_case` stopped: a value does not fit the type that it should get.',
      'PostgreSQL says: `integer out of range`. Such a value stands in the migration or in a row that it converts.',
      'Find these rows (their number and their values), repair them in a migration of their own or widen the type, then ask again.',
    ],
    excerpt: 'ERROR: integer out of range (22003)',
  },
  'a date that is none': {
    code: 'value_does_not_fit',
    says: [
      '`2_case` stopped: a value does not fit the type that it should get.',
      'PostgreSQL says: `invalid input syntax for type timestamp with time zone: "…"`. Such a value stands in the migration or in a row that it converts.',
      'Find these rows (their number and their values), repair them in a migration of their own or widen the type, then ask again.',
    ],
    excerpt: 'ERROR: invalid input syntax for type timestamp with time zone: "…" (22007)',
  },
  'a day that is not in the calendar': {
    code: 'value_does_not_fit',
    says: [
      '`2_case` stopped: a value does not fit the type that it should get.',
      'PostgreSQL says: `date/time field value out of range: "…"`. Such a value stands in the migration or in a row that it converts.',
      'Find these rows (their number and their values), repair them in a migration of their own or widen the type, then ask again.',
    ],
    excerpt: 'ERROR: date/time field value out of range: "…" (22008)',
  },
  'a text that is no number': {
    code: 'value_does_not_fit',
    says: [
      '`2_case` stopped: a value does not fit the type that it should get.',
      'PostgreSQL says: `invalid input syntax for type integer: "…"`. Such a value stands in the migration or in a row that it converts.',
      'Find these rows (their number and their values), repair them in a migration of their own or widen the type, then ask again.',
    ],
    excerpt: 'ERROR: invalid input syntax for type integer: "…" (22P02)',
  },
  'a value that an enum does not have': {
    code: 'value_does_not_fit',
    says: [
      '`2_case` stopped: a value does not fit the type that it should get.',
      'PostgreSQL says: `invalid input value for enum status: "…"`. Such a value stands in the migration or in a row that it converts.',
      'Find these rows (their number and their values), repair them in a migration of their own or widen the type, then ask again.',
    ],
    excerpt: 'ERROR: invalid input value for enum status: "…" (22P02)',
  },
  'a required column without values': {
    code: 'null_values',
    says: [
      '`2_case` stopped: column `total` would be required, but rows have no value for it.',
      'A column can become required only once every row has a value; a new required column on a table with rows needs a default.',
      'Do it in three migrations: add the column as optional, fill it, then make it required. Then ask again.',
    ],
    excerpt: 'ERROR: column "total" of relation "orders" contains null values (23502)',
  },
  'a foreign key that rows break': {
    code: 'foreign_key_fails',
    says: [
      '`2_case` stopped: rows in `orders` point at rows that do not exist.',
      'The foreign key `orders_customer` cannot be added or kept while such rows are there. Columns: `customer_id`.',
      'Find the rows that have no counterpart and repair or remove them in a migration of their own, or add the key with `NOT VALID` and validate it later. Then ask again.',
    ],
    excerpt:
      'ERROR: insert or update on table "orders" violates foreign key constraint "orders_customer" (23503)\nDETAIL: Key (customer_id)=(…) is not present in table "customers".',
  },
  duplicates: {
    code: 'duplicate_rows',
    says: [
      '`2_case` stopped: rows that must be unique are not.',
      'The unique index or constraint `customers_email` found two rows with the same values. Columns: `email`.',
      'Find the duplicates, decide which row stays, clean them up in a migration of their own, then ask again.',
    ],
    excerpt: 'ERROR: could not create unique index "customers_email" (23505)\nDETAIL: Key (email)=(…) is duplicated.',
  },
  'a check that rows break': {
    code: 'check_fails',
    says: [
      '`2_case` stopped: rows break the check `positive`.',
      'A check holds for all rows or cannot be added.',
      'Find the rows that break it and repair them in a migration of their own, or add the check with `NOT VALID` and validate it later. Then ask again.',
    ],
    excerpt: 'ERROR: check constraint "positive" of relation "orders" is violated by some row (23514)',
  },
  'a row without a partition': {
    code: 'partition_missing',
    says: [
      '`2_case` stopped: no partition of `parts` takes one of its rows.',
      'A row goes into the partition whose bounds hold its key; there is none for this one and no default partition.',
      'Create the partition in an earlier migration or before the rows are written, then ask again.',
    ],
    excerpt:
      'ERROR: no partition of relation "parts" found for row (23514)\nDETAIL: Partition key of the failing row contains (day) = (…).',
  },
  'rows that exclude each other': {
    code: 'rows_exclude_each_other',
    says: [
      '`2_case` stopped: rows break the exclusion constraint `booked_during_excl`.',
      'Two rows have values that the constraint does not let stand side by side.',
      'Find the rows that collide, decide which one stays, clean them up in a migration of their own, then ask again.',
    ],
    excerpt:
      'ERROR: conflicting key value violates exclusion constraint "booked_during_excl" (23P01)\nDETAIL: Key (during)=(…) conflicts with existing key (during)=(…).',
  },
  'a read-only transaction of its own': {
    code: 'read_only_file',
    says: [
      '`2_case` stopped: its transaction is read-only.',
      'The record of migrations could be written a moment before, so `shop` takes changes: the file itself, or a function that it calls, makes the transaction read-only.',
      'Take `READ ONLY`, `transaction_read_only` or `default_transaction_read_only` out of it, then ask again.',
    ],
    excerpt: 'ERROR: cannot execute CREATE TABLE in a read-only transaction (25006)',
  },
  'a statement after a failure': {
    code: 'transaction_aborted',
    says: [
      '`2_case` stopped: an earlier statement of its transaction had failed.',
      'After a failure PostgreSQL takes nothing more until the transaction ends, so this error is not the first one.',
      'The first error stands further up in the log in the thread, or in the log of the server. Correct that and ask again.',
    ],
    excerpt: 'ERROR: current transaction is aborted, commands ignored until end of transaction block (25P02)',
  },
  'CONCURRENTLY beside others': {
    code: 'concurrently_in_transaction',
    says: [
      '`2_case` stopped: a `CONCURRENTLY` statement is not alone in its file.',
      'Prisma sends a file as one script, and PostgreSQL runs a script of several statements as one transaction; `CONCURRENTLY` refuses to run in a transaction.',
      'Put the statement into a migration of its own with nothing else in it, then ask again.',
    ],
    excerpt: 'ERROR: CREATE INDEX CONCURRENTLY cannot run inside a transaction block (25001)',
  },
  'a prepared statement that is not there': {
    code: 'pooler_between',
    says: [
      '`2_case` stopped: a prepared statement is there twice or not at all (`prepared statement "nothing" does not exist`).',
      'Behind a transaction pooler the statements of one program come to several sessions of the server; a file that prepares or deallocates statements itself does the same.',
      'Use the direct address of the server in `database.url`, or take `PREPARE` and `DEALLOCATE` out of the file. Then ask again.',
    ],
    excerpt: 'ERROR: prepared statement "nothing" does not exist (26000)',
  },
  'a prepared statement that is there twice': {
    code: 'pooler_between',
    says: [
      '`2_case` stopped: a prepared statement is there twice or not at all (`prepared statement "s0" already exists`).',
      'Behind a transaction pooler the statements of one program come to several sessions of the server; a file that prepares or deallocates statements itself does the same.',
      'Use the direct address of the server in `database.url`, or take `PREPARE` and `DEALLOCATE` out of the file. Then ask again.',
    ],
    excerpt: 'ERROR: prepared statement "s0" already exists (42P05)',
  },
  'what others depend on': {
    code: 'others_depend',
    says: [
      '`2_case` stopped: the view `totals` and the materialized view `sums` depend on what it drops.',
      'PostgreSQL drops nothing that something else still uses; `CASCADE` would drop that as well, with what it holds.',
      'In the same file, drop or change the view `totals` and the materialized view `sums` before the `DROP`, and create them again after it, without what goes, where they are still needed. Mark this try as rolled back (`npx prisma migrate resolve --rolled-back 2_case`) and ask again.',
    ],
    excerpt:
      'ERROR: cannot drop column total of table orders because other objects depend on it (2BP01)\nDETAIL: view totals depends on column total of table orders\nmaterialized view sums depends on column total of table orders\nHINT: Use DROP ... CASCADE to drop the dependent objects too.',
  },
  'a key that others point at': {
    code: 'others_depend',
    says: [
      '`2_case` stopped: the constraint `children_parent_fkey` of `children` depends on what it drops.',
      'PostgreSQL drops nothing that something else still uses; `CASCADE` would drop that as well, with what it holds.',
      'In the same file, drop or change the constraint `children_parent_fkey` of `children` before the `DROP`, and create it again after it, without what goes, where it is still needed. Mark this try as rolled back (`npx prisma migrate resolve --rolled-back 2_case`) and ask again.',
    ],
    excerpt:
      'ERROR: cannot drop constraint customers_pkey on table customers because other objects depend on it (2BP01)\nDETAIL: constraint children_parent_fkey on table children depends on index customers_pkey\nHINT: Use DROP ... CASCADE to drop the dependent objects too.',
  },
  'a block that commits among others': {
    code: 'ends_transaction',
    says: [
      '`2_case` stopped: a code block or procedure in it commits or rolls back, and it is not alone in its file.',
      'Prisma sends a file as one script, and PostgreSQL runs several statements as one transaction, which no block may end.',
      'Put the block or the `CALL` into a migration of its own with nothing else in it, then ask again.',
    ],
    excerpt: 'ERROR: invalid transaction termination (2D000)',
  },
  'a schema that is not there': {
    code: 'does_not_exist',
    says: [
      '`2_case` stopped: schema `audit` does not exist.',
      'The migration expects something that this database does not have: it was removed or renamed by hand, or the migration that makes it comes later or was never run here.',
      'Find out where it went. Bring it back, or correct the migration in the repository; then mark this try as rolled back (`npx prisma migrate resolve --rolled-back 2_case`) and ask again.',
    ],
    excerpt: 'ERROR: schema "audit" does not exist (3F000)',
  },
  'an identity that is written to': {
    code: 'generated_column',
    says: [
      '`2_case` stopped: it writes to `id`, whose values the database makes itself.',
      'The column is `GENERATED ALWAYS`. PostgreSQL adds: `Column "id" is an identity column defined as GENERATED ALWAYS`.',
      'Leave the column out, or write `OVERRIDING SYSTEM VALUE` where it is an identity and the value is meant. Then ask again.',
    ],
    excerpt:
      'ERROR: cannot insert a non-DEFAULT value into column "id" (428C9)\nDETAIL: Column "id" is an identity column defined as GENERATED ALWAYS.\nHINT: Use OVERRIDING SYSTEM VALUE to override.',
  },
  'a role that is not there': {
    code: 'does_not_exist',
    says: [
      '`2_case` stopped: role `nobody_knows` does not exist.',
      'The migration expects something that this database does not have: it was removed or renamed by hand, or the migration that makes it comes later or was never run here.',
      'Find out where it went. Bring it back, or correct the migration in the repository; then mark this try as rolled back (`npx prisma migrate resolve --rolled-back 2_case`) and ask again.',
    ],
    excerpt: 'ERROR: role "nobody_knows" does not exist (42704)',
  },
  'a table of another role': {
    code: 'must_be_owner',
    says: [
      '`2_case` stopped: the role that the file sets does not own table `orders`.',
      'PostgreSQL lets only the owner of a table, or a member of the owning role, alter or drop it. A grant is not enough.',
      'Make the role that the file sets the owner or a member of the owning role, or use the owning role in `database.url`. Then ask again.',
    ],
    excerpt: 'ERROR: must be owner of table orders (42501)',
  },
  'a table that the role may not read': {
    code: 'permission_denied',
    says: [
      '`2_case` stopped: the role that the file sets may not use table `orders`.',
      'The file takes another role for itself, and that one lacks a right that it needs.',
      'Grant the role that the file sets the right that the statement needs, or use a role that may change the schema. Then ask again.',
    ],
    excerpt: 'ERROR: permission denied for table orders (42501)',
  },
  'a row that row-level security refuses': {
    code: 'row_security',
    says: [
      '`2_case` stopped: row-level security of `secret` hides or refuses rows of the role that the file sets.',
      'PostgreSQL says: `new row violates row-level security policy for table "secret"`.',
      'Change these rows with a role that has `BYPASSRLS`, or give the role that the file sets a policy for it. Then ask again.',
    ],
    excerpt: 'ERROR: new row violates row-level security policy for table "secret" (42501)',
  },
  'an extension that only a superuser may create': {
    code: 'extension_right',
    says: [
      '`2_case` stopped: the role that the file sets may not create the extension `file_fdw`.',
      "An extension that is not marked as trusted is created by a superuser, or by the provider's own role. PostgreSQL adds: `Must be superuser to create this extension`.",
      'Create it once by hand with a role that may, and write `CREATE EXTENSION IF NOT EXISTS` in the migration. Then ask again.',
    ],
    excerpt: 'ERROR: permission denied to create extension "file_fdw" (42501)\nHINT: Must be superuser to create this extension.',
  },
  'a mistake': {
    code: 'syntax',
    says: [
      '`2_case` stopped: PostgreSQL cannot read its SQL.',
      'PostgreSQL says: `syntax error at or near "tabel"`. There is a mistake in the SQL, or it is written for a newer server.',
      'Correct the file (it was never applied here, so it may be changed if it was applied nowhere else), then ask again.',
    ],
    excerpt: 'ERROR: syntax error at or near "tabel" (42601)\nline 2 of migration.sql names it: create tabel t (id int);',
  },
  'an INSERT with too many values': {
    code: 'counts_differ',
    says: [
      '`2_case` stopped: in one of its `INSERT`s the values are not as many as the columns.',
      'PostgreSQL says: `INSERT has more expressions than target columns`.',
      'Name the columns of the `INSERT` and give each row a value for each of them, then ask again.',
    ],
    excerpt: 'ERROR: INSERT has more expressions than target columns (42601)',
  },
  'a UNION of different lengths': {
    code: 'refused_statement',
    says: [
      '`2_case` stopped: PostgreSQL refuses a statement in it: `each UNION query must have the same number of columns`.',
      'It is refused as it is written, whatever rows there are.',
      'Correct the file (it was never applied here, so it may be changed if it was applied nowhere else), then ask again.',
    ],
    excerpt: 'ERROR: each UNION query must have the same number of columns (42601)',
  },
  'a column that is named twice': {
    code: 'already_exists',
    says: [
      '`2_case` stopped: column `total` of table `orders` already exists.',
      'An earlier migration made it already, or something outside the migrations did: a change by hand, `db push`, or an earlier try that was not rolled back as a whole.',
      'Compare it with what the migration would make. If that is all there already, mark the migration as applied (`npx prisma migrate resolve --applied 2_case`); if not, remove or rename it and mark the migration as rolled back (`npx prisma migrate resolve --rolled-back 2_case`). Then ask again.',
    ],
    excerpt: 'ERROR: column "total" of relation "orders" already exists (42701)',
  },
  'a column that is ambiguous': {
    code: 'ambiguous',
    says: [
      '`2_case` stopped: a name in it fits more than one thing.',
      'PostgreSQL says: `column reference "id" is ambiguous`.',
      'Say which one is meant: the table before the column, or the types of the arguments. Then ask again.',
    ],
    excerpt: 'ERROR: column reference "id" is ambiguous (42702)',
  },
  'a column that is not there': {
    code: 'does_not_exist',
    says: [
      '`2_case` stopped: column `nothing` of table `orders` does not exist.',
      'The migration expects something that this database does not have: it was removed or renamed by hand, or the migration that makes it comes later or was never run here.',
      'Find out where it went. Bring it back, or correct the migration in the repository; then mark this try as rolled back (`npx prisma migrate resolve --rolled-back 2_case`) and ask again.',
    ],
    excerpt: 'ERROR: column "nothing" of relation "orders" does not exist (42703)\nline 3 of migration.sql names it: set nothing = 1;',
  },
  'a function that is not there': {
    code: 'does_not_exist',
    says: [
      '`2_case` stopped: the function `nanoid(integer)` does not exist.',
      'The migration expects something that this database does not have: it was removed or renamed by hand, or the migration that makes it comes later or was never run here.',
      'Find out where it went. Bring it back, or correct the migration in the repository; then mark this try as rolled back (`npx prisma migrate resolve --rolled-back 2_case`) and ask again.',
    ],
    excerpt:
      'ERROR: function nanoid(integer) does not exist (42883)\nHINT: No function matches the given name and argument types. You might need to add explicit type casts.',
  },
  'a table that is not there': {
    code: 'does_not_exist',
    says: [
      '`2_case` stopped: table or index `missing` does not exist.',
      'The migration expects something that this database does not have: it was removed or renamed by hand, or the migration that makes it comes later or was never run here.',
      'Find out where it went. Bring it back, or correct the migration in the repository; then mark this try as rolled back (`npx prisma migrate resolve --rolled-back 2_case`) and ask again.',
    ],
    excerpt: 'ERROR: relation "missing" does not exist (42P01)',
  },
  'a table that is there': {
    code: 'already_exists',
    says: [
      '`2_case` stopped: table or index `orders` already exists.',
      'An earlier migration made it already, or something outside the migrations did: a change by hand, `db push`, or an earlier try that was not rolled back as a whole.',
      'Compare it with what the migration would make. If that is all there already, mark the migration as applied (`npx prisma migrate resolve --applied 2_case`); if not, remove or rename it and mark the migration as rolled back (`npx prisma migrate resolve --rolled-back 2_case`). Then ask again.',
    ],
    excerpt: 'ERROR: relation "orders" already exists (42P07)',
  },
  'a type that is there': {
    code: 'already_exists',
    says: [
      '`2_case` stopped: type `status` already exists.',
      'An earlier migration made it already, or something outside the migrations did: a change by hand, `db push`, or an earlier try that was not rolled back as a whole.',
      'Compare it with what the migration would make. If that is all there already, mark the migration as applied (`npx prisma migrate resolve --applied 2_case`); if not, remove or rename it and mark the migration as rolled back (`npx prisma migrate resolve --rolled-back 2_case`). Then ask again.',
    ],
    excerpt: 'ERROR: type "status" already exists (42710)',
  },
  'a type that does not cast': {
    code: 'no_automatic_cast',
    says: [
      '`2_case` stopped: column `email` does not become `integer` by itself.',
      'PostgreSQL converts only between types that it knows to be alike; for others the migration says how.',
      'Write how each value is converted (`ALTER COLUMN … TYPE integer USING …::integer`), after a look at the values that are there. Then ask again.',
    ],
    excerpt:
      'ERROR: column "email" cannot be cast automatically to type integer (42804)\nHINT: You might need to specify "USING email::integer".',
  },
  'a default that does not cast': {
    code: 'no_automatic_cast',
    says: [
      '`2_case` stopped: the default of column `note` does not become `integer` by itself.',
      'PostgreSQL converts only between types that it knows to be alike; for others the migration says how.',
      'Drop the default before the change of type and set it again after it, in the migration. Then ask again.',
    ],
    excerpt: 'ERROR: default for column "note" cannot be cast automatically to type integer (42804)',
  },
  'a foreign key of another type': {
    code: 'foreign_key_types',
    says: [
      '`2_case` stopped: the columns of the foreign key `orders_note` have other types than those that they point at.',
      'A foreign key compares both. PostgreSQL adds: `Key columns "note" and "id" are of incompatible types: text and integer`.',
      'Give both the same type in the migration before the key is added, then ask again.',
    ],
    excerpt:
      'ERROR: foreign key constraint "orders_note" cannot be implemented (42804)\nDETAIL: Key columns "note" and "id" are of incompatible types: text and integer.',
  },
  'types that cannot be compared': {
    code: 'types_differ',
    says: [
      '`2_case` stopped: two types in it do not fit together.',
      'PostgreSQL says: `CASE types timestamp with time zone and integer cannot be matched`.',
      'Give both the same type, or write the cast. Then ask again.',
    ],
    excerpt: 'ERROR: CASE types timestamp with time zone and integer cannot be matched (42804)',
  },
  'a view that is altered as a table': {
    code: 'another_kind',
    says: [
      '`2_case` stopped: `totals` is a view, and a statement in the file is for something else.',
      'PostgreSQL says: `ALTER action ADD COLUMN cannot be performed on relation "totals"`.',
      'Use the statement for what is there (`ALTER VIEW`, `ALTER SEQUENCE`, …), or find out who made it another kind. Then ask again.',
    ],
    excerpt:
      'ERROR: ALTER action ADD COLUMN cannot be performed on relation "totals" (42809)\nDETAIL: This operation is not supported for views.',
  },
  'a foreign key NOT VALID on a partitioned table': {
    code: 'not_on_partitioned',
    says: [
      '`2_case` stopped: this server cannot do that on a partitioned table.',
      'PostgreSQL says: `cannot add NOT VALID foreign key on partitioned table "parts" referencing relation "customers"`. PostgreSQL adds: `This feature is not yet supported on partitioned tables`.',
      'Do it on each partition and then on the whole (a key or an index that every partition has is taken over), or wait for a newer server. Then ask again.',
    ],
    excerpt:
      'ERROR: cannot add NOT VALID foreign key on partitioned table "parts" referencing relation "customers" (42809)\nDETAIL: This feature is not yet supported on partitioned tables.',
  },
  'a foreign key without a key to point at': {
    code: 'no_unique_key',
    says: [
      '`2_case` stopped: `customers` has no unique key on the columns that the key points at.',
      'A foreign key points at a primary key, or at columns that a unique constraint or a whole unique index covers.',
      'Add that unique constraint first, in the migration itself or an earlier one. Then ask again.',
    ],
    excerpt: 'ERROR: there is no unique constraint matching given keys for referenced table "customers" (42830)',
  },
  'a cast that there is not': {
    code: 'types_differ',
    says: [
      '`2_case` stopped: two types in it do not fit together.',
      'PostgreSQL says: `cannot cast type integer to date`.',
      'Give both the same type, or write the cast. Then ask again.',
    ],
    excerpt: 'ERROR: cannot cast type integer to date (42846)',
  },
  'a conflict target without a key': {
    code: 'no_conflict_target',
    says: [
      '`2_case` stopped: no unique key fits its `ON CONFLICT`.',
      'PostgreSQL says: `there is no unique or exclusion constraint matching the ON CONFLICT specification`.',
      'Name the columns of a unique constraint or index that is there, or create it before. Then ask again.',
    ],
    excerpt: 'ERROR: there is no unique or exclusion constraint matching the ON CONFLICT specification (42P10)',
  },
  'a function that returns something else': {
    code: 'function_changed',
    says: [
      '`2_case` stopped: `CREATE OR REPLACE` keeps what a function takes and returns.',
      'PostgreSQL says: `cannot change return type of existing function`.',
      'Drop the function in the migration before it is created anew; what uses it (triggers, defaults, indexes) is dropped and created with it. Then ask again.',
    ],
    excerpt: 'ERROR: cannot change return type of existing function (42P13)\nHINT: Use DROP FUNCTION twice(integer) first.',
  },
  'a second primary key': {
    code: 'second_primary_key',
    says: [
      '`2_case` stopped: `customers` has a primary key already.',
      'A table has one primary key.',
      'Drop the old one in the same migration before the new one is added (foreign keys that point at it go first). Then ask again.',
    ],
    excerpt: 'ERROR: multiple primary keys for table "customers" are not allowed (42P16)',
  },
  'a view with fewer columns': {
    code: 'view_columns',
    says: [
      '`2_case` stopped: `CREATE OR REPLACE VIEW` keeps the columns of a view and adds only behind them.',
      'PostgreSQL says: `cannot change name of view column "total" to "id"`.',
      'Use `DROP VIEW` and `CREATE VIEW` in the migration; grants on the view are to be given again. Then ask again.',
    ],
    excerpt:
      'ERROR: cannot change name of view column "total" to "id" (42P16)\nHINT: Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.',
  },
  'a key that would become optional': {
    code: 'invalid_definition',
    says: [
      '`2_case` stopped: PostgreSQL refuses a definition in it: `column "id" is in a primary key`.',
      'It is refused as it is written, whatever rows there are.',
      'Correct the definition in the repository, then ask again.',
    ],
    excerpt: 'ERROR: column "id" is in a primary key (42P16)',
  },
  'an index over what changes': {
    code: 'not_immutable',
    says: [
      '`2_case` stopped: an index or a generated column needs an expression that always gives the same.',
      "What depends on the time, the session's time zone or language, or on other rows may not stand there. PostgreSQL says: `functions in index expression must be marked IMMUTABLE`.",
      "Use what is immutable (`at AT TIME ZONE 'UTC'` in place of a cast, a function marked `IMMUTABLE` that truly is so). Then ask again.",
    ],
    excerpt: 'ERROR: functions in index expression must be marked IMMUTABLE (42P17)',
  },
  'values that are too long for an index': {
    code: 'index_row_too_large',
    says: [
      '`2_case` stopped: rows have values that are too long for an index that it builds.',
      'A B-tree index takes values up to about 2,700 bytes.',
      'Index a hash of the column (`md5(column)`) or use a GIN index for text and JSON, then ask again.',
    ],
    excerpt: 'ERROR: index row requires 64016 bytes, maximum size is 8191 (54000)',
  },
  'too many columns': {
    code: 'limit_exceeded',
    says: [
      "`2_case` stopped: it goes beyond a limit of PostgreSQL's.",
      'PostgreSQL says: `tables can have at most 1600 columns`.',
      'Change the migration so that it stays within, then ask again.',
    ],
    excerpt: 'ERROR: tables can have at most 1600 columns (54011)',
  },
  'a view that was never filled': {
    code: 'not_ready',
    says: [
      '`2_case` stopped. PostgreSQL says: `materialized view "sums" has not been populated`.',
      'Something that it uses is not in the state that the statement needs. PostgreSQL adds: `Use the REFRESH MATERIALIZED VIEW command`.',
      'Bring it into that state first (in the migration, or on the server), then ask again.',
    ],
    excerpt: 'ERROR: materialized view "sums" has not been populated (55000)\nHINT: Use the REFRESH MATERIALIZED VIEW command.',
  },
  'rows and their table in one file': {
    code: 'pending_trigger_events',
    says: [
      '`2_case` stopped: it writes rows and then changes their table `children` in the same transaction.',
      'A deferred check of the written rows (a foreign key, a constraint trigger) is still due, and PostgreSQL changes no table below it.',
      'Put the rows into a migration of their own before this one, or write `SET CONSTRAINTS ALL IMMEDIATE;` between the rows and the change. Then ask again.',
    ],
    excerpt: 'ERROR: cannot ALTER TABLE "children" because it has pending trigger events (55006)',
  },
  'a table that a cursor reads': {
    code: 'in_use',
    says: [
      '`2_case` stopped: what it changes is in use.',
      'PostgreSQL says: `cannot ALTER TABLE "orders" because it is being used by active queries in this session`.',
      'End what uses it (a cursor or query of the file itself, a replication slot, a session), then ask again.',
    ],
    excerpt: 'ERROR: cannot ALTER TABLE "orders" because it is being used by active queries in this session (55006)',
  },
  'a lock that is held': {
    code: 'lock_timeout',
    says: [
      '`2_case` could not get its lock.',
      'It waited for 2 s for a lock that another session held; which one could not be seen in that time. Waiting longer would have queued everybody else behind it.',
      'Try again at a quieter moment: what has run is kept and not repeated.',
    ],
    excerpt: 'ERROR: canceling statement due to lock timeout (55P03)',
  },
  'a lock that is not waited for': {
    code: 'lock_timeout',
    says: [
      '`2_case` could not get its lock on `orders`.',
      'A statement in it does not wait (`NOWAIT`), and another session holds a lock that excludes it.',
      'Try again at a quieter moment: what has run is kept and not repeated.',
    ],
    excerpt: 'ERROR: could not obtain lock on relation "orders" (55P03)',
  },
  'an enum value that is too new': {
    code: 'enum_value_too_new',
    says: [
      '`2_case` stopped: it uses an enum value that it adds itself.',
      'PostgreSQL lets a new enum value (`sent`) be used only after the transaction that added it has ended, and a file is one transaction.',
      'Move what uses the value (a default, an update) into a later migration, then ask again.',
    ],
    excerpt:
      'ERROR: unsafe use of new value "sent" of enum type status (55P04)\nHINT: New enum values must be committed before they can be used.',
  },
  'a statement that takes too long': {
    code: 'statement_timeout',
    says: [
      '`2_case` took too long and was stopped by the database.',
      'One statement ran for longer than the `statement_timeout` that the file sets itself.',
      'Split the work (fill in batches, build indexes concurrently in a file of their own), or raise the `statement_timeout` in the file, then ask again.',
    ],
    excerpt: 'ERROR: canceling statement due to statement timeout (57014)',
  },
  'a file that the server does not have': {
    code: 'no_such_file',
    says: [
      '`2_case` stopped: the server has no such file.',
      'A path in SQL is one of the database server, not of the repository. PostgreSQL says: `could not open file "/nowhere/rows.csv" for reading: No such file or directory`.',
      'Write the rows as `INSERT … VALUES` in place of a `COPY` from a file; a missing library belongs to an extension that is to be installed on `db.example`. Then ask again.',
    ],
    excerpt:
      'ERROR: could not open file "/nowhere/rows.csv" for reading: No such file or directory (58P01)\nHINT: COPY FROM instructs the PostgreSQL server process to read a file. You may want a client-side facility such as psql\'s \\copy.',
  },
  'a message of its own': {
    code: 'raised',
    says: [
      '`2_case` stopped with a message of its own: `orders are open; timed out`.',
      'A `RAISE` in the file, or in a function or trigger that it calls, ended it. Its hint: `close them`.',
      'See which condition it checks, put that right, then ask again.',
    ],
    excerpt: 'ERROR: orders are open; timed out (P0001)\nHINT: close them',
  },
  'more locks than the server has room for': {
    code: 'lock_table_full',
    says: [
      '`2_case` stopped: the server has no room left in its lock table.',
      'Each table, index and partition that one transaction touches takes a lock, and the file touches more than the server is set up for.',
      'Split the migration, or raise `max_locks_per_transaction` (the server is restarted for that). Then ask again.',
    ],
    excerpt: 'ERROR: out of shared memory (53200)\nHINT: You might need to increase max_locks_per_transaction.',
  },
  'a server that changes the same': {
    code: 'concurrent_change',
    says: [
      '`2_case` stopped: somebody else changed the same thing at the same moment.',
      'PostgreSQL says: `tuple concurrently updated`.',
      'Find out who else changes this database (another deployment, a script that grants rights), and ask again when that has ended.',
    ],
    excerpt: 'ERROR: tuple concurrently updated (XX000)',
  },
  'what nobody knows': {
    code: 'unknown',
    says: [
      '`2_case` stopped. PostgreSQL says: `division by zero` (22012).',
      'This product has no words of its own for that.',
      'Read that, see what is applied and what is not, correct the cause and ask again.',
    ],
    excerpt: 'ERROR: division by zero (22012)',
  },
  'what nobody knows, with a place': {
    code: 'unknown',
    says: [
      '`2_case` stopped. PostgreSQL says: `column "orders.id" must appear in the GROUP BY clause or be used in an aggregate function` (42803).',
      'This product has no words of its own for that.',
      'Read that, see what is applied and what is not, correct the cause and ask again.',
    ],
    excerpt: 'ERROR: column "orders.id" must appear in the GROUP BY clause or be used in an aggregate function (42803)',
  },
  'a column that is named twice in one INSERT': {
    code: 'unknown',
    says: [
      '`2_case` stopped. PostgreSQL says: `column "id" specified more than once` (42701).',
      'This product has no words of its own for that.',
      'Read that, see what is applied and what is not, correct the cause and ask again.',
    ],
    excerpt: 'ERROR: column "id" specified more than once (42701)',
  },
  'a table that FROM does not name': {
    code: 'unknown',
    says: [
      '`2_case` stopped. PostgreSQL says: `missing FROM-clause entry for table "customers"` (42P01).',
      'This product has no words of its own for that.',
      'Read that, see what is applied and what is not, correct the cause and ask again.',
    ],
    excerpt: 'ERROR: missing FROM-clause entry for table "customers" (42P01)',
  },
  'a partition that is none': {
    code: 'unknown',
    says: [
      '`2_case` stopped. PostgreSQL says: `relation "orders" is not a partition of relation "parts"` (42P01).',
      'This product has no words of its own for that.',
      'Read that, see what is applied and what is not, correct the cause and ask again.',
    ],
    excerpt: 'ERROR: relation "orders" is not a partition of relation "parts" (42P01)',
  },
  'a setting that is none': {
    code: 'unknown',
    says: [
      '`2_case` stopped. PostgreSQL says: `unrecognized configuration parameter "sql_mode"` (42704).',
      'This product has no words of its own for that.',
      'Read that, see what is applied and what is not, correct the cause and ask again.',
    ],
    excerpt: 'ERROR: unrecognized configuration parameter "sql_mode" (42704)',
  },
  'an operator for other types': {
    code: 'no_operator',
    says: [
      '`2_case` stopped: PostgreSQL has no operator `text + integer`.',
      'Values of these types are not combined or compared by themselves.',
      'Give them the same type, or write the cast (`…::integer`). Then ask again.',
    ],
    excerpt:
      'ERROR: operator does not exist: text + integer (42883)\nHINT: No operator matches the given name and argument types. You might need to add explicit type casts.',
  },
  'a table that others refer to, emptied': {
    code: 'truncated_table_referenced',
    says: [
      '`2_case` stopped: another table refers to one that it empties.',
      '`TRUNCATE` looks at no rows, so it refuses whatever a foreign key points at. PostgreSQL adds: `Table "children" references "customers"`.',
      'Name both tables in one `TRUNCATE`, or write `CASCADE` where the rows of every table that refers to it may go too. Then ask again.',
    ],
    excerpt:
      'ERROR: cannot truncate a table referenced in a foreign key constraint (0A000)\nDETAIL: Table "children" references "customers".\nHINT: Truncate table "children" at the same time, or use TRUNCATE ... CASCADE.',
  },
  'VACUUM beside something else': {
    code: 'concurrently_in_transaction',
    says: [
      '`2_case` stopped: a `VACUUM` statement is not alone in its file.',
      'Prisma sends a file as one script, and PostgreSQL runs a script of several statements as one transaction; `VACUUM` refuses to run in a transaction.',
      'Put the statement into a migration of its own with nothing else in it, then ask again.',
    ],
    excerpt: 'ERROR: VACUUM cannot run inside a transaction block (25001)',
  },
}
