import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installedModules, migrateShop, shopMigrations } from '../../playground/shop/application.ts'
import { makeShopRepository, type ShopRepository } from '../../playground/shop/repository.ts'
import { fillShop, PENDING_IN_PRODUCTION } from '../../playground/shop/rows.ts'
import { createDatabase, madeOnce, type TestDatabase } from './postgres.ts'

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
  await madeOnce(template, async (url) => {
    if (upTo !== undefined) await migrateShop({ cache, url, upTo })
    if (orders > 0) await fillShop(url, orders)
  })
  return createDatabase({ template })
}

/** The shop's `node_modules`, installed once; link them, never write into them. */
export const shopModules = (): Promise<string> => installedModules(cache)

/**
 * Installs what `npm ci` would, in a moment: a directory with a link to each package. The bot keeps and copies what a run installed, and
 * these are fifty links instead of five thousand files.
 */
export const linkCommand = (modules: string): readonly string[] => [
  'sh',
  '-c',
  'mkdir node_modules && ln -s "$0"/* "$0"/.[!.]* node_modules/',
  modules,
]
