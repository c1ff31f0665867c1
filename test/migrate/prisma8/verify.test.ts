import { expect, test } from 'vitest'
import { migrateStep } from '../../../src/run/steps/migrate.ts'
import { verifySchemaStep } from '../../../src/run/steps/verify-schema.ts'
import { CONFIG, scene8 } from '../../helpers/prisma8/scene.ts'
import { fast } from '../../run/scene.ts'

const step = verifySchemaStep({ keepSchema: async () => {} })

async function migrated(options: Parameters<typeof scene8>[0] = {}) {
  const scene = await scene8(options)
  expect(await migrateStep(fast).act(scene.context)).toMatchObject({ kind: 'done' })
  scene.events.length = 0
  return scene
}

const told = (events: Awaited<ReturnType<typeof migrated>>['events']) => events.map((event) => event.kind === 'finding' && event.data.text)

// proves drift: 8.0.0-rc.19
test('after the migration marker, ledger and the live schema are what was approved; what departs is told or stops', async () => {
  const { context, events, sql } = await migrated()
  expect(await step.inspect(context)).toEqual({ kind: 'todo' })
  expect(await step.act(context)).toEqual({
    kind: 'done',
    output: 'contract c3bf7ce541aa, live schema as described',
    data: { applied: 3, invalid: [], drift: 'same', prisma: '8.0.0-rc.19' },
  })
  expect(events).toEqual([])

  await sql('alter table "Customer" alter column phone type int using null; insert into "Customer" values (1, 7), (2, 7)')
  await sql('create unique index concurrently customers_phone on "Customer" (phone)').catch(() => {}) // leaves an invalid index, which is wanted here
  expect(await step.act(context)).toMatchObject({
    kind: 'done',
    output: 'contract c3bf7ce541aa, live schema differs, see the thread, 1 invalid index',
    data: { drift: 'differs', invalid: ['customers_phone'] },
  })
  expect(told(events)).toEqual([
    'The index `customers_phone` on `Customer` is invalid: queries do not use it and writes pay for it. Drop it with `DROP INDEX CONCURRENTLY` and build it again.',
    'The live schema differs from the contract. `prisma db verify` says:\n• `mismatch: database/public/Customer/column:phone`',
  ])

  await sql(`update prisma_contract.marker set core_hash = '${'e'.repeat(64)}'`)
  expect(await step.act(context)).toMatchObject({
    kind: 'unknown',
    output: 'not as approved',
    outcome: {
      headline:
        '*After migrating, the record does not show what was approved. The database has the contract `eeeeeeeeeeee` now, and had `d61aaa75cc15` when this was asked. Lockkeeper will not guess.*',
      notKnown: 'Who else has changed this database meanwhile.',
    },
  })
})

test('an operation that Prisma skipped, since its work was done, is told', async () => {
  const { context, events } = await migrated({ meanwhile: 'alter table "Customer" add column phone text' })
  expect(await step.act(context)).toMatchObject({ kind: 'done', output: 'contract c3bf7ce541aa, live schema as described' })
  expect(told(events)).toEqual([
    '`Add column "phone" to "Customer"` of `20261130T0319_phone` was skipped: what it brings about was there before. Somebody had made it by hand, or by another tool.',
  ])
})

test('a marker that others set without these migrations is not taken for them', async () => {
  const { context, sql } = await migrated()
  await sql(`delete from prisma_contract.ledger where migration_name like '%phone'`)
  expect(await step.act(context)).toMatchObject({
    kind: 'unknown',
    outcome: {
      headline:
        '*After migrating, the record does not show what was approved. The database has the contract already, but by its ledger not from `20261130T0319_phone`: it was signed, or led there by other migrations. Lockkeeper will not guess.*',
    },
  })
})

test('what cannot be compared is said, and stops nothing', async () => {
  const { context } = await migrated({
    files: { 'prisma.config.ts': `${CONFIG}if (process.argv.includes('verify')) throw new Error('not now')\n` },
  })
  expect(await step.act(context)).toMatchObject({ kind: 'done', output: 'contract c3bf7ce541aa, live schema not compared' })
})
