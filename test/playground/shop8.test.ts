import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeRunnerSample } from '../../playground/shop8/sample.ts'
import { withTarget } from '../../src/database/connect.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { makeRunnerPlan } from '../../src/plan/prisma8/make.ts'
import { serverUrl } from '../helpers/server.ts'
import { onServer } from '../helpers/postgres.ts'
import { modulesWithPrisma8 } from '../helpers/prisma8/modules.ts'
import { createOrigin } from '../plan/application/origin.ts'
import { later } from '../run/scene.ts'

test('the playground has a shop on Prisma 8 with two migrations to ask for, and finds it again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shop8-'))
  later(() => rm(directory, { recursive: true, force: true }))
  const name = `shop8_${Date.now()}`
  later(() => onServer(`drop database if exists ${name} with (force)`))
  const make = () => makeRunnerSample({ directory, serverUrl: serverUrl(), modules: modulesWithPrisma8(), name })
  const { env, target } = await make()
  expect(target).toContain('shop8:')
  const query = (text: string) =>
    withTarget({ url: env.SHOP8_URL, applicationName: 'test' }, async (client) => (await client.query(text)).rows)
  expect(await query('select count(*)::int as customers from "Customer"')).toEqual([{ customers: 500 }])
  const origin = await createOrigin(env.SHOP8_URL)
  later(() => origin.close())
  const base = origin.target()
  const made = await makeRunnerPlan(origin.deps, {
    target: { ...base, source: { ...base.source, repository: join(directory, 'shop8') } },
    ref: null,
    steps: [],
    policy: 'p'.repeat(64),
  })
  if (isRefusal(made)) throw new Error(made.text)
  expect(made.plan.list.map((one) => one.name)).toEqual(['20261130T1101_phone', '20261130T1101_orders'])
  expect(made.evidence.migrations.map((one) => one.class)).toEqual(['additive', 'additive'])
  await query('delete from "Customer"')
  expect(await make()).toEqual({ env, target })
  expect(await query('select count(*)::int as customers from "Customer"')).toEqual([{ customers: 0 }])
})
