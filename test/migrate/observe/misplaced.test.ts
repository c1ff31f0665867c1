import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { migrateStep } from '../../../src/run/steps/migrate.ts'
import { onServer } from '../../helpers/postgres.ts'
import { fast, init, later, scene, SEED, type Scene } from '../../run/scene.ts'

const step = migrateStep(fast)
const BEFORE = 'create schema audit'
const orders = 'CREATE TABLE "orders" ("id" int);\n'
const MOVED =
  '`1_path` left `search_path` at `audit, public` behind, so what files after it created without a schema is not in `public`: `audit.orders` (`2_orders`). Move it by a new migration (`ALTER TABLE "audit"."orders" SET SCHEMA "public"`) before the application is to find it in `public`.'

const commandIn = (texts: readonly string[]) => /`(ALTER TABLE [^`]+)`/.exec(texts.join(' '))?.[1] ?? ''

const told = ({ run }: Scene) => run.recorded.events.flatMap((event) => (event.kind === 'finding' ? [event.data.text] : []))

describe('after each start of Prisma it is looked where its files were led', () => {
  test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['by SET', { '1_path': 'SET search_path TO audit, public;\n', '2_orders': orders }, [MOVED]],
    [
      'by set_config in a block',
      { '1_path': `DO $$ BEGIN PERFORM set_config('search_path', 'audit, public', false); END $$;\n`, '2_orders': orders },
      [MOVED],
    ],
    [
      'two files on, with a view and a table that names its schema',
      {
        '1_path': 'SET search_path TO audit, public;\n',
        '2_none': 'CREATE TABLE "public"."own" ("id" int);\n',
        '3_both': 'CREATE TABLE "a" ("id" int);\nCREATE VIEW "v" AS SELECT 1 AS one;\n',
      },
      [
        '`1_path` left `search_path` at `audit, public` behind, so what files after it created without a schema is not in `public`: `audit.a` (`3_both`) and `audit.v` (`3_both`). Move it by a new migration (`ALTER TABLE "audit"."a" SET SCHEMA "public"`) before the application is to find it in `public`.',
      ],
    ],
    ['not by what the file itself creates there', { '1_path': 'SET search_path TO audit, public;\nCREATE TABLE "log" ("id" int);\n' }, []],
    ['not by SET LOCAL', { '1_path': 'SET LOCAL search_path TO audit, public;\n', '2_orders': orders }, []],
    ['not when it is taken back', { '1_path': 'SET search_path TO audit, public;\nRESET search_path;\n', '2_orders': orders }, []],
    ['not by what is rolled back', { '1_path': 'BEGIN;\nSET search_path TO audit, public;\nROLLBACK;\n', '2_orders': orders }, []],
  ])('%s', async (_title, migrations, texts) => {
    const made = await scene(migrations, { before: BEFORE })
    expect(await step.act(made.run.context)).toMatchObject({ kind: 'done' })
    expect(told(made)).toEqual(texts)
    expect(await step.inspect(made.run.context)).toMatchObject({ kind: 'done' })
    expect(told(made)).toEqual(texts) // told once
  })

  test('and what moves it can be run as it stands there, whatever the names', async () => {
    const made = await scene(
      { '1_path': 'SET search_path TO "an ""other""", public;\n', '2_odd': 'CREATE TABLE "odd ""name""" ("id" int);\n' },
      { before: 'create schema "an ""other"""' },
    )
    expect(await step.act(made.run.context)).toMatchObject({ kind: 'done' })
    await made.sql(commandIn(told(made)))
    expect(await made.sql(`select relnamespace::regnamespace::text as schema from pg_class where relname = 'odd "name"'`)).toEqual([
      { schema: 'public' },
    ])
  })

  test('a file that runs alone ends the session, so what comes after it stands where it should', async () => {
    const made = await scene(
      {
        '0_t': 'CREATE TABLE "t" ("id" int);\n',
        '1_path': 'SET search_path TO audit, public;\n',
        '2_index': 'CREATE INDEX CONCURRENTLY "i" ON "t"("id");\n',
        '3_orders': orders,
      },
      { before: BEFORE, concurrently: ['2_index'] },
    )
    expect(await step.act(made.run.context)).toMatchObject({ kind: 'done' })
    expect(told(made)).toEqual([])
    expect(await made.sql(`select to_regclass('public.orders')::text as here`)).toEqual([{ here: 'orders' }])
  })

  test('a role that is left owns what later files create', async () => {
    const role = `left_${randomBytes(4).toString('hex')}`
    await onServer(`create role ${role}`)
    later(() => onServer(`drop role ${role}`))
    const made = await scene(
      { '1_role': `GRANT SELECT, INSERT, UPDATE ON _prisma_migrations TO ${role};\nSET ROLE ${role};\n`, '2_orders': orders },
      { before: `grant create, usage on schema public to ${role}` },
    )
    later(() => made.database.close())
    expect(await step.act(made.run.context)).toMatchObject({ kind: 'done' })
    const user = new URL(made.database.url).username
    expect(told(made)).toEqual([
      `\`1_role\` left \`role\` at \`${role}\` behind, so what files after it created belongs to \`${role}\` and not to \`${user}\`: \`public.orders\` (\`2_orders\`). Give it back by a new migration (\`ALTER TABLE "public"."orders" OWNER TO "${user}"\`) where that is not meant.`,
    ])
    await made.sql(commandIn(told(made)))
    expect(await made.sql(`select tableowner as owner from pg_tables where tablename = 'orders'`)).toEqual([{ owner: user }])
  })
})

describe('a file that takes the record from Prisma, by a way that no plan can see, needs a person who reads why', () => {
  test.each([
    [
      'a search path',
      `CREATE TABLE "log" ("id" int);\nDO $$ BEGIN PERFORM set_config('search_path', '', false); END $$;\n`,
      '*After `2_file` Prisma could not write its record, since the file had changed the session in which it does so (`search_path`: P1014). It may be applied in part: `2_file`. Lockkeeper will not guess.*',
    ],
    [
      'a session that is read-only',
      `CREATE TABLE "log" ("id" int);\nDO $$ BEGIN SET default_transaction_read_only = on; END $$;\n`,
      '*After `2_file` Prisma could not write its record, since the file had changed the session in which it does so (`default_transaction_read_only`). It may be applied in part: `2_file`. Lockkeeper will not guess.*',
    ],
    [
      'a role without rights',
      'CREATE TABLE "log" ("id" int);\nSET ROLE pg_monitor;\n',
      '*After `2_file` Prisma could not write its record, since the file had changed the session in which it does so (`role`). It may be applied in part: `2_file`. Lockkeeper will not guess.*',
    ],
  ])('%s', async (_title, sql, headline) => {
    const made = await scene({ '1_init': init, '2_file': sql }, { before: SEED, baseline: ['1_init'] })
    expect(await step.act(made.run.context)).toMatchObject({
      kind: 'unknown',
      outcome: {
        headline,
        known:
          'Prisma does not say that the database refused it. Since its start the schema has got: `table log`. Since its start no row of `log` was inserted or updated; deleted ones do not show. No session of this run is alive.',
      },
    })
  })
})
