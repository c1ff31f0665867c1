import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readReviewCommand } from '../../../../commands/operator/review/command.ts'
import { askedBy } from '../../../../commands/operator/review/asked.ts'
import { review } from '../../../../commands/operator/review/review.ts'
import { loadConfig } from '../../../../src/config/load.ts'
import { captureChild } from '../../../../src/process/capture.ts'
import { createRedactor } from '../../../../src/redact/redact.ts'
import { createDatabase, type TestDatabase } from '../../../helpers/postgres.ts'

let cwd: string
let database: TestDatabase

const write = async (path: string, text: string) => {
  await mkdir(dirname(join(cwd, path)), { recursive: true })
  await writeFile(join(cwd, path), text)
}
const INDEX = 'CREATE INDEX "orders_note_idx" ON "orders"("note");\n'

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lockkeeper-review-'))
  await write('prisma/migrations/1_first/migration.sql', 'CREATE TABLE "orders" ("id" INTEGER PRIMARY KEY, "note" TEXT);\n')
  await write('prisma/migrations/1_first/rollback.sql', 'DROP TABLE "orders";\n')
  await git('init', '-q', '-b', 'main')
  await commit('first')
  await write('prisma/migrations/2_note/migration.sql', `-- CreateIndex\n${INDEX}`)
  await write('prisma/migrations/migration_lock.toml', 'provider = "postgresql"\n')
  await commit('second')
  database = await createDatabase()
})
afterAll(async () => {
  await database.close()
  await rm(cwd, { recursive: true, force: true })
})

const commit = async (message: string) => {
  await git('add', '.')
  await git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-qm', message)
}
const git = async (...args: readonly string[]) => {
  const end = await captureChild({ argv: ['git', ...args], cwd, env: { PATH: process.env.PATH ?? '' }, redactor: createRedactor([]) })
  expect(end).toMatchObject({ exitCode: 0 })
}

async function run(words: string, env: Readonly<Record<string, string>> = {}) {
  const command = readReviewCommand(words.split(' '))
  if (typeof command === 'string') throw new Error(command)
  const asked = askedBy(command.by, null, env)
  if (typeof asked === 'string') return { code: 2, text: asked }
  return review(command, { ...asked, cwd, env: process.env, version: '1.2.3', today: '2026-11-30' })
}

test('a range of commits gives the files that it adds, and tables are taken to be large without a database', async () => {
  expect(await run('main~1..main')).toMatchInlineSnapshot(`
    {
      "code": 1,
      "text": "prisma/migrations/2_note/migration.sql
      line 2, blocker (index-build): builds the index \`orders_note_idx\` from all rows of \`orders\`; nobody can write to it meanwhile; its size is not known here, so it is taken for large.
        Instead: Build it CONCURRENTLY, alone in a migration of its own: that takes longer, and everybody goes on reading and writing.
          build_orders_note_idx
            CREATE INDEX CONCURRENTLY "orders_note_idx" ON "orders"("note");

    1 migration: 1 blocker. No database was asked: every table is taken to be large and in use. With --database or --target the review knows better.",
    }
  `)
  expect(await run('main~1..main docs')).toEqual({ code: 0, text: 'There is no migration in it: no file that ends in .sql.' })
})

test('a directory gives every migration below it in their order, and nothing that undoes one', async () => {
  expect(await run('prisma/migrations/')).toEqual({ code: 0, text: expect.stringMatching(/^2 migrations: nothing to say\. No database/) })
})

test('files that are named are taken as they are, in that order, and each once', async () => {
  const { text } = await run(
    `prisma/migrations/1_first/rollback.sql ${cwd}/prisma/migrations prisma/migrations/1_first/rollback.sql --format sarif`,
  )
  const { runs } = JSON.parse(text) as { runs: { results: { locations: { physicalLocation: { artifactLocation: object } }[] }[] }[] }
  expect(runs[0]?.results[0]?.locations[0]?.physicalLocation.artifactLocation).toEqual({ uri: 'prisma/migrations/1_first/rollback.sql' })
  expect(await run('prisma/migrations/2_note/migration.sql prisma')).toMatchObject({ code: 1 })
})

test('a database says how large its tables are: what is new is harmless', async () => {
  const url = new URL(database.url)
  const asked = await run('prisma --database env:SHOP', { SHOP: database.url })
  expect(asked).toEqual({
    code: 0,
    text: `2 migrations: nothing to say. Weighed by ${url.host}/${database.name} as it is now.`,
  })
})

test('what cannot be read as SQL blocks', async () => {
  await write('bad/1.sql', 'ALTER TABEL orders;\n')
  const { code, text } = await run('bad')
  expect(code).toBe(1)
  expect(text).toMatchInlineSnapshot(`
    "bad/1.sql
      blocker (unreadable): it could not be read as SQL (syntax error at or near "TABEL" in line 1), so nobody knows what it does before somebody reads it.

    1 migration: 1 blocker. No database was asked: every table is taken to be large and in use. With --database or --target the review knows better."
  `)
})

test('what cannot be looked at is told, and ends with 2', async () => {
  expect(await run('nowhere')).toEqual({ code: 2, text: 'nowhere is not there. Nothing was reviewed.' })
  expect(await run('main..nowhere')).toMatchInlineSnapshot(`
    {
      "code": 2,
      "text": "git knows nothing of main..nowhere: fatal: bad revision 'main..nowhere'. Nothing was reviewed.",
    }
  `)
  expect(await run('prisma --database env:SHOP')).toEqual({
    code: 2,
    text: 'SHOP is not set. Put the URL of the database into it. Nothing was reviewed.',
  })
  expect(await run('prisma --database env:SHOP', { SHOP: 'http://h/d' })).toMatchInlineSnapshot(`
    {
      "code": 2,
      "text": "SHOP holds no URL of a database: it does not start with postgresql://. Nothing was reviewed.",
    }
  `)
  expect(await run('prisma --database env:SHOP', { SHOP: 'postgresql://u:secret-word@127.0.0.1:1/d' })).toMatchInlineSnapshot(`
    {
      "code": 2,
      "text": "Nothing listens at 127.0.0.1:1. Check host and port of the URL, and that PostgreSQL runs. Nothing was reviewed.",
    }
  `)
})

test('an empty range is a whole SARIF too', async () => {
  const { code, text } = await run('main..main --format sarif')
  expect(code).toBe(0)
  expect(JSON.parse(text)).toMatchObject({ version: '2.1.0', runs: [{ results: [] }] })
})

test('a target of lockkeeper.yaml brings its database, thresholds and order', async () => {
  await write(
    'lockkeeper.yaml',
    JSON.stringify({
      targets: {
        prod: {
          channel: 'C0DEPLOYS',
          source: { repository: cwd },
          database: { url: 'env:PROD_URL' },
          tool: 'prisma',
          approvals: { from: ['group:S0DBA'] },
          review: { rows: { warn: 5, block: 10 } },
          order: 'app-first',
        },
      },
    }),
  )
  const config = loadConfig(join(cwd, 'lockkeeper.yaml'), { PROD_URL: database.url })
  const loaded = { config, redactor: createRedactor([]) }
  expect(askedBy({ kind: 'target', name: 'prod' }, loaded, {})).toMatchObject({
    asked: { url: database.url, order: 'app-first', thresholds: { rows: { warn: 5, block: 10 } } },
  })
  expect(askedBy({ kind: 'target', name: 'prdo' }, loaded, {})).toBe(
    'There is no target prdo in the configuration; it has prod. Nothing was reviewed.',
  )
})
