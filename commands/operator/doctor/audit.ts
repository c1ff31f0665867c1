import { auditHealth, brokenText, restoredText, storeId } from '../../../src/audit/health.ts'
import type { CheckpointFile } from '../../../src/audit/checkpoint.ts'
import type { Db } from '../../../src/store/pool.ts'
import { hasSqlState, sqlState } from '../../../src/lib/sqlstate.ts'
import { ok, warning, wrong, type Finding } from './finding.ts'

/** What came after the row that this machine has seen last; reading all of it is `lockkeeper audit verify`'s. */
export async function lookAtAudit(db: Db, checkpointFile: CheckpointFile): Promise<readonly Finding[]> {
  const checkpoint = checkpointFile.read()
  try {
    const isOurs = checkpoint !== null && checkpoint.store === (await storeId(db))
    const health = await auditHealth(db, { checkpoint, ...(isOurs ? { from: checkpoint } : {}) })
    if (health.kind === 'broken') return [wrong('audit', brokenText(health).replaceAll('`', ''))]
    if (health.kind === 'restored') return [wrong('audit', restoredText(health).replaceAll('`', ''))]
    return [ok('audit', `whole up to row ${health.head.seq}; lockkeeper audit verify reads all of it`)]
  } catch (error) {
    if (hasSqlState(error, sqlState.undefinedTable))
      return [warning('audit', 'this store is from before the audit log was a chain', 'The next start seals what stands there.')]
    throw error
  }
}
