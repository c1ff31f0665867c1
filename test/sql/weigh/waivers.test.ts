import { describe, expect, test } from 'vitest'
import { weigh } from '../../../src/sql/weigh/weigh.ts'
import { live, orders, parser, part, statement, table, weighing } from './forecasts.ts'

/** A file of indexes on a large table; the lines follow from the text. */
function found(content: string) {
  const forecasts = parser.sql(content).flatMap((node, at) => {
    if (!('IndexStmt' in node)) return []
    const text = content.split(';')[at] ?? ''
    const sql = text.replace(/^(?:\s+|--.*\n)*/, '')
    const line = content.slice(0, content.indexOf(sql)).split('\n').length
    return [
      { ...statement(sql, 'Share', [part('create index', { name: 'i', scans: [orders], builds: [{ name: 'i', on: orders }] })]), line },
    ]
  })
  const file = { name: 'm1', content: Buffer.from(content), forecasts, isOneTransaction: true }
  return weigh([file], weighing(live([table(orders, 41_000_000)]))).map(({ line, weight, code, text, waived }) =>
    code === 'index-build'
      ? `${line} ${weight} ${waived === null ? 'open' : `waived: ${waived.reason}`}`
      : `${line} ${weight} ${code}: ${text}`,
  )
}

describe('a waiver in the file', () => {
  test('above a statement, also with other comments between, and with its reason', () => {
    expect(
      found('-- lockkeeper: allow index-build because nobody writes to it at night\n-- CreateIndex\nCREATE INDEX i ON orders (a);'),
    ).toEqual(['3 blocker waived: nobody writes to it at night'])
  })

  test('in a line of the statement, as either kind of comment, in any case', () => {
    expect(found('CREATE INDEX i\n  ON orders (a); -- lockkeeper: allow index-build because it is small')).toEqual([
      '1 blocker waived: it is small',
    ])
    expect(found('CREATE INDEX i /* Lockkeeper: ALLOW Index-Build BECAUSE it is small */ ON orders (a);')).toEqual([
      '1 blocker waived: it is small',
    ])
  })

  test('is for the statement below it and no other', () => {
    expect(
      found(
        'CREATE INDEX i ON orders (a);\n-- lockkeeper: allow index-build because é\nCREATE INDEX i ON orders (b);\nCREATE INDEX i ON orders (c);',
      ),
    ).toEqual(['1 blocker open', '4 blocker open', '3 blocker waived: é'])
  })

  test('without a reason does not count, and the next step is told', () => {
    expect(found('-- lockkeeper: allow index-build\nCREATE INDEX i ON orders (a);')).toEqual([
      '2 blocker open',
      '1 warning waiver: the comment waives `index-build` without a reason, so it does not count; write `-- lockkeeper: allow index-build because <reason>`',
    ])
  })

  test('of an unknown kind is told, with the one that was likely meant', () => {
    expect(
      found('-- lockkeeper: allow index_build because x\n-- lockkeeper: allow everything because x\nCREATE INDEX i ON orders (a);'),
    ).toEqual([
      '3 blocker open',
      '1 warning waiver: the comment waives `index_build`, which is no kind of finding; did you mean `index-build`?',
      '2 warning waiver: the comment waives `everything`, which is no kind of finding; the kinds are those that findings name, such as `index-build`',
    ])
  })

  test('that is not understood, or meets nothing, is told', () => {
    expect(found('-- lockkeeper: please\n-- lockkeeper: allow rewrite because x\nCREATE INDEX i ON orders (a);')).toEqual([
      '3 blocker open',
      '1 warning waiver: the comment `please` is not understood; write `-- lockkeeper: allow index-build because <reason>`',
      '2 note waiver: the comment waives `rewrite`, and nothing of that kind is found at its statement; take it out, or move it to the line above the statement',
    ])
  })

  test('inside of a text is none', () => {
    expect(found("CREATE INDEX i ON orders ((a || '-- lockkeeper: allow index-build because x'));")).toEqual(['1 blocker open'])
  })
})
