import type { PlannedMigration } from '../../plan/plan.ts'

/** Migrations that one `migrate deploy` applies. */
export type Group = { readonly concurrently: boolean; readonly migrations: readonly PlannedMigration[] }

/**
 * Files run in groups of equal needs: ordinary ones together, with a lock timeout; one whose only statement is CONCURRENTLY alone and
 * without timeouts, since its waits for old transactions would count against them.
 */
export function groupsOf(list: readonly PlannedMigration[]): readonly Group[] {
  const groups: Group[] = []
  for (const migration of list) {
    const last = groups.at(-1)
    if (last === undefined || last.concurrently || migration.concurrently)
      groups.push({ concurrently: migration.concurrently, migrations: [migration] })
    else groups.splice(-1, 1, { ...last, migrations: [...last.migrations, migration] })
  }
  return groups
}
