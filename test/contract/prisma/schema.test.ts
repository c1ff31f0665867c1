import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { prismaCommands } from '../../../src/migrate/prisma/prisma.ts'
import { shopDatabase } from '../../helpers/sample.ts'
import type { TestDatabase } from '../../helpers/postgres.ts'
import { expectSame, IN_USE, prepareReal, type Side } from './sides.ts'

let template: TestDatabase
const schema = readFileSync(join(import.meta.dirname, '../../../examples/shop/prisma/schema.prisma'), 'utf8')

beforeAll(async () => {
  await prepareReal()
  template = await shopDatabase({ pending: 0 })
}, 600_000)
afterAll(() => template.close())

/** Each way in which the suites let a live schema differ from the one of the commit. */
const DRIFT: Readonly<Record<string, string>> = {
  'nothing differs': 'select 1',
  'an index is missing': 'drop index orders_discount_id_idx',
  'a column is more': 'alter table orders add column remark text',
}

// of the others test/migrate/versions.test.ts compares a live schema with theirs in the one start that they offer
const BY_ADAPTER = IN_USE.filter(({ version }) => version === '6.19.3')

describe.concurrent.each(BY_ADAPTER)('the recorded Prisma says of a live schema what $version says', { timeout: 110_000 }, (prisma) => {
  const commands = prismaCommands('prisma', 'prisma/schema.prisma')
  const run = (side: Side, argv: readonly string[]) => side.prisma(argv.slice(1).join(' '))

  test.each(Object.entries(DRIFT))('when %s', async (title, change) => {
    const compare = async (side: Side) => {
      await side.sql(change)
      await side.write('prisma/schema.prisma', schema)
      await side.write('live.prisma', textOf(await run(side, commands.pull)))
      await run(side, commands.diff('live.prisma', 'prisma/schema.prisma', 6))
    }
    await expectSame(prisma, { topic: 'schema', title }, compare, { template: template.name })
  })
})

/** The schema in what it prints. */
function textOf(said: Awaited<ReturnType<Side['prisma']>>): string {
  const text = said.flatMap(([stream, chunk]) => (stream === 'out' ? chunk : [])).join('')
  return text.slice(text.indexOf('datasource '))
}
