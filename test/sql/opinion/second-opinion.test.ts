import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Finding } from '../../../src/sql/weigh/finding.ts'
import { secondOpinion } from '../../../src/sql/opinion/second-opinion.ts'
import { seesMore } from '../../../src/sql/opinion/sees-more.ts'

const server = { serverVersion: '15.18' }
const asked = async (...texts: readonly string[]) => {
  const opinion = await secondOpinion(
    texts.map((text, at) => ({ name: `${at + 1}_file`, text })),
    server,
  )
  return opinion.kind === 'given' ? opinion.remarks : opinion
}
const told = async (
  texts: readonly string[],
  findings: Parameters<typeof seesMore>[1] = [],
  lines: readonly (readonly number[])[] = [],
  newOnes: readonly string[] = [],
) => {
  const remarks = await asked(...texts)
  if ('kind' in remarks) throw new Error(remarks.why)
  const statements = lines.map((starts, at) => {
    const migration = `${at + 1}_file`
    return [migration, starts.map((line) => ({ line, isOfNew: newOnes.includes(`${migration}:${line}`), isKnown: false }))] as const
  })
  return seesMore(remarks, findings, new Map(statements))
}

describe('the second opinion of squawk 2.66.0', () => {
  test('is asked once for all files, and says of each remark where it belongs', async () => {
    expect(
      await told(
        ['-- first\nALTER TABLE a\n  ADD COLUMN note char(10);\n-- the end', 'create domain d as text check (value <> 1)'],
        [],
        [[2], [1]],
      ),
    ).toMatchInlineSnapshot(`
      [
        {
          "advice": null,
          "code": "second-opinion",
          "line": 2,
          "migration": "1_file",
          "table": null,
          "text": "squawk, which sees the SQL alone, says (ban-char-field): Using \`character\` is likely a mistake and should almost always be replaced by \`text\` or \`varchar\`",
          "waived": null,
          "weight": "note",
        },
        {
          "advice": null,
          "code": "second-opinion",
          "line": 1,
          "migration": "2_file",
          "table": null,
          "text": "squawk, which sees the SQL alone, says (ban-create-domain-with-constraint): Domains with constraints have poor support for online migrations. Use table and column constraints instead",
          "waived": null,
          "weight": "note",
        },
      ]
    `)
  })

  test('says nothing of a statement of which the review has said something, nor of taste', async () => {
    const own: readonly Pick<Finding, 'migration' | 'line' | 'code'>[] = [{ migration: '1_file', line: 1, code: 'data-loss' }]
    expect(await told(['drop table b;\ncreate table c (id serial primary key, n varchar(10));'], own, [[1, 2]])).toEqual([])
  })

  test('of a table that the plan creates only some of its rules know, so what concerns new ones alone is left out', async () => {
    const files = ['create table c (id bigint);', 'alter table c add column n int not null;\ncreate index i on c (n);']
    expect((await told(files, [], [[1], [1, 2]])).map(({ text }) => /\((.*?)\)/.exec(text)?.[1])).toEqual(['adding-required-field'])
    expect(await told(files, [], [[1], [1, 2]], ['1_file:1', '2_file:1', '2_file:2'])).toEqual([])
  })

  test('of a file that cannot be read is what it says of the syntax, which is left to the review', async () => {
    expect(await asked('selec 1')).toMatchObject([{ rule: 'syntax-error' }, { rule: 'syntax-error' }])
    expect(await told(['selec 1'])).toEqual([])
  })

  test('is not given where there is no program, where it cannot be started, or where files are very long', async () => {
    const files = [{ name: '1', text: 'select 1' }]
    expect(await secondOpinion(files, { ...server, program: null })).toEqual({
      kind: 'not given',
      why: 'squawk has no program for this machine',
    })
    expect(await secondOpinion(files, { ...server, program: '/nowhere/squawk' })).toEqual({
      kind: 'not given',
      why: 'squawk could not be started',
    })
    expect(await secondOpinion(files, { ...server, program: '/bin/false' })).toEqual({
      kind: 'not given',
      why: 'squawk could not read the files',
    })
    expect(await secondOpinion([{ name: '1', text: '-'.repeat(2_000_001) }], server)).toEqual({
      kind: 'not given',
      why: 'the files together are too long for squawk',
    })
    expect(await secondOpinion([], server)).toEqual({ kind: 'given', remarks: [] })
  })
})

test('of a statement that the rule table knows only what that does not look at is told', () => {
  const remarks = ['adding-foreign-key-constraint', 'ban-drop-column', 'ban-char-field'].map((rule) => ({
    migration: '1_file',
    line: 1,
    rule,
    message: 'Said',
    help: null,
  }))
  const of = (isKnown: boolean) =>
    seesMore(remarks, [], new Map([['1_file', [{ line: 1, isOfNew: false, isKnown }]]])).map(({ text }) => text)
  expect(of(true)).toEqual(['squawk, which sees the SQL alone, says (ban-char-field): Said'])
  expect(of(false)).toHaveLength(3)
})

const remark = fc.record({
  migration: fc.constantFrom('1', '2'),
  line: fc.integer({ min: 1, max: 9 }),
  rule: fc.constantFrom('ban-drop-table', 'prefer-identity', 'ban-char-field'),
  message: fc.string(),
  help: fc.option(fc.string()),
})

test('what it adds stands where nothing was found, once for each rule and statement, in one line', () => {
  const place = fc.record({ migration: fc.constantFrom('1', '2'), line: fc.integer({ min: 1, max: 9 }) })
  fc.assert(
    fc.property(fc.array(remark), fc.array(place), (remarks, places) => {
      const own = places.map((one) => ({ ...one, code: 'rename' as const }))
      const starts = new Map([
        ['1', [1, 4, 8].map((line) => ({ line, isOfNew: false, isKnown: false }))],
        ['2', [{ line: 1, isOfNew: false, isKnown: false }]],
      ])
      const more = seesMore(remarks, own, starts)
      expect(more.filter(({ migration, line }) => own.some((one) => one.migration === migration && one.line === line))).toEqual([])
      expect(more.filter(({ text }) => text.includes('\n') || text.includes('prefer-'))).toEqual([])
      const keys = more.map(({ migration, line, text }) => `${migration} ${line} ${/\((.*?)\)/.exec(text)?.[1]}`)
      expect(new Set(keys).size).toBe(keys.length)
    }),
  )
})
