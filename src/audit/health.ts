import type { Queries } from '../store/pool.ts'
import { refuse, type Refusal } from '../lib/refusal.ts'
import type { Head } from './chain.ts'
import { verifyChain } from './verify.ts'
import type { Checkpoint } from './checkpoint.ts'

/** Whether the audit can be believed. Anything but `whole` lets no new run start. */
export type AuditHealth =
  | { readonly kind: 'whole'; readonly head: Head }
  /** A row is not what was written. */
  | { readonly kind: 'broken'; readonly seq: number; readonly why: string }
  /** The store as a whole is older than what this machine has seen of it, or another one. */
  | { readonly kind: 'restored'; readonly why: string }

/**
 * One look: the store is compared with what this machine has seen of it, and what came after `from` is verified. Without `from` the
 * whole chain is, which takes seconds for each hundred thousand rows.
 */
export async function auditHealth(
  db: Queries,
  known: { readonly checkpoint: Checkpoint | null; readonly from?: Head; readonly signal?: AbortSignal },
): Promise<AuditHealth> {
  const restored = await whyRestored(db, known.checkpoint)
  if (restored !== undefined) return { kind: 'restored', why: restored }
  const verified = await verifyChain(db, {
    ...(known.from === undefined ? {} : { from: known.from }),
    ...(known.signal === undefined ? {} : { signal: known.signal }),
  })
  return verified.kind === 'whole' ? { kind: 'whole', head: verified.head } : verified
}

export async function storeId(db: Queries): Promise<string> {
  const [row] = await db.query<{ id: string }>('select id::text from lockkeeper.store')
  if (row === undefined) throw new Error('the store has lost its id (the table lockkeeper.store is empty)')
  return row.id
}

async function whyRestored(db: Queries, checkpoint: Checkpoint | null): Promise<string | undefined> {
  if (checkpoint === null) return undefined
  const id = await storeId(db)
  if (id !== checkpoint.store)
    return `This is another store (${id.slice(0, 8)}) than the one that this machine has worked with (${checkpoint.store.slice(0, 8)}).`
  if (checkpoint.seq === 0) return undefined
  const [row] = await db.query<{ last: number | null; hash: string | null }>(
    `select (select max(seq) from lockkeeper.audit) as last, (select hash from lockkeeper.audit where seq = $1) as hash`,
    [checkpoint.seq],
  )
  if (row?.hash === checkpoint.hash) return undefined
  if ((row?.last ?? 0) < checkpoint.seq)
    return `The store ends at audit row ${row?.last ?? 0}, and this machine has seen row ${checkpoint.seq} of it.`
  return `Audit row ${checkpoint.seq} of the store is another one than this machine has seen.`
}

/** What is said wherever a run would start. Null when nothing stands in the way. */
export function whyNoRun(health: AuditHealth): Refusal | null {
  switch (health.kind) {
    case 'whole':
      return null
    case 'broken':
      return refuse('audit_broken', brokenText(health))
    case 'restored':
      return refuse('store_restored', restoredText(health))
  }
}

export const brokenText = ({ seq, why }: { readonly seq: number; readonly why: string }): string =>
  `The audit log is broken at row ${seq}: ${why}. Nothing starts until an operator has looked into it. On the machine, \`lockkeeper audit verify\` shows it, and \`lockkeeper audit accept --reason "…"\` lets runs start again.`

export const restoredText = ({ why }: { readonly why: string }): string =>
  `${why} It looks restored from an older copy, so what ran since is missing in it. Nothing starts until an operator has compared it with the targets. On the machine, \`lockkeeper audit accept --reason "…"\` lets runs start again.`
