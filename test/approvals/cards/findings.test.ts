import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requestCard } from '../../../approvals/cards/card.ts'
import { homeView } from '../../../approvals/home/home.ts'
import { approveView, rejectView } from '../../../approvals/modals/confirm.ts'
import { fit, fitView } from '../../../src/slack/limits/limits.ts'
import { limits } from '../../../src/slack/limits/shapes.ts'
import { sizeOf } from '../../../src/slack/limits/size.ts'
import type { RequestView } from '../../../src/request/request.ts'
import type { MigrationEvidence } from '../../../src/sql/review.ts'
import { spoken } from '../../helpers/spoken.ts'
import { evidence, now, planOf, viewWith } from '../../helpers/views.ts'

const utc = { timezone: 'UTC' }

const viewOf = (migrations: readonly MigrationEvidence[]): RequestView =>
  viewWith({ row: { plan: planOf(migrations.map(({ name }) => name)), evidence: { ...evidence, migrations } } })

const migration = (name: string, change: Partial<MigrationEvidence> = {}): MigrationEvidence => ({
  name,
  class: 'additive',
  summary: 'creates table c',
  rows: null,
  tables: [],
  ...change,
})

const homeOf = (view: RequestView) =>
  homeView({
    reviews: [],
    waiting: [{ view, link: null }],
    underWay: [],
    last: [],
    calendar: { commands: { migrate: '/migrate', maintenance: '/maintenance' }, now: now.getTime(), zone: 'UTC', windows: [], freezes: [] },
    notice: null,
  })

describe('what the review found is seen before the vote, the heaviest first', () => {
  const view = viewOf([
    migration('1_index', {
      class: 'transformative',
      summary: 'builds an index on a',
      findings: ['building an index on a blocks writes to it until it is built'],
    }),
    migration('2_call', { class: 'unclear', summary: 'calls purge, which may change data' }),
    migration('3_new'),
    migration('4_move', { class: 'breaking', summary: 'deletes rows of a; adds rows to b', findings: ['rows of a are deleted'] }),
  ])
  const found = [
    '• *4_move*: rows of a are deleted',
    '• *2_call*: calls purge, which may change data',
    '• *1_index*: building an index on a blocks writes to it until it is built',
  ]
  test('on the card, before the table of migrations', () => {
    const lines = spoken(requestCard(view, utc))
    const at = lines.indexOf('*What the review found*')
    expect(lines.slice(at, at + 5)).toEqual(['*What the review found*', ...found, 'Migration | Class | What it does | Rows'])
  })
  test('in the windows in which somebody decides', () => {
    for (const lines of [spoken(approveView(view)), spoken(rejectView(view))])
      expect(lines.slice(1, 6)).toEqual(['*What the review found*', ...found, '• *1_index* · transformative · builds an index on a'])
  })
  test('in Home, the three heaviest of each request', () => {
    expect(spoken(homeOf(view)).slice(3, 6)).toEqual(found)
    const many = viewOf([migration('1', { class: 'breaking', findings: ['a', 'b', 'c', 'd', 'e'] })])
    expect(spoken(homeOf(many)).slice(3, 7)).toEqual(['*1*', '• a', '• b', '• c'])
    expect(spoken(homeOf(many))[7]).toBe('and 2 more, on the card')
  })
  test('nothing is said where nothing was found, as in a plan of an older version', () => {
    for (const each of [requestCard(viewWith(), utc), approveView(viewWith())])
      expect(spoken(each)).not.toContain('*What the review found*')
  })
  test('names and words of others have no meaning', () => {
    const evil = '<!channel> *x* `y` \u202e&'
    const card = requestCard(viewOf([migration(evil, { class: 'breaking', findings: [`rows of ${evil}\n• *0*: fine`] })]), utc)
    expect(spoken(card).filter((line) => line.includes('rows of'))).toMatchInlineSnapshot(`
      [
        "• *&lt;!channel&gt; *x* \`y\` &amp;*: rows of &lt;!channel&gt; *x* \`y\` &amp; • *0*: fine",
      ]
    `)
  })
})

test('however much was found, it fits, every line is whole and the others are counted', () => {
  const word = fc.string({ minLength: 1, maxLength: 300, unit: fc.constantFrom('a', ' ', '<', '&', '*', '😀', '"') })
  const one = fc.record({
    class: fc.constantFrom('additive', 'transformative', 'unclear', 'breaking'),
    findings: fc.array(word, { maxLength: 6 }),
  })
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 60 }), (all) => {
      const view = viewOf(all.map((each, at) => migration(`m${at}_x`, each)))
      const total = all.reduce(
        (sum, { class: kind, findings }) =>
          sum + (findings.length === 0 && (kind === 'breaking' || kind === 'unclear') ? 1 : findings.length),
        0,
      )
      const card = fit(requestCard(view, utc))
      const window = fitView(approveView(view))
      const home = fitView(homeOf(view))
      expect(sizeOf(card.blocks ?? [])).toBeLessThanOrEqual(limits.budget)
      expect(spoken(card)).toContain('[Approve]')
      for (const drawn of [card, window, home]) {
        const lines = spoken(drawn)
        const from = lines.findIndex((line) => /^(• )?\*m\d+_x\*(: |$)/.test(line))
        const told = lines.slice(Math.max(from, 0)).findIndex((line) => !/^(• (?!\*m\d+_x\* ·)|\*m\d+_x\*$)/.test(line))
        const shown = from < 0 ? 0 : lines.slice(from, from + told).filter((line) => line.startsWith('•')).length
        const more = Number(/^and (\d+) more, (beside the SQL in the thread|on the card)$/m.exec(lines.join('\n'))?.[1] ?? 0)
        expect(shown + more).toBe(total)
      }
    }),
    { numRuns: 60 },
  )
})
