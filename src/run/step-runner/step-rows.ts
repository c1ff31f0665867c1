import { redactedDeep } from '../../redact/redact.ts'
import type { StepState } from '../../request/request.ts'
import type { Queries } from '../../store/pool.ts'
import type { RunPorts } from './ports.ts'

/** The one place where the row of a step is written: whatever a step says, reports or leaves as data passes the redactor on its way. */
export type StepKey = { readonly id: number; readonly name: string }

export type Report = { readonly details?: string; readonly data?: unknown }

type Ports = Pick<RunPorts, 'db' | 'redactor'>

/** `attempt` is given, not counted, so that it may be written again when the answer was lost. */
export async function writeBegin({ db }: Ports, { id, name }: StepKey, attempt: number): Promise<void> {
  await db.query(
    `with begun as (
       update lockkeeper.step set state = 'running', attempt = greatest(attempt, $3), details = null,
         started_at = coalesce(started_at, lockkeeper.now()), ended_at = null
       where request_id = $1 and name = $2)
     update lockkeeper.request set revision = revision + 1, draw_after = clock_timestamp() where id = $1`,
    [id, name, attempt],
  )
}

export async function writeReport({ db, redactor }: Ports, { id, name }: StepKey, { details, data }: Report): Promise<void> {
  await db.query(
    `with told as (update lockkeeper.step set details = coalesce($3, details), data = coalesce($4::jsonb, data)
       where request_id = $1 and name = $2 and state = 'running' returning 1)
     update lockkeeper.request set revision = revision + 1 where id = $1 and exists (select 1 from told)`,
    [id, name, details === undefined ? null : redactor.text(details).slice(0, 500), jsonOf(redactor, data)],
  )
}

/** False when it has an end already. */
export async function writeEnd(
  tx: Queries,
  redactor: Ports['redactor'],
  { id, name }: StepKey,
  end: { readonly state: StepState; readonly output: string; readonly data?: unknown },
): Promise<boolean> {
  const written = await tx.query(
    `update lockkeeper.step set state = $3, output = $4, details = null, data = coalesce($5::jsonb, data), ended_at = lockkeeper.now(),
       started_at = coalesce(started_at, lockkeeper.now())
     where request_id = $1 and name = $2 and ended_at is null returning 1`,
    [id, name, end.state, redactor.text(end.output), jsonOf(redactor, end.data)],
  )
  return written.length > 0
}

/** Of a step that met a fault outside of itself, whether it had begun or not. */
export async function writeUnclear(tx: Queries, { id, name }: StepKey): Promise<void> {
  await tx.query(
    `update lockkeeper.step set state = 'unknown', output = 'unclear', details = null, ended_at = lockkeeper.now()
     where request_id = $1 and name = $2 and state in ('pending', 'running')`,
    [id, name],
  )
}

const jsonOf = (redactor: Ports['redactor'], data: unknown): string | null =>
  data === undefined ? null : JSON.stringify(asRedactedJson(redactor, data))

/** As it comes back from a row: JSON, in whose every text nothing secret is left. */
export const asRedactedJson = <T>(redactor: Ports['redactor'], value: T): T =>
  redactedDeep(redactor, JSON.parse(JSON.stringify(value)) as T) // of the same shape: only texts change
