import { expect, test } from 'vitest'
import { readScript } from '../../src/sql/parse.ts'
import { isCommit, isConcurrent, standsAlone } from '../../src/sql/transactions.ts'

async function kindsOf(sql: string): Promise<readonly (readonly boolean[])[]> {
  const script = await readScript(Buffer.from(sql))
  if (script.kind === 'unreadable') throw new Error(script.why)
  return script.statements.map((node) => [isConcurrent(node), standsAlone(node)])
}

test.each([
  'create index concurrently i on t (x)',
  'drop index concurrently i',
  'reindex table concurrently t',
  'alter table t detach partition u concurrently',
])('whatever is concurrent stands alone: %s', async (sql) => {
  expect(await kindsOf(sql)).toEqual([[true, true]])
})

test.each(['reindex schema s', 'vacuum t', 'vacuum (analyze) t', 'cluster', 'create database d', 'discard all'])(
  'what cannot run in a transaction stands alone: %s',
  async (sql) => {
    expect(await kindsOf(sql)).toEqual([[false, true]])
  },
)

test('ANALYZE, CLUSTER and REINDEX of one table may stand beside others', async () => {
  const kinds = await kindsOf('analyze t; analyze; cluster t; reindex table t; discard plans')
  expect(kinds.flat()).not.toContain(true)
  expect(kinds).toHaveLength(5)
})

test('what was done before COMMIT, END and PREPARE TRANSACTION stays', async () => {
  const script = await readScript(
    Buffer.from("begin; commit; end; commit and chain; prepare transaction 'x'; rollback; abort; savepoint a; release a; rollback to a"),
  )
  expect(script.kind === 'sql' && script.statements.map(isCommit)).toEqual([
    false,
    true,
    true,
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ])
})
