import { expect, test } from 'vitest'
import { otherFindings } from '../../../src/plan/weighed/opinion.ts'
import type { Forecast, Part } from '../../../src/sql/rules/forecast.ts'

const part: Part = {
  rule: 'add column',
  table: { schema: 'public', name: 'a' },
  isNew: false,
  rewrites: [],
  scans: [],
  builds: [],
  loses: [],
  old: { kind: 'works' },
  new: { kind: 'works' },
}
const forecast = (line: number, isNew: boolean): Forecast => ({
  line,
  sql: '',
  locks: [],
  parts: [{ ...part, isNew }],
  fails: null,
  unknown: null,
})
const file = {
  name: '1_char',
  content: Buffer.from('create table b (id bigint);\nalter table b add column c char(3);\nalter table a\n  add column c char(3);'),
  forecasts: [forecast(1, true), forecast(2, true), forecast(3, false)],
}

test('squawk adds what it sees of tables that are there, and says nothing of new ones', async () => {
  const found = await otherFindings([file], [], { version: 150_018 })
  expect(found.map(({ code, weight, migration, line, text }) => [code, weight, migration, line, text])).toEqual([
    [
      'second-opinion',
      'note',
      '1_char',
      3,
      'squawk, which sees the SQL alone, says (ban-char-field): Using `character` is likely a mistake and should almost always be replaced by `text` or `varchar`',
    ],
  ])
})

test('a plan goes on without it, and says so', async () => {
  const found = await otherFindings([file], [], { version: 150_018, program: null })
  expect(found.map(({ code, weight, text }) => [code, weight, text])).toEqual([
    ['not-seen', 'note', 'the second opinion is missing: squawk has no program for this machine'],
  ])
})
