import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PRISMA_VERSIONS } from '../../helpers/prisma-versions/installed.ts'
import { COLUMNS, marksIn, type Mark } from './marks.ts'
import { versionsPage } from './table.ts'

const page = join(import.meta.dirname, '../../../docs/prisma-versions.md')

test('docs/prisma-versions.md is what tests prove; `npm run -s versions > docs/prisma-versions.md` writes it anew', () =>
  expect(readFileSync(page, 'utf8')).toBe(versionsPage()))

test('every version of which there is a real CLI is in it', () => expect(COLUMNS).toEqual(expect.arrayContaining([...PRISMA_VERSIONS])))

test('a test says what it proves in a comment above it', () => {
  const text = `describe.each(IN_USE)('with $version', ({ version }) => {
  // proves status: 5.22.0, 7.10.1
  // proves lock: 7.10.1
  test('it is said', () => hear(version))
})
// proves plan: 6.19.3
test("another", () => {})
// proves plan: 5.22.0
test.each([
  ['no title', 1],
] as const)('of a table', () => {})
`
  const made = { file: 'test/a.test.ts', cli: 'in turns' } as const
  expect(marksIn('test/a.test.ts', text)).toEqual([
    { ...made, capability: 'status', columns: ['5.22.0', '7.10.1'], title: 'with $version: it is said' },
    { ...made, capability: 'lock', columns: ['7.10.1'], title: 'with $version: it is said' },
    { ...made, capability: 'plan', columns: ['6.19.3'], title: 'another' },
    { ...made, capability: 'plan', columns: ['5.22.0'], title: 'of a table' },
  ])
})

test.each([
  ['a capability that is none', '// proves flying: 5.22.0\ntest("a", f)', 'a.test.ts proves "flying", which is none of plan, review,'],
  ['a version that is none', '// proves plan: 4.0.0\ntest("a", f)', 'a.test.ts proves "4.0.0", which is none of 5.22.0,'],
  ['nothing below it', '// proves plan: 5.22.0\n', 'a.test.ts: nothing with a title stands below "// proves plan: 5.22.0"'],
])('%s is told', (_what, text, why) => expect(() => marksIn('a.test.ts', text)).toThrow(why))

test('a cell that nothing proves, and a reason that a test has overtaken, are told', () => {
  const mark = { capability: 'resolve', columns: ['8.0.0-rc.19'], file: 'test/a.test.ts', title: 'a', cli: 'none' } as const satisfies Mark
  expect(() => versionsPage([mark])).toThrow('no test proves plan of 5.22.0, and no reason is given')
  expect(() => versionsPage([mark])).toThrow('resolve of 8.0.0-rc.19 is proven now; remove its reason:')
})
