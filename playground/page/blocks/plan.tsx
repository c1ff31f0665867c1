import type { ReactNode } from 'react'
import { type Json, objectAt, objectsAt, textAt, words } from '../json.ts'
import { Link, PlainText } from '../text/text.tsx'
import { RichText } from './rich-text.tsx'

const STATUS: Readonly<Record<string, string>> = { pending: 'Pending', in_progress: 'In progress', complete: 'Complete', error: 'Failed' }

export function PlanBlock({ of }: { readonly of: Json }): ReactNode {
  const tasks = objectsAt(of, 'tasks')
  const title = textAt(of, 'title') ?? words(of['title'])
  return (
    <section className="block plan" aria-label={title} data-testid="plan">
      <h4>
        <PlainText source={title} />
      </h4>
      <ul>
        {tasks.map((task, index) => (
          <li key={textAt(task, 'task_id') ?? index}>
            <TaskCard of={task} />
          </li>
        ))}
      </ul>
    </section>
  )
}

export function TaskCard({ of }: { readonly of: Json }): ReactNode {
  const status = textAt(of, 'status') ?? 'pending'
  const [details, output] = [objectAt(of, 'details'), objectAt(of, 'output')]
  const sources = objectsAt(of, 'sources')
  return (
    <div className={`task task-${status}`} data-testid="task" data-status={status}>
      <StatusIcon status={status} />
      <div className="task-body">
        <span className="sr-only">{STATUS[status] ?? status}: </span>
        <span className="task-title">
          <PlainText source={textAt(of, 'title') ?? words(of['title'])} />
        </span>
        {details !== null && (
          <div className="task-details">
            <RichText of={details} />
          </div>
        )}
        {output !== null && (
          <div className="task-output">
            <RichText of={output} />
          </div>
        )}
        {sources.length > 0 && (
          <div className="task-sources">
            {sources.map((source, index) => (
              <Link key={index} url={textAt(source, 'url') ?? ''}>
                {textAt(source, 'text') ?? ''}
              </Link>
            ))}
          </div>
        )}
      </div>
    </div>
  )
}

function StatusIcon({ status }: { readonly status: string }): ReactNode {
  return (
    <svg className={`status status-${status}`} viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
      {status === 'complete' && (
        <>
          <circle cx="10" cy="10" r="8" />
          <path d="m6.5 10.3 2.4 2.4 4.7-5" />
        </>
      )}
      {status === 'error' && (
        <>
          <circle cx="10" cy="10" r="8" />
          <path d="m7.2 7.2 5.6 5.6m0-5.6-5.6 5.6" />
        </>
      )}
      {status === 'in_progress' && (
        <>
          <circle cx="10" cy="10" r="7.2" className="track" />
          <path className="turning" d="M10 2.8a7.2 7.2 0 0 1 7.2 7.2" />
        </>
      )}
      {!['complete', 'error', 'in_progress'].includes(status) && <circle cx="10" cy="10" r="7.2" />}
    </svg>
  )
}
