/**
 * Moments at which the tests of faults let the process die, so that each of them is hit exactly and not by luck. For tests only: without
 * LOCKKEEPER_FAULT in the environment nothing here does anything, and no configuration can set it.
 */
export type Failpoint =
  /** A delivery is written down and acknowledged, and nothing was decided. */
  | 'after-take'
  /** What a person typed was carried out, and the person has not been told: `before-answer:deploy`. */
  | 'before-answer'
  /** Inside the transaction that counts a vote, with the request's row locked. */
  | 'in-vote'
  /** The vote is counted; the voter has not been told. */
  | 'after-vote'
  /** The votes are there; nothing has been checked yet. */
  | 'before-claim'
  /** The glass is broken and the run may start; whoever did it has no answer yet. */
  | 'after-break-glass'
  /** The review is written; whoever did it has no answer yet. */
  | 'after-review'
  /** The request is running; no step has begun. */
  | 'after-claim'
  | 'before-migrator-start'
  /** The migrator has ended; nobody has looked at what came of it. */
  | 'after-migrator-exit'
  /** A step has ended and its record is not written: `before-step-record:backup`. */
  | 'before-step-record'
  /** A deploy step's command has been started. */
  | 'in-deploy-step'
  /** A message is about to go to Slack: `before-post:event`. */
  | 'before-post'
  /** A message stands in Slack and its time stamp is not written: `after-post:event`. */
  | 'after-post'

/**
 * Dies here, as by kill -9, when LOCKKEEPER_FAULT names this point, alone or with this detail. After `stop:` it is frozen here instead,
 * once, as by SIGSTOP, and goes on when somebody wakes it.
 */
export function failpoint(point: Failpoint, detail = ''): void {
  const armed = process.env['LOCKKEEPER_FAULT']
  if (armed === undefined) return
  const [, freezes, wanted] = /^(stop:)?(.*)$/.exec(armed) ?? []
  if (wanted !== point && wanted !== `${point}:${detail}`) return
  if (freezes === undefined) process.kill(process.pid, 'SIGKILL')
  delete process.env['LOCKKEEPER_FAULT']
  process.kill(process.pid, 'SIGSTOP')
}
