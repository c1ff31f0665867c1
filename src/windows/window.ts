/** The rows of maintenance windows and freezes, as the whole house sees them. Times are Dates, ids are numbers. */

export type WindowState = 'scheduled' | 'open' | 'completed' | 'cancelled'

export type WindowRow = {
  readonly id: number
  readonly token: string
  readonly name: string | null
  readonly targets: readonly string[]
  readonly startsAt: Date
  readonly endsAt: Date
  /** The zone in which people who own the target speak of it. */
  readonly timezone: string
  readonly reason: string
  readonly work: string | null
  readonly owner: string
  readonly ownerHuman: string
  readonly channels: readonly string[]
  readonly state: WindowState
  readonly standby: string | null
  readonly standbyConfirmedAt: Date | null
  readonly openedAt: Date | null
  readonly closedAt: Date | null
  readonly outcome: ReleaseNotes | null
  readonly planNo: number
  readonly createdAt: Date
  readonly revision: number
}

/** What happened between the start and the end of a window. */
export type ReleaseNotes = {
  readonly runs: readonly {
    readonly id: number
    readonly target: string
    readonly state: string
    readonly durationMs: number | null
    readonly commit: string | null
    /** What was live before it, as far as runs tell; and the first line of the new commit. */
    readonly from: string | null
    readonly subject: string | null
    readonly migrations: readonly string[]
  }[]
}

export type NoticeRow = {
  readonly id: number
  readonly windowId: number
  readonly planNo: number
  readonly stage: string
  readonly dueAt: Date
  readonly usefulUntil: Date
  readonly state: 'pending' | 'sent' | 'missed' | 'withdrawn'
  readonly decidedAt: Date | null
}

export type FreezeRow = {
  readonly id: number
  readonly kind: 'freeze' | 'lock'
  /** Null: all targets. */
  readonly targets: readonly string[] | null
  readonly reason: string
  readonly setBy: string
  readonly from: Date
  readonly until: Date | null
}
