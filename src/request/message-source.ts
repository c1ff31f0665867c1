import type { Commands } from '../config/commands.ts'
import type { Db } from '../store/pool.ts'
import type { Log } from '../lib/log.ts'
import type { Desired } from '../slack/outbox/desired.ts'
import type { MessageSource } from '../slack/outbox/message-source.ts'
import type { RequestRow, RequestView } from './request.ts'
import { requestById, viewOf } from './store.ts'

export type RequestPorts = {
  readonly db: Db
  readonly log: Log
  /** Pure; the order of the list is the order in which messages are sent. */
  readonly draw: (view: RequestView) => readonly Desired[] | Promise<readonly Desired[]>
  readonly targetTitleOf: (target: string) => string
  /** The last redacted output of the run; empty when there is none. */
  readonly commands: Commands
  readonly tailOf: (request: RequestRow) => Promise<string>
  /** The whole redacted log; null when there is none. */
  readonly logFileOf: (request: RequestRow) => Promise<string | null>
  /** The SQL of the pending migrations; null when it cannot be read. */
  readonly sqlFileOf: (request: RequestRow) => Promise<string | null>
}

/** What an ended request has still to say is tried for so long. */
const FORGOTTEN_MS = 86_400_000

/** Requests as the outbox draws them. */
export const requestSource = (ports: RequestPorts): MessageSource => ({
  table: 'request',
  isProgress: `state = 'running'`,
  order: `state = 'running', draw_after, id`,
  isCurrent: `state in ('planning','waiting','granted','running','needs_human')`,
  async open(id) {
    const request = await requestById(ports.db, id)
    if (request === undefined) return undefined
    return {
      revision: request.revision,
      fields: { request: request.id, target: request.target },
      async draw() {
        const view = await viewOf(ports.db, request, {
          targetTitle: ports.targetTitleOf(request.target),
          commands: ports.commands,
          tail: await tailOf(ports, request),
        })
        return {
          desired: await ports.draw(view),
          refreshInMs: refreshInMs(view),
          isForgotten: isForgotten(view),
          fileOf: (source) => (source === 'log' ? ports.logFileOf(view.request) : ports.sqlFileOf(view.request)),
        }
      },
    }
  },
})

/** Output that cannot be read must not keep a card back. */
const tailOf = (ports: RequestPorts, request: RequestRow): Promise<string> =>
  ports.tailOf(request).catch((error: Error) => {
    ports.log.warn({ error: error.message }, 'The output of a run could not be read')
    return ''
  })

const isForgotten = ({ request, now }: RequestView): boolean =>
  request.endedAt !== null && now.getTime() - request.endedAt.getTime() > FORGOTTEN_MS

/** A running card shows time and progress: every 3 s in the first minute, every 10 s to ten minutes, then every 30 s, after an hour every minute. */
export function refreshInMs(view: Pick<RequestView, 'request' | 'now'>): number | null {
  const { state, startedAt } = view.request
  if (state !== 'running') return null
  const elapsed = view.now.getTime() - (startedAt ?? view.now).getTime()
  if (elapsed < 60_000) return 3_000
  if (elapsed < 600_000) return 10_000
  return elapsed < 3_600_000 ? 30_000 : 60_000
}
