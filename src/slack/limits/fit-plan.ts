import { lastPart } from '../../lib/text/text.ts'
import { limits, type Rich, type TaskBlock, type AnyBlock, cut } from './shapes.ts'

/** Tasks that run or failed stay; of the others the middle is folded into one line that counts them. */
export function fitPlan(block: AnyBlock, limit: number): AnyBlock {
  const tasks = (block.tasks ?? []).map((task) => ({
    ...task,
    title: cut(task.title, limits.taskTitle),
    ...(task.details === undefined ? {} : { details: cutRich(task.details, limits.task) }),
    ...(task.output === undefined ? {} : { output: cutRich(task.output, limits.task) }),
  }))
  return { ...block, title: cut(typeof block.title === 'string' ? block.title : '', limits.planTitle), tasks: foldTasks(tasks, limit) }
}

function foldTasks(tasks: readonly TaskBlock[], limit: number): readonly TaskBlock[] {
  if (tasks.length <= limit) return tasks
  const keep = new Set<number>()
  const take = (index: number) => {
    const task = tasks[index]
    if (task !== undefined && task['task_id'] !== MORE && keep.size < limit - 1) keep.add(index)
  }
  const active = tasks.flatMap((task, index) => (task.status === 'in_progress' || task.status === 'error' ? [index] : []))
  active.forEach(take)
  take(0)
  take(tasks.length - 1)
  const middle = active[0] ?? 0
  for (let distance = 1; keep.size < limit - 1 && distance < tasks.length; distance++) {
    take(middle - distance)
    take(middle + distance)
  }
  const folded = tasks.filter((_, index) => !keep.has(index)).map(countOf)
  const done = folded.reduce((sum, count) => sum + count.done, 0)
  const open = folded.reduce((sum, count) => sum + count.open, 0)
  const parts = [...(done > 0 ? [`${grouped(done)} done`] : []), ...(open > 0 ? [`${grouped(open)} not done`] : [])]
  const line: TaskBlock = {
    type: 'task_card',
    task_id: MORE,
    status: open > 0 ? 'pending' : 'complete',
    title: `and ${grouped(done + open)} more: ${parts.join(', ')}`,
  }
  const first = tasks.findIndex((_, index) => !keep.has(index))
  return tasks.flatMap((task, index) => (index === first ? [line] : keep.has(index) ? [task] : []))
}

const MORE = 'more'

const grouped = (count: number): string => count.toLocaleString('en-US')

/** A line that stands for folded tasks counts for all of them. */
function countOf(task: TaskBlock): { readonly done: number; readonly open: number } {
  if (task['task_id'] !== MORE) return task.status === 'complete' ? { done: 1, open: 0 } : { done: 0, open: 1 }
  const read = (pattern: RegExp) => Number((pattern.exec(task.title)?.[1] ?? '0').replaceAll(',', ''))
  return { done: read(/([\d,]+) done/), open: read(/([\d,]+) not done/) }
}

/** Output is worth reading from its end. */
export function cutRich<R extends { readonly elements?: unknown }>(block: R, limit: number): R {
  const elements = block.elements as Rich['elements'] | undefined
  if (elements === undefined) return block
  return {
    ...block,
    elements: elements.map((part) => ({
      ...part,
      elements: part.elements.map((element) => {
        if (element.text === undefined) return element
        const text = part.type === 'rich_text_preformatted' ? lastPart(element.text, limit) : cut(element.text, limit)
        return { ...element, text: text === '' ? ' ' : text }
      }),
    })),
  }
}

// -- the whole message
