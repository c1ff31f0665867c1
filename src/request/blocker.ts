import type { Queries } from '../store/pool.ts'

/** A session of the target, known again by when it and its transaction began (microseconds since 1970, as text). */
export type SessionIdentity = { readonly pid: number; readonly backend: string | null; readonly transaction: string | null }

/** What people are shown of a session that is in the way. All parts are plain text from outside. */
export type ShownBlocker = {
  readonly name: string
  readonly role: string | null
  /** Its transaction is open and it runs nothing. */
  readonly isIdle: boolean
  /** How long its transaction was open when it was seen. */
  readonly transactionMs: number | null
  /** Shortened, without values. */
  readonly statement: string
  /** What it holds; null when that is no table. */
  readonly relation: string | null
  /** How many queries wait behind the migration. */
  readonly queue: number
  /** Why it cannot be ended from here, as mrkdwn; null when it can. */
  readonly whyNotEnd: string | null
}

export type Blocker = SessionIdentity & {
  readonly id: number
  readonly shown: ShownBlocker
  readonly seenAt: Date
  readonly askedBy: string | null
}

/** What the run of a migration tells people about who is in its way, and hears from them. A store that is away holds nothing up. */
export type Blockers = {
  /** Null: nobody is in the way any more. */
  readonly show: (blocker: (SessionIdentity & { readonly shown: ShownBlocker }) | null) => Promise<void>
  /** The session that an approver asked to end and that nobody has answered yet. */
  readonly toEnd: () => Promise<Blocker | null>
  /** What came of it, as mrkdwn. */
  readonly answer: (blocker: Blocker, text: string) => Promise<void>
  /** How many more tries people have asked for. */
  readonly moreTries: () => Promise<number>
}

export const blockerColumns = 'id, pid, backend, transaction, shown, seen_at as "seenAt", asked_by as "askedBy"'

/** The one that people see now. */
export async function openBlocker(db: Queries, requestId: number): Promise<Blocker | null> {
  const [row] = await db.query<Blocker>(
    `select ${blockerColumns} from lockkeeper.blocker where request_id = $1 and gone_at is null order by id desc limit 1`,
    [requestId],
  )
  return row ?? null
}

/** What is told in the thread while a migration waits for somebody. */
export type GuardEvent =
  /** A try of a migration that ended without leaving anything, and is followed by another. `text` is mrkdwn. */
  | { readonly kind: 'tried'; readonly data: { readonly text: string } }
  /** What came of asking to end the session that is in the way. `text` is mrkdwn. */
  | { readonly kind: 'blocker'; readonly data: { readonly text: string } }
  /** Somebody asks to go on waiting for it: one more try. */
  | { readonly kind: 'waits_on'; readonly data: { readonly by: string; readonly name: string } }
  | { readonly kind: 'end_asked'; readonly data: { readonly by: string; readonly name: string; readonly pid: number } }
