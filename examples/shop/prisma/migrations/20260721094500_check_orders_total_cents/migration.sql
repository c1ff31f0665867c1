-- what: no new order without a total; the old ones are not looked at yet
-- why: step 2 of 3; NOT VALID takes its lock for a moment only
-- ticket: SHOP-57

ALTER TABLE "orders" ADD CONSTRAINT "orders_total_cents_present" CHECK ("total_cents" IS NOT NULL) NOT VALID;
