import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { fast, init, note, scene, SEED } from '../run/scene.ts'

const step = migrateStep(fast)
const config = readFileSync(join(import.meta.dirname, '../../examples/shop/prisma.config.ts'), 'utf8')

test.each([
  ['where migrations are applied already', { before: SEED, baseline: ['1_init'] }],
  ['on an empty database', {}],
])('a configuration that leads Prisma to other files of the same names runs none of them, %s', async (_, options) => {
  const { run, sql } = await scene(
    { '1_init': init, '2_note': note },
    {
      ...options,
      files: {
        'prisma.config.ts': config.replace("path: 'prisma/migrations'", "path: 'prisma/other'"),
        'prisma/other/migration_lock.toml': 'provider = "postgresql"\n',
        'prisma/other/1_init/migration.sql': init,
        'prisma/other/2_note/migration.sql': 'CREATE TABLE "stolen" AS SELECT * FROM "orders";\n',
      },
    },
  )
  expect(await step.act(run.context)).toMatchObject({
    kind: 'unknown',
    output: 'not started',
    outcome: {
      headline: expect.stringContaining(
        "Prisma does not read its migrations from `prisma/migrations`: the repository's configuration (`migrations.path` in `prisma.config.ts`, or another place of the schema) leads it to another directory. Nothing was started.",
      ),
    },
  })
  expect(await sql(`select to_regclass('stolen') as stolen`)).toEqual([{ stolen: null }])
})
