#!/usr/bin/env bash
# Expected: `migrate status` reads; a role that may only read can ask it, and a mistyped schema makes it complain.
# Happens: it creates the schema that it is configured for when that is missing, and leaves it there, empty. A role without CREATE
#   on the database gets "permission denied for database" instead of a status, though it may read everything.
# Seen with: prisma 6.19.3 (WebAssembly engine), @prisma/adapter-pg 7.10.1 with its `schema` option (in a URL: `?schema=`), PostgreSQL 15.18.
# Means: a check that must not write cannot call it with an untested schema name; ask pg_namespace first, or read the table yourself.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install prisma@6.19.3 @prisma/adapter-pg@7.10.1 embedded-postgres@15.18.0-beta.17
start_postgres
prisma_application
migration 1_init <<<'CREATE TABLE t (id INT);'
query -c "CREATE ROLE reader LOGIN PASSWORD '$PGPASSWORD'" -c 'GRANT pg_read_all_data TO reader'

own_schemas() { query -c "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$' ORDER BY 1"; }

export SCHEMA=mistyped
expect 'schemas before' public "$(own_schemas)"
PGUSER=reader run prisma migrate status
expect 'status by a role that may only read, exit code' 1 "$code"
expect_words 'permission denied for database postgres'

run prisma migrate status
expect 'status by the owner, exit code' 1 "$code"
expect_words $'Following migration have not yet been applied:\n1_init'
expect 'schemas after' $'mistyped\npublic' "$(own_schemas)"
expect 'tables in it' 0 "$(query -c "SELECT count(*) FROM pg_class WHERE relnamespace = 'mistyped'::regnamespace")"

PGUSER=reader run prisma migrate status
expect 'status by the reading role, now that the schema is there, exit code' 1 "$code"
expect_words $'Following migration have not yet been applied:\n1_init'
