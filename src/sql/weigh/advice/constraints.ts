import type { Constraint, Node } from 'libpg-query'
import { identifier } from '../../../database/session-facts.ts'
import type { Parser } from '../../effects/parser.ts'
import { partsOf } from '../../effects/names.ts'
import type { Part, Relation } from '../../rules/forecast.ts'
import type { Advice } from './advice.ts'
import { fileName, madeName, relationSql } from './names.ts'
import { subcommandsOf } from './subcommands.ts'

/** A FOREIGN KEY or CHECK: first for new rows only, then for those that are there. */
export function validateLater(part: Part, sql: string, { parser, schema }: Place): Advice | null {
  const found = constraintOf(part, sql, parser)
  if (found === null || part.table === null) return null
  const { constraint, text } = found
  const isKey = constraint.contype === 'CONSTR_FOREIGN'
  const name = constraint.conname ?? part.name ?? chosenName(part.table, constraint)
  const clause = constraint.conname === undefined ? text.replace(/^add\b/i, `ADD CONSTRAINT ${identifier(name)}`) : text
  const table = relationSql(part.table, schema)
  return {
    text: isKey
      ? 'Add the foreign key for new rows only, which takes a moment, and let another migration check those that are there while everybody goes on reading and writing'
      : 'Add the check for new rows only, which takes a moment, and let another migration check those that are there while everybody goes on reading and writing',
    files: [
      { name: fileName('add', name), sql: `ALTER TABLE ${table} ${clause} NOT VALID;\n` },
      { name: fileName('validate', name), sql: `ALTER TABLE ${table} VALIDATE CONSTRAINT ${identifier(name)};\n` },
    ],
  }
}

/** A UNIQUE or PRIMARY KEY: its index first. */
export function usingIndex(part: Part, sql: string, { parser, schema }: Place): Advice | null {
  const found = constraintOf(part, sql, parser)
  if (found === null || part.table === null) return null
  const { constraint } = found
  const columns = namesOf(constraint.keys)
  if (columns.length === 0) return null
  const isPrimary = constraint.contype === 'CONSTR_PRIMARY'
  const name = constraint.conname ?? part.name ?? chosenName(part.table, constraint)
  const table = relationSql(part.table, schema)
  const include = namesOf(constraint.including)
  const index = `CREATE UNIQUE INDEX CONCURRENTLY ${identifier(name)} ON ${table} (${quoted(columns)})${include.length === 0 ? '' : ` INCLUDE (${quoted(include)})`}${constraint.nulls_not_distinct === true ? ' NULLS NOT DISTINCT' : ''};\n`
  const later = `${constraint.deferrable === true ? ' DEFERRABLE' : ''}${constraint.initdeferred === true ? ' INITIALLY DEFERRED' : ''}`
  const rule = `ALTER TABLE ${table} ADD CONSTRAINT ${identifier(name)} ${isPrimary ? 'PRIMARY KEY' : 'UNIQUE'} USING INDEX ${identifier(name)}${later};\n`
  const checks = isPrimary ? columns.map((column) => checkOf(part.table?.name ?? '', column)) : []
  const proof = checks.map((check) => ({ ...check, table }))
  return {
    text: isPrimary
      ? 'Build the index without locking, prove with a CHECK that no value is missing, and make the primary key of both, which takes a moment'
      : 'Build the index without locking, and make the constraint of it, which takes a moment',
    files: [
      { name: fileName('build', name), sql: index },
      ...(proof.length === 0
        ? []
        : [
            { name: fileName('check', name), sql: proof.map(addCheck).join('') },
            { name: fileName('validate', name), sql: proof.map(validateCheck).join('') },
          ]),
      { name: fileName('add', name), sql: `${rule}${proof.map(dropCheck).join('')}` },
    ],
  }
}

/** SET NOT NULL: a CHECK proves it, so that the moment of the lock needs to read nothing. */
export function provenNotNull(table: Relation, column: string, schema: string): Advice {
  const check = { ...checkOf(table.name, column), table: relationSql(table, schema) }
  return {
    text: 'Let a CHECK prove that no value is missing, first for new rows, then for those that are there; PostgreSQL takes it as proof and reads nothing under the lock',
    files: [
      { name: fileName('check', table.name, column), sql: addCheck(check) },
      { name: fileName('validate', table.name, column), sql: validateCheck(check) },
      {
        name: fileName('require', table.name, column),
        sql: `ALTER TABLE ${check.table} ALTER COLUMN ${identifier(column)} SET NOT NULL;\n${dropCheck(check)}`,
      },
    ],
  }
}

/** The same constraint, validated in a file of its own. */
export function validateApart(part: Part, schema: string): Advice | null {
  if (part.table === null || part.name === undefined) return null
  return {
    text: 'Take this statement out of the file and put it into a migration of its own: the lock of the other ends with its file, and this one then lets everybody read and write',
    files: [
      {
        name: fileName('validate', part.name),
        sql: `ALTER TABLE ${relationSql(part.table, schema)} VALIDATE CONSTRAINT ${identifier(part.name)};\n`,
      },
    ],
  }
}

export type Place = { readonly parser: Parser; readonly schema: string }

type Check = { readonly name: string; readonly column: string; readonly table: string }

const checkOf = (table: string, column: string) => ({ name: madeName(`${table}_${column}`, '_not_null'), column })
const addCheck = ({ table, name, column }: Check) =>
  `ALTER TABLE ${table} ADD CONSTRAINT ${identifier(name)} CHECK (${identifier(column)} IS NOT NULL) NOT VALID;\n`
const validateCheck = ({ table, name }: Check) => `ALTER TABLE ${table} VALIDATE CONSTRAINT ${identifier(name)};\n`
const dropCheck = ({ table, name }: Check) => `ALTER TABLE ${table} DROP CONSTRAINT ${identifier(name)};\n`

const KINDS: Readonly<Record<string, readonly string[]>> = {
  'add foreign key': ['CONSTR_FOREIGN'],
  'add check': ['CONSTR_CHECK'],
  'add unique': ['CONSTR_UNIQUE'],
  'add primary key': ['CONSTR_PRIMARY'],
}

/** Only of ADD CONSTRAINT: what stands at a column that is added goes with it. */
function constraintOf(part: Part, sql: string, parser: Parser): { readonly constraint: Constraint; readonly text: string } | null {
  const kinds = KINDS[part.rule] ?? []
  const all = subcommandsOf(sql, parser).flatMap(({ command, text }) =>
    command.subtype === 'AT_AddConstraint' && command.def !== undefined && 'Constraint' in command.def
      ? [{ constraint: command.def.Constraint, text }]
      : [],
  )
  const fitting = all.filter(({ constraint: { contype, conname } }) =>
    kinds.includes(contype ?? '') ? conname === undefined || part.name === undefined || conname === part.name : false,
  )
  return fitting.find(({ constraint }) => constraint.conname === part.name) ?? fitting[0] ?? null
}

/** As PostgreSQL would choose it, where that is free. */
function chosenName(table: Relation, constraint: Constraint): string {
  switch (constraint.contype) {
    case 'CONSTR_FOREIGN':
      return madeName([table.name, ...namesOf(constraint.fk_attrs)].join('_'), '_fkey')
    case 'CONSTR_UNIQUE':
      return madeName([table.name, ...namesOf(constraint.keys)].join('_'), '_key')
    case 'CONSTR_PRIMARY':
      return madeName(table.name, '_pkey')
    default:
      return madeName(table.name, '_check')
  }
}

const namesOf = (nodes: readonly Node[] | undefined): readonly string[] => partsOf(nodes)
const quoted = (names: readonly string[]): string => names.map(identifier).join(', ')
