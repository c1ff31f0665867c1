import type { Task, TaskStatus } from '../../slack/blocks/blocks.ts'
import { durationText, oneLine, pluralText } from '../../lib/text/text.ts'
import { MAINTENANCE_OFF } from '../maintenance-mode.ts'
import type { RequestView, StepRow, StepState } from '../request.ts'
import { detailsOf } from './figures.ts'
import { progressOf, type MigrationProgress } from './words.ts'

/** One task for each step, and in the place of the migrate step one for each migration. Pure text: tasks have no markup. */
export function tasksOf(view: RequestView): readonly Task[] {
  const { state, ending } = view.request
  return view.steps.flatMap((step) => {
    // of a run that is ending only one step is still to come
    const isOver = state !== 'running' || (ending !== null && step.name !== MAINTENANCE_OFF)
    const migrations = step.name === 'migrate' ? progressOf(step, view.request) : []
    return migrations.length === 0 ? [taskOf(step, isOver)] : migrationTasks(step, migrations, isOver)
  })
}

const statuses: Readonly<Record<StepState, TaskStatus>> = {
  pending: 'pending',
  running: 'in_progress',
  done: 'complete',
  skipped: 'complete',
  failed: 'error',
  cancelled: 'error',
  unknown: 'error',
}

const words: Readonly<Record<StepState, string | null>> = {
  pending: null,
  running: null,
  done: null,
  skipped: 'not needed',
  failed: 'failed',
  cancelled: 'cancelled',
  unknown: 'not known how it ended',
}

function taskOf(step: StepRow, isOver: boolean): Task {
  return {
    id: `step-${step.ordinal}`,
    status: statuses[step.state],
    title: oneLine(step.title),
    ...(step.state === 'running' && !isOver && step.details !== null ? { details: oneLine(step.details) } : {}),
    ...outputOf(step, isOver),
  }
}

function outputOf(step: StepRow, isOver: boolean): { readonly output?: string } {
  if (step.state === 'pending') return isOver ? { output: 'not started' } : {}
  const text = step.state === 'running' ? (isOver ? 'interrupted' : '') : oneLine(step.output ?? '') || (words[step.state] ?? '')
  return text === '' ? {} : { output: text }
}

/** More than this and the finished ones are told in one line. */
const MANY = 12
const NEIGHBOURS = 2

function migrationTasks(step: StepRow, migrations: readonly MigrationProgress[], isOver: boolean): readonly Task[] {
  const shown = step.state === 'running' && !isOver ? underWay(migrations) : migrations
  const tasks = shown.map((migration, index) => migrationTask(step, migration, index, isOver))
  // what runs or failed when no file is open (the check before them, the one afterwards) belongs to the step
  const needsStep =
    (step.state === 'running' && !isOver && step.details !== null && shown.every((migration) => migration.state === 'done')) ||
    (['failed', 'cancelled', 'unknown'].includes(step.state) &&
      !migrations.some((migration) => migration.state === 'failed' || migration.state === 'running'))
  const own = needsStep ? [taskOf(step, isOver)] : []
  const open = shown.findIndex((migration) => migration.state !== 'done')
  const at = open < 0 ? tasks.length : open
  return [...foldDone(tasks.slice(0, at), shown.slice(0, at)), ...own, ...foldPending(tasks.slice(at), tasks.length)]
}

/** While the step runs, its next file is what it is at: preparing it, running it, or waiting to try it again after a lock timeout. */
function underWay(migrations: readonly MigrationProgress[]): readonly MigrationProgress[] {
  const open = migrations.findIndex((migration) => migration.state !== 'done')
  return migrations.map((migration, index) => (index === open ? { ...migration, state: 'running' } : migration))
}

function migrationTask(step: StepRow, migration: MigrationProgress, index: number, isOver: boolean): Task {
  const base = { id: `migration-${index + 1}`, title: oneLine(migration.name) }
  const took = migration.seconds === undefined ? null : durationText(migration.seconds * 1000)
  if (migration.state === 'done') return { ...base, status: 'complete', output: took }
  if (migration.state === 'failed') return { ...base, status: 'error', output: oneLine(step.output ?? '') || 'failed' }
  if (migration.state === 'pending') return { ...base, status: 'pending', output: isOver ? 'not started' : null }
  if (!isOver) return { ...base, status: 'in_progress', details: detailsOf(step) }
  return { ...base, status: 'error', output: oneLine(step.output ?? '') || (words[step.state] ?? 'interrupted') }
}

function foldDone(tasks: readonly Task[], migrations: readonly MigrationProgress[]): readonly Task[] {
  if (tasks.length <= MANY) return tasks
  const folded = tasks.length - NEIGHBOURS
  const seconds = migrations.slice(0, folded).reduce((sum, migration) => sum + (migration.seconds ?? 0), 0)
  return [
    {
      id: 'migrations-before',
      status: 'complete',
      title: `${pluralText(folded, 'migration')} before`,
      output: seconds > 0 ? durationText(seconds * 1000) : null,
    },
    ...tasks.slice(folded),
  ]
}

function foldPending(tasks: readonly Task[], all: number): readonly Task[] {
  if (all <= MANY || tasks.length <= 1 + NEIGHBOURS + 1) return tasks
  const shown = tasks.slice(0, 1 + NEIGHBOURS)
  return [...shown, { id: 'migrations-after', status: 'pending', title: `${pluralText(tasks.length - shown.length, 'migration')} after` }]
}
