import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { migrationHashOf, readPackage } from '../../../src/plan/prisma8/package.ts'
import { CUSTOMERS, NO_EMAIL, packageOf, PHONE } from './application.ts'

type Json = Record<string, unknown>

const { files } = packageOf(NO_EMAIL)
const metadata = (): Json => JSON.parse(files.metadata.toString('utf8')) as Json
const operations = (): Json[] => JSON.parse(files.operations.toString('utf8')) as Json[]
const read = (metadata: string | Buffer, operations: string | Buffer) =>
  readPackage(NO_EMAIL, { metadata: Buffer.from(metadata), operations: Buffer.from(operations) })

/** What `prisma migration check` of 8.0.0-rc.19 said that each of these has: the recomputed hash. */
const mutations: readonly (readonly [string, string, (metadata: Json, operations: Json[]) => void])[] = [
  [
    'another label',
    '557191e4fff291572d132a28f1379ac83fa13a8a8524354a19fd8785e23e480a',
    (_, [first]) => edit(first, 'label', (text) => `${String(text)}!`),
  ],
  [
    'another statement',
    '13d8aa62c575e225fc2daa750753b0acc34da4d6d13ce1181c1c6f9d560f9c9e',
    (_, [, second]) => edit((second?.['execute'] as Json[] | undefined)?.[0], 'sql', (text) => `${String(text)} CASCADE`),
  ],
  [
    'another time',
    'd44034199536ed80a414f9ca6c092a8a29c5a97a5b408b492f2e7fef72b72f2e',
    (metadata) => edit(metadata, 'createdAt', () => '2026-11-30T03:19:40.144Z'),
  ],
  [
    'another class',
    '7e5fabe40e41b7b394f8e081963dc7a33ec1f106bfa6140829b0f5493c9e093c',
    (_, [first]) => edit(first, 'operationClass', () => 'additive'),
  ],
  [
    'whole numbers as keys',
    '0dcc3986777376acf042761618876213b3bcc043e749dfeb3e56d2422cdf554d',
    (_, [first]) =>
      edit(first?.['target'] as Json | undefined, 'details', () => ({ b: 1, 10: 'x', 9: [2, 1.5, 1e21], a: { 2: 0, 1: null } })),
  ],
  [
    'letters of all kinds',
    '9adfa9a41d9e8e93eb3a8d71915ca61a4872a3d8c95b47e903d11063249c99ad',
    (_, [first]) => edit(first, 'label', () => 'Größe \u2028 " \\ \u0001 𝒳 é'),
  ],
  ['an operation less', 'b674f0007b83badc03002f3a39803cc4db0efec3d8d21f41012951337f478b94', (_, all) => void all.pop()],
  ['another order', 'dff908145e31e1059af253c1ad2fb4484c98b7d5ae74a1c18482ca33818e402f', (_, all) => void all.reverse()],
  [
    'a check less',
    '9df0425538eef33ad04f7d413e39ea037c80266d99f004067d80cb16e5a04c23',
    (_, [, second]) => edit(second, 'precheck', () => []),
  ],
]

function edit(object: Json | undefined, key: string, change: (value: unknown) => unknown): void {
  if (object === undefined) throw new Error(`there is nothing to change ${key} of`)
  object[key] = change(object[key])
}

describe('the hash of a migration', () => {
  test.each([CUSTOMERS, PHONE, NO_EMAIL])('of %s is the one that Prisma wrote down', (name) => {
    const { hash } = packageOf(name)
    expect(hash.computed).toBe(hash.written)
  })

  test.each(mutations)('with %s is the one that Prisma computes', (_name, expected, change) => {
    const [meta, all] = [metadata(), operations()]
    change(meta, all)
    expect(migrationHashOf(meta, all)).toBe(expected)
  })

  test('of a key that JavaScript treats as its own is the one that Prisma computes', () => {
    const text = JSON.stringify(operations()).replace('"target":{', '"target":{"__proto__":{"x":1},')
    expect(migrationHashOf(metadata(), JSON.parse(text))).toBe('3fc48544214ab2c8be0beb961d020bc256c467c7d43a8463371e28d7325dfaa5')
  })

  test('does not count white space and the order of keys, and counts everything else', () => {
    const keysTurned = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(keysTurned)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .map(([key, part]) => [key, keysTurned(part)])
                .toReversed(),
            )
          : value
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.jsonValue(), (all, more) => {
        const hash = migrationHashOf(metadata(), all)
        expect(migrationHashOf(keysTurned(metadata()), keysTurned(all))).toBe(hash)
        expect(migrationHashOf(metadata(), [...all, more])).not.toBe(hash)
      }),
    )
  })
})

describe('a package is read', () => {
  test('with its operations, their classes and their checks', () => {
    const { from, to, operations } = packageOf(NO_EMAIL)
    expect({
      from: from?.slice(0, 7),
      to: to.slice(0, 7),
      operations: operations.map((one) => [
        one.label,
        one.class,
        one.precheck.length,
        one.postcheck.length,
        one.execute.map(({ sql }) => sql),
      ]),
    }).toMatchInlineSnapshot(`
      {
        "from": "f6d704d",
        "operations": [
          [
            "Drop constraint "Customer_email_key" on "Customer"",
            "destructive",
            1,
            1,
            [
              "ALTER TABLE "public"."Customer" DROP CONSTRAINT "Customer_email_key"",
            ],
          ],
          [
            "Drop column "email" from "Customer"",
            "destructive",
            1,
            1,
            [
              "ALTER TABLE "public"."Customer" DROP COLUMN "email"",
            ],
          ],
        ],
        "to": "c3bf7ce",
      }
    `)
  })

  test('and what is not of that shape is refused with the place', () => {
    expect(read('{', '[]')).toEqual({ kind: 'unreadable', file: 'migration.json', why: 'it is not JSON' })
    expect(read(JSON.stringify({ ...metadata(), to: '../../etc' }), '[]')).toEqual({
      kind: 'unreadable',
      file: 'migration.json',
      why: 'to: a hash of 64 hex characters was expected',
    })
    expect(read(JSON.stringify({ ...metadata(), more: 1 }), '[]')).toMatchObject({
      file: 'migration.json',
      why: 'Unrecognized key: "more"',
    })
    const [first] = operations()
    expect(read(files.metadata, JSON.stringify([{ ...first, operationClass: 'odd' }]))).toMatchObject({
      file: 'ops.json',
      why: '0.operationClass: Invalid option: expected one of "additive"|"widening"|"destructive"|"data"',
    })
  })

  test('whatever bytes stand there, never with a fault', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json()), fc.oneof(fc.uint8Array(), fc.json()), (metadata, operations) => {
        expect(readPackage('x', { metadata: Buffer.from(metadata), operations: Buffer.from(operations) })).toMatchObject({
          kind: 'unreadable',
        })
      }),
    )
  })
})
