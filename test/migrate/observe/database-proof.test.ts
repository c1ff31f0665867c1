import { expect, test } from 'vitest'
import { withTarget } from '../../../src/database/connect.ts'
import { proveDatabase } from '../../../src/migrate/observe/database-proof.ts'
import { createDatabase } from '../../helpers/postgres.ts'

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
