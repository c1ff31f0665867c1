import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Queryable } from '../../database/connect.ts'
import { statusOf, type DatabaseState, type Status } from '../../plan/status.ts'
import type { MigrationFile } from '../../plan/files.ts'
import type { RunContext } from '../../request/step.ts'
import { roughly, seconds } from '../../lib/text/sentences.ts'
import { endOfWrapper, outputOf, stateOf, type Attempt } from '../attempts/attempt.ts'
import { readJson, writeWholeSync } from '../../lib/durable-file.ts'
import type { Observer } from './observer.ts'
import { detailOf, nameOf, sentenceOf, takeSnapshot, strayDatabase, type ActivitySnapshot } from './activity-snapshot.ts'
import { keepSample } from './transactions.ts'

export type WatchEnd =
  /** Its processes and its sessions are gone. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'too_long'; readonly ms: number }
  | { readonly kind: 'stray'; readonly database: string }
  /** The processes are gone; the database does not answer. */
  | { readonly kind: 'unreachable' }

/** One task on the card. `seconds` is null until it has ended. */
export type MigrationTask = {
  readonly name: string
  readonly state: 'pending' | 'running' | 'done' | 'failed'
  readonly seconds: number | null
  /** `0.3 s, of which 0.2 s waiting for a lock` */
  readonly output: string | null
}

export type Watched = {
  readonly context: Pick<RunContext, 'plan' | 'spool' | 'redactor' | 'report' | 'progress' | 'note' | 'isCancelled'>
  readonly observer: Observer
  readonly files: readonly MigrationFile[]
  /** Whether the record shows which migration is running. */
  readonly recordsStart: boolean
  readonly readState: (client: Queryable) => Promise<DatabaseState>
  readonly applicationName: string
  readonly base: string
  readonly readable: (output: string) => string
  readonly pollMs: number
  /** For a file that runs without timeouts; null for the others, which the server bounds. */
  readonly maximumMs: number | null
  readonly silenceMs: number
  /** `Try 2 of 5. `, for the first migration of the attempt, or empty. */
  readonly tryText: string
}

/** Watches a migrator (`null`: one that another host started) from a second connection until it has ended, or until there is a reason to stop it. */
export async function watchAttempt(watched: Watched, attempt: Attempt | null): Promise<WatchEnd> {
  const { context, observer } = watched
  let unseenSince: number | null = null
  for (;;) {
    const living = attempt !== null && (await stateOf(attempt)).kind === 'living'
    const snapshot = await observer.glance((client) => takeSnapshot(client, watched.readState, watched.applicationName))
    if (attempt !== null) passOutput(watched, attempt)
    if (snapshot === null) {
      unseenSince ??= performance.now()
      context.report('The database does not answer this watch. The migrator goes on by itself.')
      if (!living && performance.now() - unseenSince > watched.silenceMs) return { kind: 'unreachable' }
    } else {
      unseenSince = null
      await reportProgress(watched, attempt, snapshot)
      if (!living && snapshot.sessions.length === 0) return { kind: 'ended' }
      const stray = await observer.glance((client) => strayDatabase(client, watched.applicationName))
      if (stray !== null) return { kind: 'stray', database: stray }
    }
    if (context.isCancelled()) return { kind: 'cancel' }
    const ms = attempt === null ? 0 : Date.now() - attempt.intent.startedAt
    if (watched.maximumMs !== null && ms > watched.maximumMs) return { kind: 'too_long', ms }
    await (living ? whileLiving(attempt, watched.pollMs) : sleep(Math.min(watched.pollMs, AFTER_EXIT_MS)))
  }
}

/** Its last session ends a moment after it. */
const AFTER_EXIT_MS = 100
const LIVING_LOOK_MS = 50

/** Waits for the next look at the database, which comes at once when the migrator ends: that is heard, or looked for without a statement. */
async function whileLiving(attempt: Attempt, ms: number): Promise<void> {
  const ended = endOfWrapper(attempt)
  if (ended !== undefined) return sleep(ms, undefined, { signal: ended }).catch(() => {}) // the only fault is that it has ended
  for (const end = performance.now() + ms; performance.now() < end;) {
    await sleep(Math.min(LIVING_LOOK_MS, ms))
    if ((await stateOf(attempt)).kind !== 'living') return
  }
}

/** Rows to the tasks of the card, with the longest waits for a lock that were seen (kept in `base`). */
export function tasksOf(status: Status, list: readonly { readonly name: string }[], base: string): readonly MigrationTask[] {
  const waits = waitsIn(base)
  return list.map(({ name }) => {
    const found = status.migrations.find((migration) => migration.name === name)
    if (found === undefined || found.state === 'pending') return { name, state: 'pending', seconds: null, output: null }
    if (found.state !== 'applied') return { name, state: found.state === 'running' ? 'running' : 'failed', seconds: null, output: null }
    // a record without times says none
    const ms =
      found.row?.finishedAt == null || found.row.finishedAt.getTime() === 0
        ? null
        : found.row.finishedAt.getTime() - found.row.startedAt.getTime()
    const waited = waits.get(name)
    const output =
      ms === null
        ? null
        : waited === undefined || waited < 50 || waited > ms
          ? seconds(ms)
          : `${seconds(ms)}, of which ${seconds(waited)} waiting for a lock`
    return { name, state: 'done', seconds: ms === null ? null : ms / 1000, output }
  })
}

const blockerShape = z.object({ name: z.string(), detail: z.string(), relation: z.string().nullable() })

/** Who was last seen in the way of this attempt, for its diagnosis; kept in a file, since the watcher may change. */
export function blockerOf(attempt: Attempt): z.output<typeof blockerShape> | undefined {
  const found = readJson(join(attempt.directory, 'blocker.json'))
  return found === null ? undefined : blockerShape.parse(found)
}

/** Posts each migration once that is applied now, also what ended before this process watched. */
export async function noteApplied(watched: Pick<Watched, 'context' | 'base'>, tasks: readonly MigrationTask[]): Promise<void> {
  const path = join(watched.base, 'noted.json')
  const noted = new Set(z.array(z.string()).parse(readJson(path) ?? []))
  for (const [at, task] of tasks.entries()) {
    if (task.state !== 'done' || noted.has(task.name)) continue
    await watched.context.note({
      kind: 'migration_done',
      data: { name: task.name, output: task.output ?? 'applied', at: at + 1, of: tasks.length },
    })
    noted.add(task.name)
    writeWholeSync(path, JSON.stringify([...noted]))
  }
}

async function reportProgress(watched: Watched, attempt: Attempt | null, snapshot: ActivitySnapshot): Promise<void> {
  const { context } = watched
  const status = statusOf(snapshot.state, watched.files)
  const running = runningIn(watched, attempt, status, snapshot)
  rememberWait(watched, attempt, snapshot, running)
  if (watched.recordsStart && attempt !== null && running !== null && snapshot.sample !== null)
    keepSample(attempt, running, snapshot.sample)
  const known = tasksOf(status, context.plan.list, watched.base)
  const tasks = known.map((task) => (task.name === running && task.state === 'pending' ? { ...task, state: 'running' as const } : task))
  context.progress({ migrations: tasks })
  await noteApplied(watched, tasks)
  const said = sentenceOf(snapshot)
  const again = running === null || running === attempt?.intent.migrations[0] ? watched.tryText : ''
  if (said !== null) return context.report(`${again}${said}`)
  if (running === null) return
  const startedAt = status.running[0]?.row?.startedAt.getTime()
  const ms = startedAt === undefined ? (snapshot.sessions[0]?.transactionMs ?? 0) : Date.now() - startedAt
  const at = context.plan.list.findIndex(({ name }) => name === running) + 1
  context.report(`${again}Applying ${running}, ${at} of ${tasks.length}, for ${roughly(Math.max(0, ms))}. Nobody is waiting behind it.`)
}

/** Where the record does not show it until it is applied: the first that is not, while a session is at work. */
function runningIn({ recordsStart }: Watched, attempt: Attempt | null, status: Status, { sessions }: ActivitySnapshot): string | null {
  const recorded = status.running[0]?.name ?? null
  if (recorded !== null || recordsStart || attempt === null || sessions.length === 0) return recorded
  const pending = new Set(status.pending.map(({ name }) => name))
  return attempt.intent.migrations.find((name) => pending.has(name)) ?? null
}

const waitsShape = z.record(z.string(), z.number())
const waitsIn = (base: string): ReadonlyMap<string, number> =>
  new Map(Object.entries(waitsShape.parse(readJson(join(base, 'waits.json')) ?? {})))

function rememberWait(watched: Watched, attempt: Attempt | null, { waiting }: ActivitySnapshot, running: string | null): void {
  if (waiting === null) return
  if (waiting.blocker !== null && attempt !== null) {
    const blocker = { name: nameOf(waiting.blocker), detail: detailOf(waiting.blocker), relation: waiting.relation }
    writeWholeSync(join(attempt.directory, 'blocker.json'), JSON.stringify(blocker))
  }
  const waits = waitsIn(watched.base)
  if (running !== null && waiting.ms > (waits.get(running) ?? 0))
    writeWholeSync(join(watched.base, 'waits.json'), JSON.stringify({ ...Object.fromEntries(waits), [running]: waiting.ms }))
}

/** Whole lines of the migrator's output, redacted, into the run's log. How far it has come is kept in a file. */
function passOutput(watched: Pick<Watched, 'context' | 'readable'>, attempt: Attempt): void {
  const path = join(attempt.directory, 'passed.json')
  const passed = z.number().parse(readJson(path) ?? 0)
  const output = outputOf(attempt)
  const end = output.lastIndexOf('\n') + 1
  if (end <= passed) return
  const text = watched.readable(watched.context.redactor.text(output.slice(passed, end)))
  if (text !== '') appendFileSync(watched.context.spool, `${text}\n`, { mode: 0o600 })
  writeWholeSync(path, JSON.stringify(end))
}
