import { TargetConnectionError, withTarget, type Queryable } from '../database/connect.ts'
import { identityKey, readIdentity } from '../database/identity.ts'
import type { Queries } from '../store/pool.ts'
import { differences, type Difference } from './differences.ts'
import { keptSchema, type KeptSchema } from './kept.ts'
import { readSchemaLines } from './lines.ts'
import { readSetAside, type SetAside } from './set-aside.ts'

/** The live schema against the one that the last verified run left. */
export type LiveSchema =
  | { readonly kind: 'not known'; readonly why: 'no run' | 'overtaken' }
  | { readonly kind: 'same'; readonly since: Since }
  | { readonly kind: 'differs'; readonly since: Since; readonly differences: readonly Difference[] }

export type Since = Pick<KeptSchema, 'requestId' | 'commit' | 'takenAt'>

export async function lookAtSchema(db: Queries, client: Queryable, of: Parameters<typeof keptSchema>[1]): Promise<LiveSchema> {
  const kept = await keptSchema(db, of)
  if (kept === null) return { kind: 'not known', why: 'no run' }
  if (kept.isOvertaken) return { kind: 'not known', why: 'overtaken' }
  const { lines, isOvertaken: _, ...since } = kept
  const found = differences(lines, await readSchemaLines(client))
  return found.length === 0 ? { kind: 'same', since } : { kind: 'differs', since, differences: found }
}

/** Of the database that stands at the address now; null when that cannot be reached, which whoever asks says otherwise. */
export async function lookLive(
  db: Queries,
  url: string,
  target: string,
): Promise<{ readonly schema: LiveSchema; readonly setAside: readonly SetAside[] } | null> {
  try {
    return await withTarget({ url, applicationName: 'lockkeeper status' }, async (client, parsed) => ({
      schema: await lookAtSchema(db, client, { target, identity: identityKey(await readIdentity(client, parsed)) }),
      setAside: await readSetAside(client),
    }))
  } catch (error) {
    if (error instanceof TargetConnectionError) return null
    throw error
  }
}
