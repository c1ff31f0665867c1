import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { loadParser, type Parser } from '../../../src/sql/effects/parser.ts'
import { typeChange } from '../../../src/sql/rules/alter-table/coercion.ts'
import { createSchema } from '../../../src/sql/rules/schema/schema.ts'
import { typeNamed } from '../../../src/sql/rules/schema/types.ts'
import { shownType, type SqlType } from '../../../src/sql/rules/types/type.ts'
import { catalogueOf } from '../../contract/forecast/catalogues.ts'

let parser: Parser
beforeAll(async () => {
  parser = await loadParser()
})

const schemaIn = (timeZone: string) => createSchema({ ...catalogueOf(18), timeZone })
const schema = schemaIn('Europe/Berlin')

function typeOf(written: string): SqlType {
  const [node] = parser.sql(`select null::${written}`)
  const target = node !== undefined && 'SelectStmt' in node ? node.SelectStmt.targetList?.[0] : undefined
  const value = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined
  if (value === undefined || !('TypeCast' in value)) throw new Error(written)
  return typeNamed(schema, value.TypeCast.typeName)
}

/** `no`: nothing is written; `indexes`: those on the column are built anew; `rows`: everything is. */
function writes(from: string, to: string, timeZone?: string): 'no' | 'indexes' | 'rows' | 'refused' {
  const of = timeZone === undefined ? schema : schemaIn(timeZone)
  const change = typeChange({ schema: of, column: 'c', from: typeOf(from), to: typeOf(to), using: null })
  if (change.kind === 'impossible') return 'refused'
  return change.rewrites ? 'rows' : change.keepsIndexes ? 'no' : 'indexes'
}

test.each([
  ['varchar(100)', 'varchar(200)', 'no'],
  ['varchar(100)', 'text', 'no'],
  ['text', 'varchar', 'no'],
  ['text', 'varchar(255)', 'rows'],
  ['text', 'citext', 'indexes'],
  ['char(10)', 'text', 'rows'],
  ['integer', 'bigint', 'rows'],
  ['integer', 'oid', 'indexes'],
  ['real', 'double precision', 'rows'],
  ['numeric(10,2)', 'numeric(12,2)', 'no'],
  ['numeric(10,2)', 'numeric', 'no'],
  ['numeric(10,2)', 'numeric(12,4)', 'rows'],
  ['numeric', 'numeric(65,30)', 'rows'],
  ['timestamp(3)', 'timestamp', 'no'],
  ['timestamptz(6)', 'timestamptz(3)', 'rows'],
  ['interval(3)', 'interval', 'no'],
  ['cidr', 'inet', 'no'],
  ['inet', 'cidr', 'rows'],
  ['json', 'jsonb', 'rows'],
  ['mood', 'text', 'rows'],
  ['text', 'mood', 'refused'],
  ['text', 'uuid', 'refused'],
  ['varchar(10)[]', 'varchar(20)[]', 'rows'],
  ['varchar[]', 'text[]', 'rows'],
  ['varchar(10)[]', 'varchar[]', 'no'],
  ['text', 'label', 'no'],
  ['text', 'filled', 'rows'],
  ['positive', 'integer', 'no'],
] as const)('%s to %s writes anew: %s', (from, to, what) => {
  expect(writes(from, to)).toBe(what)
})

test('a moment without a zone gets one for nothing only where the session is in UTC and keeps the whole precision', () => {
  const zones = ['UTC', 'Etc/UTC', 'GMT', 'Europe/London', 'Atlantic/Reykjavik', 'Africa/Abidjan']
  expect(zones.map((zone) => writes('timestamp', 'timestamptz', zone))).toEqual(['indexes', 'indexes', 'indexes', 'rows', 'rows', 'rows'])
  expect(writes('timestamp(3)', 'timestamptz(6)', 'UTC')).toBe('indexes')
  expect(writes('timestamp(3)', 'timestamptz(3)', 'UTC')).toBe('rows')
})

test('more room is free, less is not', () => {
  const size = fc.integer({ min: 1, max: 1000 })
  fc.assert(
    fc.property(size, size, (from, to) => {
      expect(writes(`varchar(${from})`, `varchar(${to})`)).toBe(to >= from ? 'no' : 'rows')
      expect(writes(`numeric(${from},1)`, `numeric(${to},1)`)).toBe(to >= from ? 'no' : 'rows')
      expect(writes(`timestamp(${from % 7})`, `timestamp(${to % 7})`)).toBe(to % 7 >= from % 7 ? 'no' : 'rows')
    }),
    { numRuns: 50 },
  )
})

test('a type is written as PostgreSQL writes it', () => {
  const written = ['int', 'decimal(10,2)', 'timestamp(3)', 'timestamptz', 'varchar(5)[]', 'char(3)', 'mood', 'double precision']
  expect(written.map((one) => shownType(typeOf(one)))).toEqual([
    'integer',
    'numeric(10,2)',
    'timestamp(3) without time zone',
    'timestamp with time zone',
    'character varying(5)[]',
    'character(3)',
    'mood',
    'double precision',
  ])
})
