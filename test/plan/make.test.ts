import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from 'vitest'
import { reviewDefaults } from '../../src/config/keys/review.ts'
import { compareWithPlan } from '../../src/plan/compare.ts'
import { makePlan, type MadePlan } from '../../src/plan/make.ts'
import { sha256 } from '../../src/plan/files.ts'
import { isRefusal, type Refusal } from '../../src/lib/refusal.ts'
import { withTarget } from '../../src/database/connect.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { createApplication, prisma, type Application } from './application/application.ts'
import { createFitOrigin, FIT, pathWithoutLfs, type Origin } from './application/origin.ts'

const FIRST = '20260101_customers'
const SECOND = '20260102_orders'
const THIRD = '20260103_index'
const NEW: Readonly<Record<string, string>> = {
  [`prisma/migrations/${SECOND}/migration.sql`]: 'create table "order" (id int);\nalter table customer add column name text;\n',
  [`prisma/migrations/${SECOND}/rollback.sql`]: 'drop table "order";\n',
  [`prisma/migrations/${THIRD}/migration.sql`]: 'create index concurrently i on customer (id);\n',
}

let template: TestDatabase
let application: Application
let database: TestDatabase
let origin: Origin

beforeAll(async () => {
  template = await createDatabase()
  application = await createApplication({ [FIRST]: FIT[`prisma/migrations/${FIRST}/migration.sql`] })
  const end = await prisma(application, template.url, 'migrate', 'deploy')
  if (end.code !== 0) throw new Error(end.text)
})
afterAll(async () => {
  await template.close()
  await application.close()
})
beforeEach(async () => {
  database = await createDatabase({ template: template.name })
  origin = await createFitOrigin(database.url)
})
afterEach(async () => {
  await database.close()
  await origin.close()
})

const sql = (text: string) => withTarget({ url: database.url, applicationName: 'test' }, (client) => client.query(text))

const record = (name: string, content: string, finished = true) =>
  sql(`insert into _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
    values (gen_random_uuid()::text, '${sha256(content)}', '${name}', '2026-11-20 11:58:00+00', ${finished ? 'now()' : 'null'}, 1)`)

const make = (ref: string | null = null, changes: Parameters<Origin['target']>[0] = {}, deps = {}) =>
  makePlan({ ...origin.deps, ...deps }, { target: origin.target(changes), ref, steps: [], policy: 'p'.repeat(64) })

function made(result: MadePlan | Refusal): MadePlan {
  if (isRefusal(result)) throw new Error(result.text)
  return result
}

const compare = (plan: MadePlan['plan'], phase: 'before-migrate' | 'after-migrate' = 'before-migrate', deps = {}, changes = {}) =>
  compareWithPlan({ ...origin.deps, ...deps, target: origin.target(changes) }, plan, phase)

describe('a plan', () => {
  test('says what is applied, what would run, on which database and from which commit', async () => {
    const commit = await origin.commit(NEW, 'Orders')
    const { plan, evidence, digest } = made(await make())
    expect(plan).toEqual({
      version: 1,
      target: 'prod',
      identity: {
        host: expect.any(String),
        port: expect.any(Number),
        database: database.name,
        systemIdentifier: expect.stringMatching(/^\d{15,}$/),
        databaseOid: expect.any(Number),
      },
      commit,
      ref: 'main',
      baseline: [{ name: FIRST, sha256: sha256(FIT[`prisma/migrations/${FIRST}/migration.sql`]) }],
      list: [
        {
          name: SECOND,
          sha256: sha256(NEW[`prisma/migrations/${SECOND}/migration.sql`] ?? ''),
          bytes: 74,
          rollbackSha256: sha256('drop table "order";\n'),
          concurrently: false,
        },
        {
          name: THIRD,
          sha256: sha256(NEW[`prisma/migrations/${THIRD}/migration.sql`] ?? ''),
          bytes: 46,
          rollbackSha256: null,
          concurrently: true,
        },
      ],
      steps: [],
      policy: 'p'.repeat(64),
    })
    expect(digest).toMatch(/^[0-9a-f]{64}$/)
    expect(evidence).toMatchObject({
      subject: 'Orders',
      author: 'Ada Berg',
      notes: [],
      lastBackup: null,
      takenAt: '2026-11-20T12:00:00.000Z',
    })
    expect(evidence.databaseBytes).toBeGreaterThan(1_000_000)
    expect(evidence.migrations).toEqual([
      {
        name: SECOND,
        class: 'additive',
        summary: 'creates table order; adds customer.name, nullable',
        rows: null,
        tables: ['customer'],
        findings: [],
      },
      {
        name: THIRD,
        class: 'additive',
        summary: 'builds an index on customer, concurrently',
        rows: null,
        tables: ['customer'],
        findings: [],
      },
    ])
  })

  test('has the rows of the tables that it touches', async () => {
    await origin.commit(NEW)
    await sql('insert into customer select generate_series(1, 5000)')
    await sql('analyze customer')
    expect(made(await make()).evidence.migrations[0]?.rows).toBe(5000)
  })

  test('has findings weighed by this database, which take the place of what the text alone says', async () => {
    await sql('insert into customer select generate_series(1, 5000)')
    await sql("analyze customer; update pg_class set reltuples = 2000000 where relname = 'customer'")
    await origin.commit({
      [`prisma/migrations/${SECOND}/migration.sql`]:
        '-- CreateIndex\ncreate index customer_id on customer (id);\ncreate table audit (id int);\ncreate index on audit (id);\nalter table customer alter id type text;\n',
    })
    const { evidence } = made(await make(null, { review: { ...reviewDefaults, rows: { warn: 1_000, block: 3_000_000 } } }))
    expect(evidence.findings?.map(({ weight, code, line, table }) => [weight, code, line, table])).toEqual([
      ['warning', 'index-build', 2, 'customer'],
      ['warning', 'rewrite', 5, 'customer'],
      ['warning', 'old-code-breaks', 5, 'customer'],
    ])
    expect(evidence.findings?.[0]?.text).toMatch(
      /^builds the index `customer_id` from all 2,000,000 rows of `customer` \(\d+ kB\); nobody can write to it meanwhile$/,
    )
    expect(evidence.findings?.[0]?.advice?.files).toEqual([
      { name: 'build_customer_id', sql: 'create index CONCURRENTLY customer_id on customer (id);\n' },
    ])
    expect(evidence.migrations[0]).toMatchObject({ class: 'transformative', findings: [] })
  })

  test('is the same for the same state, and a second reading changes nothing in the digest', async () => {
    await origin.commit(NEW)
    expect(made(await make()).digest).toBe(made(await make()).digest)
  })

  test('with nothing pending has an empty list', async () => {
    expect(made(await make()).plan.list).toEqual([])
  })

  test('of an older commit notes how far the branch is ahead', async () => {
    await origin.git('tag', 'v1')
    await origin.commit({ 'readme.md': 'x' })
    expect(made(await make('v1')).evidence.notes).toEqual(['main is 1 commit ahead, migrations unchanged'])
    await origin.commit(NEW)
    expect(made(await make('v1')).evidence.notes).toEqual(['main is 2 commits ahead, with other migrations'])
  })

  test('notes a pending migration that is older than an applied one', async () => {
    await origin.commit({ 'prisma/migrations/20251231_late/migration.sql': 'select 1;' })
    expect(made(await make()).evidence.notes).toEqual([`20251231_late is older than ${FIRST}, which is applied already`])
  })

  test('notes many of them in one sentence', async () => {
    for (const number of [1, 2, 3, 4]) await origin.commit({ [`prisma/migrations/2025123${number}_late/migration.sql`]: 'select 1;' })
    expect(made(await make()).evidence.notes).toEqual([
      `20251231_late, 20251232_late and 2 more are older than ${FIRST}, which is applied already`,
    ])
  })
})

describe('refused, with the next step', () => {
  const text = async (...args: Parameters<typeof make>) => {
    const result = await make(...args)
    if (!isRefusal(result)) throw new Error('it was not refused')
    return `${result.code}: ${result.text}`
  }

  test('a failed migration', async () => {
    await origin.commit(NEW)
    await record(SECOND, 'x', false)
    expect((await text()).replace(/<!date\^\d+\^[^>]*>/, '{time}')).toBe(
      'target_unfit: `20260102_orders`, started {time}, failed on `prod` and blocks every other (P3009). Look at what it left in the database, put that right, ' +
        'and record the outcome by hand: `npx prisma migrate resolve --rolled-back 20260102_orders` if nothing of it is there, or `npx prisma migrate resolve --applied 20260102_orders` if all of it is. Then ask again.',
    )
  })

  test('a failed one whose name a shell would cut, in words that can be copied', async () => {
    await origin.commit({ "prisma/migrations/20260104_it's big & new/migration.sql": 'select 1;\n' })
    await sql(`insert into _prisma_migrations (id, checksum, migration_name) values ('x', 'x', '20260104_it''s big & new')`)
    const schema = { schema: 'prisma/schema.prisma', migrations: 'prisma/migrations', urls: ['DATABASE_URL'], env: {} }
    expect(await text(null, { tool: { prisma: schema } })).toContain(
      String.raw`: \`npx prisma migrate resolve --rolled-back '20260104_it'\''s big &amp; new'\` if nothing of it is there`.replaceAll(
        '\\`',
        '`',
      ),
    )
  })

  test('an edited migration', async () => {
    await origin.commit({ [`prisma/migrations/${FIRST}/migration.sql`]: 'create table customer (id bigint primary key);\n' })
    expect(await text()).toBe(
      'target_unfit: `20260101_customers` was applied to `prod` with another content than this commit has. An applied migration is never edited: restore the file as it was applied and put the change into a new migration.',
    )
  })

  test('a migration that the commit does not have', async () => {
    await record('20260102_other', 'x')
    expect(await text()).toBe(
      'target_unfit: `prod` has a migration that this commit does not have: `20260102_other`. It was probably deployed from another branch. Merge that branch first, or ask with `--ref` for a commit that has it.',
    )
  })

  test('a database with tables and no record', async () => {
    await sql('drop table _prisma_migrations')
    expect(await text()).toBe(
      'target_unfit: `prod` has tables but no record of migrations, so Prisma refuses to deploy (P3005). If its schema already equals the first migrations, record each by hand (`npx prisma migrate resolve --applied &lt;migration&gt;`) and ask again.',
    )
  })

  test('a pooler', async () => {
    const secret = () => 'postgresql://u:secret@ep-x-pooler.eu.neon.tech/shop'
    expect(await text(null, {}, { secret })).toBe(
      'target_unfit: The database URL of `prod` (`env:URL`) leads to a connection pooler: its host has -pooler in its name. Locks and timeouts do not hold there. The direct one is likely `ep-x.eu.neon.tech:5432/shop`, with the same user and password.',
    )
  })

  test('a server that is not there, and a database that is not there', async () => {
    expect(await text(null, {}, { secret: () => 'postgresql://u:secret@127.0.0.1:1/shop' })).toBe(
      'target_unreachable: The database of `prod` cannot be read. Nothing listens at 127.0.0.1:1. Check host and port of the URL, and that PostgreSQL runs. Nothing was changed.',
    )
    expect(await text(null, {}, { secret: () => database.url.replace(database.name, 'absent') })).toContain(
      'target_unreachable: The database of `prod` cannot be read. There is no database "absent"',
    )
  })

  test('a table that somebody holds, named with who holds it', async () => {
    await withTarget({ url: database.url, applicationName: 'night job' }, async (client) => {
      await client.query('begin')
      await client.query('lock table customer in access exclusive mode')
      expect((await text()).replace(/\d{2,}/g, '{pid}').replace(/\d s\b/, '{time}')).toBe(
        'target_unfit: The database of `prod` cannot be read now. The table `customer` is locked by session {pid} (`night job`), whose transaction has been open for {time}. ' +
          'A migration would wait for that lock too, and everybody else behind the migration. Wait until that ends, or end it: `select pg_terminate_backend({pid})`. Nothing was changed; ask again then.',
      )
    })
    expect(isRefusal(await make())).toBe(false)
  })

  test('a repository that is not there', async () => {
    expect(await text(null, { source: { ...origin.target().source, repository: './absent' } })).toMatch(/^repository_unreachable: /)
  })

  test('a role that may not read the record', async () => {
    await sql(`create role outsider_${database.name} login password 'only-looks'`)
    try {
      const url = new URL(database.url)
      url.username = `outsider_${database.name}`
      url.password = 'only-looks'
      expect(await text(null, {}, { secret: () => url.href })).toBe(
        'target_unfit: The role of `prod` may not read what a plan needs: permission denied for table _prisma_migrations. Grant it, or name another role in the URL.',
      )
    } finally {
      await sql(`drop role outsider_${database.name}`)
    }
  })
})

describe('a file that cannot run', () => {
  const latin = Buffer.from('insert into customer values (1); -- f\xfcr\n', 'latin1')

  test('is refused while planning', async () => {
    await origin.commit({ [`prisma/migrations/${SECOND}/migration.sql`]: latin })
    const refused = await make()
    expect(isRefusal(refused) && refused.code).toBe('repository_unfit')
    expect(isRefusal(refused) && refused.text).toMatch(
      /^`prisma\/migrations\/20260102_orders\/migration\.sql`, line 1, column 38: the byte FC/,
    )
    await origin.commit({
      [`prisma/migrations/${SECOND}/migration.sql`]: "set lock_timeout = '1s';\ncreate index concurrently i on customer (id);\n",
    })
    const alone = await make()
    expect(isRefusal(alone) && alone.text).toMatch(
      /migration\.sql`, line 2, column 1: `create index concurrently i on customer` cannot run/,
    )
  })

  test('and was applied all the same, as Prisma read it, is no edited one', async () => {
    await origin.commit({ [`prisma/migrations/${SECOND}/migration.sql`]: latin })
    await record(SECOND, latin.toString('utf8'))
    expect(made(await make()).plan.list).toEqual([])
  })
})

describe('an application with files in Git LFS', () => {
  type Command = { readonly run: readonly string[]; readonly cwd?: string; readonly phase?: 'prepare' }
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d7a'.repeat(16)}\nsize 12345\n`
  const lfs = { '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n', 'public/a big logo.png': pointer, 'src/small.txt': 'x' }
  const plan = (deps: Partial<Origin['deps']>, commands: readonly Command[]) => {
    const steps = commands.map(({ phase = 'deploy' as const, ...settings }) => ({ phase, name: 'x', settings }))
    return makePlan({ ...origin.deps, ...deps }, { target: origin.target(), ref: null, steps, policy: 'p'.repeat(64) })
  }
  /** Where git is and git-lfs is not. */
  const planned = async (...commands: readonly Command[]) => {
    const result = await plan({ env: { ...origin.deps.env, PATH: await pathWithoutLfs(origin.deps.home) } }, commands)
    return isRefusal(result) ? `${result.code}: ${result.text}` : 'planned'
  }
  const refused =
    'repository_unfit: `public/a big logo.png` is kept in Git LFS, and the checkout that would be built or deployed has pointers in place of such files, since git-lfs is not installed where Lockkeeper runs. Install it there, take the files out of LFS, let a step of `prepare` or `deploy` fetch them (one that names `lfs`), or give those steps a `cwd` that has them, and ask again.'

  test('is refused without git-lfs where the checkout is what is built or deployed', async () => {
    await origin.commit(lfs)
    expect(await planned({ run: ['rsync', '-a', '{checkout}/', '/srv/shop'], cwd: '/srv' })).toBe(refused)
    expect(await planned({ run: ['npm', 'run', 'deploy'] })).toBe(refused)
    expect(await planned({ run: ['sh', '-c', 'cp -r $LOCKKEEPER_CHECKOUT /srv'], cwd: '/' })).toBe(refused)
    expect(await planned({ run: ['./release'], cwd: '{checkout}/tools' })).toBe(refused)
    const image = { phase: 'prepare', run: ['docker', 'build', '--tag', 'shop:{commit}', '.'] } as const
    expect(await planned(image, { run: ['kubectl', 'set', 'image', 'deploy/shop', 'shop=shop:{commit}'], cwd: '/srv' })).toBe(refused)
  })

  test('is planned with git-lfs, which fetches them, and those who approve read so', async () => {
    await origin.commit(lfs)
    const { evidence } = made(await plan({}, [{ run: ['npm', 'run', 'deploy'] }]))
    expect(evidence.notes).toEqual(['1 file of the application comes from Git LFS'])
    expect(made(await plan({}, [{ run: ['./release'], cwd: '/srv' }])).evidence.notes).toEqual([])
  })

  test('is planned where it is not, or where a step fetches them', async () => {
    await origin.commit(lfs)
    expect(await planned()).toBe('planned')
    expect(await planned({ run: ['git', 'checkout', '{commit}'], cwd: '/srv/shop' })).toBe('planned')
    expect(await planned({ run: ['git', 'lfs', 'pull'] }, { run: ['npm', 'run', 'deploy'] })).toBe('planned')
  })

  test('what lies elsewhere in the repository, or is no pointer, is none of it', async () => {
    await origin.commit({
      '.gitattributes': lfs['.gitattributes'],
      'public/logo.png': Buffer.alloc(2_000),
      'public/version.txt': 'version https://example.org\n',
    })
    expect(await planned({ run: ['npm', 'run', 'deploy'] })).toBe('planned')
    await origin.commit({ '.gitattributes': null, 'docs/pointer.txt': pointer })
    expect(await planned({ run: ['npm', 'run', 'deploy'] })).toBe('planned')
  })
})

describe('names whose order depends on the version of Prisma', () => {
  const names = ['1_init', '2_b', '10_c']
  const files = Object.fromEntries(names.map((name) => [`prisma/migrations/${name}/migration.sql`, `select '${name}';\n`]))
  const asking = (prisma: string) => ({ ...files, 'package.json': JSON.stringify({ devDependencies: { prisma } }) })
  const list = async () => made(await make()).plan.list.map(({ name }) => name)

  test('are planned as the one of package.json or of the lock file runs them', async () => {
    await origin.commit(asking('6.19.3'))
    expect(await list()).toEqual(['1_init', '10_c', '2_b'])
    await origin.commit(asking('~5.22.0'))
    expect(await list()).toEqual(['10_c', '1_init', '2_b'])
    await origin.commit({ ...asking('^6.0.0'), 'pnpm-lock.yaml': 'packages:\n\n  prisma@6.19.3:\n    resolution: {}\n' })
    expect(await list()).toEqual(['1_init', '10_c', '2_b'])
  })

  test('are refused when it could be either, and only while they are pending', async () => {
    await origin.commit(asking('^6.0.0'))
    const refused = await make()
    expect(isRefusal(refused) && refused.code).toBe('repository_unfit')
    expect(isRefusal(refused) && refused.text).toContain('Prisma 6.6 and later runs `1_init` before `10_c`, an older one')
    for (const name of ['1_init', '10_c']) await record(name, `select '${name}';\n`)
    expect(await list()).toEqual(['2_b'])
  })
})

describe('what was approved compared with what is there', () => {
  let plan: MadePlan['plan']
  beforeEach(async () => {
    await origin.commit(NEW)
    plan = made(await make()).plan
  })
  const apply = (name: string) => record(name, NEW[`prisma/migrations/${name}/migration.sql`] ?? '')

  test('nothing happened: the same, also when the branch moved on', async () => {
    await origin.commit({ 'prisma/migrations/20260104_more/migration.sql': 'select 1;' })
    expect(await compare(plan)).toEqual({ kind: 'same', applied: [] })
  })

  test('a beginning of the list is applied: the same before the migration, changed after it', async () => {
    await apply(SECOND)
    expect(await compare(plan)).toEqual({ kind: 'same', applied: [SECOND] })
    expect(await compare(plan, 'after-migrate')).toEqual({ kind: 'changed', why: '`20260103_index` should be applied by now and is not.' })
  })

  test('the record of migrations is locked: unknown, with who holds it', async () => {
    await withTarget({ url: database.url, applicationName: '<!channel>' }, async (client) => {
      await client.query('begin')
      await client.query('lock table _prisma_migrations in access exclusive mode')
      expect(await compare(plan)).toEqual({
        kind: 'unknown',
        why: expect.stringMatching(/^The table `_prisma_migrations` is locked by session \d+ \(`&lt;!channel&gt;`\), whose transaction /),
      })
    })
  })

  test('all of the list is applied: the same in both', async () => {
    await apply(SECOND)
    await apply(THIRD)
    expect(await compare(plan)).toEqual({ kind: 'same', applied: [SECOND, THIRD] })
    expect(await compare(plan, 'after-migrate')).toEqual({ kind: 'same', applied: [SECOND, THIRD] })
  })

  test('the second of the list without the first', async () => {
    await apply(THIRD)
    expect(await compare(plan)).toEqual({ kind: 'changed', why: '`20260103_index` is applied, but `20260102_orders` before it is not.' })
  })

  test('another content under a name of the list', async () => {
    await record(SECOND, 'something else')
    expect(await compare(plan)).toEqual({ kind: 'changed', why: '`20260102_orders` was applied with another content.' })
  })

  test('a failed one', async () => {
    await record(SECOND, 'x', false)
    expect(await compare(plan)).toEqual({ kind: 'changed', why: '`20260102_orders` is recorded as failed.' })
  })

  test('one that the commit does not have', async () => {
    await record('20260102_other', 'x')
    expect(await compare(plan)).toEqual({ kind: 'changed', why: '`20260102_other` is in the database but not in the approved commit.' })
  })

  test('a migration of the baseline is gone', async () => {
    await sql('delete from _prisma_migrations')
    expect(await compare(plan)).toEqual({ kind: 'changed', why: '`20260101_customers` was applied when this was asked and no longer is.' })
  })

  test('the commit was forced off the branch', async () => {
    await origin.git('reset', '--quiet', '--hard', 'HEAD~1')
    expect(await compare(plan)).toEqual({ kind: 'changed', why: `Commit \`${plan.commit.slice(0, 10)}\` is no longer part of \`main\`.` })
  })

  test('another database answers to the same name', async () => {
    const { name } = database
    await database.close()
    database = await createDatabase({ template: template.name, name })
    expect(await compare(plan)).toMatchObject({
      kind: 'changed',
      why: expect.stringContaining('is another database under the same name (OID '),
    })
  })

  test('the URL leads elsewhere', async () => {
    expect(await compare(plan, 'before-migrate', { secret: () => template.url })).toMatchObject({
      kind: 'changed',
      why: expect.stringMatching(/^It is no longer the same database: the URL now leads to .* instead of .*\.$/),
    })
  })

  test('the migrations are read from another directory now', async () => {
    const tool = { prisma: { schema: 'prisma/schema.prisma', migrations: 'other', urls: ['DATABASE_URL'], env: {} } }
    expect(await compare(plan, 'before-migrate', {}, { tool })).toEqual({
      kind: 'changed',
      why: 'The files of `20260101_customers`, `20260102_orders` and `20260103_index` are no longer what they were when this was asked.',
    })
  })

  test('neither the database nor the repository can be reached: unknown', async () => {
    expect(await compare(plan, 'before-migrate', { secret: () => 'postgresql://u@127.0.0.1:1/x' })).toMatchObject({ kind: 'unknown' })
    const source = { ...origin.target().source, repository: './absent' }
    expect(await compare(plan, 'before-migrate', {}, { source })).toMatchObject({ kind: 'unknown' })
  })

  test('the server answers that it cannot read the record: unknown, with its reason', async () => {
    await sql('alter table _prisma_migrations rename column checksum to sum')
    expect(await compare(plan)).toEqual({
      kind: 'unknown',
      why: expect.stringMatching(/^The database cannot be read: column .*checksum.* does not exist\.$/),
    })
  })

  test("somebody holds Prisma's lock: unknown", async () => {
    await withTarget({ url: database.url, applicationName: 'other' }, async (client) => {
      await client.query('select pg_advisory_lock(72707369)')
      expect(await compare(plan)).toMatchObject({
        kind: 'unknown',
        why: expect.stringContaining('Another Prisma holds the migration lock'),
      })
    })
  })
})
