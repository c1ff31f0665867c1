import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unquotedPieces } from '../../src/sql/unquoted.ts'
import { whyUnrunnable } from '../../src/sql/unrunnable.ts'

const PATH = 'prisma/migrations/1_x/migration.sql'
const why = (content: string | Buffer, oneScript = true) => whyUnrunnable(PATH, Buffer.from(content), oneScript)

const NEVER_SENT = 'a migration goes to the server as it is.'
const AS_UTF8 = 'Save it as UTF-8 (in an editor, or with `iconv -f WINDOWS-1252 -t UTF-8`) and ask again.'
const REPLACED = 'A replacement character (\ufffd) would take its place and be stored.'
const NO_ROWS =
  '`COPY … FROM stdin` takes its rows from psql; nobody sends any here, so it fails (57014 or 08P01). Write the rows as `INSERT … VALUES` (`pg_dump --inserts` writes them so), or load them outside of the migration, and ask again.'
const ALONE =
  'cannot run inside a transaction, and a file with several statements is one (25001). Put it alone into a migration of its own, without so much as a `SET` before it, and ask again.'

describe('bytes', () => {
  test.each([
    [
      'Latin-1 in a string',
      Buffer.from("select 1;\ninsert into l values ('Café');\n", 'latin1'),
      `line 2, column 27: the byte E9, which is \`é\` in Latin-1, is no UTF-8. ${REPLACED} ${AS_UTF8}`,
    ],
    [
      'Latin-1 in a comment',
      Buffer.from('-- für\n', 'latin1'),
      `line 1, column 5: the byte FC, which is \`ü\` in Latin-1, is no UTF-8. ${REPLACED} ${AS_UTF8}`,
    ],
    [
      'a quotation mark of Windows, behind letters that are right',
      Buffer.concat([Buffer.from('-- éß '), Buffer.from([0x93, 0x0a])]),
      `line 1, column 7: the byte 93 is no UTF-8. ${REPLACED} ${AS_UTF8}`,
    ],
    [
      'a letter cut off at the end of the file',
      Buffer.from([0x2d, 0x2d, 0xc3]),
      `line 1, column 3: the byte C3, which is \`Ã\` in Latin-1, is no UTF-8. ${REPLACED} ${AS_UTF8}`,
    ],
    [
      'half of a surrogate pair',
      Buffer.from([0x2d, 0x2d, 0xed, 0xa0, 0x80]),
      `line 1, column 3: the byte ED, which is \`í\` in Latin-1, is no UTF-8. ${REPLACED} ${AS_UTF8}`,
    ],
    [
      'UTF-16 with its mark',
      Buffer.from('\ufeffselect 1;', 'utf16le'),
      'line 1, column 1: the file is UTF-16, and a migration is read as UTF-8. Save it as UTF-8 (in an editor, or with `iconv -f UTF-16 -t UTF-8`) and ask again.',
    ],
    [
      'UTF-16 without its mark',
      Buffer.from('select 1;', 'utf16le'),
      'line 1, column 2: the file holds a NUL character, which PostgreSQL refuses. Remove it and ask again.',
    ],
    [
      'a byte order mark',
      '\ufeffselect 1;',
      'line 1, column 1: the file begins with a byte order mark, which PostgreSQL takes for a part of the first word and refuses (42601). Save it as UTF-8 without one and ask again.',
    ],
    ['a NUL', 'select 1;\n--\0', 'line 2, column 3: the file holds a NUL character, which PostgreSQL refuses. Remove it and ask again.'],
  ])('%s', async (_, content, text) => {
    expect(await why(content)).toBe(`\`${PATH}\`, ${text}`)
  })
})

describe('what is written for psql', () => {
  test.each([
    ['COPY with its rows', "create table c (x text);\nCOPY public.c (x) FROM stdin;\nit's\n\\.\n", `line 2, column 1: ${NO_ROWS}`],
    ['COPY without a row, in small letters', 'copy c from stdin', `line 1, column 1: ${NO_ROWS}`],
    ['COPY with options, over lines', '/* rows */ COPY c\n  FROM STDIN WITH (FORMAT csv);\n1\n', `line 1, column 12: ${NO_ROWS}`],
    [
      '\\i',
      'select 1;\n  \\i other.sql\n',
      `line 2, column 3: \`\\i\` is a command of psql, which PostgreSQL refuses (42601): ${NEVER_SENT} Put the SQL of the other file here and ask again.`,
    ],
    [
      '\\ir',
      '\\ir ../a.sql',
      `line 1, column 1: \`\\ir\` is a command of psql, which PostgreSQL refuses (42601): ${NEVER_SENT} Put the SQL of the other file here and ask again.`,
    ],
    [
      '\\c',
      '\\c shop\n',
      `line 1, column 1: \`\\c\` is a command of psql, which PostgreSQL refuses (42601): ${NEVER_SENT} Remove it (the database is the one of the URL) and ask again.`,
    ],
    [
      '\\copy',
      "\\copy c from 'c.csv' csv\n",
      `line 1, column 1: \`\\copy\` is a command of psql, which PostgreSQL refuses (42601): ${NEVER_SENT} Write the rows as \`INSERT … VALUES\`, or load them outside of the migration, and ask again.`,
    ],
    [
      '\\restrict, with which dumps begin',
      '--\n-- PostgreSQL database dump\n--\n\n\\restrict aBc\n',
      `line 5, column 1: \`\\restrict\` is a command of psql, which PostgreSQL refuses (42601): ${NEVER_SENT} Remove it (pg_dump writes it for psql alone) and ask again.`,
    ],
    [
      '\\set',
      '\\set ON_ERROR_STOP on\n',
      `line 1, column 1: \`\\set\` is a command of psql, which PostgreSQL refuses (42601): ${NEVER_SENT} Remove it (a migration stops at its first error anyway) and ask again.`,
    ],
    [
      '\\gexec behind a query',
      "select 'drop table a' \\gexec\n",
      `line 1, column 23: \`\\gexec\` is a command of psql, which PostgreSQL refuses (42601): ${NEVER_SENT} Write it in SQL, or remove it, and ask again.`,
    ],
    [
      'a variable',
      "update a set b = :'name';",
      `line 1, column 18: \`:'name'\` is a variable of psql, which PostgreSQL refuses (42601): ${NEVER_SENT} Write its value and ask again.`,
    ],
  ])('%s', async (_, content, text) => {
    expect(await why(content)).toBe(`\`${PATH}\`, ${text}`)
  })
})

describe('what was pasted or merged', () => {
  test.each([
    [
      'a space that does not break',
      'select\u00a01;',
      'line 1, column 7: the character U+00A0 looks like a space or like nothing, and PostgreSQL takes it for a letter, so the file cannot be read as SQL (42601). Type a plain space or nothing in its place and ask again.',
    ],
    [
      'a mark of another file in the middle',
      'select 1;\n\ufeffselect 2;\n',
      'line 2, column 1: the character U+FEFF looks like a space or like nothing, and PostgreSQL takes it for a letter, so the file cannot be read as SQL (42601). Type a plain space or nothing in its place and ask again.',
    ],
    [
      'typographic quotation marks',
      'insert into a values (‘x y’);',
      'line 1, column 23: the quotation mark `‘` (U+2018) is typographic, and PostgreSQL takes it for a letter, so the file cannot be read as SQL (42601). Type a straight one (`\'` or `"`) in its place and ask again.',
    ],
    [
      'conflict markers',
      'select 1;\n<<<<<<< HEAD\nselect 2;\n=======\nselect 3;\n>>>>>>> other\n',
      'line 2, column 1: a merge was committed with its conflict markers (`&lt;&lt;&lt;&lt;&lt;&lt;&lt;`). Resolve it and ask again.',
    ],
  ])('%s', async (_, content, text) => {
    expect(await why(content)).toBe(`\`${PATH}\`, ${text}`)
  })
})

describe('what cannot run inside a transaction, with something beside it', () => {
  test.each([
    [
      'CREATE INDEX',
      "SET lock_timeout = '5s';\nCREATE INDEX CONCURRENTLY i ON a (b);",
      'line 2, column 1: `CREATE INDEX CONCURRENTLY i ON a`',
    ],
    ['CREATE INDEX before others', 'create index concurrently on a (b);\nselect 1;', 'line 1, column 1: `create index concurrently on a`'],
    ['DROP INDEX', 'select 1;\n\n-- ; old\n  drop index concurrently i;', 'line 4, column 3: `drop index concurrently i`'],
    ['REINDEX', 'select 1; reindex table concurrently a;', 'line 1, column 11: `reindex table concurrently a`'],
    [
      'DETACH PARTITION',
      'select 1;\nalter table a detach partition b concurrently;',
      'line 2, column 1: `alter table a detach partition b concurrently`',
    ],
    ['VACUUM', "select ';';\nvacuum a;", 'line 2, column 1: `vacuum a`'],
    ['CREATE DATABASE', 'select $$;$$; create database x;', 'line 1, column 15: `create database x`'],
    ['ALTER SYSTEM', 'select 1; alter system set work_mem = 1;', 'line 1, column 11: `alter system set work_mem = 1`'],
    [
      'COMMIT before it, which is of no help',
      'commit;\ncreate index concurrently i on a (b);',
      'line 2, column 1: `create index concurrently i on a`',
    ],
  ])('%s', async (_, content, place) => {
    expect(await why(content)).toBe(`\`${PATH}\`, ${place} ${ALONE}`)
    expect(await why(content, false)).toBeNull()
  })

  test('where a body in SQL holds semicolons, the file is named', async () => {
    const body = 'create function f() returns int language sql begin atomic select 1; select 2; end;\nvacuum;'
    expect(await why(body)).toBe(`\`${PATH}\`: a statement ${ALONE}`)
  })
})

describe('what can run is left alone', () => {
  test.each([
    ['an empty file', ''],
    ['a comment', '-- nothing\n'],
    ['semicolons', ';;\n'],
    ['one that stands alone, among comments', '-- why; because\nvacuum;;\n/* \\i x */'],
    ['backslashes in strings', "select '\\d', E'it\\'s \\\\', \"a\\b\", $$\\c$$, $x$ \\i $$ $x$;"],
    ['backslashes in comments', '-- \\copy\n/* \\c /* \\d */ \\e */ select 1;'],
    ['COPY from a file and from a program', "copy a from '/x'; copy a from program 'cat'; copy a to stdout;"],
    ['a word that is called copy', 'select copy from stdin;'],
    ['casts, slices and parameters', "select a[1:2], a[:n], '1'::int, b[1:'2'], now()::\"char\" from a;"],
    ['letters of all languages', "insert into straße values ('Ünïcode – „so“ \u00a0 😀');"],
    ['comparisons in a row', 'select 1 <<\n1;\n'],
    ['what this parser does not know', 'frobnicate all;'],
    ['a doubled quotation mark', 'select \'it\'\'s \\\', "a""b\\";'],
  ])('%s', async (_, content) => {
    expect(await why(content)).toBeNull()
  })

  test('whatever stands in quotes is no piece', () => {
    const inside = fc.string({ unit: 'grapheme' })
    const quotedIn = fc.oneof(
      inside.map((text) => `'${text.replaceAll("'", "''")}'`),
      inside.map((text) => `"${text.replaceAll('"', '""')}"`),
      inside.map((text) => `E'${text.replace(/[\\']/g, '\\$&')}'`),
      inside.map((text) => `$q$${text.replaceAll('$', '')}$q$`),
      inside.map((text) => `/*${text.replace(/[*/]/g, '')}*/`),
      inside.map((text) => `--${text.replaceAll('\n', '')}\n`),
    )
    fc.assert(
      fc.property(fc.array(quotedIn), (parts) => {
        const sql = parts.join(' + ') + ' word;'
        expect([...unquotedPieces(sql)].map(({ text }) => text)).toEqual(['word', ';'])
      }),
    )
  })
})

describe('what is four times as long takes about four times the work, whatever else the machine does', () => {
  /** Of this thread alone, in ms. */
  async function workOf(act: () => unknown): Promise<number> {
    const before = process.threadCpuUsage()
    await act()
    const { user, system } = process.threadCpuUsage(before)
    return (user + system) / 1_000
  }

  /** Were it the square of its length, it would be sixteen times. */
  async function growth(act: (length: number) => unknown, length: number): Promise<number> {
    await act(length) // what is compiled and grown once
    return (await workOf(() => act(4 * length))) / (await workOf(() => act(length)))
  }

  test('thousands of COPY statements and of colons', async () => {
    const file = (count: number) => `${'copy a to stdout;\n'.repeat(count)}select ${'1::int, '.repeat(count)}1;`
    expect(await growth((count) => why(file(count)), 12_500)).toBeLessThan(9)
  })

  test('a file of 20 MB', async () => {
    const pieces = (rows: number) => [...unquotedPieces(`insert into a values ${"(1, 'some text; and \\ more', 2),\n".repeat(rows)} (0);`)]
    expect(pieces(600_000)).toHaveLength(5)
    expect(await growth(pieces, 150_000)).toBeLessThan(9)
  })
})

describe('what needs a transaction block that is not there', () => {
  test.each([
    [
      'select 1;\nSAVEPOINT before_cleanup;\ndelete from a;',
      'line 2, column 1: `SAVEPOINT before_cleanup` needs a transaction block, and there is none (25P01). Remove it, or put `BEGIN;` before it and `COMMIT;` behind what belongs to it, and ask again.',
    ],
    [
      '-- first\nLOCK TABLE a;',
      'line 2, column 1: `LOCK TABLE a` needs a transaction block, and there is none (25P01). Alone it has no effect: remove it, or put it into the file that needs it, and ask again.',
    ],
  ])('%s', async (content, text) => {
    expect(await why(content)).toBe(`\`${PATH}\`, ${text}`)
  })

  test('the connection of a subscription is not shown', async () => {
    expect(await why("select 1; create subscription s connection 'password=hush' publication p")).toBe(
      `\`${PATH}\`, line 1, column 11: \`create subscription s connection\` ${ALONE}`,
    )
  })
})
