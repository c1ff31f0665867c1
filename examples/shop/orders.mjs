/** The newest orders first. */
export const latestOrders = (pool) =>
  pool.query(`
    select o.id, o.status, o.placed_at, o.total_cents, c.name as customer, d.code as discount
    from orders o join customers c on c.id = o.customer_id left join discounts d on d.id = o.discount_id
    order by o.placed_at desc, o.id desc limit 20`)
