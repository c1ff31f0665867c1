import { schedule } from 'node-cron'
import { createAuditWatch, type AuditWatch } from '../audit/watch.ts'
import { openCheckpoint, checkpointPath } from '../audit/checkpoint.ts'
import type { Clock } from '../lib/clock.ts'
import { judgeClocks, ownReading, readClock, type Reading } from '../lib/clock-skew.ts'
import type { Config } from '../config/config.ts'
import type { Db } from '../store/pool.ts'
import type { Log } from '../lib/log.ts'
import type { Refusal } from '../lib/refusal.ts'
import { readSlackClock } from '../slack/client/time.ts'
import type { SlackPort } from '../slack/port.ts'
import { together } from '../lib/together.ts'

/** What stands above every single run: the record, the store, the clocks. */
export type MayRun = {
  readonly whyNoRun: () => Promise<Refusal | null>
  /** Also reads the channel where a run is about to be told. */
  readonly whyNoRunIn: (channel: string) => Promise<Refusal | null>
  readonly whyStop: () => Refusal | null
  readonly clocks: () => Promise<readonly Reading[]>
}

/** What a clock says that does not answer is left out: a run waits for no Slack. */
export async function readClocks(db: Db, slack: Pick<SlackPort, 'time'>, clock: Clock): Promise<readonly Reading[]> {
  const read = await Promise.all([readClock("the store's clock", () => storeTime(db), clock), readSlackClock(slack, clock)])
  return [ownReading, ...read.filter((one) => one !== undefined)]
}

async function storeTime(db: Db): Promise<number | undefined> {
  const [row] = await db.query<{ now: number }>('select (extract(epoch from clock_timestamp()) * 1000)::float8 as now')
  return row?.now
}

/** Told in the log at the start; each run looks again. */
export function logClocks(log: Log, readings: readonly Reading[]): void {
  const verdict = judgeClocks(readings)
  if (verdict !== null) log[verdict.level === 'stop' ? 'error' : 'warn'](verdict.text)
}

/** Needed by the command line too, which looks only when it is asked for something that would run. */
export const watchAudit = ({ config, log }: { readonly config: Config; readonly log: Log }, db: Db): Promise<AuditWatch> =>
  createAuditWatch({ db, log, checkpointFile: openCheckpoint(checkpointPath(config.varDirectory)) })

/** The whole audit log, once a day. */
const VERIFY_AT = '41 3 * * *'

/** Follows what is new, and reads the whole chain at the start and once a day. */
export function keepAudit(audit: AuditWatch, log: Log, stack: AsyncDisposableStack): void {
  const ending = new AbortController()
  const verify = () =>
    audit.verifyAll(ending.signal).catch((error: Error) => {
      if (!ending.signal.aborted) log.warn({ error: error.message }, 'the audit log was not verified; trying again tomorrow')
    })
  const following = audit.start()
  const first = verify()
  const daily = schedule(VERIFY_AT, verify)
  stack.defer(async () => {
    ending.abort()
    await together([following.stop(), daily.destroy(), first])
  })
}
