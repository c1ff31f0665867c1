import { canonicalLine, hashOf, START, type ChainRow } from '../../src/audit/chain.ts'
import { auditPage } from '../../src/audit/list.ts'
import { verifyChain } from '../../src/audit/verify.ts'
import type { Db } from '../../src/store/pool.ts'
import { createStore } from '../../test/helpers/postgres.ts'
import { median, ms, under, type Measurement } from '../figure.ts'
import { rssMb, watchPeak } from '../stage/memory.ts'

const PAGE = 50

/** Reading and verifying an audit log of a million rows, which is many years of one. */
export const audit: Measurement = {
  figures: [
    { name: 'audit-page-ms', unit: 'ms', aim: under(200) },
    { name: 'audit-verify-s', unit: 's', aim: under(60) },
  ],
  async measure({ sized, say }) {
    const rows = sized({ small: 10_000, full: 1_000_000 })
    const store = await createStore()
    try {
      await fill(store.db, rows)
      say(`${rows.toLocaleString('en')} rows are chained`)
      const pages: Record<string, number> = {}
      for (const [name, filter] of Object.entries({
        'the newest': {},
        'one target': { target: 'target7' },
        'one request': { requestId: 3 },
        'from the middle': { before: rows / 2 },
      })) {
        const times: number[] = []
        for (let turn = 0; turn < 9; turn++) {
          const began = performance.now()
          const page = await auditPage(store.db, { ...filter, limit: PAGE })
          times.push(performance.now() - began)
          if (page.length === 0) throw new Error(`the page of ${name} is empty`)
        }
        pages[name] = median(times)
      }
      const before = rssMb(process.pid)
      const watching = watchPeak(process.pid)
      const began = performance.now()
      const verified = await verifyChain(store.db)
      const seconds = (performance.now() - began) / 1000
      const grown = watching.stop() - before
      if (verified.kind !== 'whole' || verified.rows !== rows) throw new Error(`the chain is not whole: ${JSON.stringify(verified)}`)
      return {
        'audit-page-ms': {
          value: Math.max(...Object.values(pages)),
          note: `the slowest of the pages of ${PAGE} of ${rows.toLocaleString('en')} rows: ${Object.entries(pages)
            .map(([name, time]) => `${name} ${ms(time)}`)
            .join(', ')}`,
        },
        'audit-verify-s': {
          value: seconds,
          note: `${rows.toLocaleString('en')} rows read and every hash computed anew, ${Math.round(rows / seconds).toLocaleString('en')} rows a second, memory grew by at most ${Math.max(0, grown).toFixed(0)} MB`,
        },
      }
    } finally {
      await store.close()
    }
  },
}

const BATCH = 5_000

/** Chained here by the same functions, which is faster than a trigger for each row; `verifyChain` proves that it is a true chain. */
async function fill(db: Db, count: number): Promise<void> {
  const [own] = await db.query<{ seq: number; id: number; hash: string }>(
    'select seq, id, hash from lockkeeper.audit where seq is not null order by seq desc limit 1',
  )
  if (own !== undefined) throw new Error('the store is not fresh')
  await db.query('alter table lockkeeper.audit disable trigger user')
  let hash = START.hash
  for (let from = 0; from < count; from += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, count - from) }, (_, offset) => {
      const row = chained(from + offset + 1, hash)
      hash = row.hash ?? ''
      return row
    })
    await db.query(
      `insert into lockkeeper.audit (id, at, entry, actor, human, act, target, request_id, result, digest, data, seq, prev, hash)
       overriding system value
       select id, at, entry, actor, human, act, target, "requestId", result, digest, data, seq, prev, hash from jsonb_to_recordset($1::jsonb)
         as row (id bigint, at timestamptz, entry text, actor text, human text, act text, target text, "requestId" bigint, result text,
           digest text, data jsonb, seq bigint, prev text, hash text)`,
      [JSON.stringify(rows.map((row) => ({ ...row, data: JSON.parse(row.data) as unknown })))],
    )
  }
  for (const trigger of ['audit_chain', 'audit_guard', 'audit_guard_all', 'audit_new'])
    await db.query(`alter table lockkeeper.audit enable always trigger ${trigger}`)
  await db.query('analyze lockkeeper.audit')
}

function chained(seq: number, prev: string): ChainRow {
  const row = {
    seq: String(seq),
    id: String(seq),
    at: new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString().replace('Z', '000Z'),
    entry: 'button',
    actor: `U0BENCH${seq % 40}`,
    human: `U0BENCH${seq % 40}`,
    act: 'vote',
    target: `target${seq % 20}`,
    requestId: String(1 + Math.floor(seq / 12)),
    result: 'counted',
    digest: 'd'.repeat(64),
    data: `{"n": ${seq}, "commit": "3f2a9c1"}`,
  }
  // jsonb keeps its own order of keys: the shorter ones first
  return { ...row, prev, hash: hashOf(prev, canonicalLine(row)) }
}
