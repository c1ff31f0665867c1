#!/usr/bin/env bash
# Expected: what a migration sets for its session ends with it; a file runs as it would run alone, and what ran is recorded as applied.
# Happens: Prisma runs all files of a deploy in one session and writes its record there too. `SET search_path TO audit, public` creates the
#   next file's table in `audit`, with exit code 0 and "up to date". The first lines of every dump (search_path empty) let the file run to
#   its end and then lose the record: exit code 1, P1014, and its row stays unfinished, so the next deploy refuses with P3009.
# Seen with: prisma 6.19.3 (WebAssembly engine; its native engine was not tried), @prisma/adapter-pg 7.10.1, PostgreSQL 15.18.
# Means: find settings that outlive a file before it runs, and look at where tables are afterwards; P1014 is no sign that nothing ran.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install prisma@6.19.3 @prisma/adapter-pg@7.10.1 embedded-postgres@15.18.0-beta.17
start_postgres
prisma_application
migration 1_audit <<<$'CREATE SCHEMA audit;\nSET search_path TO audit, public;'
migration 2_orders <<<'CREATE TABLE orders (id INT);'
run prisma migrate deploy
expect 'deploy of a file that sets the path and one that creates a table, exit code' 0 "$code"
expect_words 'All migrations have been successfully applied.'
expect 'schema of the table' audit "$(query -c "SELECT schemaname FROM pg_tables WHERE tablename = 'orders'")"
run prisma migrate status
expect 'status, exit code' 0 "$code"
expect_words 'Database schema is up to date!'

migration 3_dump <<<$'SELECT pg_catalog.set_config(\'search_path\', \'\', false);\nCREATE TABLE public.loaded (id INT);'
run prisma migrate deploy
expect 'deploy of a file that begins as dumps do, exit code' 1 "$code"
expect_words 'Error: P1014'
expect 'its table' loaded "$(query -c "SELECT tablename FROM pg_tables WHERE tablename = 'loaded'")"
expect 'its row' unfinished "$(query -c "
  SELECT CASE WHEN finished_at IS NULL THEN 'unfinished' ELSE 'finished' END FROM _prisma_migrations WHERE migration_name = '3_dump'")"
run prisma migrate deploy
expect 'next deploy, exit code' 1 "$code"
expect_words 'Error: P3009'
