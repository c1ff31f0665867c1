import type { Config } from '../config/config.ts'
import { changedParts, fingerprintOf, type Fingerprint } from '../config/fingerprint.ts'
import type { Db, Queries } from '../store/pool.ts'
import { inTime } from '../lib/in-time.ts'
import type { Log } from '../lib/log.ts'
import { writeAudit } from './write.ts'

/** A store that is away must not hold up the end of the process. */
const STOP_MS = 3_000

/** Writes down that the bot starts, with which configuration, and what in it is another than at the last start. Gives what writes its end. */
export async function recordStart(
  { db, log }: { readonly db: Db; readonly log: Log },
  about: { readonly version: string; readonly executor: string; readonly file: Config['file'] },
): Promise<() => Promise<void>> {
  const now = fingerprintOf(about.file)
  const data = { version: about.version, executor: about.executor }
  await db.transaction(async (tx) => {
    await writeAudit(tx, { actor: 'lockkeeper', act: 'start', result: 'allowed', digest: now.hash, data })
    const before = await lastConfiguration(tx)
    if (before?.digest === now.hash) return
    const changed = before === undefined ? [] : changedParts(before.parts, now.parts)
    await writeAudit(tx, {
      actor: 'lockkeeper',
      act: 'configuration',
      result: before === undefined ? 'first' : 'changed',
      digest: now.hash,
      data: { changed, parts: now.parts },
    })
    if (changed.length > 0) log.info({ changed }, 'The configuration is another than at the last start')
  })
  return async () => {
    const written = await inTime(
      writeAudit(db, { actor: 'lockkeeper', act: 'stop', result: 'allowed', data }).catch((error: Error) =>
        log.warn({ error: error.message }, 'the stop was not written down'),
      ),
      STOP_MS,
    )
    if (written.kind === 'late') log.warn({}, 'the store did not answer, so the stop may not be written down')
  }
}

async function lastConfiguration(tx: Queries): Promise<{ readonly digest: string; readonly parts: Fingerprint['parts'] } | undefined> {
  const [row] = await tx.query<{ digest: string; parts: Fingerprint['parts'] | null }>(
    `select digest, data->'parts' as parts from lockkeeper.audit where act = 'configuration' order by id desc limit 1`,
  )
  return row === undefined ? undefined : { digest: row.digest, parts: row.parts ?? {} }
}
