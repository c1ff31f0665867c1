import { code } from '../../lib/text/code.ts'
import type { Entry } from './entry.ts'

/** What Prisma says about its own record, `_prisma_migrations`. */
export const recordDiagnoses: readonly Entry[] = [
  {
    code: 'earlier_failure',
    matches: ({ prismaCode }) => prismaCode === 'P3009',
    explain: (fault) => ({
      headline: `${fault.migration === null ? 'An earlier migration' : code(fault.migration)} failed before and is not resolved, so nothing was started.`,
      why: 'Prisma starts nothing while its record holds a migration that began and did not end: it may be applied in part.',
      next: 'See what of it is in the database. Mark it as applied when all of it is there, as rolled back when nothing is, then ask again.',
    }),
  },
  {
    code: 'already_applied',
    matches: ({ prismaCode }) => prismaCode === 'P3008',
    explain: (fault) => ({
      headline: `${fault.migration === null ? 'The migration' : code(fault.migration)} is already recorded as applied.`,
      why: 'Somebody marked it, or it has run since. Marking it again would change nothing.',
      next: 'Look at the status of the target: if the migration is listed as applied, there is nothing to do.',
    }),
  },
  {
    code: 'not_in_record',
    matches: ({ prismaCode }) => prismaCode === 'P3011' || prismaCode === 'P3012' || prismaCode === 'P3017',
    explain: (fault) => ({
      headline: `${fault.migration === null ? 'The migration' : code(fault.migration)} cannot be marked: the record does not hold it as failed.`,
      why: 'Only a migration that began and failed can be marked as rolled back, and only one of the repository as applied.',
      next: 'Check the name, and look at the status of the target before marking anything.',
    }),
  },
  {
    code: 'not_baselined',
    matches: ({ prismaCode }) => prismaCode === 'P3005',
    explain: (_fault, context) => ({
      headline: `${code(context.database)} has tables but no record of migrations, so nothing was started.`,
      why: 'Prisma does not run migrations on a database that it did not build: the first of them would try to create what is there.',
      next: 'Baseline it once: mark the migrations that describe what is there as applied (`prisma migrate resolve --applied`), then ask again.',
    }),
  },
  {
    code: 'edited_or_missing',
    matches: ({ prismaCode }) => prismaCode === 'P3006' || prismaCode === 'P3015',
    explain: (fault) => ({
      headline: `${fault.migration === null ? 'A migration' : code(fault.migration)} cannot be read as a migration.`,
      why: 'Its directory has no `migration.sql`, or its SQL does not run on an empty database.',
      next: 'Correct it in the repository and ask again.',
    }),
  },
  {
    code: 'provider_switch',
    matches: ({ prismaCode }) => prismaCode === 'P3019',
    explain: () => ({
      headline: 'The migrations were written for another kind of database.',
      why: '`migration_lock.toml` names another provider than the schema.',
      next: 'Correct the provider in the repository and ask again.',
    }),
  },
]
