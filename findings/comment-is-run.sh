#!/usr/bin/env bash
# Expected: Prisma's own PostgreSQL adapter hands a migration to the server as it stands, and a comment is a comment.
# Happens: the adapter cuts the text at every semicolon, wherever it stands. What follows one in a comment runs as SQL, and the deploy
#   is a success; one in a string literal breaks the file in the middle, and the statements before it stay.
# Seen with: @prisma/adapter-pg 7.10.1 under prisma 6.19.3 with `engine: 'js'`, PostgreSQL 15.18; adapter 6.19.3 cuts the same way.
# Means: over the adapter a reviewed file is not what runs, and it is not atomic; send a script whole, by one `query` of `pg`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install prisma@6.19.3 @prisma/adapter-pg@7.10.1 embedded-postgres@15.18.0-beta.17
start_postgres
prisma_application
tables() { query -c "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_prisma_migrations' ORDER BY 1"; }

sql=$'CREATE TABLE draft (id INT);\nCREATE TABLE final (id INT);\n-- Not yet; DROP TABLE draft;'
migration 1_comment <<<"$sql"
run prisma migrate deploy
expect 'deploy of a file with a semicolon in a comment, exit code' 0 "$code"
expect_words 'All migrations have been successfully applied.'
expect 'tables by Prisma' final "$(tables)"
createdb by_psql && query -d by_psql -c "$sql"
expect 'tables by psql' $'draft\nfinal' "$(PGDATABASE=by_psql tables)"

migration 2_string <<<$'CREATE TABLE note (text TEXT);\nINSERT INTO note VALUES (\'milk; eggs\');'
run prisma migrate deploy
expect 'deploy of a file with a semicolon in a string, exit code' 1 "$code"
expect_words "unterminated quoted string at or near \"'milk\""
expect 'tables' $'final\nnote' "$(tables)"
