import { describe, expect, test } from 'vitest'
import { migrationFile } from '../../src/plan/files.ts'
import { reviewMigrations } from '../../src/sql/review.ts'

const sizes = ['a', 'b'].map((name) => ({ schema: 'public', name, rows: 1_000, bytes: 1 }))

async function read(sql: string) {
  const [found] = await reviewMigrations([migrationFile('1_file', Buffer.from(sql), null)], { sizes, schema: 'public' })
  return found
}

describe('what makes data go is said, whatever the statement', () => {
  test.each([
    // PostgreSQL 17 and 18
    [
      'merge into a using b on true when not matched by source then delete',
      'deletes rows of a; merges rows into a',
      'rows of a are deleted',
    ],
    [
      'with m as (merge into a using b on true when matched then delete returning a.*) insert into b select * from m',
      'deletes rows of a; adds rows to b; merges rows into a',
      'rows of a are deleted',
    ],
    ['delete from a using b where a.id = b.id returning old.*', 'deletes rows of a', 'rows of a are deleted'],
    [
      'create function f() returns bigint begin atomic with m as (delete from a returning 1) select count(*) from m; end; select f()',
      'deletes rows of a; creates function f',
      'rows of a are deleted',
    ],
    ['create procedure p() begin atomic delete from a; end; call p()', 'deletes rows of a; creates procedure p', 'rows of a are deleted'],
    ['drop owned by old_app cascade', 'drops roles or what they own', 'it drops roles or what they own'],
    [
      'alter type address drop attribute zip cascade',
      'drops attribute zip of type address',
      'attribute zip goes from every value of type address and of every table of that type, with what it holds',
    ],
    [
      'drop extension hstore cascade',
      'drops extension hstore',
      'the tables that belong to it and columns that use extension hstore are dropped with it (CASCADE), with what they hold',
    ],
    [
      'drop server elsewhere cascade',
      'drops server elsewhere',
      'foreign tables of server elsewhere are dropped with it (CASCADE), with what they hold',
    ],
    [
      'drop language plperl cascade',
      'drops language plperl',
      'functions, and generated columns that call them, of language plperl are dropped with it (CASCADE), with what they hold',
    ],
    ['alter table a detach partition a_2025', 'detaches partition a_2025 of a', 'the rows of a_2025 are no longer found through a'],
    [
      'alter table a set unlogged',
      'makes a unlogged',
      'a is empty after a crash of the server from then on, and a standby does not have its rows',
    ],
    // functions of PostgreSQL and of what is installed beside it
    ['select lo_unlink(4711)', 'deletes large objects', 'large objects are deleted'],
    ['select lo_unlink(image) from a', 'deletes large objects', 'large objects are deleted'],
    ['select lo_truncate(1, 0)', 'cuts large objects short', 'large objects are cut short, and what stood behind that is gone'],
    [String.raw`select lo_put(1, 0, '\x00')`, 'writes over large objects', 'what large objects hold is written over'],
    [
      `select heap_force_kill('a'::regclass, array['(0,1)']::tid[])`,
      'deletes rows without a check',
      'rows are deleted past every rule, trigger and foreign key (pg_surgery)',
    ],
    [`select drop_chunks('a', interval '1 year')`, 'drops chunks of a table', 'chunks of a table are dropped with their rows'],
    [`select DropGeometryTable('a')`, 'drops a table', 'a table is dropped with its rows'],
    [
      `select cron.schedule('nightly', '0 3 * * *', 'DELETE FROM a')`,
      'hands SQL to cron.schedule, which names a DELETE, TRUNCATE or DROP',
      'cron.schedule is handed SQL that may delete or drop what is there, in this database or in another',
    ],
    // PostgreSQL's own tables
    [
      `update pg_attribute set attisdropped = true where attname = 'x'`,
      'backfills pg_attribute',
      "PostgreSQL's own table pg_attribute is written by hand: nothing checks that, and a mistake there makes tables unreadable",
    ],
    [
      `delete from pg_catalog.pg_enum where enumlabel = 'x'`,
      'deletes rows of pg_catalog.pg_enum',
      "PostgreSQL's own table pg_enum is written by hand: nothing checks that, and a mistake there makes tables unreadable",
    ],
  ])('%s', async (sql, summary, finding) => {
    const found = await read(sql)
    expect(found).toMatchObject({ class: 'breaking', summary })
    expect(found?.findings).toContain(finding)
  })
})

describe('what begins anew is said', () => {
  const goesOn = (name: string) =>
    `${name} goes on from another number: below what rows have already, its next ones exist and their inserts fail`

  test.each([
    ['alter sequence a_id_seq restart', 'a_id_seq'],
    ['alter sequence a_id_seq owned by a.id restart with 7', 'a_id_seq'],
    [`select setval('public.a_id_seq', 7)`, 'a_id_seq'],
    ['alter table a alter column id restart with 1', 'a.id'],
  ])('%s', async (sql, name) => {
    const found = await read(sql)
    expect(found).toMatchObject({ class: 'transformative', summary: `sets the next number of ${name}` })
    expect(found?.findings).toContain(goesOn(name))
  })
})

describe('a statement that nobody could judge is named as people write it', () => {
  test.each([
    ['reassign owned by a to b', 'runs REASSIGN OWNED'],
    ['import foreign schema x from server s into public', 'runs IMPORT FOREIGN SCHEMA'],
    ['alter extension hstore update', 'runs ALTER EXTENSION'],
    ['alter extension hstore drop table a', 'runs ALTER EXTENSION'],
    ['alter event trigger e disable', 'runs ALTER EVENT TRIGGER'],
    [`security label on table a is 'x'`, 'runs SECURITY LABEL'],
    ['drop tablespace fast', 'runs DROP TABLESPACE'],
    ['alter sequence s increment by 2', 'changes sequence s'],
    ['drop subscription s', 'runs DROP SUBSCRIPTION'],
  ])('%s', async (sql, summary) => expect(await read(sql)).toMatchObject({ class: 'unclear', summary }))
})

test.each([
  ['drop event trigger e', 'drops event trigger e'],
  ['drop statistics s', 'drops statistics s'],
  ['drop access method m', 'drops access method m'],
  ['drop operator class oc using btree', 'drops operator class btree.oc'],
  ['drop text search configuration c', 'drops text search configuration c'],
  ['drop foreign data wrapper w', 'drops foreign data wrapper w'],
  ['drop cast (text as int)', 'drops a cast'],
])('what is dropped is named as people write it: %s', async (sql, summary) => expect(await read(sql)).toMatchObject({ summary }))

test.each([
  ['setting what pg_settings shows', `update pg_settings set setting = 'off' where name = 'row_security'`],
  ['a table of one’s own whose name begins so', 'update public.pg_logs set x = 1'],
])('%s is no writing of the catalogue', async (_, sql) => expect((await read(sql))?.findings.join()).not.toContain('own table'))
