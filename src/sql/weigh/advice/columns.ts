import { identifier } from '../../../database/session-facts.ts'
import type { Relation } from '../../rules/forecast.ts'
import type { Advice } from './advice.ts'
import { deprecatedName, fileName, literal, madeName, relationSql } from './names.ts'

/** How long what nobody uses any more is kept, in days. */
export const SAFETY_DAYS = 30

/** `today` is `2026-11-30`. */
export type Dated = { readonly schema: string; readonly today: string }

/** DROP COLUMN: it is put aside under another name first, from where it comes back at once. */
export function dropColumnLater(table: Relation, column: string, { schema, today }: Dated): Advice {
  const [at, aside] = [relationSql(table, schema), deprecatedName(column)]
  return {
    text: `First release code that no longer uses it, and watch that for one or two weeks. Then rename it, which is undone in a moment, and drop it ${SAFETY_DAYS} days later`,
    files: [
      {
        name: fileName('deprecate', table.name, column),
        sql: `ALTER TABLE ${at} RENAME COLUMN ${identifier(column)} TO ${identifier(aside)};\n${commentOn('COLUMN', `${at}.${identifier(aside)}`, today)}`,
      },
      { name: fileName('drop', table.name, column), sql: `ALTER TABLE ${at} DROP COLUMN ${identifier(aside)};\n` },
    ],
  }
}

export function dropTableLater(table: Relation, { schema, today }: Dated): Advice {
  const aside = { schema: table.schema, name: deprecatedName(table.name) }
  return {
    text: `First release code that no longer uses it, and watch that for one or two weeks. Then rename it, which is undone in a moment, and drop it ${SAFETY_DAYS} days later`,
    files: [
      {
        name: fileName('deprecate', table.name),
        sql: `ALTER TABLE ${relationSql(table, schema)} RENAME TO ${identifier(aside.name)};\n${commentOn('TABLE', relationSql(aside, schema), today)}`,
      },
      { name: fileName('drop', table.name), sql: `DROP TABLE ${relationSql(aside, schema)};\n` },
    ],
  }
}

/** RENAME TABLE: a view under the old name, through which the running application reads and writes. */
export function renameTableWithView(table: Relation, to: string, { schema }: Dated): Advice {
  const target = relationSql({ schema: table.schema, name: to }, schema)
  const old = relationSql(table, schema)
  return {
    text: 'Leave a view under the old name, through which the application that runs now goes on reading and writing, and drop that when no code uses it any more. With Prisma it may be enough to rename only the model and give it `@@map` with the name of the table, which changes nothing in the database',
    files: [
      {
        name: fileName('rename', table.name),
        sql: `ALTER TABLE ${old} RENAME TO ${identifier(to)};\nCREATE VIEW ${old} AS SELECT * FROM ${target};\n`,
      },
      { name: fileName('drop', 'view', table.name), sql: `DROP VIEW ${old};\n` },
    ],
  }
}

/** RENAME COLUMN: both stand side by side and are kept alike until no code uses the old one. */
export function expandForRename(table: Relation, column: string, to: string, type: string, dated: Dated): Advice {
  const both = `BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.${identifier(to)} := coalesce(NEW.${identifier(to)}, NEW.${identifier(column)});
    NEW.${identifier(column)} := NEW.${identifier(to)};
  ELSIF NEW.${identifier(to)} IS DISTINCT FROM OLD.${identifier(to)} THEN
    NEW.${identifier(column)} := NEW.${identifier(to)};
  ELSE
    NEW.${identifier(to)} := NEW.${identifier(column)};
  END IF;
  RETURN NEW;
END`
  const steps = expand({ table, column, added: to, type, body: both, value: identifier(column) }, dated)
  const aside = deprecatedName(column)
  return {
    text: `Let both stand side by side: add the new one, copy what is there, release code that uses it, put the old one aside, and drop that ${SAFETY_DAYS} days later. A required column, a default and indexes have to be added to the new one as well. With Prisma it may be enough to rename only the field and give it \`@map\` with the name of the column, which changes nothing in the database`,
    files: [
      ...steps.files,
      {
        name: fileName('deprecate', table.name, column),
        sql: `${steps.dropTrigger}ALTER TABLE ${steps.at} RENAME COLUMN ${identifier(column)} TO ${identifier(aside)};\n${commentOn('COLUMN', `${steps.at}.${identifier(aside)}`, dated.today)}`,
      },
      { name: fileName('drop', table.name, column), sql: `ALTER TABLE ${steps.at} DROP COLUMN ${identifier(aside)};\n` },
    ],
  }
}

/** ALTER COLUMN … TYPE: a second column of the new type, filled by and by, that takes the place of the first in a moment. */
export function expandForType(table: Relation, column: string, type: string, dated: Dated): Advice {
  const added = madeName(column, '_new')
  const value = `${identifier(column)}::${type}`
  const body = `BEGIN
  NEW.${identifier(added)} := NEW.${value};
  RETURN NEW;
END`
  const steps = expand({ table, column, added, type, body, value }, dated)
  const aside = deprecatedName(column)
  return {
    text: `Let a second column of the new type stand beside it: a trigger fills it for new rows, a backfill for those that are there, and a rename puts it into place in a moment; the old one is dropped ${SAFETY_DAYS} days later. Add what hangs on the column (required, default, indexes, keys) to the new one before the switch`,
    files: [
      ...steps.files,
      {
        name: fileName('switch', table.name, column),
        sql: `${steps.dropTrigger}ALTER TABLE ${steps.at} RENAME COLUMN ${identifier(column)} TO ${identifier(aside)};\nALTER TABLE ${steps.at} RENAME COLUMN ${identifier(added)} TO ${identifier(column)};\n${commentOn('COLUMN', `${steps.at}.${identifier(aside)}`, dated.today)}`,
      },
      { name: fileName('drop', table.name, aside), sql: `ALTER TABLE ${steps.at} DROP COLUMN ${identifier(aside)};\n` },
    ],
  }
}

function expand(
  {
    table,
    column,
    added,
    type,
    body,
    value,
  }: { readonly [Key in 'column' | 'added' | 'type' | 'body' | 'value']: string } & { table: Relation },
  { schema }: Dated,
) {
  const at = relationSql(table, schema)
  const trigger = madeName(`${table.name}_${added}`, '_fill')
  const routine = relationSql({ schema: table.schema, name: trigger }, schema)
  return {
    at,
    dropTrigger: `DROP TRIGGER ${identifier(trigger)} ON ${at};\nDROP FUNCTION ${routine}();\n`,
    files: [
      {
        name: fileName('add', table.name, added),
        sql: `ALTER TABLE ${at} ADD COLUMN ${identifier(added)} ${type};
CREATE FUNCTION ${routine}() RETURNS trigger LANGUAGE plpgsql AS $fill$
${body}
$fill$;
CREATE TRIGGER ${identifier(trigger)} BEFORE INSERT OR UPDATE ON ${at} FOR EACH ROW EXECUTE FUNCTION ${routine}();
`,
      },
      {
        name: fileName('fill', table.name, added),
        sql: inBatches(at, `${identifier(added)} = ${value}`, `${identifier(added)} IS NULL AND ${identifier(column)} IS NOT NULL`),
      },
    ],
  }
}

/**
 * An UPDATE of all rows that locks a few at a time: it walks along the pages of the table, so that no row is read twice, and commits after each
 * thousand of them. What stands behind the end when it begins was written by code that knows of it.
 */
export const inBatches = (table: string, set: string, where: string): string => `DO $batches$
DECLARE
  page bigint := 0;
  pages bigint := (SELECT coalesce(max(pg_relation_size(relid)), pg_relation_size(${literal(table)}::regclass)) / current_setting('block_size')::int
    FROM pg_partition_tree(${literal(table)}::regclass));
BEGIN
  WHILE page <= pages LOOP
    UPDATE ${table} SET ${set}
      WHERE ctid >= format('(%s,0)', page)::tid AND ctid < format('(%s,0)', page + 1000)::tid AND ${where};
    COMMIT;
    page := page + 1000;
  END LOOP;
END
$batches$;
`

/** What is read by whoever finds it, and by the reminder that its time has come. */
const commentOn = (kind: 'COLUMN' | 'TABLE', what: string, today: string): string =>
  `COMMENT ON ${kind} ${what} IS ${literal(`Not used since ${today}. Drop it after ${later(today)}.`)};\n`

const later = (today: string): string => new Date(Date.parse(`${today}T00:00:00Z`) + SAFETY_DAYS * 86_400_000).toISOString().slice(0, 10)
