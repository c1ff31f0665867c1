import { expect, test } from 'vitest'
import { withTarget } from '../../../src/database/connect.ts'
import { madeSince, nextTransaction } from '../../../src/migrate/decide/schema-diff.ts'
import { createDatabase } from '../../helpers/postgres.ts'

test('what is required is told by its column alone, as PostgreSQL 18 keeps a constraint for it and older ones none', async () => {
  const database = await createDatabase()
  try {
    await withTarget({ url: database.url, applicationName: 'test' }, async (client) => {
      await client.query('create table orders (id int primary key, total int)')
      const xid = await nextTransaction(client)
      await client.query('alter table orders alter column total set not null, add constraint positive check (total > 0)')
      expect(await madeSince(client, xid, 'public')).toEqual(['column orders.total', 'constraint positive'])
      // as PostgreSQL 18 writes it
      await client.query('alter table orders add constraint orders_total_not_null check (total is not null)')
      await client.query(`set allow_system_table_mods = on; update pg_constraint set contype = 'n' where conname = 'orders_total_not_null'`)
      expect(await madeSince(client, xid, 'public')).toEqual(['column orders.total', 'constraint positive'])
    })
  } finally {
    await database.close()
  }
})
