import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrationFile } from '../../src/plan/files.ts'
import { readDatabaseState, statusOf, type Status } from '../../src/plan/status.ts'
import { withTarget } from '../../src/database/connect.ts'
import { parseTargetUrl } from '../../src/database/urls.ts'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BASE, deployedTemplate, FIRST, SECOND, THIRD } from '../contract/prisma/base.ts'
import { IN_USE, prepareReal } from '../contract/prisma/sides.ts'
import { isRealAsked } from '../contract/prisma/transcripts.ts'
import type { PrismaVersion } from '../helpers/prisma-versions/installed.ts'
import { prismaOf } from '../helpers/prisma-versions/modules.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'
import { createApplication, prisma, type Application } from './application/application.ts'

let template: TestDatabase

beforeAll(async () => {
  await prepareReal()
  template = await deployedTemplate()
}, 600_000)
afterAll(() => template.close())

type Asked = { readonly version: PrismaVersion; readonly title: string; readonly from: 'empty' | 'deployed' }
type State = { readonly application: Application; readonly url: string; readonly sql: (text: string) => Promise<void> }

/**
 * Both readers see the same directory and the same database; what each says is compared in the same few words. The real CLI is asked as
 * often as the contract of the recorded one asks it, and otherwise the recorded one, which that contract holds against it.
 */
async function inState({ version, title, from }: Asked, work: (state: State) => Promise<void>): Promise<void> {
  const which = isRealAsked({ version, topic: 'status-against-cli', title }) ? 'real' : 'recorded'
  const application = await createApplication(BASE, { version, ...(await prismaOf(version, which)) })
  const database = await createDatabase(from === 'empty' ? {} : { template: template.name })
  const sql = async (text: string) =>
    void (await withTarget({ url: database.url, applicationName: 'test' }, (client) => client.query(text)))
  try {
    await work({ application, url: database.url, sql })
  } finally {
    await database.close()
    await application.close()
  }
}

/** `ours` in words; empty lists are left out. */
async function ours({ application, url }: Pick<State, 'application' | 'url'>): Promise<Record<string, unknown>> {
  const directory = join(application.directory, 'prisma/migrations')
  const names = (await readdir(directory)).filter((name) => !name.endsWith('.toml')).sort()
  const files = await Promise.all(
    names.map(async (name) => migrationFile(name, await readFile(join(directory, name, 'migration.sql')), null)),
  )
  const parsed = parseTargetUrl(url)
  if (parsed.kind === 'bad') throw new Error(parsed.why)
  const state = await withTarget({ url, applicationName: 'test' }, (client) => readDatabaseState(client, parsed.url.schema))
  const status = statusOf(state, files)
  const lists: readonly (keyof Status)[] = ['applied', 'pending', 'failed', 'running', 'rolledBack', 'edited', 'unknown']
  const filled = lists.flatMap((list) => {
    const members = status[list]
    return typeof members === 'string' || members.length === 0 ? [] : [[list, members.map(({ name }) => name)] as const]
  })
  return { baseline: status.baseline, ...Object.fromEntries(filled) }
}

async function cli({ application, url }: Pick<State, 'application' | 'url'>): Promise<Record<string, unknown>> {
  const { code, text } = await prisma(application, url, 'migrate', 'status')
  const below = (heading: RegExp) => {
    const lines = text.split('\n')
    const at = lines.findIndex((line) => heading.test(line))
    const rest = lines.slice(at + 1)
    return at === -1 ? [] : rest.slice(0, rest.indexOf(''))
  }
  const lists = {
    pending: below(/^(Following|The) migrations? have not yet been applied:$/),
    failed: below(/^Following migrations? have failed:$/),
    unknown: below(/^The migrations? from the database are not found locally/),
  }
  const said = {
    ...(text.includes('Database schema is up to date!') ? { upToDate: true } : {}),
    ...Object.fromEntries(Object.entries(lists).filter(([, names]) => names.length > 0)),
  }
  if (Object.keys(said).length === 0) throw new Error(`The CLI said something else: ${text}`)
  return { code, ...said }
}

const deploy = ({ application, url }: State) => prisma(application, url, 'migrate', 'deploy')
const resolve = async ({ application, url }: State, outcome: '--applied' | '--rolled-back', name: string) => {
  const end = await prisma(application, url, 'migrate', 'resolve', outcome, name)
  if (end.code !== 0) throw new Error(end.text)
}

const BOTH = [FIRST, SECOND]

/** Deploys a third migration that fails, so that its row has no end. */
async function failThird(state: State): Promise<void> {
  await state.application.migration(THIRD, 'create table customer (id int);\n')
  expect((await deploy(state)).text).toContain('relation "customer" already exists')
}

type Titled = { readonly name: string }
type Work = (state: State) => Promise<void>

// proves status: 5.22.0, 6.19.3, 7.10.1
describe.concurrent.each(IN_USE)('the status reader and the CLI of $version', { timeout: 110_000 }, ({ version }) => {
  const onEmpty = ({ name: title }: Titled, work: Work) => inState({ version, title, from: 'empty' }, work)
  const onDeployed = ({ name: title }: Titled, work: Work) => inState({ version, title, from: 'deployed' }, work)

  test('a fresh database: both say that everything is pending', ({ task }) =>
    onEmpty(task, async (state) => {
      expect(await cli(state)).toEqual({ code: 1, pending: BOTH })
      expect(await ours(state)).toEqual({ baseline: 'fresh', pending: BOTH })
    }))

  test('up to date: both say so', ({ task }) =>
    onDeployed(task, async (state) => {
      expect(await cli(state)).toEqual({ code: 0, upToDate: true })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH })
    }))

  test('one pending: both name it', ({ task }) =>
    onDeployed(task, async (state) => {
      await state.application.migration(THIRD, 'create table discount (id int);\n')
      expect(await cli(state)).toEqual({ code: 1, pending: [THIRD] })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, pending: [THIRD] })
    }))

  test('pending between applied ones: both name it, since order does not matter to Prisma', ({ task }) =>
    onDeployed(task, async (state) => {
      await state.application.migration('20260101_late', 'create table late (id int);\n')
      expect(await cli(state)).toEqual({ code: 1, pending: ['20260101_late'] })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, pending: ['20260101_late'] })
    }))

  test('failed: both name it', ({ task }) =>
    onDeployed(task, async (state) => {
      await failThird(state)
      expect(await cli(state)).toEqual({ code: 1, failed: [THIRD] })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, failed: [THIRD] })
    }))

  test('failed with one pending: the CLI names the pending one only, ours both, and deploy refuses with P3009', ({ task }) =>
    onDeployed(task, async (state) => {
      await failThird(state)
      await state.application.migration('20260104_more', 'create table more (id int);\n')
      expect(await cli(state)).toEqual({ code: 1, pending: ['20260104_more'] })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, failed: [THIRD], pending: ['20260104_more'] })
      expect((await deploy(state)).text).toContain('P3009')
    }))

  test('failed and marked rolled back: the CLI says up to date until 7, ours says pending, and deploy does run it again', ({ task }) =>
    onDeployed(task, async (state) => {
      await failThird(state)
      await resolve(state, '--rolled-back', THIRD)
      expect(await cli(state)).toEqual(version === '7.10.1' ? { code: 1, pending: [THIRD] } : { code: 0, upToDate: true })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, pending: [THIRD], rolledBack: [THIRD] })
      expect((await deploy(state)).text).toContain('relation "customer" already exists')
    }))

  test('failed and resolved as applied: two rows for one name, and both say applied', ({ task }) =>
    onDeployed(task, async (state) => {
      await failThird(state)
      await resolve(state, '--applied', THIRD)
      expect(await cli(state)).toEqual({ code: 0, upToDate: true })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: [...BOTH, THIRD] })
    }))

  test('rolled back, corrected and deployed: two rows for one name with two checksums, and both say applied and not edited', ({ task }) =>
    onDeployed(task, async (state) => {
      await failThird(state)
      await resolve(state, '--rolled-back', THIRD)
      await state.application.migration(THIRD, 'create table discount (id int);\n')
      expect((await deploy(state)).code).toBe(0)
      expect(await cli(state)).toEqual({ code: 0, upToDate: true })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: [...BOTH, THIRD] })
    }))

  test('edited after it was applied: the CLI says up to date, ours says edited', ({ task }) =>
    onDeployed(task, async (state) => {
      await state.application.migration(SECOND, 'create table "order" (id bigint primary key);\n')
      expect(await cli(state)).toEqual({ code: 0, upToDate: true })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, edited: [SECOND] })
    }))

  test('unknown to the checkout with nothing pending: the CLI says up to date, ours says unknown', ({ task }) =>
    onDeployed(task, async (state) => {
      await state.application.remove(`prisma/migrations/${SECOND}`)
      expect(await cli(state)).toEqual({ code: 0, upToDate: true })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, unknown: [SECOND] })
    }))

  test('unknown to the checkout with one pending: both name both', ({ task }) =>
    onDeployed(task, async (state) => {
      await state.application.remove(`prisma/migrations/${SECOND}`)
      await state.application.migration(THIRD, 'create table discount (id int);\n')
      expect(await cli(state)).toEqual({ code: 1, pending: [THIRD], unknown: [SECOND] })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, pending: [THIRD], unknown: [SECOND] })
    }))

  test('failed and unknown to the checkout: both say failed, ours also that no file is there', ({ task }) =>
    onDeployed(task, async (state) => {
      await failThird(state)
      await state.application.remove(`prisma/migrations/${THIRD}`)
      expect(await cli(state)).toEqual({ code: 1, failed: [THIRD] })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, failed: [THIRD], unknown: [THIRD] })
    }))

  test('checked out with CRLF after it was applied with LF: both say applied and not edited', ({ task }) =>
    onDeployed(task, async (state) => {
      await state.application.migration(SECOND, BASE[SECOND].replaceAll('\n', '\r\n'))
      expect(await cli(state)).toEqual({ code: 0, upToDate: true })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH })
    }))

  test('applied with CRLF and checked out with LF: both say applied and not edited', ({ task }) =>
    onDeployed(task, async (state) => {
      await state.application.migration(THIRD, 'create table discount (id int);\r\nselect 1;\r\n')
      expect((await deploy(state)).code).toBe(0)
      await state.application.migration(THIRD, 'create table discount (id int);\nselect 1;\n')
      expect(await cli(state)).toEqual({ code: 0, upToDate: true })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: [...BOTH, THIRD] })
    }))

  test('tables but no baseline: the CLI says pending, ours that the baseline is missing, and deploy refuses with P3005', ({ task }) =>
    onEmpty(task, async (state) => {
      await state.sql('create table customer (id int)')
      expect(await cli(state)).toEqual({ code: 1, pending: BOTH })
      expect(await ours(state)).toEqual({ baseline: 'missing', pending: BOTH })
      expect((await deploy(state)).text).toContain('P3005')
    }))

  test('views, types, sequences and functions but no table: both say that everything is pending, and deploy runs', ({ task }) =>
    onEmpty(task, async (state) => {
      await state.sql(`create view v as select 1; create materialized view m as select 1 as x; create type e as enum ('a');
        create sequence s; create domain d as int; create function f() returns int language sql as $$ select 1 $$`)
      expect(await cli(state)).toEqual({ code: 1, pending: BOTH })
      expect(await ours(state)).toEqual({ baseline: 'fresh', pending: BOTH })
      expect((await deploy(state)).code).toBe(0)
    }))

  test('a table of an extension alone: the CLI says pending, ours that the baseline is missing, and deploy refuses with P3005', ({
    task,
  }) =>
    onEmpty(task, async (state) => {
      await state.sql('create table of_extension (id int); alter extension plpgsql add table of_extension')
      expect(await cli(state)).toEqual({ code: 1, pending: BOTH })
      expect((await deploy(state)).text).toContain('P3005')
      expect(await ours(state)).toEqual({ baseline: 'missing', pending: BOTH })
    }))

  test.each([
    ['of PostGIS', 'create table spatial_ref_sys (srid int)'],
    [
      'of PostGIS, in other letters and of an extension',
      'create table "Geometry_Columns" (id int); alter extension plpgsql add table "Geometry_Columns"',
    ],
    [
      'of PostGIS as it was made of tables and of rasters',
      'create table geography_columns (id int); create table raster_columns (id int); create table raster_overviews (id int)',
    ],
    ['that is only divided', 'create table divided (id int) partition by range (id)'],
    ['of another schema', 'create schema other; create table other.customer (id int)'],
  ])('a table %s alone: both say that everything is pending, and deploy runs', (name, sql) =>
    onEmpty({ name }, async (state) => {
      await state.sql(sql)
      expect(await ours(state)).toEqual({ baseline: 'fresh', pending: BOTH })
      expect((await deploy(state)).code).toBe(0)
    }),
  )

  test.each([
    ['of PostGIS beside one of ours', 'create table spatial_ref_sys (srid int); create table orders (id int)'],
    ['that is a partition', 'create table divided (id int) partition by range (id); create table part partition of divided default'],
    ['whose name only begins like one of PostGIS', 'create table spatial_ref_sys_old (srid int)'],
  ])('a table %s: ours says that the baseline is missing, and deploy refuses with P3005', (name, sql) =>
    onEmpty({ name }, async (state) => {
      await state.sql(sql)
      expect(await ours(state)).toEqual({ baseline: 'missing', pending: BOTH })
      expect((await deploy(state)).text).toContain('P3005')
    }),
  )

  test('an empty record beside tables: both say that everything is pending, and deploy does not refuse', ({ task }) =>
    onDeployed(task, async (state) => {
      await state.sql('delete from _prisma_migrations; drop table "order", customer; create table other (id int)')
      expect(await cli(state)).toEqual({ code: 1, pending: BOTH })
      expect(await ours(state)).toEqual({ baseline: 'present', pending: BOTH })
      expect((await deploy(state)).code).toBe(0)
    }))

  test('running right now: the CLI says failed, ours says running', ({ task }) =>
    onDeployed(task, async (state) => {
      await state.sql('create table gate (id int)')
      await state.application.migration(THIRD, 'lock table gate; create table discount (id int);\n')
      await withTarget({ url: state.url, applicationName: 'gate', statementTimeoutMs: 0 }, async (gate) => {
        await gate.query('begin; lock table gate')
        const deployed = deploy(state)
        await until('the reader says running', async () => 'running' in (await ours(state)))
        expect(await ours(state)).toEqual({ baseline: 'present', applied: BOTH, running: [THIRD] })
        expect(await cli(state)).toEqual({ code: 1, failed: [THIRD] })
        await gate.query('rollback')
        expect((await deployed).code).toBe(0)
      })
      expect(await ours(state)).toEqual({ baseline: 'present', applied: [...BOTH, THIRD] })
    }))

  test('the record lies in the schema that the URL names: both look there', ({ task }) =>
    onDeployed(task, async (state) => {
      const url = `${state.url}?schema=shop`
      await state.sql('create schema shop')
      expect(await cli({ ...state, url })).toEqual({ code: 1, pending: BOTH })
      expect(await ours({ ...state, url })).toEqual({ baseline: 'fresh', pending: BOTH })
      expect((await deploy({ ...state, url })).code).toBe(0)
      expect(await cli({ ...state, url })).toEqual({ code: 0, upToDate: true })
      expect(await ours({ ...state, url })).toEqual({ baseline: 'present', applied: BOTH })
    }))
})
