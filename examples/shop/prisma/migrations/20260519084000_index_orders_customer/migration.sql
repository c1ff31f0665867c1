-- what: index for the list of one customer's orders
-- why: "my orders" took 1.9 s for the oldest accounts; built concurrently since checkout writes here all day
-- ticket: SHOP-41

CREATE INDEX CONCURRENTLY "orders_customer_id_placed_at_idx" ON "orders"("customer_id", "placed_at" DESC);
