import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Queryable } from '../../database/connect.ts'
import { readJson, writeWholeSync } from '../../lib/durable-file.ts'
import type { RunContext } from '../../request/step.ts'
import { endOfWrapper, outputOf, stateOf, type Attempt } from '../attempts/attempt.ts'
import type { Guard } from '../../guard/guard.ts'
import type { Observer } from '../../guard/observer.ts'
import type { Sample } from '../../guard/sample.ts'
import { detailOf, nameOf } from '../../guard/words.ts'
import { strayDatabase, type Activity } from './activity-snapshot.ts'

export type WatchEnd =
  /** Its processes and its sessions are gone. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'too_long'; readonly ms: number }
  | { readonly kind: 'stray'; readonly database: string }
  /** The processes are gone; the database does not answer. */
  | { readonly kind: 'unreachable' }

export type Watching<Seen> = {
  readonly context: Pick<RunContext, 'spool' | 'redactor' | 'report' | 'isCancelled'>
  readonly observer: Observer
  readonly applicationName: string
  /** Looks more often than people are told. */
  readonly guard: Guard
  /** What is seen beside its sample, and what people are told of it. */
  readonly look: (client: Queryable, sample: Sample) => Promise<Seen>
  readonly tell: (seen: Seen) => Promise<void>
  readonly readable: (output: string) => string
  readonly pollMs: number
  /** For a file that runs without timeouts; null for the others, which the server bounds. */
  readonly maximumMs: number | null
  readonly silenceMs: number
}

/** Watches a migrator (`null`: one that another host started) from a second connection until it has ended, or until there is a reason to stop it. */
export async function watchUntilEnd<Seen extends Pick<Activity, 'sessions'>>(
  watched: Watching<Seen>,
  attempt: Attempt | null,
): Promise<WatchEnd> {
  const { context, observer } = watched
  let unseenSince: number | null = null
  for (;;) {
    const living = attempt !== null && (await stateOf(attempt)).kind === 'living'
    const sample = await watched.guard.look()
    const seen = sample === null ? null : await observer.glance((client) => watched.look(client, sample))
    if (attempt !== null) passOutput(watched, attempt)
    if (seen === null) {
      unseenSince ??= performance.now()
      context.report('The database does not answer this watch. The migrator goes on by itself.')
      if (!living && performance.now() - unseenSince > watched.silenceMs) return { kind: 'unreachable' }
    } else {
      unseenSince = null
      await watched.tell(seen)
      if (!living && seen.sessions.length === 0) return { kind: 'ended' }
      const stray = await observer.glance((client) => strayDatabase(client, watched.applicationName))
      if (stray !== null) return { kind: 'stray', database: stray }
    }
    if (context.isCancelled()) return { kind: 'cancel' }
    const ms = attempt === null ? 0 : Date.now() - attempt.intent.startedAt
    if (watched.maximumMs !== null && ms > watched.maximumMs) return { kind: 'too_long', ms }
    await (living ? guarding(watched.guard, attempt, watched.pollMs) : sleep(Math.min(watched.pollMs, AFTER_EXIT_MS)))
  }
}

/** Its last session ends a moment after it. */
const AFTER_EXIT_MS = 100
const LIVING_LOOK_MS = 50

/** Lets the guard look until the record is looked at again. */
async function guarding(guard: Guard, attempt: Attempt, ms: number): Promise<void> {
  for (const end = performance.now() + ms; ;) {
    const rest = end - performance.now()
    if ((await whileLiving(attempt, Math.max(0, Math.min(rest, guard.pauseMs())))) === 'ended' || performance.now() >= end) return
    await guard.look()
  }
}

/** Waits for the next look at the database, which comes at once when the migrator ends: that is heard, or looked for without a statement. */
async function whileLiving(attempt: Attempt, ms: number): Promise<'living' | 'ended'> {
  const ended = endOfWrapper(attempt)
  if (ended !== undefined) return sleep(ms, 'living' as const, { signal: ended }).catch(() => 'ended' as const) // the only fault is that it has ended
  for (const end = performance.now() + ms; performance.now() < end;) {
    await sleep(Math.min(LIVING_LOOK_MS, ms))
    if ((await stateOf(attempt)).kind !== 'living') return 'ended'
  }
  return 'living'
}

const blockerShape = z.object({ name: z.string(), detail: z.string(), relation: z.string().nullable() })

/** Who was last seen in the way of these tries, for their diagnosis; kept in a file each, since the watcher may change. */
export function blockerOf(tries: readonly Attempt[]): z.output<typeof blockerShape> | undefined {
  // a short try may end before anybody has looked
  const found = tries.map(({ directory }) => readJson(join(directory, 'blocker.json'))).findLast((one) => one !== null)
  return found === undefined ? undefined : blockerShape.parse(found)
}

export function rememberBlocker(attempt: Attempt | null, { blocker, relation }: NonNullable<Activity['waiting']>): void {
  if (blocker === null || attempt === null) return
  const kept = { name: nameOf(blocker), detail: detailOf(blocker), relation }
  writeWholeSync(join(attempt.directory, 'blocker.json'), JSON.stringify(kept))
}

/** Whole lines of the migrator's output, redacted, into the run's log. How far it has come is kept in a file. */
function passOutput(watched: Pick<Watching<never>, 'context' | 'readable'>, attempt: Attempt): void {
  const path = join(attempt.directory, 'passed.json')
  const passed = z.number().parse(readJson(path) ?? 0)
  const output = outputOf(attempt)
  const end = output.lastIndexOf('\n') + 1
  if (end <= passed) return
  const text = watched.readable(watched.context.redactor.text(output.slice(passed, end)))
  if (text !== '') appendFileSync(watched.context.spool, `${text}\n`, { mode: 0o600 })
  writeWholeSync(path, JSON.stringify(end))
}
