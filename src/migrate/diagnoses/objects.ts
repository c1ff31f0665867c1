import { escapeMarkup } from '../../lib/text/escape.ts'
import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import { adds, marking, ownWords, subject, type Entry } from './entry.ts'
import { named, type Fault } from './fault.ts'

/** Faults in what a migration says about tables, columns and rows. */
export const objectDiagnoses: readonly Entry[] = [
  {
    code: 'already_exists',
    matches: ({ sqlState, ...fault }) =>
      says({ sqlState, ...fault }, / already exists/) &&
      isOneOf(sqlState, [
        state.duplicateTable,
        state.duplicateColumn,
        state.duplicateObject,
        state.duplicateSchema,
        state.duplicateFunction,
      ]),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: ${existing(fault)} already exists.`,
      why: 'An earlier migration made it already, or something outside the migrations did: a change by hand, `db push`, or an earlier try that was not rolled back as a whole.',
      next: `Compare it with what the migration would make. If that is all there already, mark the migration as applied${marking(context, fault, 'applied')}; if not, remove or rename it and mark the migration as rolled back${marking(context, fault, 'rolled-back')}. Then ask again.`,
    }),
  },
  {
    code: 'no_operator',
    matches: ({ message }) => OPERATOR.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: PostgreSQL has no operator ${code(OPERATOR.exec(fault.message ?? '')?.[1] ?? '')}.`,
      why: 'Values of these types are not combined or compared by themselves.',
      next: 'Give them the same type, or write the cast (`…::integer`). Then ask again.',
    }),
  },
  {
    code: 'does_not_exist',
    matches: ({ sqlState, ...fault }) =>
      says({ sqlState, ...fault }, / does not exist/) &&
      isOneOf(sqlState, [
        state.undefinedTable,
        state.undefinedColumn,
        state.undefinedObject,
        state.undefinedFunction,
        state.invalidSchemaName,
      ]),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: ${missing(fault)} does not exist.`,
      why: 'The migration expects something that this database does not have: it was removed or renamed by hand, or the migration that makes it comes later or was never run here.',
      next: `Find out where it went. Bring it back, or correct the migration in the repository; then mark this try as rolled back${marking(context, fault, 'rolled-back')} and ask again.`,
    }),
  },
  {
    code: 'foreign_key_fails',
    matches: ({ sqlState }) => sqlState === state.foreignKeyViolation,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: rows ${tableOf(fault)} point at rows that do not exist.`,
      why: `The foreign key ${quoted(named(fault, 'constraint'))} cannot be added or kept while such rows are there.${detail(fault)}`,
      next: 'Find the rows that have no counterpart and repair or remove them in a migration of their own, or add the key with `NOT VALID` and validate it later. Then ask again.',
    }),
  },
  {
    code: 'duplicate_rows',
    matches: ({ sqlState }) => sqlState === state.uniqueViolation,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: rows that must be unique are not.`,
      why: `The unique index or constraint ${quoted(named(fault, 'constraint') ?? named(fault, 'index'))} found two rows with the same values.${detail(fault)}`,
      next: 'Find the duplicates, decide which row stays, clean them up in a migration of their own, then ask again.',
    }),
  },
  {
    code: 'null_values',
    matches: ({ sqlState }) => sqlState === state.notNullViolation,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: ${columnOf(fault)} would be required, but rows have no value for it.`,
      why: 'A column can become required only once every row has a value; a new required column on a table with rows needs a default.',
      next: 'Do it in three migrations: add the column as optional, fill it, then make it required. Then ask again.',
    }),
  },
  {
    code: 'check_fails',
    matches: ({ sqlState, isForeign }) => sqlState === state.checkViolation && !isForeign, // a row without a partition has that state too
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: rows break the check ${quoted(named(fault, 'constraint'))}.`,
      why: 'A check holds for all rows or cannot be added.',
      next: 'Find the rows that break it and repair them in a migration of their own, or add the check with `NOT VALID` and validate it later. Then ask again.',
    }),
  },
  {
    code: 'others_depend',
    matches: ({ sqlState }) => sqlState === state.dependentObjectsStillExist,
    explain: (fault, context) => {
      const dependents = dependentsIn(fault.detail)
      const [who, them] =
        dependents.length === 0 ? ['other objects', 'them'] : [listOf(dependents), dependents.length === 1 ? 'it' : 'them']
      return {
        headline: `${subject(context, fault)} stopped: ${who} ${dependents.length === 1 ? 'depends' : 'depend'} on what it drops.`,
        why: `PostgreSQL drops nothing that something else still uses; \`CASCADE\` would drop that as well, with what it holds.`,
        next: `In the same file, drop or change ${dependents.length === 0 ? 'them' : who} before the \`DROP\`, and create ${them} again after it, without what goes, where ${them === 'it' ? 'it is' : 'they are'} still needed. Mark this try as rolled back${marking(context, fault, 'rolled-back')} and ask again.`,
      }
    },
  },
  {
    code: 'concurrently_in_transaction',
    matches: (fault) =>
      fault.sqlState === state.activeSqlTransaction && (fault.isForeign ? COMMAND.test(fault.message ?? '') : says(fault, IN_TRANSACTION)),
    explain: (fault, context) => {
      const what =
        (fault.isForeign ? COMMAND.exec(fault.message ?? '')?.[0] : IN_TRANSACTION.exec(fault.message ?? '')?.[1]) ?? 'CONCURRENTLY'
      const name = code(what.includes('CONCURRENTLY') ? 'CONCURRENTLY' : what)
      return {
        headline: `${subject(context, fault)} stopped: a ${name} statement is not alone in its file.`,
        why: `Prisma sends a file as one script, and PostgreSQL runs a script of several statements as one transaction; ${name} refuses to run in a transaction.`,
        next: 'Put the statement into a migration of its own with nothing else in it, then ask again.',
      }
    },
  },
  {
    code: 'enum_value_too_new',
    matches: ({ sqlState }) => sqlState === state.unsafeNewEnumValueUsage,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: it uses an enum value that it adds itself.`,
      why: `PostgreSQL lets a new enum value${quotedAfter(named(fault, 'value'))} be used only after the transaction that added it has ended, and a file is one transaction.`,
      next: 'Move what uses the value (a default, an update) into a later migration, then ask again.',
    }),
  },
  {
    code: 'counts_differ',
    matches: ({ sqlState, message }) =>
      sqlState === state.syntaxError && /^INSERT has more |^VALUES lists must all be the same length/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: in one of its \`INSERT\`s the values are not as many as the columns.`,
      why: `PostgreSQL says: ${ownWords(fault)}.`,
      next: 'Name the columns of the `INSERT` and give each row a value for each of them, then ask again.',
    }),
  },
  {
    // it was read, and means nothing
    code: 'refused_statement',
    matches: ({ sqlState, message }) => sqlState === state.syntaxError && message !== null && !UNREADABLE.test(message),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: PostgreSQL refuses a statement in it: ${ownWords(fault)}.`,
      why: `It is refused as it is written, whatever rows there are.${adds(fault.detail)}${adds(fault.hint)}`,
      next: 'Correct the file (it was never applied here, so it may be changed if it was applied nowhere else), then ask again.',
    }),
  },
  {
    code: 'syntax',
    matches: ({ sqlState }) => sqlState === state.syntaxError,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: PostgreSQL cannot read its SQL.`,
      why:
        fault.message === null
          ? 'There is a mistake in the SQL, or it is written for a newer server.'
          : `PostgreSQL says: ${ownWords(fault)}. There is a mistake in the SQL, or it is written for a newer server.`,
      next: 'Correct the file (it was never applied here, so it may be changed if it was applied nowhere else), then ask again.',
    }),
  },
]

/** `view totals depends on column total of table orders`, a line for each. */
const dependentsIn = (detail: string | null): readonly string[] => [
  ...new Set(
    (detail ?? '').split('\n').flatMap((line) => {
      const [, what] = /^(.+?) depends on /.exec(line.trim()) ?? []
      if (what === undefined) return []
      const [, kind = '', name = '', , of] = DEPENDENT.exec(what) ?? []
      return [kind === '' ? code(what) : `the ${kind} ${code(name)}${of === undefined ? '' : ` of ${code(of)}`}`]
    }),
  ),
]

const DEPENDENT =
  /^(materialized view|foreign table|default value for column|view|table|constraint|trigger|policy|rule|function|index|sequence|type|column) (.+?)( (?:on|of) (?:materialized view|foreign table|table|view) (.+))?$/

function listOf(all: readonly string[]): string {
  const shown = all.length > 4 ? [...all.slice(0, 3), `${all.length - 3} more (the lines below name them)`] : all
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1) ?? ''}`
}

/** Of PostgreSQL's scanner and grammar. */
const UNREADABLE = /^syntax error|^unterminated|^zero-length|^trailing junk|^invalid (?!reference)|^unsafe use of string|^improper /

const OPERATOR = /^operator does not exist: (.+)$/
/** In every language the command stands in the message as it is written. */
const COMMAND = /\b[A-Z]{4,}(?: [A-Z]{4,})*\b/
const IN_TRANSACTION = /^(.+?) cannot (?:run inside a transaction block|be executed)/

/** One code has several messages, and a sentence is only for those that it is true of; of those in other languages, where there is one meaning. */
const says = ({ message, isForeign, sqlState }: Pick<Fault, 'message' | 'isForeign' | 'sqlState'>, pattern: RegExp): boolean =>
  isForeign ? isOneOf(sqlState, ONE_MEANING) : message === null || pattern.test(message)

const ONE_MEANING: readonly string[] = [
  state.duplicateTable,
  state.duplicateObject,
  state.duplicateSchema,
  state.duplicateFunction,
  state.undefinedColumn,
]

const isOneOf = (found: string | null, states: readonly string[]): boolean => found !== null && states.includes(found)

/** `relation "orders"`, `column "x" of relation "orders"`: as the database words it, with the names set as code. */
const existing = (fault: Fault): string =>
  fault.isForeign
    ? 'something that it creates'
    : worded(fault.message?.replace(/ already exists.*$/, '') ?? null, 'something that it creates')
const missing = ({ message, isForeign }: Fault): string => {
  if (isForeign) return 'something that it uses'
  const [, kind, name] = /^(function|procedure|aggregate) (.+\)) does not exist/.exec(message ?? '') ?? []
  if (kind !== undefined && name !== undefined) return `the ${kind} ${code(name)}`
  return worded(message?.replace(/ does not exist.*$/, '') ?? null, 'something that it uses')
}

function worded(text: string | null, otherwise: string): string {
  if (text === null) return otherwise
  return text
    .replace(/\bof relation\b/g, 'of table')
    .replace(/\brelation\b/g, 'table or index')
    .split(/("[^"]+")/)
    .map((part) => (part.startsWith('"') && part.length > 2 ? code(part.slice(1, -1)) : escapeMarkup(part)))
    .join('')
}

const columnOf = (fault: Fault): string => {
  const column = named(fault, 'column')
  return column === null ? 'a column' : `column ${code(column)}`
}

const tableOf = (fault: Fault): string => {
  const table = named(fault, 'table')
  return table === null ? 'in its table' : `in ${code(table)}`
}

const quoted = (name: string | null): string => (name === null ? 'that it names' : code(name))
const quotedAfter = (name: string | null): string => (name === null ? '' : ` (${code(name)})`)

/** Values of rows may be personal: only the columns are shown. */
function detail(fault: Fault): string {
  const columns = /^Key \(([^)]+)\)=/.exec(fault.detail ?? '')?.[1]
  return columns === undefined ? '' : ` Columns: ${code(columns)}.`
}
