import type { Db } from '../store/pool.ts'
import { every } from '../lib/repeat.ts'
import type { Log } from '../lib/log.ts'
import type { Refusal } from '../lib/refusal.ts'
import type { Head } from './chain.ts'
import { auditHealth, brokenText, restoredText, storeId, whyNoRun, type AuditHealth } from './health.ts'
import type { CheckpointFile } from './checkpoint.ts'
import { writeAudit } from './write.ts'

export type AuditWatch = {
  /** As it was at the last look. */
  readonly health: () => AuditHealth
  /** Looks now: the checkpoint, and what is new since the last look. A fault of the store is thrown. */
  readonly look: () => Promise<AuditHealth>
  /** The sentence for whoever would start a run; looks now. */
  readonly whyNoRun: () => Promise<Refusal | null>
  /** The whole chain; at the start and once a day. */
  readonly verifyAll: (signal?: AbortSignal) => Promise<AuditHealth>
  /** Keeps the checkpoint and the health current. */
  readonly start: () => { readonly stop: () => Promise<void> }
}

/** How often the newest row is written to the checkpoint. */
const CHECKPOINT_MS = 2_000
/** How often what is new is verified. */
const LOOK_MS = 60_000

export async function createAuditWatch(ports: {
  readonly db: Db
  readonly log: Log
  readonly checkpointFile: CheckpointFile
}): Promise<AuditWatch> {
  const { db, log, checkpointFile } = ports
  const store = await storeId(db)
  let checkpoint = checkpointFile.read()
  /** Verified up to here; nothing before it is read again until the daily round. */
  let verified: Head | undefined = checkpoint?.store === store ? checkpoint : undefined
  let health: AuditHealth = { kind: 'whole', head: verified ?? { seq: 0, hash: '' } }
  let looking: Promise<AuditHealth> | undefined
  let isCheckpointLost = false

  async function lookOnce(): Promise<AuditHealth> {
    // an operator may have accepted it, in another process
    if (health.kind !== 'whole') {
      checkpoint = checkpointFile.read()
      verified = undefined
    }
    return settle(await auditHealth(db, { checkpoint, ...(verified === undefined ? {} : { from: verified }) }))
  }

  async function settle(found: AuditHealth): Promise<AuditHealth> {
    const before = health
    health = found
    if (found.kind === 'whole') {
      verified = found.head
      await writeCheckpoint(found.head)
      if (before.kind !== 'whole') log.info({ rows: found.head.seq }, 'The audit log can be believed again; runs start')
      return found
    }
    if (before.kind === found.kind) return found
    log.error({ audit: found.kind }, found.kind === 'broken' ? brokenText(found) : restoredText(found))
    await writeAudit(db, {
      actor: 'lockkeeper',
      act: 'audit check',
      result: found.kind === 'broken' ? 'audit_broken' : 'store_restored',
      data: found.kind === 'broken' ? { seq: found.seq, why: found.why } : { why: found.why },
    })
    return found
  }

  /** A disk that is full must not stop runs; it is said once. */
  async function writeCheckpoint(head: Head): Promise<void> {
    if (head.seq === 0 || (checkpoint?.seq === head.seq && checkpoint.hash === head.hash)) return
    checkpoint = { store, ...head }
    try {
      await checkpointFile.write(checkpoint)
      isCheckpointLost = false
    } catch (error) {
      if (!isCheckpointLost)
        log.error(
          { error: (error as Error).message },
          'The newest audit row could not be noted below var/, so a restored store would not be noticed',
        )
      isCheckpointLost = true
    }
  }

  async function checkNewest(): Promise<void> {
    if (health.kind !== 'whole' || looking !== undefined) return
    const [row] = await db.query<{ seq: number; hash: string; known: string | null }>(
      `select seq, hash, (select hash from lockkeeper.audit where seq = $1) as known from lockkeeper.audit
       where seq is not null order by seq desc limit 1`,
      [checkpoint?.seq ?? 0],
    )
    if (checkpoint !== null && checkpoint.seq > 0 && row?.known !== checkpoint.hash) await look()
    else if (row !== undefined) await writeCheckpoint(row)
  }

  const look = () => (looking ??= lookOnce().finally(() => (looking = undefined)))

  return {
    health: () => health,
    look,
    whyNoRun: async () => whyNoRun(await look()),
    async verifyAll(signal) {
      await looking
      if (health.kind !== 'whole') return health
      const found = await auditHealth(db, { checkpoint, ...(signal === undefined ? {} : { signal }) })
      // what was looked at meanwhile is newer, and so is what it found
      return found.kind === 'whole' || health.kind !== 'whole' ? health : settle(found)
    },
    start() {
      const onFault = (error: Error) => log.warn({ error: error.message }, 'the audit log could not be looked at; trying again')
      const writing = every(CHECKPOINT_MS, checkNewest, onFault)
      const checking = every(LOOK_MS, look, onFault)
      return {
        async stop() {
          await Promise.all([writing.stop(), checking.stop()])
        },
      }
    },
  }
}
