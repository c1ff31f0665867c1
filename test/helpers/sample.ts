import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { installedModules, migrateShop, shopMigrations } from '../../playground/shop/application.ts'
import { makeShopRepository, type ShopRepository } from '../../playground/shop/repository.ts'
import { fillShop, PENDING_IN_PRODUCTION } from '../../playground/shop/rows.ts'
import { createDatabase, type TestDatabase } from './postgres.ts'
import { serverUrl } from './server.ts'

export { commitTo, git } from '../../playground/shop/repository.ts'
export { applicationPath, toolEnvironment, installCommand, shopMigrations } from '../../playground/shop/application.ts'

/** Prepared things that are only read by tests and stay for the next run: the shop's installed modules. */
export const cache = join(import.meta.dirname, '../../.build/sample')

/** A repository of the shop that belongs to this test alone (0.1 s). `commitTo(repository.path, …)` adds to it. */
export async function shopRepository(): Promise<ShopRepository & { readonly close: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-shop-'))
  const repository = await makeShopRepository(join(directory, 'shop.git'))
  return { ...repository, close: () => rm(directory, { recursive: true, force: true }) }
}

/**
 * A database of the shop that belongs to this test alone: a copy of one that the real CLI migrated, made once per run and state
 * (2 s the first time, 0.1 s after that). `pending` migrations are left out, by default those that production lacks (3); with
 * `orders` it has that many orders and what belongs to them.
 */
export async function shopDatabase(options: { readonly pending?: number; readonly orders?: number } = {}): Promise<TestDatabase> {
  const names = await shopMigrations()
  const upTo = names.slice(0, names.length - (options.pending ?? PENDING_IN_PRODUCTION)).at(-1)
  const orders = options.orders ?? 0
  const state = createHash('sha256').update(`${upTo} ${orders}`).digest('hex').slice(0, 12)
  const template = `shop_${state}`
  await madeOnce(template, async () => {
    const database = await createDatabase({ name: `${template}_making` })
    if (upTo !== undefined) await migrateShop({ cache, url: database.url, upTo })
    if (orders > 0) await fillShop(database.url, orders)
    return database.name
  })
  return createDatabase({ template })
}

/** The shop's `node_modules`, installed once; link or copy them, never write into them. */
export const shopModules = (): Promise<string> => installedModules(cache)

/** Suites run in parallel processes: the first one makes it under an advisory lock and gives it its name at the end. */
async function madeOnce(name: string, make: () => Promise<string>): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl() })
  await client.connect()
  try {
    await client.query(`select pg_advisory_lock(hashtext($1))`, [name])
    if ((await client.query('select 1 from pg_database where datname = $1', [name])).rowCount === 1) return
    await client.query(`drop database if exists ${pg.escapeIdentifier(`${name}_making`)} with (force)`)
    const made = await make()
    await client.query(`alter database ${pg.escapeIdentifier(made)} rename to ${pg.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
}
