import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import { adds, ownWords, subject, type Entry } from './entry.ts'
import { named, type Fault } from './fault.ts'

/** What a statement defines or changes cannot be so, whatever rows there are. */
export const definitionDiagnoses: readonly Entry[] = [
  {
    code: 'column_in_use',
    matches: ({ message }) => /^cannot alter type of a column used (by|in) /.test(message ?? ''),
    explain: (fault, context) => {
      const { column, user, again } = useOf(fault)
      return {
        headline: `${subject(context, fault)} stopped: ${user} uses ${column}, so its type cannot be changed.`,
        why: 'PostgreSQL changes the type of no column that a view, a rule, a trigger, a policy or a generated column uses.',
        next: `In the migration, drop ${user} before the change and create it again after it${again}, then ask again.`,
      }
    },
  },
  {
    code: 'extension_missing',
    matches: ({ message }) => /^extension "[^"]+" is not available|^could not open extension control file/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: the server does not have ${extensionOf(fault)}.`,
      why: 'An extension is installed on the server itself before a database can have it.',
      next: `Install it on ${code(context.host)} (at a provider: switch it on there; \`SELECT name FROM pg_available_extensions\` lists what is there), then ask again.`,
    }),
  },
  {
    code: 'unique_without_partition_key',
    matches: ({ message }) => message?.startsWith('unique constraint on partitioned table must include all partitioning columns') === true,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: a unique key of a partitioned table must hold the columns by which it is divided.`,
      why: `Each partition checks only its own rows.${adds(fault.detail)}`,
      next: 'Add these columns to the key, or make the key on each partition. Then ask again.',
    }),
  },
  {
    code: 'no_unique_key',
    matches: ({ sqlState }) => sqlState === state.invalidForeignKey,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: ${of(fault, 'referenced table', 'the table that its foreign key names')} has no unique key on the columns that the key points at.`,
      why: 'A foreign key points at a primary key, or at columns that a unique constraint or a whole unique index covers.',
      next: 'Add that unique constraint first, in the migration itself or an earlier one. Then ask again.',
    }),
  },
  {
    code: 'no_conflict_target',
    matches: ({ sqlState, message }) => sqlState === state.invalidColumnReference && /ON CONFLICT/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: no unique key fits its \`ON CONFLICT\`.`,
      why: `PostgreSQL says: ${ownWords(fault)}.`,
      next: 'Name the columns of a unique constraint or index that is there, or create it before. Then ask again.',
    }),
  },
  {
    code: 'second_primary_key',
    matches: ({ message }) => message?.startsWith('multiple primary keys for table') === true,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: ${of(fault, 'table', 'its table')} has a primary key already.`,
      why: 'A table has one primary key.',
      next: 'Drop the old one in the same migration before the new one is added (foreign keys that point at it go first). Then ask again.',
    }),
  },
  {
    code: 'view_columns',
    matches: ({ message }) => /^cannot (change (name|data type|collation) of view column|drop columns from view)/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: \`CREATE OR REPLACE VIEW\` keeps the columns of a view and adds only behind them.`,
      why: `PostgreSQL says: ${ownWords(fault)}.`,
      next: 'Use `DROP VIEW` and `CREATE VIEW` in the migration; grants on the view are to be given again. Then ask again.',
    }),
  },
  {
    code: 'function_changed',
    matches: ({ message }) =>
      /^cannot change (return type|name of input parameter|routine kind)|^cannot remove parameter defaults/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: \`CREATE OR REPLACE\` keeps what a function takes and returns.`,
      why: `PostgreSQL says: ${ownWords(fault)}.`,
      next: 'Drop the function in the migration before it is created anew; what uses it (triggers, defaults, indexes) is dropped and created with it. Then ask again.',
    }),
  },
  {
    code: 'not_immutable',
    matches: ({ message }) => /must be marked IMMUTABLE|expression is not immutable|cannot use subquery in index/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: an index or a generated column needs an expression that always gives the same.`,
      why: `What depends on the time, the session's time zone or language, or on other rows may not stand there. PostgreSQL says: ${ownWords(fault)}.`,
      next: "Use what is immutable (`at AT TIME ZONE 'UTC'` in place of a cast, a function marked `IMMUTABLE` that truly is so). Then ask again.",
    }),
  },
  {
    code: 'generated_column',
    matches: ({ sqlState }) => sqlState === state.generatedAlways,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: it writes to ${of(fault, 'column', 'a column')}, whose values the database makes itself.`,
      why: `The column is \`GENERATED ALWAYS\`.${adds(fault.detail)}`,
      next: 'Leave the column out, or write `OVERRIDING SYSTEM VALUE` where it is an identity and the value is meant. Then ask again.',
    }),
  },
  {
    code: 'ambiguous',
    matches: ({ sqlState }) => sqlState === state.ambiguousColumn || sqlState === state.ambiguousFunction,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: a name in it fits more than one thing.`,
      why: `PostgreSQL says: ${ownWords(fault)}.${adds(fault.hint)}`,
      next: 'Say which one is meant: the table before the column, or the types of the arguments. Then ask again.',
    }),
  },
  {
    code: 'not_on_partitioned',
    matches: ({ message }) => /\bon partitioned table\b/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: this server cannot do that on a partitioned table.`,
      why: `PostgreSQL says: ${ownWords(fault)}.${adds(fault.detail)}`,
      next: 'Do it on each partition and then on the whole (a key or an index that every partition has is taken over), or wait for a newer server. Then ask again.',
    }),
  },
  {
    code: 'another_kind',
    matches: ({ sqlState }) => sqlState === state.wrongObjectType,
    explain: (fault, context) => {
      const kind = /not supported for (.+?)e?s\.?$/.exec(fault.detail ?? '')?.[1]
      const name = named(fault, 'relation')
      return {
        headline:
          kind === undefined || name === null
            ? `${subject(context, fault)} stopped: PostgreSQL refuses a statement in it for this kind of object: ${ownWords(fault)}.`
            : `${subject(context, fault)} stopped: ${code(name)} is a ${kind}, and a statement in the file is for something else.`,
        why:
          kind === undefined
            ? `Tables, views, indexes and the like each take statements of their own.${adds(fault.detail)}`
            : `PostgreSQL says: ${ownWords(fault)}.`,
        next: 'Use the statement for what is there (`ALTER VIEW`, `ALTER SEQUENCE`, …), or find out who made it another kind. Then ask again.',
      }
    },
  },
  {
    code: 'invalid_definition',
    matches: ({ sqlState, isForeign }) =>
      (sqlState === state.invalidColumnReference && !isForeign) || // or a conflict target without a key
      sqlState === state.invalidTableDefinition ||
      sqlState === state.invalidObjectDefinition ||
      sqlState === state.invalidFunctionDefinition,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: PostgreSQL refuses a definition in it: ${ownWords(fault)}.`,
      why: `It is refused as it is written, whatever rows there are.${adds(fault.detail)}${adds(fault.hint)}`,
      next: 'Correct the definition in the repository, then ask again.',
    }),
  },
  {
    code: 'truncated_table_referenced',
    matches: ({ sqlState, message }) =>
      sqlState === state.featureNotSupported && message?.startsWith('cannot truncate a table referenced in a foreign key') === true,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: another table refers to one that it empties.`,
      why: `\`TRUNCATE\` looks at no rows, so it refuses whatever a foreign key points at.${adds(fault.detail)}`,
      next: 'Name both tables in one `TRUNCATE`, or write `CASCADE` where the rows of every table that refers to it may go too. Then ask again.',
    }),
  },
  {
    code: 'not_supported',
    matches: ({ sqlState }) => sqlState === state.featureNotSupported,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: the server cannot do what it asks for.`,
      why: `PostgreSQL says: ${ownWords(fault)}.${adds(fault.detail)}${adds(fault.hint)}`,
      next: 'Write it in another way, or see whether a newer server can do it. Then ask again.',
    }),
  },
]

const of = (fault: Fault, word: string, otherwise: string): string => {
  const name = named(fault, word)
  return name === null ? otherwise : code(name)
}

/** From the DETAIL: `rule _RETURN on view totals depends on column "total"`, `Column "total" is used by generated column "gross".` */
function useOf({ message, detail }: Fault): { readonly column: string; readonly user: string; readonly again: string } {
  const column = /\b[cC]olumn "([^"]+)"/.exec(detail ?? '')?.[1]
  const view = /^rule _RETURN on ((?:materialized )?view) (.+) depends on/m.exec(detail ?? '')
  const other = /^((?:rule|trigger|policy|function|procedure|publication of table)) (.+?)(?: on (?:table|view) .+)? depends on/m.exec(
    detail ?? '',
  )
  const generated = /used by generated column "([^"]+)"/.exec(detail ?? '')?.[1]
  const kind = /used (?:by|in) (.+)$/m.exec(message ?? '')?.[1] ?? 'something else'
  const user =
    view?.[2] !== undefined
      ? `the ${view[1]} ${code(bare(view[2]))}`
      : other?.[2] !== undefined
        ? `the ${other[1]} ${code(bare(other[2]))}`
        : generated === undefined
          ? kind
          : `the generated column ${code(generated)}`
  const again = view?.[2] === undefined ? '' : ` (${code(`SELECT pg_get_viewdef('${bare(view[2])}'::regclass)`)} shows how it is made)`
  return { column: column === undefined ? 'a column' : `column ${code(column)}`, user, again }
}

/** Where the server quotes a name that needs it. */
const bare = (name: string): string => (/^"[^"]+"$/.test(name) ? name.slice(1, -1) : name)

const extensionOf = (fault: Fault): string => {
  const name = named(fault, 'extension')
  return name === null ? 'the extension that it names' : `the extension ${code(name)}`
}
