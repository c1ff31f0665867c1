-- what: which discount an order used, if any
-- why: checkout takes codes from the launch on Friday 27 November on
-- ticket: SHOP-81

-- AlterTable
ALTER TABLE "orders" ADD COLUMN "discount_id" INTEGER CONSTRAINT "orders_discount_id_fkey" REFERENCES "discounts"("id") ON DELETE SET NULL ON UPDATE CASCADE;
