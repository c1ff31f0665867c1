import { writeAudit } from '../../audit/write.ts'
import { refuse } from '../../lib/refusal.ts'
import { emit, type Fact } from '../../lib/telemetry.ts'
import { firstBold } from '../../request/render/words.ts'
import { about, addEvent, requestById, stepsOf, transition } from '../../request/store.ts'
import { retryStore } from '../../store/retry-store.ts'
import type { WorkflowPorts } from './ports.ts'

/** Uses the grant: once, and only while it has not expired by the store's clock. */
export async function begin(ports: WorkflowPorts, id: number): Promise<readonly string[]> {
  /** Of the newest try; it counts once that is known to be committed, also where only the answer to its commit was lost. */
  let begun: Extract<Fact, { kind: 'run started' }> | undefined
  const steps = await retryStore(ports.log, () =>
    ports.db.transaction(async (tx) => {
      const request = await requestById(tx, id)
      if (request?.plan == null) return []
      // begun by a process that died before this was checkpointed: what was written down then counts, not what is configured now
      if (request.state === 'running') return (await stepsOf(tx, id)).map((step) => step.name)
      const [unexpired] = await tx.query<{ ok: boolean }>(
        'select grant_expires_at > lockkeeper.now() as ok from lockkeeper.request where id = $1',
        [id],
      )
      if (unexpired?.ok !== true) {
        if (!(await transition(tx, id, ['granted'], 'expired'))) return []
        const isWindow = request.notAfter !== null
        await addEvent(tx, id, { kind: 'expired', data: { what: isWindow ? 'window' : 'grant' } })
        await writeAudit(tx, { ...about(request), act: 'expire', result: isWindow ? 'window_closed' : 'grant' })
        return []
      }
      const passage = await ports.gate(tx, request, { trusting: true })
      if (passage.kind === 'shut' || passage.kind === 'held') {
        const refusal = passage.kind === 'shut' ? passage.refusal : heldAgain
        if (!(await transition(tx, id, ['granted'], 'refused', { outcome: { headline: firstBold(refusal.text) } }))) return []
        await addEvent(tx, id, { kind: 'ended', data: { state: 'refused' } })
        await writeAudit(tx, { ...about(request), act: 'check', result: refusal.code })
        return []
      }
      const why = ports.reconfigured(request.plan, request)
      if (why !== null) {
        const headline = `${why} Nothing was started; ask again for what is configured now.`
        if (!(await transition(tx, id, ['granted'], 'refused', { outcome: { headline } }))) return []
        await addEvent(tx, id, { kind: 'ended', data: { state: 'refused' } })
        await writeAudit(tx, { ...about(request), act: 'check', result: 'reconfigured', data: { why } })
        return []
      }
      const steps = ports.stepsFor(request, request.plan)
      if (!(await transition(tx, id, ['granted'], 'running'))) return []
      if (passage.kind === 'open')
        await tx.query(
          `update lockkeeper.request set closes_at = to_timestamp($2::float8 / 1000), maintenance_id = coalesce(maintenance_id, $3) where id = $1`,
          [id, passage.closesAt, passage.windowId],
        )
      for (const [ordinal, step] of steps.entries())
        await tx.query('insert into lockkeeper.step (request_id, ordinal, name, title) values ($1, $2, $3, $4) on conflict do nothing', [
          id,
          ordinal,
          step.name,
          step.title,
        ])
      const [decided] = await tx.query<{ askedAt: Date; grantedAt: Date }>(ASKED_AND_GRANTED, [id])
      if (decided !== undefined) begun = { kind: 'run started', request: id, target: request.target, ...decided }
      await addEvent(tx, id, { kind: 'started', data: {} })
      await writeAudit(tx, { ...about(request), act: 'run', result: 'started' })
      return steps.map((step) => step.name)
    }),
  )
  if (begun !== undefined && steps.length > 0) emit(begun)
  return steps
}

const heldAgain = refuse('outside_window', 'What it had waited for came back in the moment of its start. Nothing was started. Ask again.')

/** Asked anew, people can decide about that plan from then on. */
const ASKED_AND_GRANTED = `
select coalesce((select max(at) from lockkeeper.event e where e.request_id = r.id and kind in ('requested', 'asked_anew')), created_at) as "askedAt",
  coalesce(granted_at, started_at) as "grantedAt"
from lockkeeper.request r where id = $1`
