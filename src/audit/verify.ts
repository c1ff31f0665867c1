import { createHash, type Hash } from 'node:crypto'
import type { Queries } from '../store/pool.ts'
import { breaksAt, canonicalLine, START, type Break, type ChainRow, type Head } from './chain.ts'

export type Verified =
  | {
      readonly kind: 'whole'
      /** How many rows were read. */
      readonly rows: number
      readonly head: Head
      /** Breaks that an operator has looked into and accepted. */
      readonly accepted: number
    }
  | { readonly kind: 'broken'; readonly seq: number; readonly why: string }

export type VerifyOptions = {
  readonly signal?: AbortSignal
  readonly onProgress?: (rows: number, of: number) => void
  /** Only what came after this row, which was verified before. Breaks that were accepted earlier are behind it. */
  readonly from?: Head
}

/**
 * Reads the chain and computes every hash anew, page by page, so that memory stays the same for any number of rows. Rows that are
 * written meanwhile are left to the next time.
 */
export async function verifyChain(db: Queries, options: VerifyOptions = {}): Promise<Verified> {
  const found = await inspectChain(db, options)
  const first = found.breaks[0]
  if (first !== undefined) return { kind: 'broken', ...first }
  return { kind: 'whole', rows: found.rows, head: found.head, accepted: found.accepted }
}

export type Inspected = {
  readonly rows: number
  readonly head: Head
  /** The first ones that nobody has accepted. */
  readonly breaks: readonly Break[]
  readonly accepted: number
  /** Of all rows as they are, whether their hashes are right or not; what an acceptance is bound to. */
  readonly fingerprint: string
}

const PAGE = 2_000
/** More do not say more. */
const MOST_BREAKS = 100

export async function inspectChain(db: Queries, { signal, onProgress, from }: VerifyOptions = {}): Promise<Inspected> {
  const start = from ?? START
  const outside = await breaksOutside(db, start)
  const last = await lastSeq(db)
  const acceptances = from === undefined ? await readAcceptances(db, last) : []
  const fingerprint = createHash('sha256')
  let breaks: Break[] = []
  let accepted = 0
  let rows = 0
  let before = start
  for (let page: readonly ChainRow[] | undefined; page === undefined || page.length > 0;) {
    signal?.throwIfAborted()
    page = await readPage(db, before.seq, last)
    for (const row of page) {
      if (breaks.length < MOST_BREAKS) breaks.push(...breaksAt(before, row))
      before = { seq: Number(row.seq), hash: row.hash ?? '' }
      rows++
      if (from !== undefined) continue
      fingerprint.update(`${canonicalLine(row)}\n${row.prev}\n${row.hash}\n`)
      if (acceptances.some(({ upTo, fingerprint: known }) => upTo === before.seq && known === valueOf(fingerprint))) {
        accepted += breaks.length
        breaks = []
      }
    }
    onProgress?.(rows, last - start.seq)
  }
  const [count] = await db.query<{ rows: number }>('select count(*) as rows from lockkeeper.audit where seq > $1 and seq <= $2', [
    start.seq,
    last,
  ])
  if (count !== undefined && count.rows !== rows) breaks.push({ seq: before.seq, why: 'a number before it stands there twice' })
  return {
    rows,
    head: before,
    breaks: [...outside, ...breaks].toSorted((a, b) => a.seq - b.seq),
    accepted,
    fingerprint: valueOf(fingerprint),
  }
}

const valueOf = (hash: Hash): string => hash.copy().digest('hex')

/** What lies beside the chain: where it was left off, rows that were never chained, and the triggers that keep it. */
async function breaksOutside(db: Queries, from: Head): Promise<readonly Break[]> {
  const [found] = await db.query<{ hash: string | null; loose: number | null; isGuarded: boolean }>(
    `select (select hash from lockkeeper.audit where seq = $1) as hash,
       (select min(id) from lockkeeper.audit where hash is null) as loose,
       (select count(*) = 4 from pg_trigger where tgrelid = 'lockkeeper.audit'::regclass and tgenabled = 'A'
          and tgname in ('audit_chain', 'audit_guard', 'audit_guard_all', 'audit_new')) as "isGuarded"`,
    [from.seq],
  )
  const last = await lastSeq(db)
  return [
    ...(from.seq > 0 && found?.hash !== from.hash
      ? [
          {
            seq: from.seq,
            why: found?.hash == null ? 'it is gone since it was last verified' : 'it is another one than when it was last verified',
          },
        ]
      : []),
    ...(found?.loose == null
      ? []
      : [{ seq: last + 1, why: `a row (id ${found.loose}) was written beside the chain, while its trigger was switched off` }]),
    ...(found?.isGuarded === true ? [] : [{ seq: last + 1, why: 'the triggers that keep the audit append-only are switched off or gone' }]),
  ]
}

async function lastSeq(db: Queries): Promise<number> {
  const [row] = await db.query<{ last: number | null }>('select max(seq) as last from lockkeeper.audit')
  return row?.last ?? 0
}

const readPage = (db: Queries, after: number, upTo: number) =>
  db.query<ChainRow>(`select ${chainColumns} from lockkeeper.audit where seq > $1 and seq <= $2 order by audit.seq limit ${PAGE}`, [
    after,
    upTo,
  ])

/** Every column as the text that the canonical line has. */
export const chainColumns = `seq::text, id::text, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, entry, actor, human, act, target,
  request_id::text as "requestId", result, digest, data::text, prev, hash`

type Acceptance = { readonly upTo: number; readonly fingerprint: string }

export const ACCEPT = 'audit accept'

/** An acceptance is a row of the chain itself, behind all that it accepts; it counts for exactly the rows that were looked at. */
async function readAcceptances(db: Queries, upTo: number): Promise<readonly Acceptance[]> {
  const rows = await db.query<{ seq: number; upTo: unknown; fingerprint: unknown }>(
    `select seq, data->'upTo' as "upTo", data->'fingerprint' as fingerprint from lockkeeper.audit
     where act = '${ACCEPT}' and result = 'accepted' and seq <= $1`,
    [upTo],
  )
  return rows.flatMap(({ seq, upTo, fingerprint }) =>
    typeof upTo === 'number' && typeof fingerprint === 'string' && upTo < seq ? [{ upTo, fingerprint }] : [],
  )
}
