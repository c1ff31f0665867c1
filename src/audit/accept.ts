import type { Db, Queries } from '../store/pool.ts'
import { auditHealth, storeId, type AuditHealth } from './health.ts'
import { ACCEPT, inspectChain } from './verify.ts'
import type { CheckpointFile } from './checkpoint.ts'
import { writeAudit, type AuditEntry } from './write.ts'

/**
 * An operator has looked into a broken chain or a restored store, and runs may start again. What was accepted stays visible: the row
 * says who, why, which breaks and what all rows looked like then. Another change of the same rows is a new break.
 */
export async function acceptAudit(
  db: Db,
  checkpointFile: CheckpointFile,
  by: Pick<AuditEntry, 'actor' | 'human'> & { readonly reason: string },
): Promise<{ readonly before: AuditHealth; readonly after: AuditHealth }> {
  const checkpoint = checkpointFile.read()
  const before = await auditHealth(db, { checkpoint })
  if (before.kind === 'whole') return { before, after: before }
  const chained = await mend(db)
  const { head, breaks, fingerprint } = await inspectChain(db)
  await writeAudit(db, {
    actor: by.actor,
    ...(by.human === undefined ? {} : { human: by.human }),
    entry: 'cli',
    act: ACCEPT,
    result: 'accepted',
    data: {
      reason: by.reason,
      found: before,
      upTo: head.seq,
      fingerprint,
      breaks,
      chained,
      ...(checkpoint === null ? {} : { witnessed: { store: checkpoint.store, seq: checkpoint.seq, hash: checkpoint.hash } }),
    },
  })
  const after = await auditHealth(db, { checkpoint: null })
  if (after.kind === 'whole') await checkpointFile.write({ store: await storeId(db), ...after.head })
  return { before, after }
}

/** Puts the triggers back and gives rows that were written beside the chain their place at its end; their ids are told. */
async function mend(db: Db): Promise<readonly number[]> {
  return db.transaction(async (tx) => {
    await restoreTriggers(tx)
    const loose = await tx.query<{ id: number }>('select id from lockkeeper.audit where hash is null order by id')
    for (const { id } of loose) await tx.query('select lockkeeper.audit_append($1)', [id])
    return loose.map(({ id }) => id)
  })
}

const TRIGGERS = {
  audit_chain: `create constraint trigger audit_chain after insert on lockkeeper.audit deferrable initially deferred
    for each row execute function lockkeeper.audit_chain()`,
  audit_guard: `create trigger audit_guard before update or delete on lockkeeper.audit for each row execute function lockkeeper.audit_guard()`,
  audit_guard_all: `create trigger audit_guard_all before truncate on lockkeeper.audit for each statement execute function lockkeeper.audit_guard()`,
  audit_new: `create trigger audit_new before insert on lockkeeper.audit for each row execute function lockkeeper.audit_new()`,
} as const

async function restoreTriggers(db: Queries): Promise<void> {
  const rows = await db.query<{ name: string; state: string }>(
    `select tgname as name, tgenabled as state from pg_trigger where tgrelid = 'lockkeeper.audit'::regclass`,
  )
  for (const [name, create] of Object.entries(TRIGGERS)) {
    const found = rows.find((row) => row.name === name)
    if (found === undefined) await db.query(create)
    if (found?.state !== 'A') await db.query(`alter table lockkeeper.audit enable always trigger ${name}`)
  }
}
