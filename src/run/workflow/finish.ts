import { writeAudit } from '../../audit/write.ts'
import { offAgain } from '../../request/maintenance-mode.ts'
import { doneHeadline } from '../../request/render/words.ts'
import { about, addEvent, requestById, transition } from '../../request/store.ts'
import { retryStore } from '../../store/retry-store.ts'
import type { WorkflowPorts } from './ports.ts'

export async function finish(ports: WorkflowPorts, id: number): Promise<void> {
  await retryStore(ports.log, () =>
    ports.db.transaction(async (tx) => {
      const request = await requestById(tx, id)
      if (request?.plan == null || request.state !== 'running') return
      const maintenance = await offAgain(tx, id)
      const outcome = { headline: doneHeadline(request.plan, request.ask.skipApp), ...(maintenance === null ? {} : { maintenance }) }
      await transition(tx, id, ['running'], 'succeeded', { outcome })
      await addEvent(tx, id, { kind: 'ended', data: { state: 'succeeded' } })
      await writeAudit(tx, { ...about(request), act: 'run', result: 'succeeded' })
    }),
  )
}
