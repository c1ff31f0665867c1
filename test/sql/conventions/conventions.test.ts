import { describe, expect, test } from 'vitest'
import { reviewSchema, type ReviewSettings } from '../../../src/config/keys/review.ts'
import { headerDrafts } from '../../../src/sql/conventions/header.ts'
import { mixedDraft } from '../../../src/sql/conventions/mixed.ts'
import { furtherDrafts } from '../../../src/sql/conventions/further.ts'
import { weigh } from '../../../src/sql/weigh/weigh.ts'
import { live, orders, part, statement, table, weighing } from '../weigh/forecasts.ts'

const settings = (review: object): ReviewSettings => reviewSchema.parse(review)
const drafts = (name: string, sql: string, review: object) =>
  headerDrafts(name, Buffer.from(sql), settings(review)).map(({ code, weight, text }) => `${weight} ${code}: ${text}`)

describe('the name and the header of a migration', () => {
  const names = { names: { pattern: '^[0-9]{14}_(add|drop)_' } }
  const header = { header: ['what', 'who', 'ticket'] }

  test('nothing is asked where nothing is configured', () => {
    expect(drafts('x', 'select 1', {})).toEqual([])
  })

  test('a name has to fit the rule', () => {
    expect(drafts('20261120101500_add_orders', '', names)).toEqual([])
    expect(drafts('20261120101500_stuff', '', names)).toEqual([
      'warning name: its name does not fit the rule of this target, `^[0-9]{14}_(add|drop)_`',
    ])
    expect(drafts('stuff', '', { ...names, weights: { name: 'blocker' } })).toEqual([expect.stringMatching(/^blocker name: /)])
  })

  test.each([
    ['-- What: adds orders\n-- Who: Alice\n-- Ticket: SHOP-12\n\nCREATE TABLE x ();', null],
    ['/*\n * what: adds orders\n * who: Alice\n * ticket: SHOP-12\n */\nCREATE TABLE x ();', null],
    ['-- What: adds orders\n-- Who:\nCREATE TABLE x ();\n-- Ticket: too late', 'who and ticket; write `-- Who: …` and `-- Ticket: …`'],
    ['CREATE TABLE x ();', 'what, who and ticket; write `-- What: …`, `-- Who: …` and `-- Ticket: …`'],
    ['', 'what, who and ticket; write `-- What: …`, `-- Who: …` and `-- Ticket: …`'],
  ])('%j', (sql, missing) => {
    expect(drafts('x', sql, header)).toEqual(
      missing === null ? [] : [`warning header: its comment at the top does not say ${missing} there`],
    )
  })

  test('a pattern that is none is refused', () => {
    expect(reviewSchema.safeParse({ names: { pattern: '(' } }).success).toBe(false)
  })
})

const add = statement('ALTER TABLE "orders" ADD COLUMN "note" text', 'AccessExclusive', [
  part('add column', { column: 'note', new: { kind: 'fails', why: 'it uses note' } }),
])
const drop = statement('ALTER TABLE "orders" DROP COLUMN "memo"', 'AccessExclusive', [
  part('drop column', { column: 'memo', old: { kind: 'fails', why: 'it uses memo' } }),
])
const rename = statement('ALTER TABLE "orders" RENAME COLUMN "a" TO "b"', 'AccessExclusive', [
  part('rename column', { old: { kind: 'fails', why: 'a' }, new: { kind: 'fails', why: 'b' } }),
])
const file = (name: string, ...forecasts: readonly ReturnType<typeof statement>[]) => ({
  name,
  content: Buffer.from(''),
  forecasts: forecasts.map((one, at) => ({ ...one, line: at + 1 })),
  isOneTransaction: true,
})

describe('a plan that adds and takes away at once', () => {
  const told = (...files: readonly ReturnType<typeof file>[]) => mixedDraft(files, settings({}))

  test('is told once, with which files go first and which wait', () => {
    const found = told(
      file('1_add', add),
      file('2_index', statement('CREATE INDEX', null, [part('create index')])),
      file('3_drop', drop, drop),
    )
    expect(found).toMatchObject({ file: '3_drop', draft: { code: 'mixed', weight: 'blocker', line: 1, advice: { files: [] } } })
    expect([found?.draft.text, found?.draft.advice?.text]).toEqual([
      'this plan adds what new code needs (`1_add`, line 1) and takes away what old code uses (`3_drop`, lines 1 and 2); whichever of application and migrations comes first, one version of it fails in between',
      'First goes `1_add` and `2_index`, then the application that needs it; when nothing uses the old any more, `3_drop` goes in a release of its own',
    ])
  })

  test('one file that does both is split in two', () => {
    expect(told(file('1_both', add, drop))?.draft.advice).toEqual({
      text: 'Split `1_both` in two. First goes `1_both_add`, then the application that needs it; when nothing uses the old any more, `1_both_remove` goes in a release of its own',
      files: [
        { name: '1_both_add', sql: 'ALTER TABLE "orders" ADD COLUMN "note" text;\n' },
        { name: '1_both_remove', sql: 'ALTER TABLE "orders" DROP COLUMN "memo";\n' },
      ],
    })
  })

  test.each([
    ['only additions', [file('1', add), file('2', add)]],
    ['only what is taken away', [file('1', drop)]],
    ['a rename, which is told as that', [file('1', rename)]],
    ['what is taken away is new in this plan', [file('1', add, { ...drop, parts: drop.parts.map((one) => ({ ...one, isNew: true })) })]],
    ['what is taken away is refused', [file('1', add, { ...drop, fails: { sqlstate: '42703', why: 'it is not there' } })]],
  ])('not where there are %s', (_, files) => {
    expect(told(...files)).toBe(null)
  })

  test('its weight is configured', () => {
    expect(mixedDraft([file('1', add, drop)], settings({ weights: { mixed: 'warning' } }))?.draft.weight).toBe('warning')
  })

  test('a comment in the file waives it like any other finding', () => {
    const sql = `-- lockkeeper: allow mixed because nothing reads memo\n${add.sql};\n${drop.sql};\n`
    const both = {
      name: '1',
      content: Buffer.from(sql),
      forecasts: [
        { ...add, line: 2 },
        { ...drop, line: 3 },
      ],
      isOneTransaction: true,
    }
    const rules = settings({ header: ['who'] })
    const weighed = (one: typeof both) =>
      weigh([one], { ...weighing(live([table(orders, 10)])), further: furtherDrafts([one], rules) }).filter(({ code }) =>
        ['mixed', 'header'].includes(code),
      )
    expect(weighed(both).map(({ code, waived }) => [code, waived?.reason ?? null])).toEqual([
      ['mixed', null],
      ['header', null],
    ])
    const above = `${add.sql};\n-- lockkeeper: allow mixed because nothing reads memo\n${drop.sql};\n`
    const here = {
      ...both,
      content: Buffer.from(above),
      forecasts: [
        { ...add, line: 1 },
        { ...drop, line: 3 },
      ],
    }
    expect(weighed(here).map(({ code, waived }) => [code, waived?.reason ?? null])).toEqual([
      ['header', null],
      ['mixed', 'nothing reads memo'],
    ])
  })
})
