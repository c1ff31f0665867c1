import { expect, test } from 'vitest'
import { knownAsOneScript } from '../../../src/migrate/decide/one-script.ts'

const native = { atomic: true, adapter: false }
const adapter = { atomic: true, adapter: true }
const newer = { atomic: false, adapter: false }

test.each([
  ['one statement', 'update t set a = 1;\n'],
  ['one without an end', 'update t set a = 1'],
  ['nothing', ' ;\n; '],
])('what has no semicolon inside is one script whoever sends it: %s', (_what, sql) => {
  for (const engine of [native, adapter, newer]) expect(knownAsOneScript({ ...engine, sql })).toBe(true)
})

test.each([
  ['two statements', 'update t set a = 1; update t set a = 2'],
  ['a semicolon in a comment', 'update t set a = 1;\n-- not yet; drop table t'],
  ['one in a string', "insert into t values ('a;b')"],
  ['one in a body', 'do $$ begin perform 1; end $$'],
])('what has one is told by the engine, unless an adapter decides it: %s', (_what, sql) => {
  expect([native, adapter, newer].map((engine) => knownAsOneScript({ ...engine, sql }))).toEqual([true, null, false])
})
