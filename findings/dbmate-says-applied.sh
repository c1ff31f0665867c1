#!/usr/bin/env bash
# Expected: a migrator says "Applied" of what it has applied.
# Happens: of a migration that the database refuses dbmate says `Applied: … in …` first, and then the error. It is not applied and not recorded,
#   and the exit code is 2.
# Seen with: dbmate 2.36.0, PostgreSQL 15.18.
# Means: who counts its "Applied" lines counts one too many; only the code and the table `schema_migrations` tell.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install dbmate@2.36.0 embedded-postgres@15.18.0-beta.17
start_postgres
export DATABASE_URL="postgresql://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/postgres?sslmode=disable"
mkdir -p db/migrations
printf -- '-- migrate:up\nCREATE TABLE fine (id INT);\n-- migrate:down\nDROP TABLE fine;\n' >db/migrations/20260101000000_fine.sql
printf -- '-- migrate:up\nCREATE TABLE other (id INT REFERENCES missing (id));\n-- migrate:down\nDROP TABLE other;\n' >db/migrations/20260102000000_refused.sql

run dbmate --no-dump-schema migrate
expect 'exit code' 2 "$code"
expect 'of which it says that they are applied' $'20260101000000_fine.sql\n20260102000000_refused.sql' "$(sed -n 's/^Applied: \([^ ]*\) in .*/\1/p' <<<"$output")"
expect_words 'relation "missing" does not exist'
expect 'recorded' 20260101000000 "$(query -c 'SELECT version FROM schema_migrations')"
expect 'tables' $'fine\nschema_migrations' "$(query -c "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")"
