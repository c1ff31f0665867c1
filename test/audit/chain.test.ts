import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { acceptAudit } from '../../src/audit/accept.ts'
import { canonicalLine, hashOf, type ChainRow } from '../../src/audit/chain.ts'
import { auditHealth, storeId } from '../../src/audit/health.ts'
import { auditPage } from '../../src/audit/list.ts'
import { chainColumns, verifyChain } from '../../src/audit/verify.ts'
import { openCheckpoint, type CheckpointFile, type Checkpoint } from '../../src/audit/checkpoint.ts'
import { writeAudit, type AuditEntry } from '../../src/audit/write.ts'
import { createStore } from '../helpers/postgres.ts'

type Store = Awaited<ReturnType<typeof createStore>>

const act = (number: number): AuditEntry => ({
  actor: 'U0ALICE',
  human: 'U0ALICE',
  entry: 'slash',
  act: 'status',
  target: 'prod',
  requestId: number,
  result: 'allowed',
  digest: 'd'.repeat(64),
  data: { number },
})

const write = async (store: Store, rows: number, from = 1) => {
  for (let number = from; number < from + rows; number++) await writeAudit(store.db, act(number))
}

const rowsOf = (store: Store) => store.db.query<ChainRow>(`select ${chainColumns} from lockkeeper.audit order by audit.seq`)

/** As somebody does who owns the tables. */
const tamper = async (store: Store, sql: string) => {
  await store.db.query('alter table lockkeeper.audit disable trigger user')
  await store.db.query(sql)
  for (const name of ['audit_chain', 'audit_guard', 'audit_guard_all', 'audit_new'])
    await store.db.query(`alter table lockkeeper.audit enable always trigger ${name}`)
}

const inMemory = (checkpoint: Checkpoint | null = null): CheckpointFile => {
  let kept = checkpoint
  return { read: () => kept, write: async (now) => void (kept = now) }
}

describe('the canonical line', () => {
  let store: Store
  beforeAll(async () => {
    store = await createStore()
  })
  afterAll(() => store.close())

  const text = fc.string({ unit: 'binary', maxLength: 30 }).map((value) => value.replaceAll('\0', '').toWellFormed())
  const anyEntry = fc.record(
    {
      actor: text,
      human: text,
      act: text,
      target: fc.option(text),
      requestId: fc.option(fc.nat()),
      result: text,
      digest: fc.option(text),
      data: fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        fc.oneof(text, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
      ),
    },
    { requiredKeys: ['actor', 'act', 'result'] },
  ) as fc.Arbitrary<AuditEntry>

  test('is the same in the store and in this program, whatever stands in a row, and the chain is whole', async () => {
    await fc.assert(
      fc.asyncProperty(anyEntry, (entry) => writeAudit(store.db, entry)),
      { numRuns: 200 },
    )
    const rows = await store.db.query<ChainRow & { line: string }>(
      `select ${chainColumns}, lockkeeper.audit_line(audit) as line from lockkeeper.audit order by audit.seq`,
    )
    expect(rows.length).toBeGreaterThanOrEqual(200)
    for (const row of rows) {
      expect(canonicalLine(row)).toBe(row.line)
      expect(row.hash).toBe(hashOf(row.prev ?? '', row.line))
    }
    expect(await verifyChain(store.db)).toMatchObject({ kind: 'whole', rows: rows.length })
  })

  test('does not depend on what a session is set to', async () => {
    const lines = async (settings: string) => {
      let found: readonly { line: string }[] = []
      await store.db.transaction(async (tx) => {
        await tx.query(settings)
        found = await tx.query<{ line: string }>('select lockkeeper.audit_line(audit) as line from lockkeeper.audit order by seq limit 20')
      })
      return found
    }
    const usual = await lines('select 1')
    for (const settings of [
      `set local time zone 'Asia/Kathmandu'`,
      `set local datestyle = 'German'`,
      `set local bytea_output = 'escape'; set local extra_float_digits = -5; set local intervalstyle = 'iso_8601'`,
      `set local client_encoding = 'UTF8'; set local lc_numeric = 'C'`,
    ])
      expect(await lines(settings)).toEqual(usual)
  })

  test('two rows that differ have two lines', () => {
    const bare: ChainRow = {
      seq: '1',
      id: '1',
      at: 'T',
      entry: 'bot',
      actor: 'a',
      human: null,
      act: 'b',
      target: null,
      requestId: null,
      result: 'c',
      digest: null,
      data: '{}',
      prev: null,
      hash: null,
    }
    fc.assert(
      fc.property(fc.tuple(text, text), fc.tuple(text, text), (one, other) => {
        const line = ([actor, target]: readonly [string, string]) => canonicalLine({ ...bare, actor, target })
        expect(line(one) === line(other)).toBe(one[0] === other[0] && one[1] === other[1])
      }),
    )
    expect(canonicalLine({ ...bare, target: '' })).not.toBe(canonicalLine(bare))
    expect(canonicalLine({ ...bare, target: '-' })).not.toBe(canonicalLine(bare))
  })

  test('is recomputed by a few lines that know nothing of this program', async () => {
    const rows = await store.db.query<Record<string, string | null>>(
      `select seq::text as c1, id::text as c2, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as c3, entry as c4, actor as c5,
         human as c6, act as c7, target as c8, request_id::text as c9, result as c10, digest as c11, data::text as c12, hash
       from lockkeeper.audit order by audit.seq`,
    )
    let hash = '0'.repeat(64)
    for (const row of rows) {
      const line = Array.from({ length: 12 }, (_, index) => row[`c${index + 1}`] ?? null)
        .map((value) => (value === null ? '-' : `${Buffer.from(value).length}:${value}`))
        .join('|')
      hash = createHash('sha256').update(`${hash}\n${line}`).digest('hex')
      expect(row['hash']).toBe(hash)
    }
  })
})

describe('the chain', () => {
  let store: Store
  beforeEach(async () => {
    store = await createStore()
    return () => store.close()
  })

  test('has no gap and no fork when many write at once, and a transaction that fails leaves nothing', async () => {
    await Promise.all(
      Array.from({ length: 60 }, (_, number) =>
        store.db
          .transaction(async (tx) => {
            await writeAudit(tx, act(number))
            await writeAudit(tx, act(number))
            if (number % 5 === 0) throw new Error('undone')
          })
          .catch((error: Error) => {
            if (error.message !== 'undone') throw error
          }),
      ),
    )
    const rows = await rowsOf(store)
    expect(rows.map(({ seq }) => Number(seq))).toEqual(Array.from({ length: 96 }, (_, index) => index + 1))
    expect(await verifyChain(store.db)).toEqual({ kind: 'whole', rows: 96, head: { seq: 96, hash: rows[95]?.hash }, accepted: 0 })
  })

  test('an update, a delete and a truncate are refused, and nobody claims a place', async () => {
    await write(store, 2)
    for (const [sql, what] of [
      [`update lockkeeper.audit set actor = 'U0MALLORY' where seq = 1`, 'update'],
      ['update lockkeeper.audit set seq = seq + 10', 'update'],
      ['delete from lockkeeper.audit where seq = 2', 'delete'],
      ['truncate lockkeeper.audit', 'truncate'],
    ])
      await expect(store.db.query(sql ?? '')).rejects.toThrow(`the audit log is append-only: ${what} is refused`)
    await expect(
      store.db.transaction(async (tx) => {
        await tx.query('set local session_replication_role = replica')
        await tx.query('delete from lockkeeper.audit')
      }),
    ).rejects.toThrow('the audit log is append-only: delete is refused')
    await store.db.query(
      `insert into lockkeeper.audit (actor, act, result, seq, prev, hash) values ('U0MALLORY', 'approve', 'granted', 1, 'x', 'y')`,
    )
    expect(await verifyChain(store.db)).toMatchObject({ kind: 'whole', rows: 3 })
  })

  test.each([
    ['a changed actor', `update lockkeeper.audit set actor = 'U0MALLORY' where seq = 3`, 3, 'it was changed after it was written'],
    [
      'a changed id',
      `alter table lockkeeper.audit alter column id drop identity; update lockkeeper.audit set id = 4711 where seq = 3`,
      3,
      'it was changed after it was written',
    ],
    [
      'a changed time',
      `update lockkeeper.audit set at = at + interval '1 microsecond' where seq = 3`,
      3,
      'it was changed after it was written',
    ],
    ['a null for an empty text', `update lockkeeper.audit set target = null where seq = 3`, 3, 'it was changed after it was written'],
    ['changed data', `update lockkeeper.audit set data = '{"number": 4}' where seq = 3`, 3, 'it was changed after it was written'],
    ['a changed hash', `update lockkeeper.audit set hash = repeat('a', 64) where seq = 3`, 3, 'it was changed after it was written'],
    ['a changed link', `update lockkeeper.audit set prev = repeat('a', 64) where seq = 3`, 3, 'it does not follow row 2 as it is now'],
    ['the first row removed', `delete from lockkeeper.audit where seq = 1`, 1, 'it is missing'],
    ['a row removed from the middle', `delete from lockkeeper.audit where seq = 3`, 3, 'it is missing'],
    ['two rows removed', `delete from lockkeeper.audit where seq in (3, 4)`, 3, 'it is missing, and all up to 4'],
    [
      'two rows swapped',
      `update lockkeeper.audit set seq = case seq when 2 then -3 when 3 then -2 end where seq in (2, 3); update lockkeeper.audit set seq = -seq where seq < 0`,
      2,
      'it does not follow row 1 as it is now',
    ],
    [
      'a row that is put in and numbered',
      `update lockkeeper.audit set seq = -seq where seq > 3; update lockkeeper.audit set seq = -seq + 1 where seq < 0;
       insert into lockkeeper.audit (actor, act, result, seq, prev, hash) select 'U0MALLORY', 'approve', 'granted', 4, hash, repeat('b', 64) from lockkeeper.audit where seq = 3`,
      4,
      'it was changed after it was written',
    ],
    [
      'a row written beside the chain',
      `insert into lockkeeper.audit (actor, act, result) values ('U0MALLORY', 'approve', 'granted')`,
      7,
      'a row (id 7) was written beside the chain, while its trigger was switched off',
    ],
    [
      'a number twice, with its index gone',
      `drop index lockkeeper.audit_seq; insert into lockkeeper.audit (actor, act, result, seq, prev, hash) select 'U0MALLORY', act, result, 6, prev, hash from lockkeeper.audit where seq = 6`,
      7,
      'it is missing',
    ],
    [
      'a chain that is made anew from a row on, in all but its end',
      `update lockkeeper.audit set actor = 'U0MALLORY' where seq = 3;
       update lockkeeper.audit set hash = encode(sha256(convert_to(prev || E'\\n' || lockkeeper.audit_line(audit), 'UTF8')), 'hex') where seq = 3`,
      4,
      'it does not follow row 3 as it is now',
    ],
  ])('%s is noticed at its row', async (_, sql, seq, why) => {
    await write(store, 6)
    await tamper(store, sql)
    const found = await verifyChain(store.db)
    expect(found).toMatchObject({ kind: 'broken' })
    if (_.startsWith('a number twice')) return
    expect(found).toEqual({ kind: 'broken', seq, why })
  })

  test.each(['audit_chain', 'audit_guard', 'audit_guard_all', 'audit_new'])(
    'the trigger %s switched off, or gone, is noticed',
    async (name) => {
      await write(store, 2)
      const broken = { kind: 'broken', seq: 3, why: 'the triggers that keep the audit append-only are switched off or gone' }
      await store.db.query(`alter table lockkeeper.audit disable trigger ${name}`)
      expect(await verifyChain(store.db)).toEqual(broken)
      await store.db.query(`alter table lockkeeper.audit enable trigger ${name}`)
      expect(await verifyChain(store.db)).toEqual(broken)
      await store.db.query(`drop trigger ${name} on lockkeeper.audit`)
      expect(await verifyChain(store.db)).toEqual(broken)
    },
  )

  test('a changed row is named before the triggers that let it be changed', async () => {
    await write(store, 4)
    await store.db.query('alter table lockkeeper.audit disable trigger user')
    await store.db.query(`update lockkeeper.audit set actor = 'U0MALLORY' where seq = 2`)
    expect(await verifyChain(store.db)).toEqual({ kind: 'broken', seq: 2, why: 'it was changed after it was written' })
  })

  test('only what is new is read when it goes on from a row, and that row is looked at again', async () => {
    await write(store, 4)
    const first = await verifyChain(store.db)
    if (first.kind !== 'whole') throw new Error(first.why)
    await write(store, 3, 5)
    const read: number[] = []
    expect(await verifyChain(store.db, { from: first.head, onProgress: (rows) => read.push(rows) })).toMatchObject({
      kind: 'whole',
      rows: 3,
    })
    expect(read.at(-1)).toBe(3)
    await tamper(store, `update lockkeeper.audit set hash = repeat('c', 64) where seq = 4`)
    expect(await verifyChain(store.db, { from: first.head })).toEqual({
      kind: 'broken',
      seq: 4,
      why: 'it is another one than when it was last verified',
    })
    await tamper(store, `delete from lockkeeper.audit where seq >= 4`)
    expect(await verifyChain(store.db, { from: first.head })).toEqual({
      kind: 'broken',
      seq: 4,
      why: 'it is gone since it was last verified',
    })
  })

  test('it stops when it is told to', async () => {
    await write(store, 1)
    await expect(verifyChain(store.db, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  test('rows removed from the end, and a chain made anew as a whole, are noticed by the checkpoint', async () => {
    await write(store, 6)
    const whole = await auditHealth(store.db, { checkpoint: null })
    if (whole.kind !== 'whole') throw new Error(whole.kind)
    const checkpoint = { store: await storeId(store.db), ...whole.head }
    expect(await auditHealth(store.db, { checkpoint })).toEqual(whole)
    await tamper(store, 'delete from lockkeeper.audit where seq > 4')
    expect(await verifyChain(store.db)).toMatchObject({ kind: 'whole', rows: 4 })
    expect(await auditHealth(store.db, { checkpoint })).toEqual({
      kind: 'restored',
      why: 'The store ends at audit row 4, and this machine has seen row 6 of it.',
    })
    await write(store, 5)
    expect(await auditHealth(store.db, { checkpoint })).toEqual({
      kind: 'restored',
      why: 'Audit row 6 of the store is another one than this machine has seen.',
    })
    expect(await auditHealth(store.db, { checkpoint: { ...checkpoint, store: '00000000-0000-4000-8000-000000000000' } })).toEqual({
      kind: 'restored',
      why: `This is another store (${checkpoint.store.slice(0, 8)}) than the one that this machine has worked with (00000000).`,
    })
  })

  test('an accepted break stays visible, and another change of the same rows is a new break', async () => {
    await write(store, 5)
    await tamper(store, `update lockkeeper.audit set actor = 'U0MALLORY' where seq = 3; delete from lockkeeper.audit where seq = 2`)
    const checkpointFile = inMemory()
    const accepted = await acceptAudit(store.db, checkpointFile, { actor: 'os:ops', human: 'U0OPS', reason: 'a restore test went wrong' })
    expect(accepted).toMatchObject({ before: { kind: 'broken', seq: 2 }, after: { kind: 'whole', head: { seq: 6 } } })
    await write(store, 2)
    expect(await verifyChain(store.db)).toMatchObject({ kind: 'whole', rows: 7, accepted: 2 })
    const [row] = await auditPage(store.db, { limit: 1, before: 7 })
    expect(row).toMatchObject({
      actor: 'os:ops',
      human: 'U0OPS',
      entry: 'cli',
      act: 'audit accept',
      result: 'accepted',
      data: {
        reason: 'a restore test went wrong',
        breaks: [
          { seq: 2, why: 'it is missing' },
          { seq: 3, why: 'it was changed after it was written' },
        ],
      },
    })
    await tamper(store, `update lockkeeper.audit set actor = 'U0EVE' where seq = 3`)
    expect(await verifyChain(store.db)).toEqual({ kind: 'broken', seq: 2, why: 'it is missing' })
  })

  test('accepting puts triggers back and gives rows beside the chain their place, and says which', async () => {
    await write(store, 2)
    await store.db.query('alter table lockkeeper.audit disable trigger user')
    await write(store, 1, 3)
    await store.db.query('drop trigger audit_guard on lockkeeper.audit')
    const accepted = await acceptAudit(store.db, inMemory(), { actor: 'os:ops', reason: 'the triggers were off' })
    expect(accepted.after).toMatchObject({ kind: 'whole', head: { seq: 4 } })
    expect((await auditPage(store.db, { limit: 1 }))[0]?.data).toMatchObject({ chained: [3] })
    await expect(store.db.query('delete from lockkeeper.audit')).rejects.toThrow('append-only')
  })

  test('accepting a restored store makes the checkpoint see it as it is', async () => {
    await write(store, 3)
    const checkpointFile = inMemory({ store: await storeId(store.db), seq: 9, hash: 'f'.repeat(64) })
    const accepted = await acceptAudit(store.db, checkpointFile, { actor: 'os:ops', reason: 'compared with production by hand' })
    expect(accepted.before).toMatchObject({ kind: 'restored' })
    expect(checkpointFile.read()).toMatchObject({ seq: 4 })
    expect(await auditHealth(store.db, { checkpoint: checkpointFile.read() })).toMatchObject({ kind: 'whole' })
  })
})

test('the checkpoint is whole on the disk after each write, and what is no checkpoint counts as none', async () => {
  const { mkdtemp, readdir, rm, writeFile } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const directory = await mkdtemp(`${tmpdir()}/checkpoint-`)
  try {
    const path = `${directory}/var/audit-witness.json`
    const checkpointFile = openCheckpoint(path)
    expect(checkpointFile.read()).toBeNull()
    const checkpoint = { store: 's', seq: 3, hash: 'h' }
    await checkpointFile.write(checkpoint)
    await checkpointFile.write({ ...checkpoint, seq: 4 })
    expect(openCheckpoint(path).read()).toEqual({ ...checkpoint, seq: 4 })
    expect(await readdir(`${directory}/var`)).toEqual(['audit-witness.json'])
    await writeFile(path, '{"store":')
    expect(checkpointFile.read()).toBeNull()
  } finally {
    await rm(directory, { recursive: true })
  }
})
