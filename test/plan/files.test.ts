import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readFiles, sha256 } from '../../src/plan/files.ts'
import { fetchRepository } from '../../src/plan/repository.ts'
import { readSchema } from '../../src/plan/prisma/schema.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { createOrigin, FIT, type Origin } from './application/origin.ts'
import { SCHEMA } from './application/application.ts'

let origin: Origin
beforeAll(async () => {
  origin = await createOrigin()
  await origin.commit(FIT)
})
afterAll(() => origin.close())

/** Files on top of a fit commit, on a branch of their own. */
async function read(
  files: Readonly<Record<string, string | Buffer | null>>,
  changes: Parameters<Origin['target']>[0] = {},
  links: Readonly<Record<string, string>> = {},
) {
  await origin.git('checkout', '--quiet', '--detach', 'main')
  for (const [path, to] of Object.entries(links)) await origin.link(path, to)
  const commit = await origin.commit(files)
  await origin.git('branch', '--force', 'case', commit)
  await origin.git('checkout', '--quiet', 'main')
  const repository = await fetchRepository(origin.deps, origin.target())
  if (isRefusal(repository)) throw new Error(repository.text)
  return readFiles(repository, origin.target(changes), commit)
}

async function refusedFor(...args: Parameters<typeof read>): Promise<string> {
  const files = await read(...args)
  if (!isRefusal(files)) throw new Error('it was not refused')
  expect(files.code).toBe('repository_unfit')
  return files.text.replace(/`[0-9a-f]{10}`/, '`COMMIT`')
}

const FIRST = 'prisma/migrations/20260101_customers'

describe('what is read', () => {
  test('raw bytes with their checksum, the other line endings, rollback SQL beside it, in the order of Prisma', async () => {
    const odd = Buffer.from([0x2d, 0x2d, 0xff, 0x0d, 0x0a, 0x0a])
    const files = await read({ 'prisma/migrations/20251231_é/migration.sql': odd, [`${FIRST}/rollback.sql`]: 'drop table customer;\n' })
    if (isRefusal(files)) throw new Error(files.text)
    expect(files.migrations.map(({ name }) => name)).toEqual(['20251231_é', '20260101_customers'])
    const [first, second] = files.migrations
    expect(first?.content).toEqual(odd)
    expect(first?.sha256).toBe(sha256(odd))
    expect(first?.otherEndings).toEqual([
      sha256(Buffer.from([0x2d, 0x2d, 0xff, 0x0a, 0x0a])),
      sha256(Buffer.from([0x2d, 0x2d, 0xff, 0x0d, 0x0a, 0x0d, 0x0a])),
      sha256('--\ufffd\r\n\n'), // as Prisma reads it
      sha256('--\ufffd\n\n'),
      sha256('--\ufffd\r\n\r\n'),
    ])
    expect(first?.rollback).toBeNull()
    expect(second?.rollback?.content.toString()).toBe('drop table customer;\n')
  })

  test('no migrations at all is an empty list', async () => {
    expect(await read({ 'prisma/migrations': null })).toMatchObject({ migrations: [] })
  })

  test('an application in a directory of a monorepo, with prisma in the root package.json and a schema of several files', async () => {
    const files = await read(
      {
        'packages/api/package.json': '{}',
        'packages/api/prisma/schema/main.prisma': SCHEMA,
        'packages/api/prisma/schema/shop.prisma': 'model A {\n  id Int @id\n}\n',
        'packages/api/prisma/migrations/1_a/migration.sql': 'select 1;',
      },
      {
        source: { ...origin.target().source, directory: './packages/api' },
        tool: { prisma: { schema: 'prisma/schema', migrations: 'prisma/migrations', urls: ['DATABASE_URL'], env: {} } },
      },
    )
    expect(files).toMatchObject({ migrations: [{ name: '1_a' }], schema: expect.stringContaining('model A') })
  })
})

describe('what is refused', () => {
  test.each(['.env', 'prisma/.env', '.ENV'])('a tracked %s', async (path) => {
    expect(await refusedFor({ [path]: 'DATABASE_URL=postgresql://elsewhere/x' })).toBe(
      `Commit \`COMMIT\` tracks \`${path}\`. Prisma reads it and would migrate the database that it names. Remove it from the repository (\`git rm --cached -- ${path}\`) and ask again.`,
    )
  })

  test('a .env that Prisma does not read is none of our business', async () => {
    expect(isRefusal(await read({ 'tools/.env': 'X=1', '.env.example': 'X=1' }))).toBe(false)
  })

  test.each([
    ['the migration file', { [`${FIRST}/migration.sql`]: null }, { [`${FIRST}/migration.sql`]: '/etc/passwd' }, `${FIRST}/migration.sql`],
    [
      'the directory of migrations',
      { 'prisma/migrations': null },
      { 'prisma/other': '.', 'prisma/migrations': '/etc' },
      'prisma/migrations',
    ],
    ['a file beside it', {}, { [`${FIRST}/rollback.sql`]: '../x' }, `${FIRST}/rollback.sql`],
  ])('a symbolic link in place of %s', async (_, files, links, path) => {
    await origin.git('checkout', '--quiet', '--detach', 'main')
    for (const gone of Object.keys(files)) await origin.git('rm', '-r', '--quiet', gone)
    for (const [from, to] of Object.entries(links)) await origin.link(from, to)
    const commit = await origin.commit({})
    await origin.git('branch', '--force', 'case', commit)
    await origin.git('checkout', '--quiet', '--force', 'main')
    const repository = await fetchRepository(origin.deps, origin.target())
    if (isRefusal(repository)) throw new Error(repository.text)
    expect(await readFiles(repository, origin.target(), commit)).toMatchObject({
      code: 'repository_unfit',
      text: expect.stringContaining(
        `has a symbolic link at \`${path}\`. Schema and migrations must be regular files of the repository itself.`,
      ),
    })
  })

  test('a directory without migration.sql', async () => {
    expect(await refusedFor({ 'prisma/migrations/2_b/notes.md': 'x' })).toBe(
      'The migration `2_b` has no migration.sql. Prisma stops at it (P3015). Add the file or remove the directory.',
    )
  })

  test.each([
    `${FIRST}/migration.sql`,
    `${FIRST}/rollback.sql`,
    'prisma/schema.prisma',
    'package.json',
    'prisma/migrations/migration_lock.toml',
  ])('a pointer of Git LFS in place of %s', async (path) => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d7a'.repeat(16)}\nsize 12345\n`
    expect(await refusedFor({ [path]: pointer })).toBe(
      `\`${path}\` is a pointer of Git LFS in place of the file, and what is planned is read from git alone. Take it out of LFS (\`git lfs untrack '*${path.slice(path.lastIndexOf('.'))}' &amp;&amp; git add --renormalize .\`), commit and ask again.`,
    )
  })

  test('no prisma in package.json', async () => {
    expect(await refusedFor({ 'package.json': '{"dependencies":{"left":"1"}}' })).toBe(
      '`package.json` does not list prisma among dependencies or devDependencies, so the application brings no migration tool. Add it (`npm install --save-dev prisma`) and ask again.',
    )
  })

  test('a package.json that is not JSON', async () => {
    expect(await refusedFor({ 'package.json': '{' })).toBe(
      '`package.json` is not valid JSON, so its dependencies cannot be read. Correct it and ask again.',
    )
  })

  test('another provider', async () => {
    expect(await refusedFor({ 'prisma/migrations/migration_lock.toml': 'provider = "mysql"' })).toBe(
      'migration_lock.toml says that the migrations are for `mysql`, not for postgresql. Lockkeeper migrates PostgreSQL only.',
    )
    expect(await refusedFor({ 'prisma/schema.prisma': SCHEMA.replace('postgresql', 'sqlite') })).toContain('is `sqlite`, not postgresql')
  })

  test('a URL variable that the configuration does not name, and a URL in place of a variable', async () => {
    expect(await refusedFor({ 'prisma/schema.prisma': SCHEMA.replace('}', '  directUrl = env("DIRECT_URL")\n}') })).toBe(
      "In `prisma/schema.prisma` `directUrl` reads `DIRECT_URL`, which `tool.prisma.urls` does not name. Every such variable must lead to the target's database: add it to `tool.prisma.urls` in lockkeeper.yaml.",
    )
    expect(await refusedFor({ 'prisma/schema.prisma': SCHEMA.replace('env("DATABASE_URL")', '"postgresql://elsewhere//x"') })).toContain(
      'holds an address instead of a variable',
    )
  })

  test('paths of the configuration that lead out of the repository', async () => {
    expect(await refusedFor({}, { source: { ...origin.target().source, directory: '../other' } })).toContain('leads out of its repository')
    expect(
      await refusedFor({}, { tool: { prisma: { schema: '/etc/passwd', migrations: 'm', urls: ['DATABASE_URL'], env: {} } } }),
    ).toContain('`/etc/passwd`')
  })

  test('a schema that is not there', async () => {
    expect(await refusedFor({ 'prisma/schema.prisma': null })).toContain('has no `prisma/schema.prisma`')
  })
})

test('a datasource is read past comments and braces elsewhere', () => {
  const text = `generator client {\n provider = "x"\n}\n// datasource old { url = env("OLD") }\ndatasource db {\n  provider  = "postgresql" // url = env("NO")\n  url = env("A")\n  shadowDatabaseUrl = env( "B" )\n  schemas = ["public", "shop"]\n}\n`
  expect(readSchema(text)).toEqual({
    provider: 'postgresql',
    variables: [
      { key: 'url', variable: 'A' },
      { key: 'shadowDatabaseUrl', variable: 'B' },
    ],
    literals: [],
    databaseSchemas: ['public', 'shop'],
  })
})
