DROP TABLE "discounts";
