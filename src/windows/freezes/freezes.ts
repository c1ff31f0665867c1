import { writeAudit } from '../../audit/write.ts'
import type { Target } from '../../config/config.ts'
import type { Db, Queries, Tx } from '../../store/pool.ts'
import { claimEach, inSequence, isAnyDue, type Claim } from '../../store/claim-each.ts'
import type { Due } from '../../store/due.ts'
import { addChannelPost } from '../notices/channel-posts.ts'
import type { FreezeNews } from './draw.ts'
import type { FreezeRow } from '../window.ts'

/** Rows of freezes and locks. While one is in force nothing starts on its targets; it ends by itself, or is lifted. */

const freezeColumns = `id, kind, targets, reason, set_by as "setBy", from_at as "from", until_at as "until"`

/** `until`: milliseconds since 1970; null as long as nobody lifts it. */
export type NewFreeze = Pick<FreezeRow, 'kind' | 'targets' | 'reason' | 'setBy'> & {
  readonly setByHuman: string
  readonly until: number | null
}

/** What was in force for the same targets is replaced by it. */
export async function setFreeze(tx: Tx, freeze: NewFreeze): Promise<{ readonly set: FreezeRow; readonly replaced: readonly FreezeRow[] }> {
  const replaced = await liftFreezes(tx, { kind: freeze.kind, targets: freeze.targets, by: freeze.setBy })
  const [set] = await tx.query<FreezeRow>(
    `insert into lockkeeper.freeze (kind, targets, reason, set_by, set_by_human, until_at)
     values ($1, $2, $3, $4, $5, to_timestamp($6::float8 / 1000)) returning ${freezeColumns}`,
    [freeze.kind, freeze.targets, freeze.reason, freeze.setBy, freeze.setByHuman, freeze.until],
  )
  if (set === undefined) throw new Error(`the ${freeze.kind} was not stored`)
  return { set, replaced }
}

const inForce = `lifted_at is null and (until_at is null or until_at > lockkeeper.now())`

/** Those that were set for exactly these targets. */
export async function liftFreezes(
  tx: Tx,
  { kind, targets, by }: { readonly kind: FreezeRow['kind']; readonly targets: readonly string[] | null; readonly by: string },
): Promise<readonly FreezeRow[]> {
  return tx.query<FreezeRow>(
    `update lockkeeper.freeze set lifted_at = lockkeeper.now(), lifted_by = $3
     where kind = $1 and targets is not distinct from $2::text[] and ${inForce} returning ${freezeColumns}`,
    [kind, targets, by],
  )
}

/** All that are in force now, for one target or for any; the newest first. */
export async function freezesInForce(db: Queries, target: string | null): Promise<readonly FreezeRow[]> {
  return db.query<FreezeRow>(
    `select ${freezeColumns} from lockkeeper.freeze
     where ${inForce} and ($1::text is null or targets is null or $1 = any(targets)) order by id desc limit 200`,
    [target],
  )
}

/** Whoever set it hears it an hour before it ends. */
const AHEAD = `interval '1 hour'`

const endingSoon: Claim<FreezeRow> = {
  what: 'freezes',
  due: `select ${freezeColumns} from lockkeeper.freeze
  where lifted_at is null and told_at is null and until_at > lockkeeper.now() and until_at <= lockkeeper.now() + ${AHEAD} and until_at - from_at > ${AHEAD}`,
  id: 'id',
  order: 'id',
}

const ended: Claim<FreezeRow> = {
  what: 'freezes',
  due: `select ${freezeColumns} from lockkeeper.freeze where lifted_at is null and ended_told_at is null and until_at <= lockkeeper.now()`,
  id: 'id',
  order: 'id',
}

/** That one ends soon, and that it has ended. */
export const freezesDue = (db: Db, targets: ReadonlyMap<string, Target>, command: string): Due => ({
  name: 'freezes',
  isDue: isAnyDue([endingSoon, ended]),
  act: () =>
    inSequence(
      () =>
        claimEach(db, endingSoon, async (tx, freeze) => {
          await tx.query('update lockkeeper.freeze set told_at = lockkeeper.now() where id = $1', [freeze.id])
          await postFreezeNews(tx, targets, command, freeze, 'ending', freeze.setBy)
        }),
      () =>
        claimEach(db, ended, async (tx, freeze) => {
          await tx.query('update lockkeeper.freeze set ended_told_at = lockkeeper.now() where id = $1', [freeze.id])
          await postFreezeNews(tx, targets, command, freeze, 'ended', freeze.setBy)
          const data = { freeze: freeze.id, targets: freeze.targets }
          await writeAudit(tx, { actor: 'lockkeeper', act: freeze.kind, target: onlyTarget(freeze), result: 'ended', data })
        }),
    ),
})

/** In the channel of each target, once where several share it. */
export async function postFreezeNews(
  tx: Tx,
  targets: ReadonlyMap<string, Target>,
  command: string,
  freeze: FreezeRow,
  news: FreezeNews['news'],
  by: string,
): Promise<void> {
  const others = (await freezesInForce(tx, null)).filter(({ id }) => id !== freeze.id)
  const covered = [...targets.values()].filter(({ name }) => freeze.targets === null || freeze.targets.includes(name))
  for (const channel of new Set(covered.map((target) => target.channel))) {
    const here = covered.filter((target) => target.channel === channel)
    const data: FreezeNews = {
      news,
      kind: freeze.kind,
      titles: freeze.targets === null ? null : here.map(({ title }) => title),
      typed: freeze.targets === null ? 'all' : (here[0]?.name ?? 'all'),
      by,
      reason: freeze.reason,
      until: freeze.until?.getTime() ?? null,
      zone: here[0]?.timezone ?? 'UTC',
      command,
      isStillClosed: here.some(({ name }) => others.some((other) => other.targets === null || other.targets.includes(name))),
    }
    await addChannelPost(tx, { channel, kind: 'freeze', data })
  }
}

/** For the audit; null for several. */
export const onlyTarget = ({ targets }: Pick<FreezeRow, 'targets'>): string | null => (targets?.length === 1 ? (targets[0] ?? null) : null)
