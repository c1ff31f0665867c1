import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startFlow, type Flow, type TargetOptions } from '../helpers/flow.ts'
import { startMaintained, type Maintained } from '../helpers/maintained.ts'
import { commitTo } from '../helpers/sample.ts'
import { applied, query } from '../helpers/target.ts'
import { until } from '../helpers/until.ts'

vi.setConfig({ testTimeout: 180_000 })

let flow: Flow
const apps = new Map<string, Maintained>()

const names = ['prod', 'broken', 'sick', 'slow', 'stuck', 'jammed', 'unwilling', 'oneway', 'quiet'] as const
type Name = (typeof names)[number]

const app = (name: Name): Maintained => {
  const found = apps.get(name)
  if (found === undefined) throw new Error(`no application ${name}`)
  return found
}

const withMigration =
  (name: string, sql: string): NonNullable<TargetOptions['prepare']> =>
  async ({ repository }) => {
    await commitTo(repository, { files: { [`prisma/migrations/${name}/migration.sql`]: sql }, subject: 'One more migration' })
  }

const maintained = (name: Name, more: Partial<TargetOptions> = {}, keys: (healthUrl: string) => object = () => ({})): TargetOptions => ({
  pending: 1,
  ...more,
  target: ({ healthUrl }) => ({ maintenance: app(name).settings, ...keys(healthUrl) }),
})

const failing = withMigration('20261121100000_split_names', 'ALTER TABLE "customers" ADD COLUMN "name" TEXT NOT NULL;\n')

beforeAll(async () => {
  for (const name of names) apps.set(name, await startMaintained())
  flow = await startFlow({
    ...maintained('prod'),
    targets: {
      broken: maintained('broken', { pending: 0, prepare: failing }),
      sick: maintained('sick', {}, (http) => ({ health: [{ http, within: '1s' }] })),
      slow: maintained('slow', {
        prepare: withMigration('20261121100000_backfill', 'ALTER TABLE "orders" ADD COLUMN "note" TEXT;\nSELECT pg_sleep(120);\n'),
      }),
      stuck: maintained('stuck'),
      jammed: maintained('jammed', { pending: 0, prepare: failing }),
      unwilling: maintained('unwilling'),
      oneway: maintained('oneway', {}, () => ({
        maintenance: { ...app('oneway').settings, off: [{ name: 'Page off', cwd: '/srv/not-there', run: ['node', 'switch.cjs', 'off'] }] },
      })),
      quiet: maintained('quiet', { pending: 0 }, () => ({ deploy: [] })),
    },
  })
})
afterAll(async () => {
  await flow?.close()
  for (const one of apps.values()) await one.close()
})

const run = async (target: string) => {
  const request = await flow.ask(`deploy ${target}`)
  await flow.approve(request.id)
  return request.id
}

test('the page is up while the migrations run, and off again at the end, seen by the probe', async () => {
  expect(await flow.answer('plan prod')).toMatchInlineSnapshot()
  const request = await flow.ask('deploy prod')
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.cardText(request.id)).toMatchInlineSnapshot()
  expect(flow.thread(request.id)).toMatchInlineSnapshot()
  expect(app('prod').switched()).toEqual(['on', 'off'])
  expect(app('prod').isOn()).toBe(false)
})

test('a migration that fails: the page goes off before the run ends, and both are told', async () => {
  const id = await run('broken')
  await flow.reaches(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot()
  expect(flow.thread(id).slice(-5)).toMatchInlineSnapshot()
  expect(app('broken').switched()).toEqual(['on', 'off'])
  expect(app('broken').isOn()).toBe(false)
})

test('an application that does not become healthy: the page goes off all the same', async () => {
  flow.behind('sick').health.status = 503
  const id = await run('sick')
  await flow.reaches(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot()
  expect(app('sick').switched()).toEqual(['on', 'off'])
})

test('cancelled in mid-migration: the cancel does not stop the switch from being set', async () => {
  const id = await run('slow')
  await until('the migration sleeps', async () => {
    const rows = await query(
      flow.behind('slow').database.url,
      `select 1 from pg_stat_activity where query like '%pg_sleep(120)%' and wait_event = 'PgSleep'`,
    )
    return rows.length > 0
  })
  expect(app('slow').isOn()).toBe(true)
  await flow.answer(`cancel ${id}`)
  await flow.reaches(id, 'cancelled')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot()
  expect(flow.thread(id).slice(-4)).toMatchInlineSnapshot()
  expect(app('slow').switched()).toEqual(['on', 'off'])
  expect(app('slow').isOn()).toBe(false)
})

test('a page that stays although it was switched off needs a person, who reads what to do by hand, though all else is done', async () => {
  app('stuck').breakOff('does nothing')
  const id = await run('stuck')
  await flow.reaches(id, 'needs_human')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot()
  expect(flow.thread(id).slice(-3)).toMatchInlineSnapshot()
  expect((await applied(flow.behind('stuck').database.url)).at(-1)).toBe('20261120084500_index_orders_discount')
  expect(await flow.answer(`cancel ${id}`, 'U0BOB')).toMatchInlineSnapshot()
  await flow.reaches(id, 'cancelled')
  expect(app('stuck').switched()).toEqual(['on', 'off'])
})

test('after a failed migration a switch that is stuck is tried three times, and comes first in what is told', async () => {
  app('jammed').breakOff('fails')
  const id = await run('jammed')
  await flow.reaches(id, 'needs_human')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot()
  expect(app('jammed').switched()).toEqual(['on', 'off', 'off', 'off'])
})

test('a page that cannot be switched on: nothing is migrated, it is switched off, and the run fails', async () => {
  const { database } = flow.behind('unwilling')
  const before = await applied(database.url)
  app('unwilling').breakOn()
  const id = await run('unwilling')
  await flow.reaches(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot()
  expect(app('unwilling').switched()).toEqual(['on', 'off'])
  expect(await applied(database.url)).toEqual(before)
})

test('what cannot be switched off is not switched on', async () => {
  const id = await run('oneway')
  await flow.reaches(id, 'failed')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot()
  expect(app('oneway').switched()).toEqual([])
})

test('nothing pending and nothing to deploy needs no maintenance page', async () => {
  const id = await run('quiet')
  await flow.reaches(id, 'succeeded')
  await flow.drawn(id)
  expect(flow.cardText(id)).not.toContain('aintenance')
  expect(app('quiet').switched()).toEqual([])
})

test('without the application, the page is still up around the migrations', async () => {
  await commitTo(flow.behind('quiet').repository, {
    files: { 'prisma/migrations/20261121100000_note/migration.sql': 'ALTER TABLE "orders" ADD COLUMN "remark" TEXT;\n' },
    subject: 'A remark',
  })
  const { id } = await flow.ask('deploy quiet --skip-app')
  await flow.approve(id)
  await flow.reaches(id, 'succeeded')
  await flow.drawn(id)
  expect(flow.cardText(id)).toMatchInlineSnapshot()
  expect(app('quiet').switched()).toEqual(['on', 'off'])
})
