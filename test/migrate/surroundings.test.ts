import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { MARKER, withoutMarker } from '../../src/migrate/prisma/prisma-workspace.ts'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { onServer } from '../helpers/postgres.ts'
import { fast, init, note, scene, SEED, type Scene } from '../run/scene.ts'

const step = migrateStep(fast)
const APPLIED = { before: `${SEED} create schema own;`, baseline: ['1_init'] }
const found = ({ run }: Scene) => run.recorded.events.flatMap((event) => (event.kind === 'finding' ? [event.data.text] : []))

test('a client that reads the record twice a second is nobody whom Prisma is taken for', async () => {
  const made = await scene({ '1_init': init, '2_note': note }, APPLIED)
  const monitor = await made.session('monitor')
  const over = new AbortController()
  const reading = (async () => {
    for (; !over.signal.aborted; await sleep(100)) await monitor.query('select count(*) from _prisma_migrations')
  })()
  try {
    expect(await step.act(made.run.context)).toMatchObject({ kind: 'done' })
  } finally {
    over.abort()
    await reading
  }
})

test.each([
  ['of PostGIS', 'create table spatial_ref_sys (srid int primary key, auth_name text)'],
  [
    'of PostGIS, that belongs to an extension',
    'create table spatial_ref_sys (srid int); alter extension plpgsql add table spatial_ref_sys',
  ],
  ['that is only divided', 'create table divided (id int) partition by range (id)'],
])('a new database with a table %s is migrated, as Prisma does', async (_what, before) => {
  const made = await scene({ '1_init': init }, { before }) // PostGIS itself is not here: the table alone is what Prisma looks at
  expect(await step.act(made.run.context)).toMatchObject({ kind: 'done' })
})

describe('a search path that the database sets', () => {
  const by = (name: string, path: string, first: string) =>
    `In \`${name}\` names without a schema lead ${first} and not to \`public\`: \`search_path\` is \`${path}\` by \`ALTER DATABASE "${name}" SET\`. \`ALTER DATABASE "${name}" RESET search_path\` takes that back.`

  test('and in which the record is not is named, and nothing is started', async () => {
    const made = await scene({ '1_init': init, '2_note': note }, APPLIED)
    const { name } = made.database
    await onServer(`alter database ${name} set search_path to own`)
    expect(await step.act(made.run.context)).toMatchObject({
      kind: 'unknown',
      output: 'not started',
      outcome: {
        headline: `*Prisma says \`${name}\`, but its \`migrate status\` answered while this product held \`public._prisma_migrations\` of the approved database, so it does not read that table. ${by(name, 'own', 'to the schema `own`')} Nothing was started. Lockkeeper will not guess.*`,
      },
    })
  })

  test('of a new database is named before Prisma makes its record elsewhere', async () => {
    const made = await scene({ '1_init': init }, { before: 'create schema own' })
    const { name } = made.database
    await onServer(`alter database ${name} set search_path to own, public`)
    expect(await step.act(made.run.context)).toMatchObject({
      kind: 'unknown',
      output: 'not started',
      outcome: {
        headline: `*${by(name, 'own, public', 'to the schema `own`')} Prisma works through a driver adapter, and whether that sets another path could not be seen; \`options=-c%20search_path%3Dpublic\` in the URL of the database does. Nothing was started. Lockkeeper will not guess.*`,
      },
    })
    expect(await made.sql(`select to_regclass('own._prisma_migrations') as record`)).toEqual([{ record: null }])
  })

  test('before the schema of the record leads new tables elsewhere, and that is told', async () => {
    const made = await scene({ '1_init': init, '2_new': 'CREATE TABLE "fresh" ("id" int);\n' }, APPLIED)
    const { name } = made.database
    await onServer(`alter database ${name} set search_path to own, public`)
    expect(await step.act(made.run.context)).toMatchObject({ kind: 'done' })
    expect(found(made)).toEqual([
      `${by(name, 'own, public', 'to the schema `own`')} What was created without a schema is there: \`own.fresh\` (\`2_new\`). Move it by a new migration (\`ALTER TABLE "own"."fresh" SET SCHEMA "public"\`) before the application is to find it in \`public\`.`,
    ])
  })

  test('after the schema of the URL leads nobody elsewhere', async () => {
    const made = await scene({ '1_init': init, '2_note': note }, APPLIED)
    await onServer(`alter database ${made.database.name} set search_path to public, own`)
    expect(await step.act(made.run.context)).toMatchObject({ kind: 'done' })
    expect(found(made)).toEqual([])
  })
})

describe('the migration that shows where Prisma reads is shown to nobody', () => {
  test('in the log and in what is told, where the number is that of the real ones', async () => {
    const made = await scene({ '1_init': init, '2_note': note }, APPLIED)
    expect(await step.act(made.run.context)).toMatchObject({ kind: 'done' })
    const log = readFileSync(made.run.context.spool, 'utf8')
    expect(log).toContain('2 migrations found in prisma/migrations')
    expect(log).not.toContain('3 migrations found')
    for (const text of [log, JSON.stringify(made.run.recorded)]) expect(text).not.toContain(MARKER)
  })

  test.each([
    [`1 migration found in prisma/migrations\n\n${MARKER}\n`, '0 migrations found in prisma/migrations\n\n'],
    [`2 migrations found in prisma/migrations\n\n1_a\n${MARKER}\n`, '1 migration found in prisma/migrations\n\n1_a\n'],
    [
      `Error: migrations/${MARKER}/migration.sql is not there\nread it`,
      "Error: migrations/(a directory of Lockkeeper's own)/migration.sql is not there\nread it",
    ],
    ['3 migrations found in prisma/migrations\n', '3 migrations found in prisma/migrations\n'],
  ])('%j', (said, shown) => {
    expect(withoutMarker(said)).toBe(shown)
  })
})
