import { expect, test } from 'vitest'
import { crashedOutcome, failedOutcome, halfOutcome } from '../../../src/migrate/decide/outcomes.ts'
import { resolveCommand } from '../../../src/plan/unfit.ts'

const withSchema = (schema: string) => ({ tool: { prisma: { schema, migrations: 'prisma/migrations', urls: ['DATABASE_URL'], env: {} } } })
/** An application whose schema is not where Prisma looks for it by itself. */
const resolve = (as: 'applied' | 'rolled-back', migration: string) => resolveCommand(withSchema('db/my schema.prisma'), as, migration)
const spoken = (text: string | undefined) => [...(text ?? '').matchAll(/`(npx [^`]+)`/g)].map(([, command]) => command)

test('every command that marks a migration names the schema where Prisma would not find it', () => {
  const rolledBack = "npx prisma migrate resolve --rolled-back 1_init --schema 'db/my schema.prisma'"
  const applied = "npx prisma migrate resolve --applied 1_init --schema 'db/my schema.prisma'"
  const diagnosis = { code: 'unknown', headline: 'It failed.', why: '', next: 'Mend it.', excerpt: '' } as const
  expect(spoken(failedOutcome(diagnosis, [], null, '', resolve('rolled-back', '1_init')).next)).toEqual([rolledBack])
  expect(spoken(crashedOutcome('1_init', [], { leftovers: [], how: 'It ended during', resolve }).next)).toEqual([applied, rolledBack])
  expect(spoken(halfOutcome({ headline: 'It failed.', failed: '1_init', left: [], tasks: [], excerpt: '', resolve }).next)).toEqual([
    rolledBack,
  ])
})

test('where Prisma finds the schema by itself, nothing more is typed', () => {
  expect(resolveCommand(withSchema('prisma/schema.prisma'), 'applied', 'it’s one')).toBe(
    "`npx prisma migrate resolve --applied 'it’s one'`",
  )
})
