import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { verifySchemaStep } from '../../src/run/steps/verify-schema.ts'
import { countingNode } from '../helpers/counting-node.ts'
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
const kept: unknown[] = []
const step = verifySchemaStep({ keepSchema: async (_, lines) => void kept.push(lines) })

/** After the migration; `started` is what the CLI was started with from here on. */
async function migrated() {
  const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-node-'))
  later(() => rmSync(directory, { recursive: true }))
  const node = countingNode(directory)
  const made = await scene({ '1_init': init }, { files: { 'prisma/schema.prisma': schema }, env: { ...process.env, PATH: node.path } })
  expect(await migrateStep(fast).act(made.run.context)).toMatchObject({ kind: 'done' })
  const before = node.prisma().length
  return { ...made, started: () => node.prisma().slice(before) }
}

test('after a migration the record, Prisma and the live schema agree; what departs is told or stops', async () => {
  const { run, sql, started } = await migrated()
  const { events } = run.recorded
  events.length = 0
  expect(await step.inspect(run.context)).toEqual({ kind: 'todo' })
  expect(await step.act(run.context)).toEqual({
    kind: 'done',
    output: '1 applied, Prisma agrees, live schema as described',
    data: { applied: 1, invalid: [], drift: 'same', prisma: packageJson.devDependencies.prisma },
  })
  expect(events).toEqual([])
  expect(kept.splice(0)).toEqual([
    [
      { key: 'column public.orders.id', text: 'integer, required' },
      { key: 'column public.orders.total', text: expect.stringMatching(/^integer, required, default [0-9a-f]{8}$/) },
      { key: 'constraint orders_pkey on public.orders', text: expect.stringMatching(/^[0-9a-f]{32}$/) },
      { key: 'table public.orders', text: 'as usual' },
    ],
  ])
  // that it agrees was the last word of its deploy
  expect(started()).toEqual(['db pull --print --schema prisma/schema.prisma'])

  await sql('alter table orders add column stray text; insert into orders values (1, 7), (2, 7)')
  await sql('create unique index concurrently orders_total_key on orders (total)').catch(() => {}) // leaves an invalid index, which is wanted here
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

test.each([
  ['on another machine, which has no attempts', (base: string) => rmSync(base, { recursive: true })],
  [
    'after a migrator that was killed when it had committed',
    (base: string) => writeFileSync(join(base, '0001/exit.json'), JSON.stringify({ exitCode: null, signal: 'SIGKILL' })),
  ],
  ['after a deploy that did not say that it is through', (base: string) => writeFileSync(join(base, '0001/output.log'), '')],
])('%s, Prisma is asked whether it agrees', async (_, happens) => {
  const { run, started } = await migrated()
  happens(join(run.context.directory, 'migrator'))
  expect(await step.act(run.context)).toMatchObject({ kind: 'done', output: '1 applied, Prisma agrees, live schema as described' })
  expect(started()).toEqual(['migrate status --schema prisma/schema.prisma', 'db pull --print --schema prisma/schema.prisma'])
})

test('when Prisma does not agree, a person looks', async () => {
  const other = await scene({ '1_init': init })
  const { application, run } = await migrated()
  rmSync(join(run.context.directory, 'migrator'), { recursive: true })
  const config = join(application.directory, 'prisma.config.ts')
  writeFileSync(config, readFileSync(config, 'utf8').replace(/database: .*/, `database: '${other.database.name}',`))
  expect(await step.act(run.context)).toMatchObject({
    kind: 'unknown',
    output: 'Prisma disagrees',
    outcome: {
      headline: '*Prisma does not agree that 1 migration is applied. Lockkeeper will not guess.*',
      excerpt: expect.stringContaining('1_init'),
    },
  })
})
