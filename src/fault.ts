/**
 * Moments at which the tests of faults let the process die, so that each of them is hit exactly and not by luck. For tests only: without
 * LOCKKEEPER_FAULT in the environment nothing here does anything, and no configuration can set it.
 */
export type KillPoint =
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
  /** A message stands in Slack and its time stamp is not written: `after-post:event`. */
  | 'after-post'

/** Dies here, as by kill -9, when LOCKKEEPER_FAULT names this point, alone or with this detail. */
export function killPoint(point: KillPoint, detail = ''): void {
  const fault = process.env['LOCKKEEPER_FAULT']
  if (fault === point || fault === `${point}:${detail}`) process.kill(process.pid, 'SIGKILL')
}
