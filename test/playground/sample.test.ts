import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, inject, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { deploySteps } from '../../src/run/steps/deploy.ts'
import { healthStep } from '../../src/run/steps/health.ts'
import { installStep } from '../../src/run/steps/checkout.ts'
import { prepareSteps } from '../../src/run/steps/prepare.ts'
import { makeSample } from '../../playground/sample.ts'
import { healthOf } from '../../playground/shop/live.ts'
import { onServer } from '../helpers/postgres.ts'
import { cache, commitTo } from '../helpers/sample.ts'
import { testRun } from '../helpers/step-run.ts'
import { migrateShop } from '../../playground/shop/application.ts'

const toClose: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

test('the sample starts, is found again, and takes its own configuration from the old version to the new one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shop-'))
  toClose.push(() => rm(directory, { recursive: true, force: true }))
  const prefix = `s${process.pid}_`
  for (const name of ['shop_staging', 'shop_production'])
    toClose.push(() => onServer(`drop database if exists ${prefix}${name} with (force)`))
  const options = { directory, serverUrl: inject('postgresUrl'), prefix, orders: 800, cache }

  const first = await makeSample(options)
  toClose.push(first.close)
  expect(first.found).toBe(false)
  expect(await healthOf(first.staging.port)).toMatchObject({ version: first.repository.main, migrations: 14 })
  expect(await healthOf(first.production.port)).toMatchObject({ version: first.repository.live, migrations: 11 })

  const running = await makeSample(options)
  expect(running).toMatchObject({ found: true, production: first.production, repository: first.repository })
  await first.close()
  expect(await healthOf(first.production.port)).toBeNull()
  const again = await makeSample(options)
  expect(again.found).toBe(true)
  expect(await healthOf(again.production.port)).toMatchObject({ version: first.repository.live, migrations: 11 })

  const file = join(directory, 'lockkeeper.yaml')
  await writeFile(file, again.configuration)
  const config = loadConfig(file, again.env)
  const target = config.targets.get('prod')
  if (target === undefined) throw new Error('no target prod')
  const run = await testRun({ repository: again.repository.path, commit: again.repository.main, parsed: target })
  toClose.push(run.close)
  expect(await run.perform(installStep({ home: run.home, varDirectory: run.varDirectory }))).toMatchObject({
    kind: 'done',
    data: { previousCommit: first.repository.live },
  })
  for (const step of prepareSteps(target, { home: directory })) expect(await run.perform(step)).toMatchObject({ kind: 'done' })
  await migrateShop({ cache, url: again.env.SHOP_PRODUCTION_URL })
  for (const step of deploySteps(target, { home: directory })) expect(await run.perform(step)).toMatchObject({ kind: 'done' })
  expect(await run.perform(healthStep(run))).toMatchObject({ kind: 'done' })
  expect(await healthOf(again.production.port)).toMatchObject({ version: first.repository.main, migrations: 14 })
  const orders = (await (await fetch(`http://127.0.0.1:${again.production.port}/orders`)).json()) as { orders: unknown[] }
  expect(orders.orders).toHaveLength(20)
  expect(orders.orders[0]).toHaveProperty('discount', null)

  // PM2 says that it restarted, whatever the application does next: only health knows better
  const broken = await commitTo(again.repository.path, {
    files: { 'server.mjs': "throw new Error('no such setting')\n" },
    subject: 'Tidy up',
  })
  const impatient = { ...target, health: target.health.map((probe) => ({ ...probe, within: 1_500 })) }
  const next = await testRun({ repository: again.repository.path, commit: broken, parsed: impatient })
  toClose.push(next.close)
  await next.perform(installStep({ home: next.home, varDirectory: next.varDirectory }))
  for (const step of [...prepareSteps(target, { home: directory }), ...deploySteps(target, { home: directory })])
    expect(await next.perform(step)).toMatchObject({ kind: 'done' })
  const url = `http://127.0.0.1:${again.production.port}/health`
  expect(await next.perform(healthStep(next))).toMatchObject({
    kind: 'failed',
    outcome: {
      headline: '*The application is not healthy after the deploy.* The database was not changed.',
      why: `\`${url}\`: It did not answer well 5 times in a row within 1.5 s (last: connection refused).`,
    },
  })
})
