import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { versionFiles } from '../helpers/prisma-versions/files.ts'
import { recordedModules } from '../helpers/recorded-prisma/place.ts'
import { fast, init, later, scene, SEED } from '../run/scene.ts'

const root = join(import.meta.dirname, '../..')
const NOTE = 'ALTER TABLE "orders" ADD COLUMN "note" text;\n'
const BEGINS = `await client.query("insert into _prisma_migrations (id, checksum, migration_name) values ('2', 'x', '2_note')")`

/** A Prisma 7 whose engine dies during a deploy, as test/contract/prisma/engine.test.ts sees the real one end: with 0 and no word. */
function dyingPrisma(before: string): string {
  const modules = join(mkdtempSync(join(tmpdir(), 'lockkeeper-dying-')), 'node_modules')
  later(() => rmSync(join(modules, '..'), { recursive: true }))
  const recorded = recordedModules('7.10.1')
  for (const path of ['prisma/build', '.bin']) mkdirSync(join(modules, path), { recursive: true })
  for (const name of readdirSync(recorded)) if (!['prisma', '.bin'].includes(name)) symlinkSync(join(recorded, name), join(modules, name))
  writeFileSync(
    join(modules, 'prisma/package.json'),
    JSON.stringify({ name: 'prisma', version: '7.10.1', bin: { prisma: 'build/index.js' } }),
  )
  const program = `#!/usr/bin/env node
if (process.argv[3] !== 'deploy') require(${JSON.stringify(join(recorded, 'prisma/build/index.js'))})
else void (async () => {
  const { Client } = require(${JSON.stringify(join(root, 'node_modules/pg'))})
  const client = new Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  ${before}
  await client.end()
})()
`
  writeFileSync(join(modules, 'prisma/build/index.js'), program, { mode: 0o755 })
  symlinkSync('../prisma/build/index.js', join(modules, '.bin/prisma'))
  return modules
}

async function ended(before: string) {
  const { run } = await scene(
    { '1_init': init, '2_note': NOTE },
    { before: SEED, baseline: ['1_init'], modules: dyingPrisma(before), files: versionFiles('7.10.1', 'shop') },
  )
  return migrateStep(fast).act(run.context)
}

test('a Prisma that ends with 0 and no word in the middle of a migration has not said that it succeeded', async () => {
  expect(await ended(BEGINS)).toMatchObject({
    kind: 'unknown',
    outcome: {
      headline: '*Prisma ended without a word during `2_note`. Lockkeeper will not guess.*',
      known: expect.stringContaining('Prisma 7 ends like this when its engine is ended, for lack of memory for instance.'),
      notKnown: 'Whether all of `2_note` took effect. The record says "started".',
    },
  })
})

test('and one that does so before it began has not led its migrations elsewhere', async () => {
  expect(await ended('')).toMatchObject({
    kind: 'unknown',
    outcome: {
      headline:
        '*Prisma ended without a word, and the record of the approved database has nothing of its migrations. Lockkeeper will not guess.*',
      notKnown: 'Why it ended. Prisma 7 ends like this when its engine is ended, for lack of memory for instance.',
      next: "Look at the system's log of this machine, and mend what ended it. Then cancel this request and ask again.",
    },
  })
})
