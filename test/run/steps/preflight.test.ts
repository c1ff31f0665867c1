import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { ownReading } from '../../../src/lib/clock-skew.ts'
import type { Plan } from '../../../src/plan/plan.ts'
import type { RunContext } from '../../../src/request/step.ts'
import { preflightStep, type PreflightDeps } from '../../../src/run/steps/preflight.ts'
import { connectTarget, withTarget } from '../../../src/database/connect.ts'
import { readIdentity } from '../../../src/database/identity.ts'
import { createOwnedDatabase, fillShop, inDatabase, script, temporaryDirectory } from '../../helpers/backup.ts'
import { until } from '../../helpers/until.ts'
import { contextFor, planFor, targetFor } from '../../helpers/run-context.ts'

const run = promisify(execFile)
const closing: (() => Promise<unknown>)[] = []
let database: Awaited<ReturnType<typeof createOwnedDatabase>>
let directory: string
let plan: Plan

beforeEach(async () => {
  database = await createOwnedDatabase()
  closing.push(() => database.close())
  await fillShop(database.url, 100)
  const temporary = await temporaryDirectory()
  closing.push(() => temporary.remove())
  directory = temporary.path
  const identity = await withTarget({ url: database.url, applicationName: 'test' }, readIdentity)
  plan = planFor(identity, { commit: await makeRepository(join(directory, 'repository')) })
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function makeRepository(path: string): Promise<string> {
  await mkdir(path)
  const git = (...args: readonly string[]) =>
    run('git', ['-C', path, '-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args]).then(({ stdout }) => stdout.trim())
  await git('init', '--quiet', '--initial-branch=main')
  await writeFile(join(path, 'file'), 'one\n')
  await git('add', '.')
  await git('commit', '--quiet', '--message=first')
  return git('rev-parse', 'HEAD')
}

type Options = {
  readonly url?: string
  readonly backupUrl?: string
  readonly plan?: Plan
  readonly change?: Record<string, unknown>
  readonly over?: Partial<RunContext>
  readonly probe?: PreflightDeps['probe']
  readonly backsUp?: boolean
  readonly clocks?: PreflightDeps['clocks']
}

async function preflight(options: Options = {}) {
  const { context, notes } = contextFor({
    directory,
    plan: options.plan ?? plan,
    secrets: { 'env:PROD_DATABASE_URL': options.url ?? database.url, 'env:BACKUP_URL': options.backupUrl ?? '' },
    target: targetFor(directory, options.change),
    over: options.over ?? {},
  })
  const step = preflightStep({
    store: { list: async () => [] },
    directories: { home: directory, varDirectory: directory },
    probe: options.probe ?? (async () => ({ ok: true, said: 'HTTP 200' })),
    clocks: options.clocks ?? (async () => [ownReading]),
    jobs: 2,
    backsUp: options.backsUp ?? true,
  })
  expect(await step.inspect(context)).toEqual({ kind: 'todo' })
  return { end: await step.act(context), notes: notes.map(({ data }) => ('text' in data ? data.text : '')), spool: context.spool }
}

const reasonsOf = (end: Awaited<ReturnType<typeof preflight>>['end']) => (end.kind === 'failed' ? end.outcome.why : undefined)

test('a target in order passes with one line, and what is good to know stands in the log', async () => {
  const { end, notes, spool } = await preflight()
  expect(end).toMatchObject({ kind: 'done', output: '16 checks, nothing to report' })
  expect(notes).toEqual([])
  expect(await readFile(spool, 'utf8')).toContain(
    `preflight: info: The role \`${database.role}\` lacks pg_read_all_stats and pg_signal_backend`,
  )
})

test('all checks of the database share one session, beside the one that is opened as the migrator opens its own', async () => {
  const opened = async () => {
    const sql = `select sessions::int from pg_stat_database where datname = '${database.name}'`
    const [row] = await inDatabase(inject('postgresUrl'), sql)
    return Number(row?.['sessions'])
  }
  const before = await opened()
  await preflight()
  // a session is counted when it begins to end
  expect(await until('they are counted', async () => ((await opened()) > before + 1 ? (await opened()) - before : undefined))).toBe(2)
})

test('everything that stops the run is told at once', async () => {
  const old = join(directory, 'old')
  await mkdir(old)
  for (const name of ['pg_dump', 'pg_restore']) await script(join(old, name), '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.1"\n')
  await writeFile(join(directory, 'occupied'), '')
  const other = { ...plan, commit: 'a'.repeat(40), identity: { ...plan.identity, databaseOid: 1 } }
  const holder = await connectTarget({ url: database.url, applicationName: 'somebody' })
  closing.push(() => holder.end())
  await holder.query('select pg_advisory_lock(72707369)')
  const { end } = await preflight({ plan: other, change: { backup: { clients: old, directory: join(directory, 'occupied') } } })
  expect(end).toMatchObject({
    kind: 'failed',
    output: '16 checks, 6 stop the run',
    outcome: {
      headline: '*The preflight found 6 reasons not to start.* Nothing was changed, and the application runs as before.',
      next: 'Mend these and ask again.',
    },
  })
  const reasons = reasonsOf(end)?.split('\n')
  expect(reasons?.map((line) => line.slice(0, 45))).toEqual([
    '• This is not the database that was approved:',
    expect.stringMatching(/^• Session \d+ \(somebody\) holds the migr/),
    `• pg_dump 9.6.1 in ${old} cannot dump`.slice(0, 45),
    '• The URL of the backup leads to another data',
    '• The approved commit `aaaaaaaaaaaa` is no lo',
    '• The backup directory cannot be written to: ',
  ])
})

test('a database that does not answer is one reason, not ten, and the other checks are made', async () => {
  const { end } = await preflight({ url: 'postgresql://shop:secret-canary@127.0.0.1:1/shop', plan: { ...plan, commit: 'a'.repeat(40) } })
  expect(reasonsOf(end)).toBe(
    '• Nothing listens at 127.0.0.1:1. Check host and port of the URL, and that PostgreSQL runs.\n' +
      '• The approved commit `aaaaaaaaaaaa` is no longer on `main`. Ask again for what is there now.',
  )
})

test('a URL that cannot be read is one reason', async () => {
  const { end } = await preflight({ url: 'mysql://shop@db/shop' })
  expect(end).toMatchObject({
    kind: 'failed',
    output: '5 checks, 1 stops the run',
    outcome: {
      headline: '*The preflight found a reason not to start.* Nothing was changed, and the application runs as before.',
      why: 'The database URL cannot be used: it leads to MySQL; only PostgreSQL can be migrated.',
      next: 'Mend that and ask again.',
    },
  })
})

test('warnings are posted and do not stop the run', async () => {
  const idle = await connectTarget({ url: database.url, applicationName: 'nightly' })
  closing.push(() => idle.end())
  await idle.query('begin; select * from orders limit 1')
  const old = `select from pg_stat_activity where application_name = 'nightly' and datname = current_database() and xact_start < clock_timestamp() - interval '2 s'`
  await until('the transaction is two seconds old', async () => (await inDatabase(database.url, old)).length > 0)
  const concurrent = { name: 'm', sha256: 's', bytes: 1, rollbackSha256: null, concurrently: true }
  const { end, notes } = await preflight({
    plan: { ...plan, list: [concurrent] },
    change: { health: [{ http: 'http://shop.test/health' }] },
    probe: async () => ({ ok: false, said: 'connection refused' }),
  })
  expect(end).toMatchObject({ kind: 'done', output: '16 checks, 2 warnings' })
  expect(notes).toEqual([
    expect.stringMatching(
      /^1 transaction open for long, by session `\d+ \(nightly, \d\.\d s\)`\. An index that is built CONCURRENTLY waits until it ends\.$/,
    ),
    'The application is not well before the change: http://shop.test/health gave connection refused.',
  ])
})

test('a role without rights is told what to grant', async () => {
  const other = await createOwnedDatabase()
  closing.push(() => other.close())
  await inDatabase(database.url, `revoke all on schema public from public`, `grant usage on schema public to ${other.role}`)
  closing.push(() => inDatabase(database.url, `revoke all on schema public from ${other.role}`))
  const url = new URL(database.url)
  url.username = other.role
  url.password = other.password
  const { end } = await preflight({ url: url.href })
  expect(reasonsOf(end)?.split('\n')).toEqual([
    `• The role \`${other.role}\` may not create tables in the schema \`public\`. Grant it USAGE and CREATE there.`,
    `• The role \`${other.role}\` may not read \`_prisma_migrations\`. Grant it SELECT, INSERT and UPDATE on it.`,
    '• The backup would fail, since its role may not read `public._prisma_migrations`, `public.customers`, `public.odd name; --` and `public.orders`. Grant it SELECT (or pg_read_all_data), or set `backup.url` to a role that may.',
  ])
})

test('what the backup would meet in the database is told before it begins', async () => {
  await inDatabase(database.url, 'alter table customers enable row level security, force row level security')
  await inDatabase(inject('postgresUrl'), `alter role ${database.role} connection limit 5`)
  const holder = await connectTarget({ url: database.url, applicationName: 'nightly' })
  closing.push(() => holder.end())
  await holder.query('begin; lock table orders in access exclusive mode')
  const { end, notes } = await preflight()
  expect(reasonsOf(end)).toBe(
    `The backup would fail, since row-level security hides rows of \`public.customers\` from its role \`${database.role}\`. Set \`backup.url\` to a role with BYPASSRLS, which sees all of them.`,
  )
  expect(notes).toEqual([
    `The role \`${database.role}\` has 4 free connections left, and the run needs up to 5. Raise its CONNECTION LIMIT or end idle sessions. Until then the backup makes do with fewer sessions.`,
    expect.stringMatching(
      /^The table `orders` is locked by session \d+ \(nightly\), whose transaction has been open for \d+(\.\d)? s\. The backup waits up to 5 min for it and then fails\. End it if it should not be there: `select pg_terminate_backend\(\d+\)`\.$/,
    ),
  ])
})

test('a role that would have to take on by SET ROLE what it may read of the server is not stopped', async () => {
  await inDatabase(inject('postgresUrl'), `alter role ${database.role} noinherit`, `grant pg_read_all_settings to ${database.role}`)
  expect((await preflight()).end).toMatchObject({ kind: 'done', output: '16 checks, nothing to report' })
})

test('what the role may not even look at is a reason, not a fault', async () => {
  const url = new URL(inject('postgresUrl'))
  url.pathname = new URL(database.url).pathname
  await inDatabase(url.href, 'revoke execute on function pg_control_system() from public')
  const { end } = await preflight()
  expect(reasonsOf(end)).toBe(
    '• The database does not let the identity be looked at: permission denied for function pg_control_system.\n' +
      '• The database does not let what the backup reads be looked at: permission denied for function pg_control_system.',
  )
})

test('a role that may have no more connections is told so, and not that the server has none', async () => {
  await inDatabase(inject('postgresUrl'), `alter role ${database.role} connection limit 0`)
  const { end } = await preflight()
  const { host } = new URL(database.url)
  expect(reasonsOf(end)).toBe(
    `The role "${database.role}" has all the connections to ${host} that it may have. Wait until some end, or raise its CONNECTION LIMIT.`,
  )
})

test.each([
  ['postgresql://shop:secret-canary@db', 'The URL of the backup (`backup.url`) cannot be used: it names no database.'],
  [
    'postgresql://shop:secret-canary@127.0.0.1:6543/shop',
    "• The URL of the backup (`backup.url`) leads to a pooler: port 6543 is Supabase's transaction pooler. Use `127.0.0.1:5432/shop` for backups.\n" +
      '• The URL of the backup (`backup.url`) does not lead to it. Nothing listens at 127.0.0.1:6543. Check host and port of the URL, and that PostgreSQL runs.',
  ],
  [
    'postgresql://shop:secret-canary@127.0.0.1:1/shop',
    'The URL of the backup (`backup.url`) does not lead to it. Nothing listens at 127.0.0.1:1. Check host and port of the URL, and that PostgreSQL runs.',
  ],
])('a URL of the backup that does not work is told apart from the other one: %s', async (backupUrl, why) => {
  const { end } = await preflight({ backupUrl, change: { backup: { url: 'env:BACKUP_URL', directory: join(directory, 'backups') } } })
  expect(reasonsOf(end)).toBe(why)
})

test('a run that makes no backup is not stopped by what only a backup needs', async () => {
  await writeFile(join(directory, 'occupied'), '')
  const { end } = await preflight({ backsUp: false, change: { backup: { clients: '/nowhere', directory: join(directory, 'occupied') } } })
  expect(end).toMatchObject({ kind: 'done', output: '12 checks, nothing to report' })
})

test('a checkout that was changed by hand stops the run', async () => {
  await run('git', ['clone', '--quiet', join(directory, 'repository'), join(directory, 'checkout')])
  expect((await preflight()).end.kind).toBe('done')
  await writeFile(join(directory, 'checkout', 'file'), 'two\n')
  expect(reasonsOf((await preflight()).end)).toBe('The checkout of this run was changed by hand: `M file`. Ask again; a new one is made.')
})

test('a backup on the disk of the database stands in the card, where the server says where its data is, and is no post', async () => {
  await inDatabase(inject('postgresUrl'), `grant pg_read_all_settings to ${database.role}`)
  const { end, notes } = await preflight()
  expect(end).toMatchObject({ kind: 'done', output: "16 checks; backups are on the database's own disk" })
  expect(notes).toEqual([])
})

describe('what the server, the database or the role set for every session', () => {
  const as = (sql: string) => inDatabase(inject('postgresUrl'), sql)

  test('a database that became read-only since the plan stops the run before its backup', async () => {
    await as(`alter database ${database.name} set default_transaction_read_only to on`)
    const { end } = await preflight()
    expect(reasonsOf(end)).toBe(
      `\`${database.name}\` is read-only for the role \`${database.role}\`: \`default_transaction_read_only\` is \`on\` by \`ALTER DATABASE "${database.name}" SET\`. \`ALTER DATABASE "${database.name}" RESET default_transaction_read_only\` takes that back.`,
    )
  })

  const PATH = 'Prisma sets the path itself only where its own engine connects; through a driver adapter `prisma.config.ts` has to.'
  test.each<[string, (name: string, role: string) => string, (name: string, role: string) => string]>([
    [
      'of the database',
      (name) => `alter database ${name} set search_path to own, public`,
      (name) =>
        `\`search_path\` is \`own, public\` by \`ALTER DATABASE "${name}" SET\`. \`ALTER DATABASE "${name}" RESET search_path\` takes that back.`,
    ],
    [
      'of the role',
      (_name, role) => `alter role ${role} set search_path to own, public`,
      (_name, role) =>
        `\`search_path\` is \`own, public\` by \`ALTER ROLE "${role}" SET\`. \`ALTER ROLE "${role}" RESET search_path\` takes that back.`,
    ],
    [
      'of the role in the database',
      (name, role) => `alter role ${role} in database ${name} set search_path to own, public`,
      (name, role) =>
        `\`search_path\` is \`own, public\` by \`ALTER ROLE "${role}" IN DATABASE "${name}" SET\`. \`ALTER ROLE "${role}" IN DATABASE "${name}" RESET search_path\` takes that back.`,
    ],
    [
      'of the role, when a schema has its name,',
      (_name, role) => `comment on role ${role} is 'its own schema comes first'`,
      (_name, role) =>
        `\`search_path\` is \`"$user", public\` as PostgreSQL has it, and the role has a schema of its name. \`ALTER ROLE "${role}" SET search_path TO public\` leads it to the other.`,
    ],
  ])('a search path %s that leads elsewhere is told with who set it', async (_whose, change, text) => {
    const own = change('', '').startsWith('comment') ? database.role : 'own'
    await inDatabase(database.url, `create schema ${own}`)
    await as(change(database.name, database.role))
    const { end, notes } = await preflight()
    expect(end.kind).toBe('done')
    expect(notes).toEqual([
      `In \`${database.name}\` names without a schema lead to the schema \`${own}\` and not to \`public\`: ${text(database.name, database.role)} ${PATH}`,
    ])
  })

  test.each([
    ['that begins with the schema of the URL', (name: string) => `alter database ${name} set search_path to public, own`],
    ['whose first schema is not there', (name: string) => `alter database ${name} set search_path to gone, public`],
  ])('a search path %s is not told', async (_what, change) => {
    await as(change(database.name))
    expect((await preflight()).notes).toEqual([])
  })

  test('foreign keys that are off for the role are told', async () => {
    await as(`alter role ${database.role} set session_replication_role to replica`)
    expect((await preflight()).notes).toEqual([
      `Foreign keys and triggers do not watch what a migration writes: \`session_replication_role\` is \`replica\` by \`ALTER ROLE "${database.role}" SET\`. \`ALTER ROLE "${database.role}" RESET session_replication_role\` takes that back.`,
    ])
  })
})

test('cancelled it says that nothing was changed', async () => {
  const { end } = await preflight({ over: { signal: AbortSignal.abort() } })
  expect(end).toEqual({
    kind: 'cancelled',
    output: 'stopped',
    outcome: { headline: '*Cancelled during the preflight.* Nothing was changed.' },
  })
})

test('a clock that is a day off stops the run and is named; one that is a minute off is told', async () => {
  const day = await preflight({ clocks: async () => [ownReading, { whose: "the store's clock", aheadMs: 86_400_000, errorMs: 2 }] })
  expect(reasonsOf(day.end)).toBe(
    "The store's clock is 24 h ahead of the others. Times in the record and of approvals cannot be trusted, so nothing runs. Set it right (NTP) and ask again.",
  )
  const minute = await preflight({ clocks: async () => [ownReading, { whose: "the store's clock", aheadMs: -60_000, errorMs: 2 }] })
  expect(minute.end.kind).toBe('done')
  expect(minute.notes).toEqual([
    "The store's clock is 60 s behind the others. Times in the record may be that far off. Set it right (NTP).",
  ])
})
