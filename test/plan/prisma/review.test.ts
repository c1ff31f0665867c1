import { describe, expect, test } from 'vitest'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { makePlan } from '../../../src/plan/make.ts'
import { createDatabase } from '../../helpers/postgres.ts'
import { versionFiles } from '../../helpers/prisma-versions/files.ts'
import { PRISMA_VERSIONS } from '../../helpers/prisma-versions/installed.ts'
import { createOrigin } from '../application/origin.ts'

describe.concurrent.each(PRISMA_VERSIONS.map((version) => ({ version })))('a commit with Prisma $version', ({ version }) => {
  // proves review: 5.22.0, 6.19.3, 7.10.1
  test('is refused for CONCURRENTLY beside other statements, unless it is not known to send a file as one script', async () => {
    const database = await createDatabase()
    const origin = await createOrigin(database.url)
    try {
      const sql = 'create table a (id int);\ncreate index concurrently i on a (id);\n'
      await origin.commit({ ...versionFiles(version, 'inSchema'), 'prisma/migrations/1_a/migration.sql': sql })
      const made = await makePlan(origin.deps, { target: origin.target(), ref: null, steps: [], policy: 'p'.repeat(64) })
      expect(isRefusal(made) ? made.text : made.plan.list.map(({ name }) => name)).toEqual(
        version === '7.10.1'
          ? ['1_a']
          : '`prisma/migrations/1_a/migration.sql`, line 2, column 1: `create index concurrently i on a` cannot run inside a transaction, and a file with several statements is one (25001). Put it alone into a migration of its own, without so much as a `SET` before it, and ask again.',
      )
    } finally {
      await origin.close()
      await database.close()
    }
  })
})
