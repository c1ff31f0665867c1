import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Expected } from '../../src/config/keys/assertions.ts'
import { difference, isExpected, saysExpected, seenOf, tableOf, type Cell, type Result } from '../../src/watching/assertions.ts'
import { readQuery } from '../../src/watching/query.ts'

const result = (rows: readonly (readonly Cell[])[], isNumber = false, hasMore = false): Result => ({
  columns: (rows[0] ?? ['']).map((_, at) => ({ name: `c${at}`, isNumber })),
  rows,
  hasMore,
})
const seen = (rows: readonly (readonly Cell[])[]) => seenOf(result(rows), (text) => text)

test.each<[string, Expected, Result, boolean]>([
  ['a number by its value', 3, result([['3']], true), true],
  ['a numeric with decimals', 3, result([['3.00']], true), true],
  ['a numeric below zero', -0.5, result([['-0.50']], true), true],
  ['zero has no sign', 0, result([['-0']], true), true],
  ['a long number as text', '9007199254740993', result([['9007199254740993']], true), true],
  ['another number', 3, result([['4']], true), false],
  ['a code is no number', '7', result([['007']]), false],
  ['a boolean', true, result([['t']]), true],
  ['NULL', null, result([[null]]), true],
  ['NULL is not an empty text', null, result([['']]), false],
  ['no row where a value is expected', 0, { ...result([]), columns: [{ name: 'n', isNumber: true }] }, false],
  ['no rows', [], result([]), true],
  ['a row where none is expected', [], result([['1']], true), false],
  [
    'rows in any order',
    [
      [1, 'paid'],
      [2, 'open'],
    ],
    {
      columns: [
        { name: 'id', isNumber: true },
        { name: 'state', isNumber: false },
      ],
      rows: [
        ['2', 'open'],
        ['1', 'paid'],
      ],
      hasMore: false,
    },
    true,
  ],
  ['a row of one column, written as a value', [1, 2], result([['2'], ['1']], true), true],
  ['the same row twice', [1, 1], result([['1'], ['2']], true), false],
  ['more columns than expected', 1, result([['1', '2']], true), false],
  ['more rows than were read', [1], result([['1']], true, true), false],
])('what was expected is what came: %s', (_, expected, came, holds) => {
  expect(isExpected(expected, came)).toBe(holds)
})

const rows = fc.array(fc.tuple(fc.option(fc.string({ maxLength: 3 })), fc.constantFrom('a', 'b', null)), { maxLength: 12 })

test('rows are what was expected whatever their order, and not when one of them is another', () => {
  fc.assert(
    fc.property(rows, fc.nat(), (all, turn) => {
      const turned = [...all.slice(turn % (all.length || 1)), ...all.slice(0, turn % (all.length || 1))]
      const found: Result = { columns: [0, 1].map((at) => ({ name: `c${at}`, isNumber: false })), rows: turned, hasMore: false }
      expect(
        isExpected(
          all.map((row) => [...row]),
          found,
        ),
      ).toBe(true)
      expect(isExpected([...all.map((row) => [...row]), ['one', 'more']], found)).toBe(false)
    }),
  )
})

test('a difference is empty for the same rows in another order, and otherwise both sides make up for it', () => {
  fc.assert(
    fc.property(rows, rows, (one, other) => {
      const same = difference(seen(one), seen(one.toReversed()))
      expect([same.gone.rows, same.came.rows]).toEqual([[], []])
      const { gone, came } = difference(seen(one), seen(other))
      expect(one.length - gone.rows.length).toBe(other.length - came.rows.length)
    }),
  )
})

test('a secret is hidden before a cell is cut, and the hash is of the whole row', () => {
  const long = `${'x'.repeat(50)}geheimnis-geheimnis`
  const [row] = seenOf(result([[long]]), (text) => text.replaceAll('geheimnis-geheimnis', '[redacted]')).rows
  expect(row?.cells).toEqual([`${'x'.repeat(50)}[redacted]`])
  expect(row?.hash).not.toBe(seen([[`${'x'.repeat(50)}[redacted]`]]).rows[0]?.hash)
})

test('at most ten rows are shown, as a table', () => {
  const all = seen(Array.from({ length: 12 }, (_, at) => [String(at + 1), at === 0 ? null : 'open']))
  expect(tableOf(all).split('\n')).toEqual([
    'c0 | c1',
    '1  | NULL',
    ...Array.from({ length: 9 }, (_, at) => `${String(at + 2).padEnd(2)} | open`),
    'and 2 more',
  ])
})

test.each<[Expected, string]>([
  [0, '0'],
  [null, 'NULL'],
  [[], 'no rows'],
  [[[1, 2]], 'one row'],
  [['a', 'b'], '2 rows'],
])('%j is said as %s', (expected, text) => {
  expect(saysExpected(expected)).toBe(text)
})

describe('what may be asked', () => {
  test.each([
    'select 1',
    'select 1; -- one',
    'table orders',
    'values (1), (2)',
    'with a as (select 1) select * from a',
    '-- why\nselect 1',
  ])('is %j', async (sql) => {
    expect(await readQuery(sql)).toMatchObject({ kind: 'query' })
  })

  test.each([
    ['', 'it holds no statement'],
    ['select 1; select 2', 'it holds 2 statements, and one is asked'],
    ['select 1; drop table orders', 'it holds 2 statements, and one is asked'],
    ['delete from orders', 'it is no SELECT, VALUES, TABLE or WITH'],
    ['explain analyze delete from orders', 'it is no SELECT, VALUES, TABLE or WITH'],
    ['with gone as (delete from orders returning *) select count(*) from gone', 'it writes in a WITH'],
    ['select * into copy from orders', 'it writes a table (SELECT INTO)'],
    ['select * from orders for update', 'it locks rows (FOR UPDATE or FOR SHARE)'],
    ['select pg_terminate_backend(1)', 'it uses pg_terminate_backend, which may act outside of a read-only transaction'],
    ["select dblink_exec('dbname=shop', 'drop table orders')", 'it uses dblink_exec, which may act outside of a read-only transaction'],
    ['selekt 1', 'it cannot be read as SQL: syntax error at or near "selekt" in line 1'],
  ])('is not %j', async (sql, why) => {
    expect(await readQuery(sql)).toEqual({ kind: 'unfit', why })
  })
})
