import { expect, test } from 'vitest'
import { toolText } from '../../../approvals/cards/evidence.ts'

test.each([
  ['Prisma 5 to 7, which everybody expects', {}, null],
  ['plain SQL', { tool: { kind: 'sql', baseline: null } }, 'plain SQL, each file in one transaction'],
  [
    'plain SQL on a database that is older than its record',
    { tool: { kind: 'sql', baseline: '042_add' } },
    'plain SQL, each file in one transaction; on a database without a record all up to `042_add` counts as applied',
  ],
  [
    'a command that undoes',
    {
      tool: { kind: 'command', name: 'Drizzle Kit', run: ['node_modules/.bin/drizzle-kit', 'migrate'], applied: 'select 1', undone: true },
    },
    'Drizzle Kit: `node_modules/.bin/drizzle-kit migrate`, which undoes what it could not finish',
  ],
  [
    'one that does not, with markup in its name',
    { tool: { kind: 'command', name: '<our> *script*', run: ['sh', 'up.sh'], applied: 'select 1', undone: false } },
    expect.stringMatching(/^&lt;our&gt; .*script.*: `sh up\.sh`; what it could not finish may stay in part$/),
  ],
] as const)('whoever decides is told what applies it: %s', (_what, plan, text) => {
  expect(toolText(plan)).toEqual(text)
})
