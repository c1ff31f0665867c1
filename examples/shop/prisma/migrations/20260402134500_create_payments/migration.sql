-- what: payments; of one order at most one may be captured
-- why: two captures for one order happened on 31 March (refunded by hand)
-- ticket: SHOP-29

-- CreateEnum
CREATE TYPE "payment_status" AS ENUM ('pending', 'captured', 'failed', 'refunded');

-- CreateTable
CREATE TABLE "payments" (
    "id" SERIAL NOT NULL,
    "order_id" INTEGER NOT NULL,
    "status" "payment_status" NOT NULL DEFAULT 'pending',
    "amount_cents" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "payments_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "payments_one_captured_per_order" ON "payments"("order_id") WHERE "status" = 'captured';

-- AddForeignKey
ALTER TABLE "payments" ADD CONSTRAINT "payments_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "orders"("id") ON DELETE CASCADE ON UPDATE CASCADE;
