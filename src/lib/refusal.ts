/**
 * A refusal is an answer, not an accident: the product understood and says no. Faults are thrown instead.
 * The list is closed so that tests, audit rows and metrics can name every reason.
 */
export const refusalCodes = [
  // what was typed
  'unknown_verb',
  'unknown_target',
  'unknown_request',
  'bad_arguments',
  'not_available_yet',
  // who asked, and where
  'not_a_member', // guest, external, bot, deactivated
  'identity_unknown', // could not be checked, so it is refused
  'not_allowed_to_ask',
  'wrong_channel',
  // whether it may be asked
  'target_taken',
  'ref_not_found',
  'ref_not_reachable',
  'repository_unreachable',
  'repository_unfit', // no prisma, tracked .env, symlink among the migrations, …
  'other_runner', // the commit brings a tool whose migrations another reader has to read; never shown to people
  'target_unreachable',
  'target_unfit', // pooler URL, failed migration, edited file, unknown migration, …
  'against_policy', // the target's own rules refuse the plan: no rollback SQL, not run where it has to run first, …
  'store_unreachable',
  // whether the record can be believed
  'audit_broken',
  'store_restored',
  'other_store', // another bot posts with the same token and another store
  'clocks_apart',
  // backup
  'clients_missing', // no pg_dump or pg_restore
  'clients_too_old', // pg_dump refuses servers newer than itself
  // votes
  'own_request',
  'not_an_approver',
  'already_voted',
  'vote_in_slack', // the command line votes only while Slack cannot be reached
  'approvers_unknown', // a group could not be read
  'already_decided',
  'digest_changed',
  'too_few_approvers', // nobody, or not enough people, could ever approve it
  'blocked', // a finding of the review blocks it, and nobody has waived that
  'not_allowed_to_waive',
  'nothing_to_waive',
  'request_expired',
  'grant_expired',
  'stale_button',
  // break-glass
  'glass_not_configured', // the target names nobody who may
  'not_allowed_to_break_glass',
  'not_a_reviewer',
  'own_break_glass', // whoever asked for it or broke it does not review it
  'not_to_review', // nothing was broken, or the run is under way
  'already_reviewed',
  // windows, freezes, locks
  'outside_window', // the target's rules open at other times
  'window_closed', // it was for a window that has closed
  'frozen', // a freeze or a lock covers the target
  'unknown_window',
  'window_conflict', // overlaps another window or a freeze, or is longer than allowed
  'not_allowed_to_schedule',
  'not_allowed_to_override',
  'no_standby', // nobody has confirmed to stand by
  // on-call
  'nothing_to_acknowledge', // nobody was paged, or somebody acknowledged already
  // cancel
  'nothing_to_cancel',
  'not_allowed_to_cancel',
  // evidence
  'not_delivered', // it was made, or could not be signed, and nobody got it
] as const

export type RefusalCode = (typeof refusalCodes)[number]

/** `text` is Slack mrkdwn whose outside parts are escaped already: what happened, which rule, what to do next. */
export type Refusal = {
  readonly kind: 'refusal'
  readonly code: RefusalCode
  readonly text: string
  /** What can be done instead: a button with this token, or what is typed. */
  readonly offer?: { readonly token: string; readonly label: string; readonly typed: string }
}

export const refuse = (code: RefusalCode, text: string): Refusal => ({ kind: 'refusal', code, text })

export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'refusal'
