#!/usr/bin/env bash
# Expected: `migrate resolve --rolled-back` refuses an applied migration (P3012), as `--applied` refuses one twice (P3008).
# Happens: it refuses only when every row of that name is finished. Was the migration ever rolled back before, it says "marked as
#   rolled back" and exits 0, for the second mark as for one that has been applied since, and changes no row.
# Seen with: prisma 6.19.3, @prisma/adapter-pg 7.10.1, PostgreSQL 15.18.
# Means: for a tool the two halves of `resolve` differ: repeating one is a fault, repeating the other proves nothing. Read the rows.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install prisma@6.19.3 @prisma/adapter-pg@7.10.1 embedded-postgres@15.18.0-beta.17
start_postgres
prisma_application
migration 1_fine <<<'CREATE TABLE fine (id INT);'
migration 2_fails <<<'SELECT 1 / 0;'
run prisma migrate deploy
expect 'deploy of 1_fine and 2_fails, exit code' 1 "$code"

resolve() {
  run prisma migrate resolve "$@"
  expect "resolve $*, exit code" "$wanted" "$code"
}
rows() { query -c "SELECT to_jsonb(m) - 'checksum' - 'logs' FROM _prisma_migrations m WHERE migration_name = '2_fails' ORDER BY started_at"; }

wanted=0 resolve --rolled-back 2_fails
expect_words 'Migration 2_fails marked as rolled back.'
once=$(rows)
wanted=0 resolve --rolled-back 2_fails
expect_words 'Migration 2_fails marked as rolled back.'
expect 'its row after the second mark, as after the first' "$once" "$(rows)"

wanted=0 resolve --applied 2_fails
applied=$(rows)
wanted=1 resolve --applied 2_fails
expect_words 'Error: P3008'

wanted=0 resolve --rolled-back 2_fails
expect_words 'Migration 2_fails marked as rolled back.'
expect 'its rows, as before' "$applied" "$(rows)"
run prisma migrate status
expect 'status, exit code' 0 "$code"
expect_words 'Database schema is up to date!'

wanted=1 resolve --rolled-back 1_fine
expect_words 'Error: P3012'
