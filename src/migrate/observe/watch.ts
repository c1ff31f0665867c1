import { join } from 'node:path'
import { z } from 'zod'
import type { Queryable } from '../../database/connect.ts'
import { statusOf, type DatabaseState, type Status } from '../../plan/status.ts'
import type { MigrationFile } from '../../plan/files.ts'
import type { RunContext } from '../../request/step.ts'
import { roughly, seconds } from '../../lib/text/sentences.ts'
import type { Attempt } from '../attempts/attempt.ts'
import { readJson, writeWholeSync } from '../../lib/durable-file.ts'
import { sentenceOf, takeSnapshot, type ActivitySnapshot } from './activity-snapshot.ts'
import { keepSample } from './transactions.ts'
import { rememberBlocker, watchUntilEnd, type WatchEnd, type Watching } from './until-end.ts'

/** One task on the card. `seconds` is null until it has ended. */
export type MigrationTask = {
  readonly name: string
  readonly state: 'pending' | 'running' | 'done' | 'failed'
  readonly seconds: number | null
  /** `0.3 s, of which 0.2 s waiting for a lock` */
  readonly output: string | null
}

export type Watched = Omit<Watching<never>, 'look' | 'tell' | 'context'> & {
  readonly context: Pick<RunContext, 'plan' | 'spool' | 'redactor' | 'report' | 'progress' | 'note' | 'isCancelled'>
  readonly files: readonly MigrationFile[]
  /** Whether the record shows which migration is running. */
  readonly recordsStart: boolean
  readonly readState: (client: Queryable) => Promise<DatabaseState>
  readonly base: string
  /** `Try 2 of 5. `, for the first migration of the attempt, or empty. */
  readonly tryText: string
}

/** Watches a migrator whose record names migrations (`null`: one that another host started). */
export const watchAttempt = (watched: Watched, attempt: Attempt | null): Promise<WatchEnd> =>
  watchUntilEnd(
    {
      ...watched,
      look: (client, sample) => takeSnapshot(client, watched.readState, sample),
      tell: (snapshot) => reportProgress(watched, attempt, snapshot),
    },
    attempt,
  )

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
  context.progress({ migrations: tasks, guard: watched.guard.figures() })
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
  rememberBlocker(attempt, waiting)
  const waits = waitsIn(watched.base)
  if (running !== null && waiting.ms > (waits.get(running) ?? 0))
    writeWholeSync(join(watched.base, 'waits.json'), JSON.stringify({ ...Object.fromEntries(waits), [running]: waiting.ms }))
}
