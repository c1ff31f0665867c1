import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { askAhead } from '../../src/migrate/ahead.ts'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { countingNode } from '../helpers/counting-node.ts'
import { fast, init, later, note, scene, SEED } from '../run/scene.ts'

const STATUS = 'migrate status --schema prisma/schema.prisma'
const DEPLOY = 'migrate deploy --schema prisma/schema.prisma'

async function counted() {
  const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-node-'))
  later(() => rmSync(directory, { recursive: true }))
  const node = countingNode(directory)
  const made = await scene(
    { '1_init': init, '2_note': note },
    { before: SEED, baseline: ['1_init'], env: { ...process.env, PATH: node.path } },
  )
  return { ...made, started: node.prisma }
}

test('what Prisma answered ahead is not asked again, and counts once', async () => {
  const { run, started } = await counted()
  await askAhead(run.context)
  expect(started()).toEqual([STATUS])
  expect(await migrateStep(fast).act(run.context)).toMatchObject({ kind: 'done' })
  expect(started()).toEqual([STATUS, DEPLOY])
  expect(run.recorded.reports).not.toContain('Asking Prisma which database it would change, and what.')
})

test('it is asked again when a file that Prisma reads is another one by then', async () => {
  const { application, run, started } = await counted()
  await askAhead(run.context)
  appendFileSync(join(application.directory, 'prisma.config.ts'), '\n// changed\n')
  expect(await migrateStep(fast).act(run.context)).toMatchObject({ kind: 'done' })
  expect(started()).toEqual([STATUS, STATUS, DEPLOY])
})

test('what was applied by somebody else meanwhile is found, whatever was answered ahead', async () => {
  const { run, sql, started } = await counted()
  await askAhead(run.context)
  await sql(`insert into _prisma_migrations values ('9', 'x', now(), '9_strange', null, null, now(), 1)`)
  expect(await migrateStep(fast).act(run.context)).toMatchObject({ kind: 'unknown', output: 'not what was approved' })
  expect(started()).toEqual([STATUS])
})

test('a database that does not answer is left to the question at its own time', async () => {
  const { run } = await counted()
  await askAhead({ ...run.context, secret: () => 'postgresql://nobody@127.0.0.1:1/nothing' })
  expect(run.recorded.reports).toEqual([])
})
