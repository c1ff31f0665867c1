#!/usr/bin/env bash
# Expected: when the schema engine dies, the command fails, and `migrate diff --exit-code` does not end with the code that means "no difference".
# Happens: in most tries the command ends with code 0 and says nothing but which configuration it has loaded; in some with 1 and an error.
#   So does `migrate deploy` when its engine is ended in the middle of a migration, for lack of memory for instance.
# Seen with: prisma 7.10.1. 5.22.0 ends with 1, always.
# Means: code 0 proves nothing; ask for the words ("No difference detected.", "All migrations have been successfully applied.").
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install prisma@7.10.1
export CHECKPOINT_DISABLE=1 PRISMA_HIDE_UPDATE_MESSAGE=1 NO_COLOR=1
export DATABASE_URL=postgresql://nobody@127.0.0.1:1/none PRISMA_SCHEMA_ENGINE_BINARY=/bin/false
mkdir prisma
printf 'datasource db {\n  provider = "postgresql"\n}\n' >prisma/schema.prisma
cat >prisma.config.ts <<'CONFIG'
import { defineConfig, env } from 'prisma/config'
export default defineConfig({ schema: 'prisma/schema.prisma', datasource: { url: env('DATABASE_URL') } })
CONFIG

silent=no
for try in 1 2 3 4 5 6 7 8 9 10; do
  run prisma migrate diff --from-config-datasource --to-schema prisma/schema.prisma --exit-code
  echo "try $try: exit code $code"
  [[ $code != 0 ]] || { silent=yes && break; }
done
expect 'a try ended with 0' yes "$silent"
expect 'what it said' 'Loaded Prisma config from prisma.config.ts.' "$(grep -v '^$' <<<"$output")"
