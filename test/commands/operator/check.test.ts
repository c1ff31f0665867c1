import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { inDatabase } from '../../helpers/backup.ts'
import { commitTo, git } from '../../helpers/sample.ts'
import { defaultSeed } from '../../../playground/server/seed.ts'
import { createFixture, type Fixture } from './fixture.ts'

let fixture: Fixture

beforeAll(async () => {
  fixture = await createFixture()
})

beforeEach(async () => {
  await fixture.configure()
})

afterAll(() => fixture.close())

test('check says what it found and ends with 0 when a run has everything it needs', async () => {
  const { code, out, err } = await fixture.run(['check'])
  const head = (await git(fixture.repository, ['rev-parse', '--short=7', 'main'])).trim()
  expect(err).toBe('')
  expect(withoutVersions(out)).toBe(`ok    store: PostgreSQL 15.X
ok    Slack: connected to the workspace Harbor Goods
ok    channel #deploys: Lockkeeper can post there
ok    group S0DBA: 2 members
ok    prod: ${new URL(fixture.databaseUrl).pathname.slice(1)} on 127.0.0.1:PORT, 11 applied, 3 pending; main is at ${head}
ok    prod backup: pg_dump X for a server of version 15

Everything that a run needs is there.
`)
  expect(code).toBe(0)
})

test('what the backup may not read, and a URL of its own that leads nowhere, are known before a run is asked for', async () => {
  await inDatabase(fixture.databaseUrl, `create role reader_of_check login password 'canary-one'`)
  try {
    await fixture.configure({ backup: { url: 'env:BACKUP_URL' } })
    const url = new URL(fixture.databaseUrl)
    Object.assign(url, { username: 'reader_of_check', password: 'canary-one' })
    expect(faultsIn((await fixture.run(['check'], { BACKUP_URL: url.href })).out)).toEqual([
      'prod backup: The backup would fail, since its role may not read `public._prisma_migrations`, `public.customers`, `public.customers_id_seq`, `public.order_lines`, `public.orders` and 5 more. Grant it SELECT (or pg_read_all_data), or set `backup.url` to a role that may.',
    ])
    expect(faultsIn((await fixture.run(['check'], { BACKUP_URL: 'postgresql://u:hush@127.0.0.1:1/d' })).out)).toEqual([
      'prod backup: The URL of the backup (`backup.url`) does not lead to it. Nothing listens at 127.0.0.1:PORT. Check host and port of the URL, and that PostgreSQL runs.',
    ])
  } finally {
    await inDatabase(fixture.databaseUrl, 'drop role reader_of_check')
  }
})

test('a token that Slack refuses, a channel without the bot and a group that does not exist are each named', async () => {
  await fixture.configure({ channel: 'C0GENERAL', askIn: ['C0NOWHERE'], approvals: { from: ['group:S0NOBODY'] } })
  const { code, out } = await fixture.run(['check'])
  expect(faultsIn(out)).toMatchInlineSnapshot(`
    [
      "channel #general: Lockkeeper is not in it. Type /invite @lockkeeper there.",
      "channel C0NOWHERE: Slack says channel_not_found. If it is private, type /invite @lockkeeper in it.",
      "group S0NOBODY: cannot be read (no_such_subteam), so nobody of it may approve. Copy its id again from the group in Slack, or name people with user:U… instead.",
    ]
  `)
  expect(code).toBe(1)
  expect(faultsIn((await fixture.run(['check'], { SLACK_BOT_TOKEN: 'xoxb-wrong' })).out)).toMatchInlineSnapshot(`
    [
      "Slack: it refuses the token (invalid_auth). Copy the bot token (xoxb-…) again.",
    ]
  `)
})

test('missing and swapped tokens are told beside the rest', async () => {
  const { code, out } = await fixture.run(['check'], { SLACK_BOT_TOKEN: '', SLACK_APP_TOKEN: 'xoxb-1' })
  expect(faultsIn(out)).toMatchInlineSnapshot(`
    [
      "Slack: SLACK_BOT_TOKEN is not set. README, "Ten minutes to a real workspace", says where it comes from.",
      "Slack: SLACK_APP_TOKEN begins with xoxb-, but it has to begin with xapp-: the tokens were swapped.",
    ]
  `)
  expect(code).toBe(1)
})

test('a token without the scopes that it needs names them', async () => {
  fixture.slack.setScopes(['commands', 'chat:write', 'channels:read'])
  try {
    expect(faultsIn((await fixture.run(['check'])).out)).toMatchInlineSnapshot(`
      [
        "Slack: the token lacks users:read, files:write, groups:read, channels:history, groups:history, im:write. Add them under OAuth & Permissions (manifest.yml has all) and install the app again.",
        "group S0DBA: cannot be read (missing_scope), so nobody of it may approve. Add usergroups:read under OAuth & Permissions and install the app again.",
      ]
    `)
  } finally {
    fixture.slack.setScopes(defaultSeed.app.scopes)
  }
})

test('a token without im:history works, and is told what it is for', async () => {
  fixture.slack.setScopes(defaultSeed.app.scopes.filter((scope) => scope !== 'im:history'))
  try {
    const { out } = await fixture.run(['check'])
    expect(faultsIn(out)).toEqual([])
    expect(out).toContain(
      'note  Slack: without im:history a direct message whose reply was lost is posted again and may stand twice. Add it under OAuth & Permissions and install the app again.\n',
    )
  } finally {
    fixture.slack.setScopes(defaultSeed.app.scopes)
  }
})

test('nobody at the address of the store', async () => {
  const { code, out } = await fixture.run(['check'], { STORE_URL: 'postgresql://u:hush@127.0.0.1:1/store' })
  expect(faultsIn(out)).toMatchInlineSnapshot(`
    [
      "store: The store (STORE_URL, or store.url in lockkeeper.yaml) cannot be used. Nothing listens at 127.0.0.1:PORT. Check host and port of the URL, and that PostgreSQL runs. Or leave both out to use the embedded PostgreSQL.",
    ]
  `)
  expect(code).toBe(1)
})

test.each([
  [
    'nobody listens',
    (url: URL) => (url.port = '1'),
    'prod: The database of `prod` cannot be read. Nothing listens at 127.0.0.1:PORT. Check host and port of the URL, and that PostgreSQL runs. Nothing was changed.',
  ],
  [
    'the password is wrong',
    (url: URL) => (url.password = 'hush'),
    'prod: The database of `prod` cannot be read. 127.0.0.1:PORT refused the password of the role "lockkeeper". Check user and password of the URL, and whether the role\'s password has expired (VALID UNTIL). Nothing was changed.',
  ],
  [
    'there is no such database',
    (url: URL) => (url.pathname = '/nosuch'),
    'prod: The database of `prod` cannot be read. There is no database "nosuch" on 127.0.0.1:PORT. Check the name in the URL. Nothing was changed.',
  ],
  [
    'a pooler',
    (url: URL) => (url.port = '6543'),
    "prod: The database URL of `prod` (`env:PROD_DATABASE_URL`) leads to a connection pooler: port 6543 is Supabase's transaction pooler. Locks and timeouts do not hold there. The direct one is likely `127.0.0.1:PORT/DATABASE`, with the same user and password.",
  ],
  [
    'not a URL of PostgreSQL',
    (url: URL) => (url.protocol = 'mysql:'),
    'prod: The database URL of `prod` (`env:PROD_DATABASE_URL`) cannot be used: it leads to MySQL; only PostgreSQL can be migrated. Correct it and ask again.',
  ],
])('a database that cannot be used: %s', async (_, change, expected) => {
  const url = new URL(fixture.databaseUrl)
  change(url)
  const { code, out } = await fixture.run(['check'], { PROD_DATABASE_URL: url.href })
  expect(faultsIn(out)).toEqual([expected])
  expect(out).not.toContain('hush')
  expect(code).toBe(1)
})

test.each([
  [
    'a repository that does not exist',
    { source: { repository: '/nowhere/shop.git' } },
    "prod: The repository of `prod` could not be read: '/nowhere/shop.git' does not appear to be a git repository. Nothing was planned. Check `source.repository` in lockkeeper.yaml and the access of the bot to it.",
  ],
  [
    'a branch that does not exist',
    (repository: string) => ({ source: { repository, branch: 'mian' } }),
    'prod: The branch `mian` of `prod` does not exist in its repository. Correct `source.branch` in lockkeeper.yaml.',
  ],
  [
    'a directory without the application',
    (repository: string) => ({ source: { repository, directory: 'packages/api' } }),
    'prod: Commit `COMMIT` has no `packages/api/prisma/schema.prisma`. Correct `source.directory` or `tool.prisma.schema` in lockkeeper.yaml.',
  ],
  [
    'an application without the Prisma schema',
    { tool: { prisma: { schema: 'db/schema.prisma' } } },
    'prod: Commit `COMMIT` has no `db/schema.prisma`. Correct `source.directory` or `tool.prisma.schema` in lockkeeper.yaml.',
  ],
  [
    'no pg_dump where the configuration says',
    { backup: { clients: '/nowhere/bin' } },
    'prod backup: There is no working pg_dump and pg_restore in /nowhere/bin (`backup.clients`). Correct the directory, or install them with `INSTALL`.',
  ],
])('an application that cannot be used: %s', async (_, target, expected) => {
  await fixture.configure(typeof target === 'function' ? target(fixture.repository) : target)
  const { code, out } = await fixture.run(['check'])
  expect(faultsIn(out)).toEqual([expected])
  expect(code).toBe(1)
})

test('a pg_dump older than the server', async () => {
  const clients = join(fixture.directory, 'old')
  await mkdir(clients)
  for (const name of ['pg_dump', 'pg_restore']) {
    await writeFile(join(clients, name), `#!/bin/sh\necho "${name} (PostgreSQL) 13.20"\n`)
    await chmod(join(clients, name), 0o755)
  }
  await fixture.configure({ backup: { clients } })
  expect(faultsIn((await fixture.run(['check'])).out).map((line) => line.replace(clients, 'DIRECTORY'))).toMatchInlineSnapshot(`
    [
      "prod backup: pg_dump X in DIRECTORY cannot dump a PostgreSQL 15 server, since it is older. Install it with \`INSTALL\` and correct \`backup.clients\`.",
    ]
  `)
})

test('a tracked .env is refused, since Prisma would read it and migrate its database', async () => {
  await commitTo(fixture.repository, {
    branch: 'with-env',
    from: 'main',
    files: { '.env': 'DATABASE_URL=postgresql://x' },
    subject: 'Add .env',
  })
  await fixture.configure({ source: { repository: fixture.repository, branch: 'with-env' } })
  expect(faultsIn((await fixture.run(['check'])).out)).toMatchInlineSnapshot(`
    [
      "prod: Commit \`COMMIT\` tracks \`.env\`. Prisma reads it and would migrate the database that it names. Remove it from the repository (\`git rm --cached -- .env\`) and ask again.",
    ]
  `)
})

test('a directUrl whose variable is not listed is refused, since it could name another database', async () => {
  const schema = await git(fixture.repository, ['show', 'main:prisma/schema.prisma'])
  await commitTo(fixture.repository, {
    branch: 'direct',
    from: 'main',
    files: { 'prisma/schema.prisma': schema.replace(/(url\s+= env\("DATABASE_URL"\))/, '$1\n  directUrl = env("DIRECT_URL")') },
    subject: 'Use a pooler',
  })
  await fixture.configure({ source: { repository: fixture.repository, branch: 'direct' } })
  expect(faultsIn((await fixture.run(['check'])).out)).toMatchInlineSnapshot(`
    [
      "prod: In \`prisma/schema.prisma\` \`directUrl\` reads \`DIRECT_URL\`, which \`tool.prisma.urls\` does not name. Every such variable must lead to the target's database: add it to \`tool.prisma.urls\` in lockkeeper.yaml.",
    ]
  `)
})

const faultsIn = (out: string) =>
  withoutVersions(out)
    .split('\n')
    .filter((line) => line.startsWith('FAIL'))
    .map((line) => line.slice('FAIL  '.length))

/** The versions of this machine's programs, and the test server's port. */
const withoutVersions = (text: string) =>
  text
    .replace(/15\.\d+/, '15.X')
    .replace(/pg_dump [\d.]+/, 'pg_dump X')
    .replace(/Commit `[0-9a-f]{10}`/, 'Commit `COMMIT`')
    .replace(/test_[0-9a-f]{12}`/, 'DATABASE`')
    .replace(/`(apt-get|brew) install [^`]+`/, '`INSTALL`')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
