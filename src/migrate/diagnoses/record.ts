import { code } from '../../lib/text/code.ts'
import { marking, type Entry } from './entry.ts'

/** What Prisma says about its own record, `_prisma_migrations`. */
export const recordDiagnoses: readonly Entry[] = [
  {
    code: 'earlier_failure',
    matches: ({ prismaCode }) => prismaCode === 'P3009',
    explain: (fault, context) => ({
      headline: `${fault.migration === null ? 'An earlier migration' : code(fault.migration)} failed before and is not resolved, so nothing was started.`,
      why: 'Prisma starts nothing while its record holds a migration that began and did not end: it may be applied in part.',
      next: `See what of it is in the database. Mark it as applied when all of it is there${marking(context, fault, 'applied')}, as rolled back when nothing is${marking(context, fault, 'rolled-back')}. Then ask again.`,
    }),
  },
  {
    // the script has run: what failed is the engine's own statement behind it, in the same session
    code: 'record_lost',
    matches: ({ prismaCode, message, output }, { migration }) =>
      migration !== null &&
      (prismaCode === 'P1014' ||
        (/Applying migration/.test(output) &&
          !/apply_script/.test(output) &&
          /^(permission denied for table _prisma_migrations|cannot execute UPDATE in a read-only transaction)/.test(message ?? ''))),
    explain: ({ prismaCode, message }, context) => ({
      headline: `After ${code(context.migration ?? '')} Prisma could not write its record, since the file had changed the session in which it does so (${prismaCode === 'P1014' ? '`search_path`: P1014' : message?.startsWith('permission') === true ? '`role`' : '`default_transaction_read_only`'}).`,
      why: 'Prisma writes `_prisma_migrations` in the session that ran the file, and a `SET` stays in force until that session ends.',
      next: `Compare the database with the file: when all of it is there, mark it as applied${marking(context, context, 'applied')}. A later file ends with a \`RESET\` of what it sets. Then ask again.`,
    }),
  },
  {
    code: 'record_not_found',
    matches: ({ prismaCode }) => prismaCode === 'P1014',
    explain: (_fault, context) => ({
      headline: `Prisma does not find its record of migrations in ${code(context.database)}, so nothing was started.`,
      why: 'The table `_prisma_migrations` is in the schema of the URL, and names without a schema lead elsewhere: a `search_path` that the database or the role sets.',
      next: 'Take that setting back (`ALTER DATABASE … RESET search_path`, `ALTER ROLE … RESET search_path`), or set the path in the `options` of the URL. Then ask again.',
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
      next: 'Baseline it once: mark each migration that describes what is there as applied (`npx prisma migrate resolve --applied &lt;migration&gt;`), then ask again.',
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
