import { expect, test } from 'vitest'
import { withTarget } from '../../../src/database/connect.ts'
import { proveDatabase } from '../../../src/migrate/observe/database-proof.ts'
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
