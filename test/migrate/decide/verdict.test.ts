import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ConcurrentState, Half } from '../../../src/migrate/decide/concurrent-state.ts'
import { endOf } from '../../../src/migrate/decide/findings.ts'
import { mayTryAgain, verdictOf, type Findings } from '../../../src/migrate/decide/verdict.ts'
import { loadParser } from '../../../src/sql/effects/parser.ts'
import { readScript } from '../../../src/sql/parse.ts'

/** A file that is undone as a whole and of which nothing was seen. */
const clean: Findings = {
  undoing: { kind: 'whole' },
  isOneScript: true,
  end: 'refused',
  transactions: { committed: [], aborted: [], endedOne: false, inPieces: false },
  leftovers: [],
  concurrent: null,
  outside: [],
}
const { transactions } = clean
const perhaps = { kind: 'perhaps', why: 'its code block commits by itself, and what it did before stays' } as const
const half: Half = { kind: 'undropped', name: 'i', qualified: 'public.i' }
const unbuilt: Half = { kind: 'unbuilt', name: 'i', qualified: 'public.i' }
const concurrently = (concurrent: ConcurrentState): Findings => ({
  ...clean,
  undoing: { kind: 'concurrent', work: { kind: 'drop', index: { schema: null, name: 'i' } } },
  concurrent,
})

describe('one thing that does not fit is enough to say that it is not known', () => {
  test.each<[what: string, other: Partial<Findings>, because: readonly string[]]>([
    ['the file may leave a part', { undoing: perhaps }, ['Its code block commits by itself, and what it did before stays.']],
    [
      'the engine may send one by one',
      { isOneScript: false },
      ['Its statements may have been sent one by one, and then those before the failed one stay.'],
    ],
    [
      'a function acts outside',
      { outside: ['notify_shop'] },
      ['`notify_shop`, which it reaches, may act outside of its transaction, and what that did stays.'],
    ],
    ['the catalogue has something of it', { leftovers: ['table a'] }, []],
    ['the connection was lost', { end: 'lost' }, ['The connection was lost, which can happen after a commit as well as before it.']],
    ['Prisma does not say why', { end: 'unsaid' }, ['The migrator does not say that the database refused it.']],
    [
      'a transaction of it is committed',
      { transactions: { ...transactions, committed: ['812'] } },
      ['Transaction 812 of it was seen and is committed, so a part of it is in the database.'],
    ],
    [
      'several are',
      { transactions: { ...transactions, committed: ['812', '813'] } },
      ['Transactions 812 and 813 of it were seen and are committed, so a part of it is in the database.'],
    ],
    [
      'a transaction of it had ended',
      { transactions: { ...transactions, endedOne: true } },
      ['The transaction that failed was not its first: an earlier one of it had ended.'],
    ],
    [
      'its statements were seen one by one',
      { transactions: { ...transactions, inPieces: true } },
      ['Its statements were seen to be sent one by one, and those before the failed one stay.'],
    ],
  ])('%s', (_what, other, because) => {
    expect(verdictOf({ ...clean, ...other })).toEqual({ kind: 'unclear', because })
  })
})

test('a file that the server refused before it ran anything is undone, whatever it could have done', () => {
  expect(verdictOf({ ...clean, undoing: perhaps, end: 'unbegun' })).toEqual({ kind: 'undone' })
  expect(verdictOf({ ...clean, undoing: perhaps, end: 'unbegun', isOneScript: false }).kind).toBe('unclear')
  expect(verdictOf({ ...clean, undoing: perhaps, end: 'unbegun', leftovers: ['table a'] }).kind).toBe('unclear')
})

test('a connection that was lost is no doubt where the only transaction was seen and is undone', () => {
  const seen = { ...transactions, aborted: ['812'] }
  expect(verdictOf({ ...clean, end: 'lost', transactions: seen })).toEqual({ kind: 'undone' })
  expect(verdictOf({ ...clean, end: 'lost', transactions: { ...seen, committed: ['811'] } }).kind).toBe('unclear')
})

test('of a CONCURRENTLY the catalogue tells how far it came', () => {
  expect(verdictOf(concurrently({ kind: 'untouched' }))).toEqual({ kind: 'undone' })
  expect(verdictOf({ ...concurrently({ kind: 'untouched' }), end: 'lost' })).toEqual({ kind: 'undone' })
  expect(verdictOf(concurrently({ kind: 'half', left: [half] }))).toEqual({ kind: 'half', left: [half] })
  expect(verdictOf(concurrently({ kind: 'whole' }))).toEqual({ kind: 'unclear', because: ['By the catalogue all of its work is done.'] })
})

test('only what is undone, or half built and can be dropped, may be tried again by itself', () => {
  expect(mayTryAgain({ kind: 'undone' })).toBe(true)
  expect(mayTryAgain({ kind: 'half', left: [unbuilt] })).toBe(true)
  expect(mayTryAgain({ kind: 'half', left: [half] })).toBe(false)
  expect(mayTryAgain({ kind: 'half', left: [unbuilt, half] })).toBe(false)
  expect(mayTryAgain({ kind: 'unclear', because: [] })).toBe(false)
})

const xids = fc.array(fc.constantFrom('812', '813'), { maxLength: 2 })
const anything: fc.Arbitrary<Findings> = fc.record({
  undoing: fc.constantFrom<Findings['undoing']>({ kind: 'whole' }, perhaps, concurrently({ kind: 'untouched' }).undoing),
  isOneScript: fc.boolean(),
  end: fc.constantFrom<Findings['end']>('refused', 'unbegun', 'lost', 'unsaid'),
  transactions: fc.record({ committed: xids, aborted: xids, endedOne: fc.boolean(), inPieces: fc.boolean() }),
  leftovers: fc.array(fc.constant('table a'), { maxLength: 1 }),
  concurrent: fc.constantFrom<ConcurrentState | null>(null, { kind: 'untouched' }, { kind: 'whole' }, { kind: 'half', left: [half] }),
  outside: fc.array(fc.constant('f'), { maxLength: 1 }),
})

/** Each reason by itself that forbids to say "undone". */
function against({ undoing, isOneScript, end, transactions: seen, leftovers, concurrent, outside }: Findings): readonly string[] {
  const reasons = {
    'the catalogue': leftovers.length > 0,
    'not one script': !isOneScript,
    'what the file can do': end !== 'unbegun' && undoing.kind === 'perhaps',
    'what it reaches': end !== 'unbegun' && outside.length > 0,
    'no word of a refusal': end === 'unsaid',
    'a lost connection': end === 'lost' && concurrent === null && (seen.aborted.length === 0 || seen.committed.length > 0),
    'what was seen': concurrent === null && (seen.committed.length > 0 || seen.endedOne || seen.inPieces),
    'half of a CONCURRENTLY': concurrent?.kind === 'half',
    'all of a CONCURRENTLY': concurrent?.kind === 'whole' && end !== 'unbegun',
  }
  return Object.entries(reasons).flatMap(([reason, holds]) => (holds ? [reason] : []))
}

test('"undone" is said when the file and everything that was seen agree, and never otherwise', () => {
  fc.assert(
    fc.property(anything, (findings) => (verdictOf(findings).kind === 'undone') === (against(findings).length === 0)),
    { numRuns: 5_000 },
  )
})

describe('how the script ended', () => {
  const refused = (state: string, message: string) =>
    `Error: external connector error\nError querying the database: ERROR: [SQLSTATE ${state}] ${message}\n   0: sql_schema_connector::apply_migration::apply_script`
  const end = async (output: string, sql: string) => endOf(output, await readScript(Buffer.from(sql)), await loadParser())

  test.each([
    [
      'a script that cannot be read ran nothing',
      'unbegun',
      refused('42601', 'syntax error at or near "creat"'),
      'commit; select 1; creat table t',
    ],
    [
      'one that we cannot read either but stopped elsewhere',
      'refused',
      refused('42601', 'syntax error at or near "x"'),
      'commit; creat table t',
    ],
    // of rows, not of the grammar: an earlier statement has run
    [
      'a code of syntax that comes later',
      'refused',
      refused('42601', 'INSERT has more expressions than target columns'),
      'commit; insert into t (a) values (1, 2)',
    ],
    [
      'SQL that a block puts together',
      'refused',
      refused('42601', 'syntax error at or near "x"'),
      "do $$ begin commit; execute 'x'; end $$",
    ],
    ['a block that cannot be read', 'unbegun', refused('42601', 'syntax error at or near "updat"'), 'do $$ begin commit; updat t; end $$'],
    [
      'a name that is not there, before a CONCURRENTLY begins',
      'unbegun',
      refused('42704', 'index "i" does not exist'),
      'drop index concurrently i',
    ],
    [
      'a lock that a CONCURRENTLY waits for',
      'refused',
      refused('55P03', 'canceling statement due to lock timeout'),
      'drop index concurrently i',
    ],
    ['VACUUM in a transaction does not begin', 'unbegun', refused('25001', 'VACUUM cannot run inside a transaction block'), 'vacuum t'],
    [
      'what a block runs has begun',
      'refused',
      refused('25001', 'VACUUM cannot be executed from a function'),
      "do $$ begin commit; execute 'vacuum'; end $$",
    ],
    [
      'a session that was ended may have committed',
      'lost',
      refused('57P01', 'terminating connection due to administrator command'),
      'select 1',
    ],
    [
      'a connection that a statement opened itself is not the session',
      'refused',
      refused('08001', 'could not establish connection'),
      'select 1',
    ],
    ['no code is no answer', 'lost', refused('undefined', 'Connection terminated unexpectedly'), 'select 1'],
    ['a fault of Prisma itself', 'unsaid', 'Error: P1001', 'select 1'],
    ['the native engine', 'refused', 'Error: P3018\n\nDatabase error code: 55P03\n', 'select 1'],
  ])('%s', async (_what, wanted, output, sql) => {
    expect(await end(output, sql)).toBe(wanted)
  })
})
