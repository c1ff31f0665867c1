import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { shopDatabase } from '../../helpers/sample.ts'
import type { TestDatabase } from '../../helpers/postgres.ts'
import { expectSame, IN_USE, type Side } from './sides.ts'

let template: TestDatabase
const schema = readFileSync(join(import.meta.dirname, '../../../examples/shop/prisma/schema.prisma'), 'utf8')

beforeAll(async () => {
  template = await shopDatabase({ pending: 0 })
})
afterAll(() => template.close())

/** Each way in which the suites let a live schema differ from the one of the commit. */
const DRIFT: Readonly<Record<string, string>> = {
  'nothing differs': 'select 1',
  'an index is missing': 'drop index orders_discount_id_idx',
  'a column is more': 'alter table orders add column remark text',
}

describe.concurrent.each(IN_USE)('the recorded Prisma says of a live schema what $version says', { timeout: 110_000 }, (prisma) => {
  test.each(Object.entries(DRIFT))('when %s', async (title, change) => {
    const compare = async (side: Side) => {
      await side.sql(change)
      await side.write('prisma/schema.prisma', schema)
      await side.write('live.prisma', await pull(side))
      await side.prisma('migrate diff --from-schema-datamodel live.prisma --to-schema-datamodel prisma/schema.prisma --exit-code')
    }
    await expectSame(prisma, { topic: 'schema', title }, compare, { template: template.name })
  })
})

/** The schema in what it prints. */
async function pull(side: Side): Promise<string> {
  const said = await side.prisma('db pull --print --schema prisma/schema.prisma')
  const text = said.flatMap(([stream, chunk]) => (stream === 'out' ? chunk : [])).join('')
  return text.slice(text.indexOf('datasource '))
}
