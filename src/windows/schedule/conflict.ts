import { setTimeout as sleep } from 'node:timers/promises'
import type { Target } from '../../config/config.ts'
import type { ConfigFile } from '../../config/schema.ts'
import type { Queries, Tx } from '../../store/pool.ts'
import { refuse, type Refusal } from '../../lib/refusal.ts'
import { codeText, durationText, escapeLine, personText } from '../../lib/text/text.ts'
import { configuredFreezes, setFreezes } from '../../calendar/opening-hours.ts'
import { freezesInForce } from '../freezes/freezes.ts'
import { listWindows, type Hours } from '../store.ts'
import { saySpan, sayTime } from '../../calendar/say.ts'

/** Whoever looks for conflicts and then writes a window does so alone. */
export async function holdSchedule(tx: Tx): Promise<void> {
  // asked again and again: whoever waits inside the statement cannot be ended by a limit of his own
  for (const end = performance.now() + HOLD_WITHIN_MS; ; await sleep(20)) {
    const [row] = await tx.query<{ held: boolean }>(`select pg_try_advisory_xact_lock(hashtext('lockkeeper maintenance schedule')) as held`)
    if (row?.held === true) return
    if (performance.now() > end) throw new Error('somebody else has been changing the schedule of maintenance windows for too long')
  }
}

const HOLD_WITHIN_MS = 10_000

/** Why a window may not be at these hours; undefined when it may. `exceptId`: the window itself. */
export async function whyNotThen(
  db: Queries,
  wish: { readonly targets: readonly Target[]; readonly hours: Hours; readonly zone: string; readonly exceptId: number | null },
  config: { readonly freezes: ConfigFile['freezes']; readonly command: string },
): Promise<Refusal | undefined> {
  const { targets, hours, exceptId } = wish
  const { startsAt, endsAt } = hours
  const tight = targets.toSorted((a, b) => a.windows.maximum - b.windows.maximum)[0]
  if (tight !== undefined && endsAt - startsAt > tight.windows.maximum)
    return refuse(
      'window_conflict',
      `A window of ${codeText(tight.name)} may last ${durationText(tight.windows.maximum)} at most, and this one would last ${durationText(endsAt - startsAt)}. Nothing was changed. Make it shorter, or two of it.`,
    )
  const names = targets.map(({ name }) => name)
  const others = await listWindows(db, { targets: names, states: ['scheduled', 'open'], from: startsAt, to: endsAt, limit: 2 })
  const other = others.find(({ id }) => id !== exceptId)
  if (other !== undefined) {
    const shared = other.targets.find((name) => names.includes(name)) ?? ''
    const span = { from: other.startsAt.getTime(), to: other.endsAt.getTime() }
    return refuse(
      'window_conflict',
      `${codeText(shared)} has a window then already: #${other.id}, ${saySpan(span, other.timezone)}, of ${personText(other.owner)}. Nothing was changed. Take another time, or move that one with ${codeText(`${config.command} reschedule ${other.id} "<when>"`)}.`,
    )
  }
  return frozenThen(db, wish, config.freezes)
}

async function frozenThen(
  db: Queries,
  { targets, hours, zone }: { readonly targets: readonly Target[]; readonly hours: Hours; readonly zone: string },
  configured: ConfigFile['freezes'],
): Promise<Refusal | undefined> {
  for (const freeze of [...configuredFreezes(configured), ...setFreezes(await freezesInForce(db, null))]) {
    const target = targets.find(({ name }) => freeze.targets === null || freeze.targets.includes(name))
    const span = target === undefined ? undefined : freeze.spans(hours.startsAt, hours.endsAt)[0]
    if (target === undefined || span === undefined) continue
    const until = Number.isFinite(span.to) ? `until ${sayTime(span.to, zone)}` : 'until somebody lifts it'
    return refuse(
      'frozen',
      `${codeText(target.name)} is ${freeze.kind === 'lock' ? 'locked' : 'frozen'} then, ${until}${freeze.name === '' ? '' : `: “${escapeLine(freeze.name)}”`}${freeze.name === freeze.reason ? '' : ` (${escapeLine(freeze.reason)})`}. Nothing was changed. ${Number.isFinite(span.to) ? 'Take a time outside of it.' : 'It has to be lifted first.'}`,
    )
  }
  return undefined
}
