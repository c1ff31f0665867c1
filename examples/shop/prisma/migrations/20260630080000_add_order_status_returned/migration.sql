-- what: orders can come back
-- why: returns are handled in the shop from July on; the value is used by the release after this one
-- ticket: SHOP-52

-- AlterEnum
ALTER TYPE "order_status" ADD VALUE 'returned';
