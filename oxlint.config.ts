import { execFileSync } from 'node:child_process'
import { defineConfig, type OxlintOverride } from 'oxlint'
import { folderRules } from './scripts/house/rules.ts'

/** What only one place may use: the package, where, and why. */
const reserved = [
  { names: ['execa', 'node:child_process'], where: /^src\/process$/, message: 'Only src/process starts children.' },
  { names: ['pg'], where: /^src\/(store|database)$/, message: 'Clients are built in src/store and src/database only.' },
]
const SLACK = {
  group: ['@slack/*'],
  message: "Slack's libraries belong to src/slack, src/app, and the thin doors in commands/ and approvals/.",
}
const MAY_SLACK = /^(src\/slack(\/.+)?|src\/app|commands|approvals(\/buttons)?)$/

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src', 'commands', 'approvals'], {
  cwd: import.meta.dirname,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file))

/** One rule a folder, from the plan of the house. */
const house = folderRules(files).map<OxlintOverride>(({ folder, forbidden }) => ({
  files: [`${folder}/*.ts`, `${folder}/*.tsx`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: reserved
          .filter(({ where }) => !where.test(folder))
          .flatMap(({ names, message }) => names.map((name) => ({ name, message }))),
        patterns: [...forbidden, ...(MAY_SLACK.test(folder) ? [] : [SLACK])],
      },
    ],
  },
}))

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'promise', 'node', 'vitest', 'oxc'],
  categories: {
    correctness: 'error',
    suspicious: 'error',
    perf: 'warn',
  },
  rules: {
    'oxc/no-map-spread': 'off', // copies are what rows and blocks are changed by
    'import/no-cycle': [
      'error',
      {
        ignoreTypes: false,
      },
    ],
    'import/no-unassigned-import': 'off',
    'import/no-named-as-default-member': 'off',
    'import/no-named-as-default': 'off',
    'unicorn/require-post-message-target-origin': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'promise/always-return': 'off',
    'promise/no-promise-in-callback': 'off',
    'typescript/consistent-return': 'off',
    'promise/no-multiple-resolved': 'off',
    'vitest/require-mock-type-parameters': 'off',
    'vitest/no-conditional-tests': 'off',
    'vitest/expect-expect': [
      'error',
      {
        assertFunctionNames: ['expect', 'expect*', 'fc.assert', 'assert*'],
      },
    ],
    'vitest/no-focused-tests': 'error',
    'vitest/no-disabled-tests': 'error',
    'no-await-in-loop': 'off',
    'no-shadow': 'off',
    'no-underscore-dangle': 'off',
    // `void` before a promise leaves it alone: where nobody can await it, its faults are caught
    'typescript/no-floating-promises': ['error', { ignoreVoid: false }],
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': [
      'error',
      {
        considerDefaultExhaustiveForUnions: true,
      },
    ],
    'typescript/unbound-method': 'off',
    'unicorn/no-array-reverse': 'off',
    'no-control-regex': 'off',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-unnecessary-type-assertion': 'error',
    'typescript/no-unnecessary-condition': 'off',
    'no-console': 'error',
  },
  ignorePatterns: ['node_modules', 'var', '.build', 'coverage'],
  overrides: [
    ...house,
    {
      files: ['playground/server/**', 'playground/page/**'],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                group: ['**/src/**', '**/commands/**', '**/approvals/**'],
                message: 'The playground shares no code with what it checks; only its launcher knows src.',
              },
            ],
          },
        ],
      },
    },
    {
      files: ['playground/**', 'test/**', 'examples/**'],
      rules: { 'typescript/no-floating-promises': 'error' },
    },
    {
      files: [
        'commands/cli.ts',
        'playground/*.ts',
        'src/app/main.ts',
        'src/app/operator.ts',
        'bench/**',
        'scripts/**',
        'test/**',
        'examples/**',
      ],
      rules: { 'no-console': 'off' },
    },
  ],
})
