import { expect, test } from 'vitest'
import { migrateStep } from '../../../src/run/steps/migrate.ts'
import { verifySchemaStep } from '../../../src/run/steps/verify-schema.ts'
import { scene8 } from '../../helpers/prisma8/scene.ts'
import { NO_EMAIL, PHONE, THIRD } from '../../plan/prisma8/application.ts'
import { fast } from '../../run/scene.ts'

const step = migrateStep(fast)

test('all that is pending is applied in one transaction, and the schema is verified', async () => {
  const { context, sql, reports, events } = await scene8()
  expect(await step.inspect(context)).toEqual({ kind: 'todo' })
  expect(await step.act(context)).toMatchObject({
    kind: 'done',
    output: expect.stringMatching(/^2 migrations in one transaction, in \d+(\.\d)? s$/),
    data: { migrations: [{ name: PHONE, state: 'done' }, { name: NO_EMAIL, state: 'done' }] },
  })
  expect(await sql('select core_hash from prisma_contract.marker')).toEqual([{ core_hash: THIRD }])
  expect(reports).toEqual([])
  expect(events.map((event) => event.kind === 'migration_done' && event.data)).toEqual([])
  expect(await step.inspect(context)).toMatchObject({ kind: 'done' })
  expect(await verifySchemaStep().act(context)).toEqual({})
})
