import { expect, test } from 'vitest'
import { noReactions } from '../../../src/database/reactions.ts'
import type { Operation, Package } from '../../../src/plan/prisma8/package.ts'
import { reviewPackages, whyNotInOne } from '../../../src/plan/prisma8/review.ts'
import { NO_EMAIL, packageOf, PHONE } from './application.ts'

const context = { sizes: [], schema: 'public', reactions: noReactions }
const operation = (sql: string, kind: Operation['class'] = 'additive'): Operation => ({
  id: 'by-hand',
  label: 'By hand',
  class: kind,
  precheck: [],
  execute: [{ description: '', sql }],
  postcheck: [],
})
const withOperations = (...operations: readonly Operation[]): Package => ({ ...packageOf(PHONE), operations })
const refused = (...statements: readonly string[]) =>
  whyNotInOne({ directory: 'migrations' }, [withOperations(...statements.map((sql) => operation(sql)))])

// proves review: 8.0.0-rc.19
test('what Prisma writes is read as SQL, and is never less than what Prisma says of it', async () => {
  const real = await reviewPackages([PHONE, NO_EMAIL].map(packageOf), context)
  expect(real.map((one) => [one.class, one.summary])).toEqual([
    ['additive', 'adds Customer.phone, nullable'],
    ['breaking', 'drops Customer.email; drops constraint Customer_email_key of Customer'],
  ])
  const classOf = async (...all: readonly Operation[]) => (await reviewPackages([withOperations(...all)], context))[0]?.class
  expect(await classOf(operation('select 1'))).toBe('additive')
  expect(await classOf(operation('select 1', 'data'))).toBe('transformative')
  expect(await classOf(operation('select 1', 'destructive'))).toBe('breaking')
  expect(await classOf(operation('drop table x', 'additive'))).toBe('breaking')
})

test('a statement that cannot run in Prisma’s one transaction is refused, with the operation that holds it', async () => {
  expect(await refused('alter table a add b int', 'create index concurrently i on a (b)')).toMatchInlineSnapshot(
    `"The operation \`By hand\` of \`20261130T0319_phone\` holds \`create index concurrently i on a (b)\`, which PostgreSQL refuses inside a transaction (25001), and Prisma 8 runs all that is pending in one. Take it out of migration.ts and write the package anew (\`node migrations/app/20261130T0319_phone/migration.ts\`), then ask again. Such a statement is run by hand."`,
  )
  expect(await refused('update a set b = 1; commit')).toMatchInlineSnapshot(
    `"The operation \`By hand\` of \`20261130T0319_phone\` holds \`commit\`. Prisma 8 runs all that is pending in one transaction, which that would end, so a failure would leave a part of it applied. Take it out of migration.ts and write the package anew (\`node migrations/app/20261130T0319_phone/migration.ts\`), then ask again."`,
  )
  expect(await refused('create index i on a (b)', 'update a set b = $1')).toBeNull()
})
