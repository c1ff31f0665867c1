import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { declaresSame } from '../../../src/migrate/prisma/schema-text.ts'

const shop = readFileSync(join(import.meta.dirname, '../../../examples/shop/prisma/schema.prisma'), 'utf8')
const model = (lines: string) => `model A {\n${lines}\n}\n`

test('order of blocks and fields, white space and comments make no difference', () => {
  const blocks = shop.split(/\n(?=\w+ \w+ \{)/)
  fc.assert(
    fc.property(fc.shuffledSubarray(blocks, { minLength: blocks.length, maxLength: blocks.length }), (shuffled) => {
      expect(declaresSame(shop, shuffled.join('\n\n'))).toBe(true)
    }),
  )
  expect(declaresSame(model('id  Int @id // the key\n  b Int'), model('  b Int\n/// said\n  id Int   @id\n\n  '))).toBe(true)
  expect(declaresSame(model('@@index([a,b( sort:Desc )])'), model('@@index( [a, b(sort: Desc)] )'))).toBe(true)
})

test.each([
  ['a field more', model('id Int @id'), model('id Int @id\nb Int')],
  ['another type', model('id Int @id'), model('id BigInt @id')],
  ['another default in a string', model('a String @default("a  b")'), model('a String @default("a b")')],
  ['a comment inside of a string', model('a String @default("a // b")'), model('a String @default("a // c")')],
  ['the order of columns in an index', model('@@index([a, b])'), model('@@index([b, a])')],
  ['another map', model('a Int @map("b")'), model('a Int')],
  ['the order of values of an enum', 'enum E {\n a\n b\n}', 'enum E {\n b\n a\n}'],
  ['another kind of block', 'enum E {\n a\n}', 'model E {\n a\n}'],
  ['a block more', model('id Int @id'), `${model('id Int @id')}\nenum E {\n a\n}`],
  ['a field in another block', 'model A {\n a Int\n}\nmodel B {\n b Int\n}', 'model A {\n b Int\n}\nmodel B {\n a Int\n}'],
])('%s is never the same', (_, one, other) => {
  expect(declaresSame(one, one)).toBe(true)
  expect(declaresSame(one, other)).toBe(false)
})

test.each([
  ['a comment of several lines', model('id Int @id\n/* b Int\n*/')],
  ['an attribute over several lines', model('@@index([a,\nb])')],
  ['a block that is not closed', 'model A {\n id Int @id\n'],
  ['a block in one line', 'model A { id Int @id }'],
  ['nothing', ''],
])('%s cannot be told from the text', (_, text) => {
  expect(declaresSame(text, text)).toBe(false)
})
