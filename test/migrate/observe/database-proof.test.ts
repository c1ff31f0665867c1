import { expect, test } from 'vitest'
import { withTarget } from '../../../src/database/connect.ts'
import { proveDatabase, whyElsewhere } from '../../../src/migrate/observe/database-proof.ts'
import { createDatabase } from '../../helpers/postgres.ts'
import { until } from '../../helpers/until.ts'

test('a question of Prisma that fails while it is watched is the fault of the proof, and the table is free again', async () => {
  const database = await createDatabase()
  try {
    const as = (applicationName: string) => ({ url: database.url, applicationName })
    await withTarget(as('setup'), (client) => client.query('create table _prisma_migrations (id text)'))
    const pinned = { url: database.url, applicationName: 'probe', toolName: 'tool', schema: 'public' }
    await expect(proveDatabase({ ...pinned, status: () => Promise.reject(new Error('no process could be started')) })).rejects.toThrow(
      'no process could be started',
    )
    await withTarget(as('reader'), (client) => client.query('select from _prisma_migrations'))
  } finally {
    await database.close()
  }
})

test("an administrator's limit on idle transactions does not end the proof while Prisma starts", async () => {
  const database = await createDatabase()
  try {
    const as = (applicationName: string) => ({ url: database.url, applicationName })
    await withTarget(as('setup'), (client) =>
      client.query(
        `create table _prisma_migrations (id text); alter database ${database.name} set idle_in_transaction_session_timeout = '200ms'`,
      ),
    )
    const held = `select from pg_stat_activity where application_name = 'probe' and datname = current_database()`
    const ages = `${held} and state_change > clock_timestamp() - interval '600 ms'`
    const status = async () => {
      await withTarget(as('watch'), (client) => until('it is held for long', async () => (await client.query(ages)).rowCount === 0))
      return withTarget(as('tool'), async (client) => {
        await client.query('select from _prisma_migrations')
        return 'Database schema is up to date!'
      })
    }
    const pinned = { url: database.url, applicationName: 'probe', toolName: 'tool', schema: 'public' }
    expect(await proveDatabase({ ...pinned, status })).toEqual({ output: 'Database schema is up to date!', proof: 'waiting' })
  } finally {
    await database.close()
  }
})

// as Prisma 6.19.3 prints them for the URLs that it is given
test.each([
  ['sh op', 'sh%20op', true, null],
  ["sh@o+p;é'", "sh@o+p;%C3%A9'", true, null],
  ['a%20b', 'a%2520b', true, null],
  ['a%b', 'a%b', true, null],
  ['sh op', 'sh%20op', false, 'Prisma would change the database `sh%20op`, but `sh op` was approved.'],
  ['shop', 'other', true, 'Prisma would change the database `other`, but `shop` was approved.'],
])('the database %s that Prisma calls %s (through an adapter: %s)', (database, printed, adapter, why) => {
  const identity = { host: 'db', port: 5432, database, systemIdentifier: '7', databaseOid: 16_384 }
  const datasource = { database: printed, schema: 'public', host: null, adapter }
  expect(whyElsewhere(datasource, 'waiting', identity, { schema: 'public' })).toBe(why)
})
