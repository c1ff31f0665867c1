/** When people are told of a window. Pure: ms since 1970 in, ms since 1970 out. */

export type Stage = `before:${number}` | 'start' | `during:${number}` | 'end'

export type PlannedNotice = { readonly stage: Stage; readonly dueAt: number; readonly usefulUntil: number }

type Plan = {
  readonly startsAt: number
  readonly endsAt: number
  /** How long before the start, in ms, in any order. */
  readonly notices: readonly number[]
  /** How often while it lasts, in ms. */
  readonly during: number
  readonly now: number
}

/** Later than that nobody needs to be told how it ended. */
const END_HELPS_MS = 86_400_000

/** In the order in which they are due. A stage whose time has passed is not planned: whoever schedules at noon is not told of last week. */
export function noticesOf({ startsAt, endsAt, notices, during, now }: Plan): PlannedNotice[] {
  const rungs: { readonly stage: Stage; readonly dueAt: number }[] = [
    ...[...new Set(notices)]
      .filter((before) => before > 0)
      .toSorted((a, b) => b - a)
      .map((before) => ({ stage: `before:${before}` as const, dueAt: startsAt - before })),
    { stage: 'start', dueAt: startsAt },
    ...Array.from({ length: Math.max(0, Math.ceil((endsAt - startsAt) / during) - 1) }, (_, index) => ({
      stage: `during:${index + 1}` as const,
      dueAt: startsAt + (index + 1) * during,
    })),
    { stage: 'end', dueAt: endsAt },
  ]
  return rungs
    .map(({ stage, dueAt }, index) => ({ stage, dueAt, usefulUntil: rungs[index + 1]?.dueAt ?? endsAt + END_HELPS_MS }))
    .filter(({ dueAt }) => dueAt >= now)
}
