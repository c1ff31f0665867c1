import { describe, expect, test } from 'vitest'
import { loadParser } from '../../src/sql/effects/parser.ts'
import { readScript } from '../../src/sql/parse.ts'
import { undoingOf } from '../../src/sql/undoing.ts'

const of = async (sql: string | Buffer) => undoingOf(await readScript(Buffer.from(sql)), await loadParser())

describe('a file that is undone as a whole, wherever it fails', () => {
  test.each([
    ['plain statements', 'create table t (id int); insert into t values (1);'],
    ['a body in SQL', 'create function f() returns int language sql begin atomic select 1; end;'],
    ['a block that commits nothing', 'do $$ begin update t set a = 1; end $$'],
    ['the word in a comment of a block', 'do $$ begin update t set a = 1; -- no commit, no call p()\n end $$'],
    ['a block that only rolls back', 'do $$ begin update t set a = 1; rollback; end $$'],
    ['EXECUTE, which the server lets do neither', "do $$ begin execute 'com' || 'mit'; execute 'call p()'; end $$"],
    [
      'ON CONFLICT DO in a block that the parser cannot read',
      'do $$ declare a := 1; begin insert into t values (1) on conflict do nothing; end $$',
    ],
    ['a procedure that is called beside its definition', "create procedure p() language plpgsql as 'begin commit; end'; call p()"],
    ['a block among others', 'select 1; do $$ begin commit; end $$'],
    ['a function that calls a procedure', "create function f() returns void language plpgsql as 'begin call p(); end'; select f()"],
    ['COMMIT at the very end', 'begin; update t set a = 1; commit;'],
    ['a transaction that is left open', 'begin; update t set a = 1;'],
    ['savepoints', 'begin; savepoint a; update t set a = 1; rollback to a; commit'],
    ['ANALYZE among others', 'alter table t add b int; analyze t'],
    ['nextval, which leaves a gap', "update t set a = nextval('s')"],
    ['what cannot run among others', 'update t set a = 1; vacuum t'],
    ['a function that is only kept', "create function f() returns void language sql as $$ select setval('s', 1) $$; select 1"],
    ['rows from a file', "copy t from '/tmp/rows'"],
    ['nothing', ''],
  ])('%s', async (_what, sql) => {
    expect(await of(sql)).toEqual({ kind: 'whole' })
  })
})

describe('a file of which a part may stay, and why', () => {
  test.each([
    ['do $$ begin update t set a = 1; commit; perform 1 / 0; end $$', 'its code block commits by itself, and what it did before stays'],
    ['do $$ begin if true then commit and chain; end if; end $$', 'its code block commits by itself, and what it did before stays'],
    ["do $$ begin do 'begin commit; end'; end $$", 'its code block commits by itself, and what it did before stays'],
    ["do $$ begin do E'begin \\103ommit; end'; end $$", 'its code block commits by itself, and what it did before stays'],
    ["do 'begin com' \n 'mit; end'", 'its code block commits by itself, and what it did before stays'],
    ['do $$ begin call app.fill(1); end $$', 'the procedure `app.fill` may commit by itself, and what it did before stays'],
    ['do language plperl $$ spi_commit() $$', 'its code block in `plperl` may commit by itself, and what it did before stays'],
    ['do $$ declare a := 1; begin commit; end $$', 'its code block may commit by itself, and what it did before stays'],
    ['call "a`<b>"()', "the procedure `a'&lt;b&gt;` may commit by itself, and what it did before stays"],
    ['call fill()', 'the procedure `fill` may commit by itself, and what it did before stays'],
    ['begin; update t set a = 1; commit; update t set a = 2', 'it has a `COMMIT` inside, and what stands before it stays'],
    ['update t set a = 1; end and chain; update t set a = 2; commit', 'it has a `COMMIT` inside, and what stands before it stays'],
    ["begin; update t set a = 1; prepare transaction 'x'; select 1 / 0", 'it has a `COMMIT` inside, and what stands before it stays'],
    ["commit prepared 'x'", 'its statement may work in several transactions, or outside of any'],
    ['vacuum t', 'its statement may work in several transactions, or outside of any'],
    ['analyze', 'its statement may work in several transactions, or outside of any'],
    ['cluster t', 'its statement may work in several transactions, or outside of any'],
    ['reindex table t', 'its statement may work in several transactions, or outside of any'],
    ['create database d', 'its statement may work in several transactions, or outside of any'],
    ["alter system set work_mem = '1GB'", 'its statement may work in several transactions, or outside of any'],
    ["create subscription s connection 'x' publication p", 'its statement may work in several transactions, or outside of any'],
    [
      "select dblink_exec('dbname=b', 'update t set a = 1'); select 1 / 0",
      '`dblink_exec` acts outside of its transaction, so what that did stays',
    ],
    [
      "do $$ begin perform lo_export(1, '/tmp/x'); copy t to program 'mail'; end $$",
      '`lo_export` and `COPY` act outside of its transaction, so what that did stays',
    ],
    ["copy (select 1) to '/tmp/rows'", '`COPY` acts outside of its transaction, so what that did stays'],
    ["copy t from program 'curl'", '`COPY` acts outside of its transaction, so what that did stays'],
    ["select setval('s', 7); alter table t add b int", '`setval` acts outside of its transaction, so what that did stays'],
    [
      "create function f() returns void language sql as $$ select setval('s', 1) $$; create function g() returns void language sql as 'select f()'; select g()",
      '`setval` acts outside of its transaction, so what that did stays',
    ],
    [
      "create or replace function f() returns void language sql as $$ select setval('s', 1) $$; select 1",
      '`setval` acts outside of its transaction, so what that did stays',
    ],
    ['creat table t', 'it could not be read as SQL'],
    [Buffer.from('select 1;\0commit;'), 'it could not be read as SQL'],
    [Buffer.from([0xff]), 'it could not be read as SQL'],
    ['\ufeffselect 1', 'it could not be read as SQL'],
  ])('%s', async (sql, why) => {
    expect(await of(sql)).toEqual({ kind: 'perhaps', why })
  })
})

test('a statement with CONCURRENTLY that is alone says what it works on', async () => {
  const work = async (sql: string) => {
    const undoing = await of(sql)
    return undoing.kind === 'concurrent' ? undoing.work : null
  }
  const table = { schema: null, name: 't' }
  expect(await work('-- why\ncreate unique index concurrently if not exists "T_idx" on t (x);')).toEqual({
    kind: 'build',
    index: 'T_idx',
    table,
  })
  expect(await work('create index concurrently on t (x)')).toEqual({ kind: 'build', index: null, table })
  expect(await work('drop index concurrently if exists app."T_idx"')).toEqual({ kind: 'drop', index: { schema: 'app', name: 'T_idx' } })
  expect(await work('drop index concurrently i')).toEqual({ kind: 'drop', index: { schema: null, name: 'i' } })
  expect(await work('reindex (concurrently) table t')).toEqual({ kind: 'rebuild' })
  expect(await work('alter table t detach partition app.p concurrently')).toEqual({
    kind: 'detach',
    table,
    partition: { schema: 'app', name: 'p' },
  })
  expect(await work('create index i on t (x)')).toBeNull()
  expect(await work('select 1; drop index concurrently i')).toBeNull()
})
