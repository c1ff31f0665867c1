import { beforeAll, describe, expect, test } from 'vitest'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { makePlan } from '../../../src/plan/make.ts'
import { IN_USE, prepareReal } from '../../contract/prisma/sides.ts'
import { isRealAsked } from '../../contract/prisma/transcripts.ts'
import { createDatabase } from '../../helpers/postgres.ts'
import { versionFiles } from '../../helpers/prisma-versions/files.ts'
import { prismaOf } from '../../helpers/prisma-versions/modules.ts'
import { query } from '../../helpers/target.ts'
import { createApplication, prisma } from '../application/application.ts'
import { createOrigin } from '../application/origin.ts'

beforeAll(prepareReal, 600_000)

/** Numbers of other lengths, letters of both cases and signs, of which 5 and 6 make another order. */
const NAMES = ['1_init', '2_b', '10_c', 'B_upper', 'a_lower', 'with-hyphen', 'with_underscore']
const MIGRATIONS = Object.fromEntries(NAMES.map((name) => [name, `select pg_sleep(0.02), '${name}';\n`]))
const FILES = Object.fromEntries(Object.entries(MIGRATIONS).map(([name, sql]) => [`prisma/migrations/${name}/migration.sql`, sql]))

describe.concurrent.each(IN_USE)('a commit with Prisma $version', { timeout: 110_000 }, ({ version }) => {
  // proves plan: 5.22.0, 6.19.3, 7.10.1
  test('is planned in the order in which its deploy then applies it', async () => {
    await using stack = new AsyncDisposableStack()
    const database = await createDatabase()
    stack.defer(database.close)
    const origin = await createOrigin(database.url)
    stack.defer(origin.close)
    await origin.commit({ ...versionFiles(version, 'inSchema'), ...FILES })
    const made = await makePlan(origin.deps, { target: origin.target(), ref: null, steps: [], policy: 'p'.repeat(64) })
    if (isRefusal(made)) throw new Error(made.text)
    const which = isRealAsked({ version, topic: 'plan', title: 'order' }) ? 'real' : 'recorded'
    const application = await createApplication(MIGRATIONS, { version, ...(await prismaOf(version, which)) })
    stack.defer(application.close)
    expect(await prisma(application, database.url, 'migrate', 'deploy')).toMatchObject({ code: 0 })
    const rows = await query(database.url, 'select migration_name as name from _prisma_migrations order by started_at')
    expect(rows.map(({ name }) => name)).toEqual(made.plan.list.map(({ name }) => name))
    expect(rows.map(({ name }) => name)[0]).toBe(version === '5.22.0' ? '10_c' : '1_init')
  })
})
