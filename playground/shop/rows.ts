import pg from 'pg'

/** The migrations that production lacks when the sample begins. */
export const PENDING_IN_PRODUCTION = 3

/** Customers, products, orders with lines and payments, always the same ones; fits the schema from `require_orders_total_cents` on. */
export async function fillShop(url: string, orders = 6_000): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin')
    await client.query(`select setseed(0.2026)`)
    for (const statement of statements(orders)) await client.query(statement)
    await client.query('commit')
    await client.query('analyze')
  } finally {
    await client.end()
  }
}

const statements = (orders: number) => [
  `insert into customers (email, name, created_at)
     select 'customer' || n || '@example.com', (array['Ada','Ben','Cleo','Dev','Eva','Finn','Gül','Hana'])[1 + n % 8] || ' ' ||
       (array['Adler','Brook','Castell','Duarte','Ek','Farrow','Grau'])[1 + n % 7], timestamptz '2026-03-16' + n * interval '3 hours'
     from generate_series(1, ${Math.ceil(orders / 4)}) n`,
  `insert into products (sku, title, price_cents, created_at)
     select 'HG-' || lpad(n::text, 4, '0'), (array['Rope','Lantern','Anchor','Bell','Chart','Compass'])[1 + n % 6] || ' no. ' || n,
       490 + (n * 731) % 9000, timestamptz '2026-03-12' + n * interval '1 hour'
     from generate_series(1, 120) n`,
  `insert into orders (customer_id, status, placed_at, shipped_at, total_cents)
     select 1 + floor(random() * ${Math.ceil(orders / 4)})::int, status::order_status, placed_at,
       case when status in ('shipped', 'returned') then placed_at + interval '30 hours' end, 0
     from (select timestamptz '2026-03-16' + n * (interval '240 days' / ${orders}) as placed_at,
       case when n > ${orders} - 150 then 'paid' when n % 41 = 0 then 'returned' when n % 23 = 0 then 'cancelled' else 'shipped' end as status
       from generate_series(1, ${orders}) n) as made`,
  `insert into order_lines (order_id, product_id, quantity, price_cents)
     select o.id, p.id, 1 + (o.id + p.id) % 3, p.price_cents
     from orders o cross join lateral (values (1 + (o.id * 7) % 120), (1 + (o.id * 7 + 11) % 120)) chosen (id) join products p on p.id = chosen.id`,
  `update orders set total_cents = (select sum(quantity * price_cents) from order_lines where order_id = orders.id)`,
  `insert into payments (order_id, status, amount_cents, created_at)
     select id, (case status when 'cancelled' then 'failed' when 'returned' then 'refunded' else 'captured' end)::payment_status,
       total_cents, placed_at + interval '2 minutes' from orders`,
]
