DROP INDEX CONCURRENTLY "orders_discount_id_idx";
