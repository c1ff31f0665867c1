import type { Config } from '../../src/config/config.ts'
import type { Queries } from '../../src/db/pool.ts'
import { withTarget } from '../../src/target/connect.ts'
import { ageText, ok, warning, wrong, type Finding } from './finding.ts'

/** How far the clock of something is ahead of ours, in milliseconds; undefined when it could not be asked. */
export type Ahead = { readonly whose: string; readonly ms: number | undefined }

/** Approvals end by the store's clock, so that a difference hurts only what compares: signatures of Slack's live 5 minutes. */
const NOTICEABLE_MS = 5_000
const HARMFUL_MS = 60_000

export function lookAtClocks(clocks: readonly Ahead[]): Finding {
  const known = clocks.flatMap(({ whose, ms }) => (ms === undefined ? [] : [{ whose, ms }]))
  const off = known.filter(({ ms }) => Math.abs(ms) > NOTICEABLE_MS)
  if (known.length === 0) return warning('clocks', 'nobody answered whose clock could be compared')
  if (off.length === 0) return ok('clocks', `agree with ${known.map(({ whose }) => whose).join(', ')} within ${NOTICEABLE_MS / 1_000} s`)
  const text = off
    .map(({ whose, ms }) => `${whose} is ${ageText(Math.abs(ms) / 1_000)} ${ms > 0 ? 'ahead of' : 'behind'} this machine`)
    .join('; ')
  const mend = 'Switch on time synchronisation (timedatectl set-ntp true) where the clock is wrong.'
  return off.some(({ ms }) => Math.abs(ms) > HARMFUL_MS) ? wrong('clocks', text, mend) : warning('clocks', text, mend)
}

export async function clockOf(whose: string, ask: () => Promise<number>): Promise<Ahead> {
  const before = Date.now()
  const started = performance.now()
  const theirs = await ask().catch(() => undefined) // that it does not answer stands in a line of its own
  return { whose, ms: theirs === undefined ? undefined : theirs - (before + (performance.now() - started) / 2) }
}

const NOW = 'select extract(epoch from clock_timestamp()) * 1000 as now'

export const storeClock = (db: Queries): Promise<Ahead> =>
  clockOf('the store', async () => Number((await db.query<{ now: unknown }>(NOW))[0]?.now))

/** Connecting takes longer than asking, so only the question is timed. */
export async function targetClocks(config: Config): Promise<readonly Ahead[]> {
  return Promise.all(
    [...config.targets.values()].map(({ name, database }) =>
      withTarget({ url: config.secret(database.url), applicationName: 'lockkeeper doctor' }, (client) =>
        clockOf(name, async () => Number((await client.query<{ now: unknown }>(NOW)).rows[0]?.now)),
      ).catch(() => ({ whose: name, ms: undefined })),
    ),
  )
}
