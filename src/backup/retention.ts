export type Kept = {
  readonly name: string
  readonly createdAt: Date
  readonly isVerified: boolean
  /** Its run has not ended, or waits for a person. */
  readonly isUnsettled: boolean
}

/**
 * The names that may go, oldest first. Kept are the newest ones, those of unsettled runs, and always the newest verified one.
 * Backups of one target only.
 */
export function superfluous(backups: readonly Kept[], newest: number): readonly string[] {
  const byAge = [...backups].sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.name < b.name ? 1 : -1))
  const lastResort = byAge.find(({ isVerified }) => isVerified)
  return byAge
    .slice(newest)
    .filter((backup) => !backup.isUnsettled && backup !== lastResort)
    .map(({ name }) => name)
    .toReversed()
}
