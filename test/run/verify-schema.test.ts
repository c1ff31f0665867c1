import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { observe } from '../../src/lib/telemetry.ts'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { verifySchemaStep } from '../../src/run/steps/verify-schema.ts'
import { fast, later, scene } from './scene.ts'

const schema = `datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}
model orders {
  id    Int @id
  total Int @default(0)
}
`
const init = 'CREATE TABLE "orders" ("id" int NOT NULL, "total" int NOT NULL DEFAULT 0, CONSTRAINT "orders_pkey" PRIMARY KEY ("id"));\n'
const step = verifySchemaStep()

test('after a migration the record, Prisma and the live schema agree; what departs is told or stops', async () => {
  const { run, sql } = await scene({ '1_init': init }, { files: { 'prisma/schema.prisma': schema } })
  expect(await migrateStep(fast).act(run.context)).toMatchObject({ kind: 'done' })
  const asked = programsStarted()
  const { events } = run.recorded
  events.length = 0
  expect(await step.inspect(run.context)).toEqual({ kind: 'todo' })
  expect(await step.act(run.context)).toEqual({
    kind: 'done',
    output: '1 applied, Prisma agrees, live schema as described',
    data: { applied: 1, invalid: [], drift: 'same', prisma: packageJson.devDependencies.prisma },
  })
  expect(events).toEqual([])
  // its state, the live schema and the comparison; which version it is was asked before the migration
  expect(asked().filter((program) => program === 'prisma')).toHaveLength(3)

  await sql('alter table orders add column stray text; insert into orders values (1, 7), (2, 7)')
  await sql('create unique index concurrently orders_total_key on orders (total)').catch(() => {}) // leaves an invalid index, which is wanted here
  rmSync(join(run.context.directory, 'migrator/version.json')) // as on another machine, which asks again
  expect(await step.act(run.context)).toMatchObject({
    kind: 'done',
    output: '1 applied, Prisma agrees, live schema differs, see the thread, 1 invalid index',
    data: { prisma: packageJson.devDependencies.prisma },
  })
  expect(events.map((event) => event.kind === 'finding' && event.data.text)).toEqual([
    'The index `orders_total_key` on `orders` is invalid: queries do not use it and writes pay for it. Drop it with `DROP INDEX CONCURRENTLY` and build it again.',
    expect.stringMatching(
      /^The live schema differs from the one that the commit describes\. To make it equal, this would have to change:\n(• `[^`]+`\n?)+$/,
    ),
  ])

  await sql(`update _prisma_migrations set checksum = 'other'`)
  expect(await step.act(run.context)).toMatchObject({
    kind: 'unknown',
    output: 'not as approved',
    outcome: { headline: '*After migrating, the record does not show what was approved: `1_init`. Lockkeeper will not guess.*' },
  })
})

/** The programs that are started from here on, in order. */
function programsStarted(): () => readonly string[] {
  const programs: string[] = []
  const stop = observe(
    {
      begun({ activity }) {
        if (activity.kind === 'child') programs.push(activity.program)
        return () => {}
      },
    },
    (error) => {
      throw error
    },
  )
  later(stop)
  return () => programs
}
