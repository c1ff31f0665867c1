import { every } from '../../lib/repeat.ts'
import type { RequestRow } from '../../request/request.ts'
import type { RunPorts } from './ports.ts'

/** Between two looks whether somebody asked to cancel a running step. A look that takes longer puts the next one off. */
const CANCEL_LOOK_MS = 500

export type CancelWatch = {
  /** Aborts when somebody asks to cancel. */
  readonly signal: AbortSignal
  readonly isCancelled: () => boolean
  /** Who asked, as far as that was seen. */
  readonly by: () => string | null
  readonly stop: () => Promise<void>
}

export function watchForCancel(ports: Pick<RunPorts, 'db' | 'log'>, request: RequestRow): CancelWatch {
  const { id } = request
  const controller = new AbortController()
  let by = request.cancelRequestedBy
  if (request.cancelRequestedAt !== null) controller.abort(new Error('cancelled'))
  const look = async () => {
    if (controller.signal.aborted) return
    const [row] = await ports.db.query<{ asked: boolean; by: string | null }>(
      'select cancel_requested_at is not null as asked, cancel_requested_by as by from lockkeeper.request where id = $1',
      [id],
    )
    if (row?.asked !== true) return
    by = row.by
    controller.abort(new Error('cancelled'))
  }
  const looking = every(CANCEL_LOOK_MS, look, (error) => ports.log.debug({ error: error.message }, 'could not look for a cancel request'))
  return { signal: controller.signal, isCancelled: () => controller.signal.aborted, by: () => by, stop: looking.stop }
}
