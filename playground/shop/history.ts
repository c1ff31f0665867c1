/** Path inside the repository to content. */
export type Tree = ReadonlyMap<string, string>

export type Commit = {
  readonly at: string
  readonly author: Author
  readonly subject: string
  /** Migrations that came with it. */
  readonly migrations: readonly string[]
}

export type Author = keyof typeof authors

/** People of the playground's workspace. */
export const authors = {
  zoe: 'Zoe Hart <zoe@harbor-goods.example>',
  alice: 'Alice Marsh <alice@harbor-goods.example>',
  bob: 'Bob Okafor <bob@harbor-goods.example>',
  gina: 'Gina Park <gina@harbor-goods.example>',
} as const

/** The last commit that production runs when the sample begins; the migrations after it are pending there. */
export const LIVE_SUBJECT = 'Say 503 when the database does not answer'

/** How the shop came to be, oldest first, each commit with its whole tree. It is told backwards from the files of examples/shop. */
export function shopHistory(files: Tree): readonly (Commit & { readonly tree: Tree })[] {
  let tree = files
  const backwards: (Commit & { readonly tree: Tree })[] = []
  for (const release of releases.toReversed()) {
    backwards.push({ ...release, tree })
    tree = undo(tree, release)
  }
  return backwards.toReversed()
}

type Release = Commit & { readonly before?: readonly Edit[] }

/** Turns a file back: `now` must stand in it exactly once. */
type Edit = { readonly file: string; readonly now: string; readonly was: string }

const SCHEMA = 'prisma/schema.prisma'
const cut = (now: string, file = SCHEMA): Edit => ({ file, now, was: '' })

const releases: readonly Release[] = [
  {
    at: '2026-03-11T09:31:00Z',
    author: 'zoe',
    subject: 'A shop with customers, products and orders',
    migrations: ['20260304101500_create_customers', '20260306143000_create_products', '20260311091200_create_orders'],
  },
  {
    at: '2026-04-02T14:02:00Z',
    author: 'zoe',
    subject: 'Take payments, and capture each order once',
    migrations: ['20260402134500_create_payments'],
    before: [
      cut('enum PaymentStatus {\n  pending\n  captured\n  failed\n  refunded\n\n  @@map("payment_status")\n}\n\n'),
      cut('  payments   Payment[]\n'),
      cut(
        [
          'model Payment {',
          '  id          Int           @id @default(autoincrement())',
          '  orderId     Int           @map("order_id")',
          '  status      PaymentStatus @default(pending)',
          '  amountCents Int           @map("amount_cents")',
          '  createdAt   DateTime      @default(now()) @map("created_at") @db.Timestamptz(3)',
          '  order       Order         @relation(fields: [orderId], references: [id], onDelete: Cascade)',
          '',
          '  @@map("payments")',
          '}\n',
        ].join('\n'),
      ),
    ],
  },
  {
    at: '2026-05-19T08:55:00Z',
    author: 'alice',
    subject: 'Find the orders of one customer quickly',
    migrations: ['20260519084000_index_orders_customer'],
    before: [cut('  @@index([customerId, placedAt(sort: Desc)])\n')],
  },
  {
    at: '2026-06-16T11:20:00Z',
    author: 'gina',
    subject: 'Remember when an order left the warehouse',
    migrations: ['20260616110500_add_orders_shipped_at'],
    before: [cut('  shippedAt  DateTime?   @map("shipped_at") @db.Timestamptz(3)\n')],
  },
  {
    at: '2026-06-30T08:12:00Z',
    author: 'alice',
    subject: 'Orders can come back',
    migrations: ['20260630080000_add_order_status_returned'],
    before: [cut('  returned\n')],
  },
  {
    at: '2026-07-14T09:44:00Z',
    author: 'alice',
    subject: 'Write the total of an order beside its lines',
    migrations: ['20260714093000_add_orders_total_cents'],
    before: [cut('  totalCents Int?        @map("total_cents")\n'), { file: 'orders.mjs', now: 'o.total_cents, ', was: '' }],
  },
  {
    at: '2026-07-21T10:01:00Z',
    author: 'bob',
    subject: 'No new order without a total',
    migrations: ['20260721094500_check_orders_total_cents'],
  },
  {
    at: '2026-07-28T09:25:00Z',
    author: 'bob',
    subject: 'Require the total of an order',
    migrations: ['20260728091000_require_orders_total_cents'],
    before: [
      { file: SCHEMA, now: '  totalCents Int         @map("total_cents")\n', was: '  totalCents Int?        @map("total_cents")\n' },
    ],
  },
  {
    at: '2026-09-15T10:24:00Z',
    author: 'bob',
    subject: 'Keep the packing list off the whole table',
    migrations: ['20260915101000_index_open_orders'],
  },
  {
    at: '2026-10-06T13:40:00Z',
    author: 'alice',
    subject: LIVE_SUBJECT,
    migrations: [],
    before: [{ file: 'server.mjs', now: 'return [503, ', was: 'return [500, ' }],
  },
  {
    at: '2026-11-03T15:05:00Z',
    author: 'gina',
    subject: 'Keep the order of the list when two orders have the same time',
    migrations: [],
    before: [{ file: 'orders.mjs', now: 'order by o.placed_at desc, o.id desc', was: 'order by o.placed_at desc' }],
  },
  {
    at: '2026-11-18T10:31:00Z',
    author: 'alice',
    subject: 'Add discount codes',
    migrations: ['20261118102000_create_discounts'],
    before: [
      cut(
        [
          '\nmodel Discount {',
          '  id         Int       @id @default(autoincrement())',
          '  code       String    @unique',
          '  percent    Int',
          '  validUntil DateTime? @map("valid_until") @db.Timestamptz(3)',
          '  createdAt  DateTime  @default(now()) @map("created_at") @db.Timestamptz(3)',
          '',
          '  @@map("discounts")',
          '}\n',
        ].join('\n'),
      ),
    ],
  },
  {
    at: '2026-11-19T09:52:00Z',
    author: 'alice',
    subject: 'Remember which discount an order used',
    migrations: ['20261119093000_add_orders_discount_id'],
    before: [
      cut('  discountId Int?        @map("discount_id")\n'),
      cut('  discount   Discount?   @relation(fields: [discountId], references: [id])\n'),
      cut('  orders     Order[]\n'),
    ],
  },
  {
    at: '2026-11-20T08:58:00Z',
    author: 'bob',
    subject: 'Index the orders of a discount',
    migrations: ['20261120084500_index_orders_discount'],
    before: [cut('  @@index([discountId])\n')],
  },
  {
    at: '2026-11-20T09:16:00Z',
    author: 'alice',
    subject: 'Show the discount in the list of orders',
    migrations: [],
    before: [
      { file: 'orders.mjs', now: ', d.code as discount', was: '' },
      { file: 'orders.mjs', now: ' left join discounts d on d.id = o.discount_id', was: '' },
    ],
  },
]

function undo(tree: Tree, release: Release): Tree {
  const before = new Map(tree)
  for (const path of tree.keys()) if (release.migrations.some((name) => path.startsWith(`prisma/migrations/${name}/`))) before.delete(path)
  for (const edit of release.before ?? []) {
    const parts = (before.get(edit.file) ?? '').split(edit.now)
    if (parts.length !== 2)
      throw new Error(`The history of the sample shop no longer fits ${edit.file}: "${edit.now}" stands in it ${parts.length - 1} times.`)
    before.set(edit.file, parts.join(edit.was))
  }
  return before
}
