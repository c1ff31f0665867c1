import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { commitTo, git, shopDatabase, shopMigrations, shopRepository } from '../helpers/sample.ts'

const toClose: (() => Promise<void>)[] = []
afterAll(() => Promise.all(toClose.map((close) => close())))

test('the repository ends with the files of examples/shop and grows release by release', async () => {
  const repository = await kept(shopRepository())
  const all = await shopMigrations()
  expect(await git(repository.path, ['log', '--format=%an: %s', '--reverse', 'main'])).toBe(
    [
      'Zoe Hart: A shop with customers, products and orders',
      'Zoe Hart: Take payments, and capture each order once',
      'Alice Marsh: Find the orders of one customer quickly',
      'Gina Park: Remember when an order left the warehouse',
      'Alice Marsh: Orders can come back',
      'Alice Marsh: Write the total of an order beside its lines',
      'Bob Okafor: No new order without a total',
      'Bob Okafor: Require the total of an order',
      'Bob Okafor: Keep the packing list off the whole table',
      'Alice Marsh: Say 503 when the database does not answer',
      'Gina Park: Keep the order of the list when two orders have the same time',
      'Alice Marsh: Add discount codes',
      'Alice Marsh: Remember which discount an order used',
      'Bob Okafor: Index the orders of a discount',
      'Alice Marsh: Show the discount in the list of orders',
      '',
    ].join('\n'),
  )
  const migrationsAt = async (commit: string) =>
    (await git(repository.path, ['ls-tree', '-d', '--name-only', `${commit}:prisma/migrations`])).trim().split('\n')
  expect(await migrationsAt(repository.main)).toEqual(all)
  expect(await migrationsAt(repository.live)).toEqual(all.slice(0, -3))
  expect(await git(repository.path, ['show', `${repository.live}:prisma/schema.prisma`])).not.toMatch(/discount/i)
  expect(await git(repository.path, ['show', `${repository.live}:orders.mjs`])).not.toMatch(/discount/i)
})

test('two repositories of the same files have the same commits', async () => {
  const [one, other] = await Promise.all([kept(shopRepository()), kept(shopRepository())])
  expect(one.commits).toEqual(other.commits)
})

test('a commit can be put on top of a branch, and another branch can begin anywhere', async () => {
  const repository = await kept(shopRepository())
  const next = await commitTo(repository.path, { files: { 'notes.txt': 'é\n', 'orders.mjs': null }, subject: 'Notes' })
  expect(await git(repository.path, ['show', `${next}:notes.txt`])).toBe('é\n')
  expect((await git(repository.path, ['rev-parse', `${next}^`])).trim()).toBe(repository.main)
  const side = await commitTo(repository.path, { branch: 'fix', from: repository.live, files: { 'a/b.txt': 'x' }, subject: 'Fix' })
  expect((await git(repository.path, ['rev-parse', `${side}^`])).trim()).toBe(repository.live)
})

test('a database stands where production stands, with rows, or anywhere else', async () => {
  const [production, fresh, all] = await Promise.all([
    kept(shopDatabase({ orders: 400 })),
    kept(shopDatabase({ pending: 14 })),
    kept(shopDatabase({ pending: 0 })),
  ])
  expect(await query(production.url, 'select count(*)::int as n from _prisma_migrations where finished_at is not null')).toEqual([
    { n: 11 },
  ])
  expect(
    await query(
      production.url,
      `select (select count(*)::int from orders) as orders, (select count(*)::int from order_lines) as lines,
         (select count(*)::int from orders o where total_cents <> (select sum(quantity * price_cents) from order_lines where order_id = o.id)) as wrong`,
    ),
  ).toEqual([{ orders: 400, lines: 800, wrong: 0 }])
  expect(await query(fresh.url, `select to_regclass('_prisma_migrations') as there`)).toEqual([{ there: null }])
  expect(await query(all.url, 'select count(*)::int as n from _prisma_migrations where finished_at is not null')).toEqual([{ n: 14 }])
})

async function kept<T extends { readonly close: () => Promise<void> }>(making: Promise<T>): Promise<T> {
  const made = await making
  toClose.push(made.close)
  return made
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}
