import { describe, expect, test } from 'vitest'
import { diagnose } from '../../../src/migrate/diagnoses/diagnosis.ts'
import type { DiagnosisContext } from '../../../src/migrate/diagnoses/entry.ts'
import { backtrace, scriptFault } from '../../helpers/recorded-prisma/faults.ts'

/** As PostgreSQL 15.18 said them with `lc_messages` set so, for statements of `provoked.ts`. */
type Said = readonly [severity: string, state: string, message: string, detail?: string]

const context: DiagnosisContext = {
  migration: null,
  target: 'Production',
  database: 'shop',
  host: 'db.example',
  port: 5432,
  role: 'migrator',
  lockTimeoutMs: 2_000,
  statementTimeoutMs: 900_000,
  sqlOf: () => 'select 1',
}

/** In the words of either engine. */
function outputs([severity, code, message, detail]: Said): readonly string[] {
  const error = { severity, code, message, ...(detail === undefined ? {} : { detail }) }
  const frame = { name: 'sql_schema_connector::apply_migration::apply_script', at: 'x.rs:1', fields: 'migration_name="2_case"' }
  const more = detail === undefined ? '' : `\nDETAIL: ${detail}`
  return [
    `Error: ${scriptFault(error, 'shop')}\n${backtrace([frame])}\n`,
    `Error: P3018\n\nA migration failed to apply.\n\nMigration name: 2_case\n\nDatabase error code: ${code}\n\nDatabase error:\n${severity}: ${message}${more}\n\nDbError { severity: "${severity}" }\n`,
  ]
}

const diagnosed = (said: Said, over: Partial<DiagnosisContext> = {}) => {
  const [one, other] = outputs(said).map((output) => diagnose({ output, context: { ...context, ...over } }))
  expect(other).toEqual(one)
  return one
}

const OWN_LANGUAGE = 'The server says it in its own language (`lc_messages`), of which this product knows the codes alone.'

describe('a server that speaks another language is understood by its codes', () => {
  test.each<[Said, code: string, headline: string]>([
    [
      ['FEHLER', '42P07', 'Relation »orders« existiert bereits'],
      'already_exists',
      '`2_case` stopped: something that it creates already exists.',
    ],
    [['ERROR', '42P07', 'la relación «orders» ya existe'], 'already_exists', '`2_case` stopped: something that it creates already exists.'],
    [
      ['ERROR', '42P07', 'リレーション"orders"はすでに存在します'],
      'already_exists',
      '`2_case` stopped: something that it creates already exists.',
    ],
    [
      ['FEHLER', '23502', 'Spalte »total« von Relation »orders« enthält NULL-Werte'],
      'null_values',
      '`2_case` stopped: a column would be required, but rows have no value for it.',
    ],
    [
      ['ERREUR', '25001', 'CREATE INDEX CONCURRENTLY ne peut pas être exécuté dans un bloc de transaction'],
      'concurrently_in_transaction',
      '`2_case` stopped: a `CONCURRENTLY` statement is not alone in its file.',
    ],
    [
      ['ERROR', '25001', 'VACUUMはトランザクションブロックの内側では実行できません'],
      'concurrently_in_transaction',
      '`2_case` stopped: a `VACUUM` statement is not alone in its file.',
    ],
    [
      ['FEHLER', '42601', 'INSERT hat mehr Ausdrücke als Zielspalten'],
      'refused_statement',
      '`2_case` stopped: PostgreSQL refuses a statement in it: `INSERT hat mehr Ausdrücke als Zielspalten`.',
    ],
    [['FEHLER', '55P03', 'could not obtain lock on relation "orders"'], 'lock_timeout', '`2_case` could not get its lock.'],
  ])('%s', (said, code, headline) => expect(diagnosed(said)).toMatchObject({ code, headline }))
})

test.each<[Said]>([
  // a statement timeout, somebody who cancels, and rows that nobody sends have one code
  [['FEHLER', '57014', 'COPY FROM STDIN fehlgeschlagen: No source stream defined']],
  [['ERREUR', '42P01', "la relation « missing » n'existe pas"]],
  [['FEHLER', '42701', 'Spalte »id« mehrmals angegeben']],
  [['ERROR', '3F000', 'no existe el esquema «audit»']],
])('where one code has several meanings, its own words come first: %s', (said) => {
  const [, state, message] = said
  expect(diagnosed(said)).toMatchObject({
    code: 'unknown',
    headline: `\`2_case\` stopped. PostgreSQL says: \`${message}\` (${state}).`,
    why: OWN_LANGUAGE,
  })
})

test('who may do what is said in its own words, with a next step for a right and for an ownership', () => {
  expect(diagnosed(['ERREUR', '42501', 'doit être le propriétaire de la table orders'])).toMatchObject({
    code: 'permission_denied',
    why: 'PostgreSQL says: `doit être le propriétaire de la table orders`.',
    next: 'Give the role `migrator` what the statement needs (a grant, or the ownership), or use a role that may change the schema. Then ask again.',
  })
})

test('whether a lock was waited for is read in the file', () => {
  const said: Said = ['FEHLER', '55P03', 'could not obtain lock on relation "orders"']
  expect(diagnosed(said, { sqlOf: () => 'lock table orders NOWAIT' })?.why).toBe(
    'A statement in it does not wait (`NOWAIT`), and another session holds a lock that excludes it.',
  )
})

test.each<[Said, excerpt: string]>([
  [
    [
      'FEHLER',
      '23505',
      'konnte Unique Index »customers_email« nicht erstellen',
      'Schlüssel (email)=(ann@example.com) ist doppelt vorhanden.',
    ],
    'ERROR: konnte Unique Index »customers_email« nicht erstellen (23505)\nDETAIL: Schlüssel (…)=(…) ist doppelt vorhanden.',
  ],
  [
    ['ERROR', '23505', '一意インデックス"customers_email"を作成できませんでした', 'キー(email)=(ann@example.com)は重複しています。'],
    'ERROR: 一意インデックス"customers_email"を作成できませんでした (23505)\nDETAIL: キー(…)=(…)は重複しています。',
  ],
  [
    ['ERREUR', '22007', 'syntaxe en entrée invalide pour le type timestamp with time zone : « soon »'],
    'ERROR: syntaxe en entrée invalide pour le type timestamp with time zone : "…" (22007)',
  ],
  [
    [
      'FEHLER',
      '23514',
      'keine Partition von Relation »parts« für die Zeile gefunden',
      'Partitionierungsschlüssel der fehlgeschlagenen Zeile enthält (day) = (2030-01-01).',
    ],
    'ERROR: keine Partition von Relation »parts« für die Zeile gefunden (23514)\nDETAIL: Partitionierungsschlüssel der fehlgeschlagenen Zeile enthält (…) = (…).',
  ],
])('values of rows are left out in every language: %s', (said, excerpt) => expect(diagnosed(said)?.excerpt).toBe(excerpt))
