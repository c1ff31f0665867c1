import type { Db, Queries } from '../db/pool.ts'
import type { EventRow, RequestRow, StepRow, VoteRow } from '../run/record.ts'
import { eventsOf, requestById, stepsOf, votesOf } from '../run/rows.ts'

export type AuditRow = {
  readonly id: number
  readonly at: Date
  readonly actor: string
  readonly act: string
  readonly target: string | null
  readonly result: string
  readonly data: unknown
  /** The whole row as JSON: a store that keeps a hash chain has `seq`, `prev` and `hash` in it. */
  readonly whole: Readonly<Record<string, unknown>>
  /** What the row's hash is made of, where the store can say it. */
  readonly line: string | null
}

export type BackupRow = {
  readonly name: string
  readonly path: string
  readonly state: string
  readonly bytes: number | null
  readonly rawBytes: number | null
  readonly seconds: number | null
  readonly manifest: unknown
  readonly createdAt: Date
  readonly verifiedAt: Date | null
}

/** Everything that the store knows of one request, at one moment. */
export type EvidenceRows = {
  readonly store: string
  readonly at: Date
  readonly request: RequestRow
  readonly votes: readonly VoteRow[]
  readonly steps: readonly StepRow[]
  readonly events: readonly EventRow[]
  readonly audit: readonly AuditRow[]
  readonly backups: readonly BackupRow[]
}

/** Of one snapshot: a run that goes on meanwhile cannot make its own evidence contradict itself. Undefined: there is no such request. */
export async function readRows(db: Db, id: number): Promise<EvidenceRows | undefined> {
  return db.transaction(async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only')
    const request = await requestById(tx, id)
    if (request === undefined) return undefined
    const [now] = await tx.query<{ at: Date }>('select clock_timestamp() as at')
    return {
      store: await storeId(tx),
      at: now?.at ?? request.createdAt,
      request,
      votes: await votesOf(tx, id),
      steps: await stepsOf(tx, id),
      events: await eventsOf(tx, id),
      audit: await auditOf(tx, id),
      backups: await tx.query<BackupRow>(
        `select name, path, state, bytes, raw_bytes as "rawBytes", seconds, manifest, created_at as "createdAt", verified_at as "verifiedAt"
         from lockkeeper.backup where request_id = $1 order by created_at, name`,
        [id],
      ),
    }
  })
}

async function auditOf(tx: Queries, id: number): Promise<readonly AuditRow[]> {
  const [chain] = await tx.query<{ there: boolean }>(
    `select to_regprocedure('lockkeeper.audit_line(lockkeeper.audit)') is not null as there`,
  )
  const line = chain?.there === true ? 'lockkeeper.audit_line(a)' : 'null::text'
  return tx.query<AuditRow>(
    `select a.id, a.at, a.actor, a.act, a.target, a.result, a.data, to_jsonb(a) as whole, ${line} as line
     from lockkeeper.audit a where a.request_id = $1 order by a.id`,
    [id],
  )
}

export async function storeId(db: Queries): Promise<string> {
  const [row] = await db.query<{ id: string }>('select id::text from lockkeeper.store_identity')
  if (row === undefined) throw new Error('the store does not know which one it is')
  return row.id
}
