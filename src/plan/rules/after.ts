import type { Target } from '../../config/config.ts'
import { withTarget } from '../../database/connect.ts'
import { readIdentity, type Identity } from '../../database/identity.ts'
import { namingWhoLocks } from '../../database/locked.ts'
import type { Refusal } from '../../lib/refusal.ts'
import type { PlanDeps } from '../deps.ts'
import { refusalOf } from '../make.ts'
import type { Checksum, Plan } from '../plan.ts'
import { readStateOf } from '../record.ts'

/** What another target, which has to come first, says about the migrations of a plan. */

/** `applied`: what counts as applied there now, with its checksum where the record has one; null where Lockkeeper does not read its record. */
export type OtherRecord = {
  readonly identity: Identity
  readonly applied: ReadonlyMap<string, string | null> | null
}

/** When a run that succeeded there first had a migration applied, by name and checksum. Milliseconds since 1970. */
export type RanAt = (migration: Checksum) => number | null

export type Standing =
  | { readonly kind: 'ran' }
  /** Not applied there. */
  | { readonly kind: 'missing' }
  /** Applied there with another content. */
  | { readonly kind: 'different' }
  /** Applied, but no run of ours has succeeded since. */
  | { readonly kind: 'unproven' }
  /** Since then it is possible. */
  | { readonly kind: 'soaking'; readonly until: number }

/** Pure. */
export function standingOf(
  migration: Checksum,
  { applied }: Pick<OtherRecord, 'applied'>,
  ranAt: RanAt,
  { soakMs, now }: { readonly soakMs: number; readonly now: number },
): Standing {
  if (applied !== null) {
    const found = applied.get(migration.name)
    if (found === undefined) return { kind: 'missing' }
    if (found !== null && found !== migration.sha256) return { kind: 'different' }
  }
  const at = ranAt(migration)
  if (at === null) return { kind: applied === null ? 'missing' : 'unproven' }
  return at + soakMs > now ? { kind: 'soaking', until: at + soakMs } : { kind: 'ran' }
}

/** By the tool of that target. The record of Prisma 8 has no names of migrations, so its runs alone are asked. */
export async function readOtherRecord(deps: PlanDeps, target: Target, plan: Pick<Plan, 'prisma8'>): Promise<OtherRecord | Refusal> {
  try {
    return await withTarget({ url: deps.secret(target.database.url), applicationName: 'lockkeeper plan' }, (client, url) =>
      namingWhoLocks(client, async () => {
        const identity = await readIdentity(client, url)
        if (plan.prisma8 !== undefined) return { identity, applied: null }
        const { rows } = await readStateOf(client, target.tool, url.schema)
        const applied = rows.filter(({ finishedAt, rolledBackAt }) => finishedAt !== null && rolledBackAt === null)
        return { identity, applied: new Map(applied.map(({ name, checksum }) => [name, checksum])) }
      }),
    )
  } catch (error) {
    return refusalOf(error, target)
  }
}
