import type { Node } from 'libpg-query'
import type { Reactions } from '../database/reactions.ts'
import type { TableSize } from '../database/sizes.ts'
import { createEffectsReader, type EffectsReader } from './effects/reader/reader.ts'
import type { Effect, MigrationClass } from './effects/effect.ts'
import { tableName, type Table } from './effects/names.ts'
import { createdTables, type CreatedTables } from './new-tables.ts'
import { loadParser, type Parser } from './effects/parser.ts'
import { readScript, type Script } from './parse.ts'
import { howItCommits } from './blocks.ts'
import { namedOutside } from './outside.ts'
import { leftTableFindings } from './left-tables.ts'
import { lockFindings, sessionFindings } from './left-settings.ts'
import { sessionStates, type Changed, type LeftSetting } from './session-state.ts'
import { isConcurrent, isTransactionStatement, rollsBackOutsideOfBlock, standsAlone } from './transactions.ts'
import { constantsIn } from './effects/walk.ts'
import { codesOf, toldElsewhere, type WeighedPlan } from './weigh/told.ts'
import { count, plainText } from '../lib/text/quoted.ts'

export type MigrationEvidence = {
  readonly name: string
  readonly class: MigrationClass
  /** One line: `adds orders.discount_id, nullable`. */
  readonly summary: string
  /** Estimated rows of the largest existing table it touches; null when it only creates. */
  readonly rows: number | null
  readonly tables: readonly string[]
  /** What to know before approving it; sentences without a full stop, not escaped. */
  readonly findings?: readonly string[]
}

/** A migration's SQL as raw bytes. `program`: the ending of a file that is no SQL, which nobody reads. */
export type SqlFile = { readonly name: string; readonly content: Buffer; readonly program?: string }

export type ReviewedMigration = MigrationEvidence & {
  /** Its only statement is `… CONCURRENTLY`. */
  readonly concurrently: boolean
  readonly findings: readonly string[]
  /** What it sets and the session keeps for the files after it. */
  readonly leaves: readonly LeftSetting[]
  /** What the session has from files before it. */
  readonly inherits: readonly LeftSetting[]
}

export type ReviewContext = {
  readonly sizes: readonly TableSize[]
  readonly schema: string
  readonly reactions?: Reactions
  readonly isOneScript?: boolean
  /** Each file has a session of its own, so nothing that it sets reaches another. */
  readonly hasOwnSession?: boolean
  /** Of the server, where its own parser takes what ours does not. */
  readonly readByServer?: { readonly version: string; readonly names: ReadonlySet<string> }
  /** What was found by looking at the live database takes the place of what is said here of the same statement. */
  readonly weighed?: WeighedPlan
}

/** Reads the SQL with PostgreSQL's own parser. Order matters: what an earlier file creates has no rows and no users in a later one. */
export async function reviewMigrations(files: readonly SqlFile[], context: ReviewContext): Promise<readonly ReviewedMigration[]> {
  const created = createdTables(context)
  const parser = await loadParser()
  const reader = createEffectsReader(parser, context)
  const scripts = await Promise.all(files.map(readFile))
  const reviewed = files.map((file, at) =>
    reviewOne(file, scripts[at] ?? { kind: 'unreadable', why: 'it is not there' }, { context, created, parser, reader }),
  )
  const isShared = context.hasOwnSession !== true
  const states = isShared ? sessionStates(reviewed, context.isOneScript !== false) : []
  const tables = !isShared
    ? []
    : leftTableFindings(
        reviewed.map(({ name, concurrently }, at) => {
          const script = scripts[at]
          return { name, concurrently, statements: script?.kind === 'sql' ? script.statements : [] }
        }),
      )
  return reviewed.map(({ changes, ...review }, at) => ({
    ...review,
    findings: [
      ...review.findings,
      ...lockFindings(changes),
      ...(tables[at] ?? []),
      ...(isShared
        ? sessionFindings(
            states,
            at,
            reviewed.map(({ name }) => name),
            context.schema,
          )
        : []),
    ],
    leaves: (states[at]?.after ?? []).filter(({ file }) => file === review.name),
    inherits: states[at]?.before ?? [],
  }))
}

const readFile = async ({ content, program }: SqlFile): Promise<Script> =>
  program === undefined ? readScript(content) : { kind: 'unreadable', why: `it is a program, ${program}` }

type Reading = {
  readonly context: ReviewContext
  readonly created: CreatedTables
  readonly parser: Parser
  readonly reader: EffectsReader
}

type Reviewed = Omit<ReviewedMigration, 'leaves' | 'inherits'> & { readonly changes: readonly Changed[] }

function reviewOne(file: SqlFile, parsed: Script, { context, created, parser, reader }: Reading): Reviewed {
  const { name } = file
  if (parsed.kind === 'unreadable') {
    const summary =
      file.program === undefined
        ? `could not be read as SQL (${parsed.why}); read it yourself`
        : `is a program (${plainText(file.program, 20)}), of which nobody knows what SQL it runs; read it yourself`
    const byServer =
      context.readByServer?.names.has(name) === true
        ? `the server (PostgreSQL ${context.readByServer.version}) reads it, but the review`
        : null
    const findings = [
      byServer === null
        ? 'it could not be read as SQL, so nobody knows what it does before somebody reads it'
        : `${byServer}, which knows the language of PostgreSQL 18, does not, so nobody knows what it does before somebody reads it`,
    ]
    return { name, class: 'unclear', summary, rows: null, tables: [], concurrently: false, findings, changes: [] }
  }
  reader.beginsFile()
  const isOfEarlierFile = created.snapshot()
  const changes: Changed[] = []
  const isTold = toldElsewhere({ ...parsed, ...file }, context.weighed)
  const effects = parsed.statements.flatMap((node, at) => {
    const text = parsed.texts[at] ?? ''
    created.passing(node, text)
    const all = reader.read(node, text)
    for (const { session } of all)
      if (session !== undefined) changes.push({ change: session, line: lineOf(file, parsed.starts[at] ?? 0, text) })
    return all.flatMap((effect) => {
      if (effect.session !== undefined) return []
      const [table] = effect.tables
      created.learn(effect)
      const onNew = effect.onTable === true && table !== undefined && created.isNew(table, effect.class)
      return [Object.assign({}, effect, { onNew, ofThisFile: onNew && !isOfEarlierFile(table), isTold: isTold(at) })]
    })
  })
  const touched = effects.flatMap((effect) => effect.tables.filter((table) => table.name !== '' && !created.isNew(table, 'additive')))
  const rows = touched.flatMap((table) => rowsOf(table, context) ?? [])
  const weighed = [
    ...effects.flatMap(found),
    ...wholeFile(parsed, parser, { isOneScript: context.isOneScript !== false, told: codesOf(name, context.weighed) }),
  ]
  return {
    name,
    class: worst(effects.map((effect) => (effect.onNew ? 'additive' : effect.class))),
    summary: summaryOf(effects),
    rows: largest(rows),
    tables: [...new Set(touched.map(tableName))],
    concurrently: parsed.statements.length === 1 && parsed.statements.every(isConcurrent),
    findings: [...new Set(weighed.toSorted((a, b) => ORDER.indexOf(b.class) - ORDER.indexOf(a.class)).map(({ text }) => text))],
    changes,
  }
}

/**
 * What breaks something or could not be read is always a finding: a summary has room for three kinds of change only. A call is told by what
 * it does, as far as that could be read.
 */
function found({ onNew, isTold, finding, class: kind, verb, subject }: Told): readonly Finding[] {
  const isHeavy = kind === 'breaking' || (kind === 'unclear' && !verb.startsWith('calls '))
  const text = finding ?? (isHeavy ? plainText(words(verb, [subject]), 200) : undefined)
  return onNew || isTold || text === undefined ? [] : [{ text, class: kind }]
}

type Told = Effect & { readonly onNew: boolean; readonly isTold: boolean }

/** From 1; what stands before a statement may belong to it. */
function lineOf({ content }: SqlFile, start: number, text: string): number {
  const lead = /^(?:\s+|--.*(?:\n|$)|\/\*[^]*?\*\/)*/.exec(text)?.[0] ?? ''
  return `${content.toString('utf8', 0, start)}${lead}`.split('\n').length
}

type Finding = { readonly text: string; readonly class: MigrationClass }

/** What only shows when the statements are seen together. */
function wholeFile(
  { statements, texts }: Extract<Script, { readonly kind: 'sql' }>,
  parser: Parser,
  { isOneScript, told }: { readonly isOneScript: boolean; readonly told: ReadonlySet<string> },
): readonly Finding[] {
  const findings: Finding[] = []
  const add = (kind: MigrationClass, text: string) => findings.push({ text, class: kind })
  if (statements.some(isTransactionStatement)) add('unclear', 'it has BEGIN or COMMIT inside, so a failure may leave a part of it applied')
  if (!isOneScript && rollsBackOutsideOfBlock(statements))
    add(
      'unclear',
      'it has a ROLLBACK without BEGIN: sent as one script that undoes what stands before it, sent statement by statement it undoes nothing, and which of the two the migrator does is not certain',
    )
  // among other statements the server refuses that (2D000), and all is undone
  if (statements.length === 1 && statements.some((node) => howItCommits(node, texts[0] ?? '', parser) !== null))
    add('unclear', 'what it runs may commit by itself, so a failure may leave a part of it applied')
  if (statements.some((node) => 'TransactionStmt' in node && node.TransactionStmt.kind === 'TRANS_STMT_PREPARE'))
    add('breaking', 'it leaves a prepared transaction, which keeps its locks and takes effect only when somebody commits it')
  const outside = namedOutside(statements)
  if (outside.length > 0)
    add('unclear', `${plainText(outside.join(', '), 100)} acts outside of its transaction, so what that did stays when the rest is undone`)
  const alone = statements.filter(standsAlone)
  if (alone.length > 0 && statements.length > 1 && !told.has('not-alone'))
    add('breaking', 'a statement that cannot run in a transaction (CONCURRENTLY, VACUUM) must be alone in its file; here it fails (25001)')
  for (const value of enumValuesUsed(statements))
    add(
      'breaking',
      `the new enum value ${plainText(value, 60)} seems to be used in the file that adds it, which PostgreSQL refuses (55P04)`,
    )
  const timeout = statements.some((node) => 'VariableSetStmt' in node && /^(lock|statement)_timeout$/.test(node.VariableSetStmt.name ?? ''))
  if (timeout && !told.has('no-timeout')) add('additive', 'it sets a timeout itself, which overrides the one of the run')
  return findings
}

/** Those that the statements add and that others of them name. */
function enumValuesUsed(statements: readonly Node[]): readonly string[] {
  const added = statements.flatMap((node, at) =>
    'AlterEnumStmt' in node && node.AlterEnumStmt.oldVal === undefined && node.AlterEnumStmt.newVal !== undefined
      ? [{ value: node.AlterEnumStmt.newVal, at }]
      : [],
  )
  if (added.length === 0) return []
  const named = statements.map(constantsIn)
  const users = new Map<string, number[]>()
  for (const [at, values] of named.entries()) for (const value of values) users.set(value, [...(users.get(value) ?? []), at].slice(0, 2))
  return added.flatMap(({ value, at }) => ((users.get(value) ?? []).some((user) => user !== at) ? [value] : []))
}

const ORDER: readonly MigrationClass[] = ['additive', 'transformative', 'unclear', 'breaking']

/** The highest risk of all; `unclear` ranks below `breaking`, which is certain. */
export const worst = (classes: readonly MigrationClass[]): MigrationClass => ORDER.findLast((kind) => classes.includes(kind)) ?? 'additive'

/** What matters most comes first, so that a long list never hides a drop behind additions. */
function summaryOf(effects: readonly (Effect & { readonly ofThisFile: boolean })[]): string {
  // indexes and keys of a table that the same file creates belong to its creation
  const telling = effects.filter((effect) => !effect.ofThisFile || effect.class === 'breaking')
  const groups = [...Map.groupBy(telling, (effect) => effect.verb)]
    .map(([verb, members]) => ({
      verb,
      rank: ORDER.indexOf(worst(members.map((member) => member.class))),
      subjects: [...new Set(members.map((member) => member.subject))],
    }))
    .sort((a, b) => b.rank - a.rank)
  if (groups.length === 0) return 'changes nothing'
  const shown = groups.slice(0, 3).map(({ verb, subjects }) => words(verb, subjects))
  const rest = groups.length - shown.length
  return plainText([...shown, ...(rest > 0 ? [`and ${count(rest, 'more change')}`] : [])].join('; '), 300)
}

function words(verb: string, subjects: readonly string[]): string {
  const [first = '', second] = subjects
  const joined =
    subjects.length < 2 ? first : subjects.length === 2 ? `${first} and ${second}` : `${first}, ${second} and ${subjects.length - 2} more`
  const plural = subjects.length > 1 ? verb.replace(/\b(table|type|view|index|function|sequence|schema|extension) %/, pluralOf) : verb
  return plural.replace('%', () => joined)
}

const pluralOf = (phrase: string) =>
  phrase.replace('index %', 'indexes %').replace(/\b(table|type|view|function|sequence|schema|extension) %/, '$1s %')

/** Not by Math.max: there may be more than a call takes arguments. */
const largest = (rows: readonly number[]): number | null => rows.reduce<number | null>((most, one) => Math.max(most ?? 0, one), null)

function rowsOf({ schema, name }: Table, context: ReviewContext): number | null {
  const found = context.sizes.find((size) => size.name === name && size.schema === (schema ?? context.schema))
  return found?.rows ?? null
}
