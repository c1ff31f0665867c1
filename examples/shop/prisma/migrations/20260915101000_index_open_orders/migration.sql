-- what: the few orders that still have to be shipped
-- why: the packing list scanned the whole table; a partial index stays at some hundred rows
-- ticket: SHOP-66

CREATE INDEX CONCURRENTLY "orders_to_ship" ON "orders"("placed_at") WHERE "status" = 'paid';
