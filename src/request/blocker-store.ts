import type { Db } from '../store/pool.ts'
import { blockerColumns, openBlocker, type Blocker, type Blockers } from './blocker.ts'
import { addEvent } from './store.ts'

/** The rows behind the buttons of a card: what one process writes, another one may read. */
export function blockersOf(db: Db, requestId: number): Blockers {
  return {
    async show(blocker) {
      await db.transaction(async (tx) => {
        const open = await openBlocker(tx, requestId)
        if (open === null && blocker === null) return
        const isSame =
          open !== null &&
          blocker !== null &&
          open.pid === blocker.pid &&
          open.backend === blocker.backend &&
          open.transaction === blocker.transaction
        if (isSame)
          await tx.query('update lockkeeper.blocker set shown = $2, seen_at = clock_timestamp() where id = $1', [
            open.id,
            JSON.stringify(blocker.shown),
          ])
        else {
          await tx.query('update lockkeeper.blocker set gone_at = clock_timestamp() where request_id = $1 and gone_at is null', [requestId])
          if (blocker !== null)
            await tx.query('insert into lockkeeper.blocker (request_id, pid, backend, transaction, shown) values ($1, $2, $3, $4, $5)', [
              requestId,
              blocker.pid,
              blocker.backend,
              blocker.transaction,
              JSON.stringify(blocker.shown),
            ])
        }
        await tx.query('update lockkeeper.request set revision = revision + 1 where id = $1', [requestId])
      })
    },
    async toEnd() {
      const [row] = await db.query<Blocker>(
        `select ${blockerColumns} from lockkeeper.blocker where request_id = $1 and asked_at is not null and done_at is null order by id limit 1`,
        [requestId],
      )
      return row ?? null
    },
    async answer({ id }, text) {
      await db.transaction(async (tx) => {
        const done = await tx.query(
          'update lockkeeper.blocker set done_at = clock_timestamp() where id = $1 and done_at is null returning 1',
          [id],
        )
        if (done.length > 0) await addEvent(tx, requestId, { kind: 'blocker', data: { text } })
      })
    },
    async moreTries() {
      const [row] = await db.query<{ count: number }>(
        `select count(*)::int as count from lockkeeper.event where request_id = $1 and kind = 'waits_on'`,
        [requestId],
      )
      return row?.count ?? 0
    },
  }
}
