import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { captureChild } from '../../../src/process/capture.ts'
import { childEnvironment } from '../../../src/process/environment.ts'
import { withTarget } from '../../../src/database/connect.ts'
import { libpqDialect, parseTargetUrl } from '../../../src/database/urls.ts'
import { readableFindings } from '../../../src/run/preflight/readable.ts'
import { createOwnedDatabase, inDatabase, quiet, systemClients } from '../../helpers/backup.ts'
import { onServer } from '../../helpers/postgres.ts'
import { serverUrl } from '../../helpers/server.ts'

/** The one that makes the backup; it owns the database and the schema `public`. */
let own: Awaited<ReturnType<typeof createOwnedDatabase>>
let admin: string
let pgDump: string

beforeAll(async () => {
  own = await createOwnedDatabase()
  const url = new URL(serverUrl())
  url.pathname = new URL(own.url).pathname
  admin = url.href
  pgDump = (await systemClients()).pgDump
})
afterEach(async () => {
  for (const member of ['table public.t', 'sequence public.s'])
    await inDatabase(admin, `alter extension plpgsql drop ${member}`).catch(() => {}) // most tests make none
  await inDatabase(
    admin,
    `alter role ${own.role} nobypassrls`,
    `revoke pg_read_all_data from ${own.role}`,
    `alter database ${own.name} reset all`,
    'drop schema if exists public, other, looked_at, shut cascade',
    'drop foreign data wrapper if exists elsewhere cascade',
    'select lo_unlink(oid) from pg_largeobject_metadata',
    'create schema public',
    `alter schema public owner to ${own.role}`,
  )
})
afterAll(async () => {
  await inDatabase(admin, `drop owned by ${own.role}`)
  await onServer(`alter database ${own.name} owner to current_user`)
  await own.close()
})

/** Whether pg_dump, as the backup starts it, reads it all. */
async function dumps(): Promise<{ readonly reads: boolean; readonly said: string }> {
  const parsed = parseTargetUrl(own.url)
  if (parsed.kind === 'bad') throw new Error(parsed.why)
  const end = await captureChild({
    argv: [
      pgDump,
      '--format=custom',
      '--file=/dev/null',
      '--no-sync',
      '--no-password',
      `--dbname=${libpqDialect(parsed.url, { applicationName: 'test' }).conninfo}`,
    ],
    cwd: '/',
    env: childEnvironment({}, '/usr/bin:/bin', { PGPASSWORD: own.password }, ['PGPASSWORD']),
    redactor: quiet,
  })
  return { reads: end.exitCode === 0, said: end.stderr }
}

const found = () => withTarget({ url: own.url, applicationName: 'test' }, readableFindings)

const grants = 'or set `backup.url` to a role that may.'
const unread = (names: string) =>
  `The backup would fail, since its role may not read ${names}. Grant it SELECT (or pg_read_all_data), ${grants}`
const hidden = () =>
  `The backup would fail, since row-level security hides rows of \`public.t\` from its role \`${own.role}\`. Set \`backup.url\` to a role with BYPASSRLS, which sees all of them.`

type Case = readonly [title: string, statements: readonly string[], sentence: string | (() => string) | null, as?: 'owner']

const cases: readonly Case[] = [
  ['a table of another role', ['create table public.t (a int)'], unread('`public.t`')],
  ['a table of which columns may be read', ['create table public.t (a int)', 'grant select (a) on public.t to ROLE'], unread('`public.t`')],
  [
    'more tables than are named',
    ["do $$ begin for i in 10..39 loop execute format('create table public.t%s (a int)', i); end loop; end $$"],
    'The backup would fail, since its role may not read `public.t10`, `public.t11`, `public.t12`, `public.t13`, `public.t14` and 25 more. Grant it SELECT (or pg_read_all_data), or set `backup.url` to a role that may.',
  ],
  ['an unlogged table', ['create unlogged table public.t (a int)'], unread('`public.t`')],
  [
    'a partition whose parent may be read',
    [
      'create table public.t (a int) partition by list (a)',
      'create table public.t1 partition of public.t for values in (1)',
      'grant select on public.t to ROLE',
    ],
    unread('`public.t1`'),
  ],
  [
    'a partitioned table whose partitions may be read',
    [
      'create table public.t (a int) partition by list (a)',
      'create table public.t1 partition of public.t for values in (1)',
      'grant select on public.t1 to ROLE',
    ],
    unread('`public.t`'),
  ],
  [
    'a sequence in a schema without USAGE',
    ['create schema shut', 'create sequence shut.s', 'grant select on sequence shut.s to ROLE'],
    `The backup would fail, since its role has no USAGE on the schema \`shut\`. Grant it USAGE (or pg_read_all_data), ${grants}`,
  ],
  [
    'a table that inherits',
    ['create table public.t (a int)', 'create table public.u () inherits (public.t)', 'grant select on public.t to ROLE'],
    unread('`public.u`'),
  ],
  [
    'a sequence that may be used and not read',
    ['create sequence public.s', 'grant usage on sequence public.s to ROLE'],
    unread('`public.s`'),
  ],
  [
    'the sequence of an identity',
    ['create table public.t (a int generated always as identity)', 'grant select on public.t to ROLE'],
    unread('`public.t_a_seq`'),
  ],
  [
    'the configuration of an extension',
    [
      'create table public.t (a int)',
      'alter extension plpgsql add table public.t',
      `update pg_extension set extconfig = array['public.t'::regclass::oid], extcondition = array[''] where extname = 'plpgsql'`,
    ],
    unread('`public.t`'),
  ],
  [
    'a table in a schema without USAGE',
    ['create schema shut', 'create table shut.t (a int)', 'grant select on shut.t to ROLE'],
    `The backup would fail, since its role has no USAGE on the schema \`shut\`. Grant it USAGE (or pg_read_all_data), ${grants}`,
  ],
  [
    'a table whose owner has row-level security forced on him',
    ['create table public.t (a int)', 'alter table public.t enable row level security, force row level security'],
    hidden,
    'owner',
  ],
  [
    "row-level security of another role's table",
    ['create table public.t (a int)', 'alter table public.t enable row level security', 'grant select on public.t to ROLE'],
    hidden,
  ],
  [
    'a large object',
    ["select lo_from_bytea(4711, 'x')"],
    'The backup would fail, since its role may not read 1 large object of other roles, such as 4711. Grant it SELECT (`grant select on large object 4711 to …`), or set `backup.url` to a superuser.',
  ],
  [
    'large objects, which pg_read_all_data does not open',
    ["select lo_from_bytea(4711, 'x'), lo_from_bytea(4712, 'x')", 'grant pg_read_all_data to ROLE'],
    'The backup would fail, since its role may not read 2 large objects of other roles, such as 4711. Grant it SELECT (`grant select on large object 4711 to …`), or set `backup.url` to a superuser.',
  ],
]

const fine: readonly Case[] = [
  ['a large object that may be read', ["select lo_from_bytea(4711, 'x')", 'grant select on large object 4711 to ROLE'], null],
  [
    'a large object where nobody asks for rights',
    ["select lo_from_bytea(4711, 'x')", 'alter database DATABASE set lo_compat_privileges = on'],
    null,
  ],
  [
    'everything that pg_read_all_data opens',
    ['create schema shut', 'create table shut.t (a serial)', 'grant pg_read_all_data to ROLE'],
    null,
  ],
  [
    'views and materialized views of another role',
    ['create view public.v as select 1 as a', 'create materialized view public.m as select 1 as a'],
    null,
  ],
  [
    'foreign tables of another role',
    [
      'create foreign data wrapper elsewhere',
      'create server away foreign data wrapper elsewhere',
      'create foreign table public.f (a int) server away',
    ],
    null,
  ],
  [
    'a schema without USAGE that holds no table',
    ['create schema shut', "create type shut.e as enum ('a')", "create function shut.f() returns int language sql as 'select 1'"],
    null,
  ],
  ['a table that an extension brought', ['create table public.t (a int)', 'alter extension plpgsql add table public.t'], null],
  ['a sequence that an extension brought', ['create sequence public.s', 'alter extension plpgsql add sequence public.s'], null],
  [
    'its own table with row-level security that is not forced',
    ['create table public.t (a int)', 'alter table public.t enable row level security'],
    null,
    'owner',
  ],
  [
    'row-level security of a partitioned table, whose partitions have none',
    [
      'create table public.t (a int) partition by list (a)',
      'create table public.t1 partition of public.t for values in (1)',
      'alter table public.t enable row level security, force row level security',
    ],
    null,
    'owner',
  ],
  [
    'row-level security for a role that is let past it',
    [
      'create table public.t (a int)',
      'alter table public.t enable row level security, force row level security',
      'grant select on public.t to ROLE',
      'alter role ROLE bypassrls',
    ],
    null,
  ],
]

const rows = [...cases, ...fine].map(([what, statements, sentence, as]) => ({ what, statements, sentence, as }))

test.each(rows)('$what: the preflight says what pg_dump does', async ({ statements, sentence, as }) => {
  const named = statements.map((statement) => statement.replaceAll('ROLE', own.role).replaceAll('DATABASE', own.name))
  await inDatabase(as === 'owner' ? own.url : admin, ...named)
  const findings = await found()
  const end = await dumps()
  expect({ findings: findings.map(({ text }) => text), reads: end.reads }).toEqual({
    findings: sentence === null ? [] : [typeof sentence === 'string' ? sentence : sentence()],
    reads: sentence === null,
  })
  expect(findings.every(({ level, code }) => level === 'stop' && code === 'backup_unreadable')).toBe(true)
})

test('what pg_dump leaves out without a word in its exit code is a warning', async () => {
  await inDatabase(admin, `create subscription elsewhere_${own.name} connection 'host=nowhere' publication p with (connect = false)`)
  try {
    expect(await found()).toEqual([
      {
        level: 'warn',
        code: 'backup_incomplete',
        text: `The backup will not hold the subscription \`elsewhere_${own.name}\`: pg_dump leaves those out unless a superuser asks. Note how they were made, or set \`backup.url\` to a superuser.`,
      },
    ])
    const end = await dumps()
    expect(end).toMatchObject({
      reads: true,
      said: expect.stringContaining('subscriptions not dumped because current user is not a superuser'),
    })
    expect(await withTarget({ url: admin, applicationName: 'test' }, readableFindings)).toEqual([])
  } finally {
    await inDatabase(admin, `alter subscription elsewhere_${own.name} set (slot_name = none)`, `drop subscription elsewhere_${own.name}`)
  }
})
