-- what: the total of an order beside its lines, still optional; filled for the orders that exist
-- why: step 1 of 3 towards a required column; new code writes it from this release on
-- ticket: SHOP-57

-- AlterTable
ALTER TABLE "orders" ADD COLUMN "total_cents" INTEGER;

-- Backfill
UPDATE "orders" SET "total_cents" = COALESCE(
    (SELECT sum("quantity" * "price_cents") FROM "order_lines" WHERE "order_id" = "orders"."id"), 0)
WHERE "total_cents" IS NULL;
