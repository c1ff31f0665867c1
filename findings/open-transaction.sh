#!/usr/bin/env bash
# Expected: when `migrate deploy` says that all migrations have been successfully applied and exits 0, they are in the database.
# Happens: a file that begins a transaction and forgets COMMIT takes everything after it along, also Prisma's own notes and the files
#   behind it: reported as applied, exit code 0, and no table is there. Its row stays unfinished; the next file has no row at all.
#   `migrate status` then tells only of the next file and does not name the one that is stuck; the next deploy refuses with P3009.
# Seen with: prisma 6.19.3 (WebAssembly engine; its native engine was not tried), @prisma/adapter-pg 7.10.1, PostgreSQL 15.18.
# Means: neither exit code nor text of a deploy proves it; read _prisma_migrations and the catalogue afterwards.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install prisma@6.19.3 @prisma/adapter-pg@7.10.1 embedded-postgres@15.18.0-beta.17
start_postgres
prisma_application
migration 1_kept <<<'CREATE TABLE kept (id INT);'
run prisma migrate deploy
expect 'a plain deploy, exit code' 0 "$code"

migration 2_open <<<$'BEGIN;\nCREATE TABLE "open" (id INT);'
migration 3_next <<<'CREATE TABLE next (id INT);'
run prisma migrate deploy
expect 'deploy of 2_open (BEGIN without COMMIT) and 3_next, exit code' 0 "$code"
expect_words '└─ 2_open/'
expect_words '└─ 3_next/'
expect_words 'All migrations have been successfully applied.'

expect 'tables' $'_prisma_migrations\nkept' "$(query -c "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")"
expect 'rows of _prisma_migrations' $'1_kept finished\n2_open unfinished' "$(query -c "
  SELECT migration_name || CASE WHEN finished_at IS NULL THEN ' unfinished' ELSE ' finished' END
  FROM _prisma_migrations ORDER BY started_at")"

run prisma migrate status
expect 'status, exit code' 1 "$code"
expect_words $'Following migration have not yet been applied:\n3_next'
expect_silence_about 2_open

run prisma migrate deploy
expect 'next deploy, exit code' 1 "$code"
expect_words 'Error: P3009'
