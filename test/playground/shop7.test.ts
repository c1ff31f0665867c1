import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeSevenSample } from '../../playground/shop7/sample.ts'
import { shopMigrations } from '../../playground/shop/application.ts'
import { onServer } from '../helpers/postgres.ts'
import { serverUrl } from '../helpers/server.ts'
import { applied, query } from '../helpers/target.ts'
import { later } from '../run/scene.ts'

test('the playground has a shop on Prisma 7 with three migrations to ask for, and finds it again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'shop7-'))
  later(() => rm(directory, { recursive: true, force: true }))
  const name = `shop7_${Date.now()}`
  later(() => onServer(`drop database if exists ${name} with (force)`))
  const make = () => makeSevenSample({ directory, serverUrl: serverUrl(), name, orders: 40 })
  const { env, target } = await make()
  expect(target).toContain('shop7:')
  expect(await applied(env.SHOP7_URL)).toEqual((await shopMigrations()).slice(0, -3))
  expect(await query(env.SHOP7_URL, 'select count(*)::int as orders from orders')).toEqual([{ orders: 40 }])
  await query(env.SHOP7_URL, 'delete from payments')
  expect(await make()).toEqual({ env, target })
  expect(await query(env.SHOP7_URL, 'select count(*)::int as payments from payments')).toEqual([{ payments: 0 }])
})
