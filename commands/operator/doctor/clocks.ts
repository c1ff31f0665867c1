import { systemClock } from '../../../src/lib/clock.ts'
import { judgeClocks, ownReading, readClock, WARN_MS, type Reading } from '../../../src/lib/clock-skew.ts'
import type { Config } from '../../../src/config/config.ts'
import type { Queries } from '../../../src/store/pool.ts'
import { withTarget } from '../../../src/database/connect.ts'
import { ok, warning, wrong, type Finding } from './finding.ts'

/** Judged as the bot itself judges before a run; what did not answer is undefined, and stands in a line of its own. */
export function lookAtClocks(answers: readonly (Reading | undefined)[]): Finding {
  const readings = answers.filter((reading) => reading !== undefined)
  if (readings.length === 0) return warning('clocks', 'nobody answered whose clock could be compared')
  const verdict = judgeClocks([ownReading, ...readings])
  if (verdict === null) {
    const whose = readings.map((reading) => reading.whose.replace(/ clock$/, ''))
    return ok('clocks', `${whose.join(', ')} agree with this machine's within ${WARN_MS / 1_000} s`)
  }
  const mend = 'Switch on time synchronisation (timedatectl set-ntp true) where the clock is wrong.'
  return verdict.level === 'stop' ? wrong('clocks', verdict.text, mend) : warning('clocks', verdict.text, mend)
}

const NOW = 'select extract(epoch from clock_timestamp()) * 1000 as now'

export const storeClock = (db: Queries): Promise<Reading | undefined> =>
  readClock("the store's clock", async () => Number((await db.query<{ now: unknown }>(NOW))[0]?.now), systemClock).catch(() => undefined)

/** Connecting takes longer than asking, so only the question is timed. */
export async function targetClocks(config: Config): Promise<readonly (Reading | undefined)[]> {
  return Promise.all(
    [...config.targets.values()].map(({ name, database }) =>
      withTarget({ url: config.secret(database.url), applicationName: 'lockkeeper doctor' }, (client) =>
        readClock(`${name}'s clock`, async () => Number((await client.query<{ now: unknown }>(NOW)).rows[0]?.now), systemClock),
      ).catch(() => undefined),
    ),
  )
}
