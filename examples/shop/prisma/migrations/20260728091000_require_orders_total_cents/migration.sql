-- what: orders.total_cents is required
-- why: step 3 of 3; the check is validated without blocking writes, and then SET NOT NULL needs no scan
-- ticket: SHOP-57

ALTER TABLE "orders" VALIDATE CONSTRAINT "orders_total_cents_present";

-- AlterTable
ALTER TABLE "orders" ALTER COLUMN "total_cents" SET NOT NULL;

ALTER TABLE "orders" DROP CONSTRAINT "orders_total_cents_present";
