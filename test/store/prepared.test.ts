import { expect, test } from 'vitest'
import { createNames } from '../../src/store/prepared.ts'

const asked = (sql: string, times: number) => {
  const nameOf = createNames()
  return Array.from({ length: times }, () => nameOf(sql))
}

test('a statement gets its name when it is asked for the fourth time, always the same', () => {
  const names = asked('select id from lockkeeper.request where id = $1', 6)
  expect(names.slice(0, 3)).toEqual([undefined, undefined, undefined])
  expect(new Set(names.slice(3)).size).toBe(1)
  expect(names[3]).toMatch(/^[\w-]{22}$/)
})

test('two statements have two names', () => {
  expect(asked('select 1 as a', 4).at(-1)).not.toBe(asked('select 1 as b', 4).at(-1))
})

test.each(['select * from lockkeeper.request', 'select b.*, 1 as one from lockkeeper.backup b', 'delete from x returning *'])(
  'a statement whose columns may change below a living session has none: %s',
  (sql) => expect(asked(sql, 9).at(-1)).toBeUndefined(),
)

test.each(['select count(*)::int as n from lockkeeper.request', "update x set at = now() + $1 * interval '1 second'"])(
  'a star that names no columns does not count: %s',
  (sql) => expect(asked(sql, 9).at(-1)).toBeDefined(),
)

test('of texts that come once each only so many are remembered', () => {
  const nameOf = createNames()
  for (let n = 0; n < 1_000; n++) nameOf(`select ${n}`)
  for (let n = 0; n < 9; n++) expect(nameOf('select 999')).toBeUndefined()
})
