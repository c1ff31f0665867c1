-- CreateTable
CREATE TABLE "Post" (
    "id" SERIAL NOT NULL,
    "title" TEXT NOT NULL,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "authorId" INTEGER NOT NULL,
    CONSTRAINT "Post_pkey" PRIMARY KEY ("id")
);
-- AddForeignKey
ALTER TABLE "Post" ADD CONSTRAINT "Post_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "customers"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AlterTable
ALTER TABLE "customers" ADD COLUMN     "active" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "tags" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "customers" ADD COLUMN     "name" TEXT NOT NULL;

-- AlterTable
ALTER TABLE "texts" ALTER COLUMN "c" SET DATA TYPE TEXT;

-- AlterTable
ALTER TABLE "plain" DROP COLUMN "note",
ADD COLUMN     "note" INTEGER NOT NULL DEFAULT 0;

-- AlterTable
ALTER TABLE "plain" DROP CONSTRAINT "plain_pkey",
DROP COLUMN "id",
ADD COLUMN     "id" SERIAL NOT NULL,
ADD CONSTRAINT "plain_pkey" PRIMARY KEY ("id");

-- AlterTable
ALTER TABLE "_CustomerToTeam" ADD CONSTRAINT "_CustomerToTeam_AB_pkey" PRIMARY KEY ("A", "B");
-- DropIndex
DROP INDEX "_CustomerToTeam_AB_unique";

ALTER TABLE "_CustomerToTeam" ADD CONSTRAINT "_CustomerToTeam_AB_pkey" PRIMARY KEY USING INDEX "_CustomerToTeam_AB_unique";

-- AlterEnum
BEGIN;
CREATE TYPE "mood_new" AS ENUM ('calm', 'busy');
ALTER TABLE "orders" ALTER COLUMN "state" DROP DEFAULT;
ALTER TABLE "tickets" ALTER COLUMN "state" DROP DEFAULT;
ALTER TABLE "orders" ALTER COLUMN "state" TYPE "mood_new" USING ("state"::text::"mood_new");
ALTER TABLE "tickets" ALTER COLUMN "state" TYPE "mood_new" USING ("state"::text::"mood_new");
ALTER TABLE "tickets" ALTER COLUMN "earlier" TYPE "mood_new" USING ("earlier"::text::"mood_new");
ALTER TABLE "kinds" ALTER COLUMN "feeling" TYPE "mood_new" USING ("feeling"::text::"mood_new");
ALTER TYPE "mood" RENAME TO "mood_old";
ALTER TYPE "mood_new" RENAME TO "mood";
DROP TYPE "mood_old";
ALTER TABLE "orders" ALTER COLUMN "state" SET DEFAULT 'calm';

-- AlterEnum
ALTER TYPE "mood" ADD VALUE 'eager';
ALTER TYPE "mood" ADD VALUE 'tired';

-- DropForeignKey
ALTER TABLE "orders" DROP CONSTRAINT "orders_customer_id_fkey";
-- AlterTable
ALTER TABLE "orders" ALTER COLUMN "customer_id" DROP NOT NULL;
-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customers"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- DropForeignKey
ALTER TABLE "order_lines" DROP CONSTRAINT "order_lines_order_id_fkey";
-- DropTable
DROP TABLE "order_lines";

-- CreateIndex
CREATE UNIQUE INDEX "customers_email_key" ON "customers"("email");

-- CreateIndex
CREATE INDEX "orders_note_idx" ON "orders"("note");

-- RenameIndex
ALTER INDEX "orders_placed" RENAME TO "orders_placed_idx";

-- RenameForeignKey
ALTER TABLE "orders" RENAME CONSTRAINT "orders_customer_id_fkey" TO "orders_buyer_fkey";

-- AlterTable
ALTER TABLE "orders" RENAME CONSTRAINT "orders_pkey" TO "orders_id";

-- AlterTable
CREATE SEQUENCE plain_id_seq;
ALTER TABLE "plain" ALTER COLUMN "id" SET DEFAULT nextval('plain_id_seq');
ALTER SEQUENCE plain_id_seq OWNED BY "plain"."id";

-- AlterTable
ALTER TABLE "serials" ALTER COLUMN "id" DROP DEFAULT;
DROP SEQUENCE "serials_id_seq";

-- AlterTable
ALTER TABLE "orders" ALTER COLUMN "placed" SET DATA TYPE TIMESTAMP(3);

-- zone UTC
ALTER TABLE "times" ALTER COLUMN "ts3" SET DATA TYPE TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "numbers" ALTER COLUMN "n" SET DATA TYPE DECIMAL(65,30), ALTER COLUMN "i" SET DATA TYPE BIGINT;

-- AlterTable
ALTER TABLE "customers" ALTER COLUMN "email" SET NOT NULL;

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "sales";
-- CreateTable
CREATE TABLE "sales"."refunds" ("id" UUID NOT NULL DEFAULT gen_random_uuid(), "invoiceId" INTEGER NOT NULL, CONSTRAINT "refunds_pkey" PRIMARY KEY ("id"));
-- AddForeignKey
ALTER TABLE "sales"."refunds" ADD CONSTRAINT "refunds_invoiceId_fkey" FOREIGN KEY ("invoiceId") REFERENCES "sales"."invoices"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

/*
  Warnings:
  - You are about to drop the column `note` on the `orders` table. All the data in the column will be lost.
*/
-- AlterTable
ALTER TABLE "orders" DROP COLUMN "note";
