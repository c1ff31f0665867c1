#!/usr/bin/env bash
# Expected: a linter that stays silent about an index, a check and a unique constraint on a table that the same file has just created, because
#   nobody uses it yet, stays silent about its other changes as well.
# Happens: of the same new table squawk reports `adding-required-field`, `changing-column-type` and `adding-not-nullable-field`, and nothing
#   of the index, the check and the unique constraint.
# Seen with: squawk-cli 2.66.0.
# Means: what it reports has to be held against what the files create before it is shown to anybody.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install squawk-cli@2.66.0
cat >plan.sql <<'SQL'
CREATE TABLE fresh (id BIGINT);
ALTER TABLE fresh ADD COLUMN n SMALLINT NOT NULL;
ALTER TABLE fresh ALTER COLUMN n TYPE BIGINT;
ALTER TABLE fresh ALTER COLUMN id SET NOT NULL;
CREATE INDEX fresh_n ON fresh (n);
ALTER TABLE fresh ADD CONSTRAINT positive CHECK (n > 0);
ALTER TABLE fresh ADD CONSTRAINT once UNIQUE (n);
SQL
run squawk -c /dev/null --assume-in-transaction --reporter json plan.sql
expect 'exit code' 1 "$code"
told=$(node -e 'for (const one of JSON.parse(process.argv[1])) if (!/^(prefer|require-.*-timeout)/.test(one.rule_name)) console.log(one.line + 1, one.rule_name)' "$output")
expect 'what is reported of the new table' $'2 adding-required-field\n3 changing-column-type\n4 adding-not-nullable-field' "$told"
