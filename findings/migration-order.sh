#!/usr/bin/env bash
# Expected: migrations run in the order in which `ls` and every byte-wise sort list their folders, the same on every machine.
# Happens: Prisma compares the names as words of the language that LC_ALL, LC_MESSAGES or LANG names (LC_COLLATE is not asked).
#   `1_init` runs before `10_index` before `2_users`, and in Czech, where "ch" is a letter after "h", `4_create` runs before
#   `4_change`: one folder, two orders.
# Seen with: prisma 6.19.3, @prisma/adapter-pg 7.10.1, PostgreSQL 15.18, Node 24.21.0. The locale need not be installed.
# Means: a tool that shows, groups or reviews migrations must not sort them itself by bytes, and must give Prisma one fixed locale.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install prisma@6.19.3 @prisma/adapter-pg@7.10.1 embedded-postgres@15.18.0-beta.17
start_postgres
prisma_application
for name in 1_init 10_index 2_users 3_Beta 3_alpha 4_create 4_change; do
  echo "CREATE TABLE \"$name\" (id INT);" | migration "$name"
done

deployed_order() {
  createdb "$2"
  run env LC_ALL="$1" PGDATABASE="$2" prisma migrate deploy
  [[ $code == 0 ]] || changed 'a plain deploy failed' "$output"
  query -d "$2" -c 'SELECT migration_name FROM _prisma_migrations ORDER BY started_at' | xargs
}

expect 'order of the bytes' '10_index 1_init 2_users 3_Beta 3_alpha 4_change 4_create' \
  "$(cd prisma/migrations && LC_ALL=C ls -d [0-9]* | xargs)"
expect 'order of `migrate deploy` with LC_ALL=C' '1_init 10_index 2_users 3_alpha 3_Beta 4_change 4_create' "$(deployed_order C plain)"
expect 'order of `migrate deploy` with LC_ALL=cs_CZ.UTF-8' '1_init 10_index 2_users 3_alpha 3_Beta 4_create 4_change' \
  "$(deployed_order cs_CZ.UTF-8 czech)"
