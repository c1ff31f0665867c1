import { storeId } from '../../audit/health.ts'
import type { Db, Queries } from '../../store/pool.ts'
import type { EventRow, RequestRow, StepRow, VoteRow } from '../../request/request.ts'
import { eventsOf, requestById, stepsOf, votesOf } from '../../request/store.ts'

export type AuditRow = {
  readonly id: number
  readonly at: Date
  readonly actor: string
  readonly human: string | null
  /** By which way it came in: `slash`, `button`, `cli`, … */
  readonly entry: string
  readonly act: string
  readonly target: string | null
  readonly result: string
  readonly digest: string | null
  readonly data: unknown
  /** Its place in the store's hash chain, and what its hash is made of; null until it has a place. */
  readonly seq: number | null
  readonly prev: string | null
  readonly hash: string | null
  readonly line: string
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
  return tx.query<AuditRow>(
    `select a.id, a.at, a.actor, a.human, a.entry, a.act, a.target, a.result, a.digest, a.data, a.seq, a.prev, a.hash, lockkeeper.audit_line(a) as line
     from lockkeeper.audit a where a.request_id = $1 order by a.id`,
    [id],
  )
}
