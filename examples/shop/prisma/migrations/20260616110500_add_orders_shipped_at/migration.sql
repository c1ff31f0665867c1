-- what: when an order left the warehouse
-- why: the customer's page shows the date
-- ticket: SHOP-48

-- AlterTable
ALTER TABLE "orders" ADD COLUMN "shipped_at" TIMESTAMPTZ(3);
