import type { Target } from '../../src/config/config.ts'
import { sayTime } from '../../src/calendar/say.ts'
import type { Identity } from '../../src/database/identity.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { listed } from '../../src/lib/text/quoted.ts'
import { durationText } from '../../src/lib/text/text.ts'
import type { Checksum, Plan } from '../../src/plan/plan.ts'
import { standingOf, type OtherRecord, type RanAt } from '../../src/plan/rules/after.ts'
import { storeNow } from '../../src/store/now.ts'
import type { Queries } from '../../src/store/pool.ts'
import type { ApprovalDeps } from '../deps.ts'
import { code } from '../wording.ts'

export type AfterDeps = Pick<ApprovalDeps, 'db' | 'targets' | 'command'> & {
  readonly readOtherRecord: (target: Target, plan: Pick<Plan, 'prisma8'>) => Promise<OtherRecord | Refusal>
}

/** The same migrations have to have run on another target first, and to have been there for a while. */
export async function whyNotAfter(deps: AfterDeps, target: Target, plan: Pick<Plan, 'list' | 'prisma8'>): Promise<Refusal | undefined> {
  const other = target.after === undefined ? undefined : deps.targets.get(target.after)
  if (other === undefined || plan.list.length === 0) return undefined
  const record = await deps.readOtherRecord(other, plan)
  if (isRefusal(record))
    return refuse(record.code, `${rule(target, other)}, and what ran there cannot be read now, so nothing is started here. ${record.text}`)
  const now = await storeNow(deps.db)
  const ranAt = await runsOf(deps.db, other.name, record.identity, plan.list)
  const standings = plan.list.map((migration) => ({
    name: migration.name,
    standing: standingOf(migration, record, ranAt, { soakMs: target.soak ?? 0, now }),
  }))
  const named = (kind: (typeof standings)[number]['standing']['kind']) =>
    standings.filter(({ standing }) => standing.kind === kind).map(({ name }) => name)
  const [missing, different, unproven] = [named('missing'), named('different'), named('unproven')]
  const first = code(`${deps.command} deploy ${other.name}`)
  if (different.length > 0)
    return refuse(
      'against_policy',
      `${rule(target, other)}, and ${listed(different)} ran there with another content. Nothing was started. An applied file is not edited: take the change back, or bring it in a new migration, and run that on ${code(other.name)} first.`,
    )
  if (missing.length > 0)
    return refuse(
      'against_policy',
      `${rule(target, other)}, and ${listed(missing)} ${has(missing)} not run there. Nothing was started. Run ${missing.length === 1 ? 'it' : 'them'} there first, with ${first}${soakText(target)}.`,
    )
  if (unproven.length > 0)
    return refuse(
      'against_policy',
      `${rule(target, other)}. ${listed(unproven)} ${unproven.length === 1 ? 'is' : 'are'} applied there, but no run of Lockkeeper has succeeded there since. Nothing was started. ${first} makes one, with what it checks${soakText(target)}.`,
    )
  const until = Math.max(0, ...standings.map(({ standing }) => (standing.kind === 'soaking' ? standing.until : 0)))
  if (until === 0) return undefined
  const soaking = named('soaking')
  return refuse(
    'against_policy',
    `${rule(target, other)} and has to be live there for ${durationText(target.soak ?? 0)} (${code('soak')}). ${listed(soaking)} ${has(soaking)} not been there for so long. Nothing was started. It is possible from ${sayTime(Math.ceil(until / MINUTE_MS) * MINUTE_MS, target.timezone)} on, in ${durationText(until - now)}.`,
  )
}

const MINUTE_MS = 60_000

const rule = (target: Target, other: Target): string =>
  `What runs on ${code(target.name)} runs on ${code(other.name)} first (${code(`after: ${other.name}`)})`

const has = (names: readonly string[]): string => (names.length === 1 ? 'has' : 'have')

const soakText = ({ soak }: Target): string => (soak === undefined ? '' : `; from then on it takes ${durationText(soak)}`)

/** Of the same database: what ran in one that was thrown away says nothing about this one. */
async function runsOf(db: Queries, target: string, identity: Identity, list: readonly Checksum[]): Promise<RanAt> {
  const rows = await db.query<{ name: string; sha256: string; at: number }>(
    `select m->>'name' as name, m->>'sha256' as sha256, ceil(min(extract(epoch from r.ended_at)) * 1000)::float8 as at
     from lockkeeper.request r, jsonb_array_elements((r.plan->'list') || (r.plan->'baseline')) m
     where r.target = $1 and r.state = 'succeeded' and r.identity_key = $2 and m->>'name' = any($3) group by 1, 2`,
    [target, `${identity.systemIdentifier}/${identity.databaseOid}`, list.map(({ name }) => name)],
  )
  const at = new Map(rows.map((row) => [`${row.name} ${row.sha256}`, row.at]))
  return ({ name, sha256 }) => at.get(`${name} ${sha256}`) ?? null
}
