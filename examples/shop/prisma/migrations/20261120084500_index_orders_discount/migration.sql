-- what: index for the orders of one discount
-- why: the marketing report counts them; built concurrently since checkout writes here all day
-- ticket: SHOP-84

CREATE INDEX CONCURRENTLY "orders_discount_id_idx" ON "orders"("discount_id");
