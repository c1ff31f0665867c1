import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { verifySchemaStep } from '../../src/run/steps/verify-schema.ts'
import { countingNode } from '../helpers/counting-node.ts'
import { prismaOf } from '../helpers/prisma-versions/modules.ts'
import { fast, later, scene } from '../run/scene.ts'

const root = join(import.meta.dirname, '../..')
const MODEL = 'model orders {\n  id    Int @id\n  total Int @default(0)\n}\n'
const INIT = 'CREATE TABLE "orders" ("id" int NOT NULL, "total" int NOT NULL DEFAULT 0, CONSTRAINT "orders_pkey" PRIMARY KEY ("id"));\n'

const VERSIONS = [
  {
    version: '5.22.0',
    url: '  url      = env("DATABASE_URL")\n',
    config: 'export {}\n', // which it does not read
    says: 'Prisma 5.22.0, native engine: each file is one transaction.',
    drift: 'migrate diff --from-schema-datasource prisma/schema.prisma --to-schema-datamodel prisma/schema.prisma --exit-code',
    failed: {
      kind: 'failed',
      headline:
        '*`2_more` stopped: table or index `orders` already exists. 1 of 2 migrations is applied and kept.* The application was left as it was.',
    },
  },
  {
    version: '7.10.1',
    url: '',
    config: readFileSync(join(root, 'test/helpers/prisma-versions/7/prisma.config.ts'), 'utf8'),
    says: 'Prisma 7.10.1, native engine: it may send a file statement by statement, so a file that fails may be applied in part.',
    drift: 'migrate diff --from-config-datasource --to-schema prisma/schema.prisma --exit-code',
    failed: {
      kind: 'unknown',
      headline:
        '*`2_more` stopped: table or index `orders` already exists. It may be applied in part: `2_more`. Lockkeeper will not guess.*',
    },
  },
] as const

describe.each(VERSIONS)('with Prisma $version and an engine of its own', ({ version, url, config, says, drift, failed }) => {
  async function application(migrations: Readonly<Record<string, string>>) {
    const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-node-'))
    later(() => rmSync(directory, { recursive: true }))
    const node = countingNode(directory)
    const { modules, env } = await prismaOf(version, 'recorded')
    const schema = `datasource db {\n  provider = "postgresql"\n${url}}\n${MODEL}`
    const files = { 'prisma/schema.prisma': schema, 'prisma.config.ts': config }
    const made = await scene(migrations, { modules, files, toolEnv: env, env: { ...process.env, PATH: node.path } })
    return { ...made, started: node.prisma }
  }

  test('a run starts it three times: for what it would do, to do it, and for the live schema', async () => {
    const { run, started } = await application({ '1_init': INIT })
    expect(await migrateStep(fast).act(run.context)).toMatchObject({ kind: 'done', output: expect.stringMatching(/^1 migration in /) })
    expect(run.recorded.reports).toContain(says)
    expect(await verifySchemaStep().act(run.context)).toEqual({
      kind: 'done',
      output: '1 applied, Prisma agrees, live schema as described',
      data: { applied: 1, invalid: [], drift: 'same', prisma: version },
    })
    expect(started()).toEqual(['migrate status --schema prisma/schema.prisma', 'migrate deploy --schema prisma/schema.prisma', drift])
  })

  test('of a file that fails it is said whether it was undone for certain', async () => {
    const { run, sql } = await application({
      '1_init': INIT,
      '2_more': 'alter table orders add column note text; create table orders (id int);\n',
    })
    const end = await migrateStep(fast).act(run.context)
    expect(end).toMatchObject({ kind: failed.kind, outcome: { headline: failed.headline } })
    expect(await sql('select migration_name as name, finished_at is null as open from _prisma_migrations order by 1')).toEqual([
      { name: '1_init', open: false },
      { name: '2_more', open: true },
    ])
  })
})
