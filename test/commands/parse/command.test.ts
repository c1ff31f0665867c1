import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseText, parseWords } from '../../../commands/parse/command.ts'
import type { Known } from '../../../commands/parse/usage.ts'
import { isRefusal, refusalCodes } from '../../../src/lib/refusal.ts'

const known: Known = { targets: ['prod', 'staging'], command: '/migrate' }
const parse = (text: string) => parseText(text, known)
const refusal = (text: string) => {
  const parsed = parse(text)
  return isRefusal(parsed) ? `${parsed.code}: ${parsed.text}` : parsed
}

test('a time in several words is told its quotation marks, and an example is about the target that was named', () => {
  expect(refusal('deploy staging --at tomorrow 02:00 --reason "why"')).toBe(
    'bad_arguments: `02:00` is more than `deploy` takes. A time of several words stands in quotation marks: `--at "tomorrow 02:00"`. Nothing was started.',
  )
  expect(refusal('status staging now')).toBe(
    'bad_arguments: `now` is more than `status` takes. Nothing was started. For example: `/migrate status staging`.',
  )
})

describe('a command that is understood', () => {
  test.each([
    ['', { verb: 'modal' }],
    ['   ', { verb: 'modal' }],
    ['help', { verb: 'help', topic: null }],
    ['--help', { verb: 'help', topic: null }],
    ['help deploy', { verb: 'help', topic: 'deploy' }],
    ['status', { verb: 'status', target: null }],
    ['STATUS prod', { verb: 'status', target: 'prod' }],
    ['plan prod', { verb: 'plan', target: 'prod', ref: null }],
    ['plan prod --ref release/2.1', { verb: 'plan', target: 'prod', ref: 'release/2.1' }],
    ['deploy prod', { verb: 'deploy', target: 'prod', ref: null, reason: null, skipApp: false }],
    [
      'deploy --skip-app prod --ref=a1b9f02 --reason “Friday’s launch”',
      { verb: 'deploy', target: 'prod', ref: 'a1b9f02', reason: 'Friday’s launch', skipApp: true },
    ],
    ['deploy prod —reason “on a telephone”', { verb: 'deploy', target: 'prod', ref: null, reason: 'on a telephone', skipApp: false }],
    [
      'deploy prod --reason "for <@U1|ann> &amp; all"',
      { verb: 'deploy', target: 'prod', ref: null, reason: 'for @ann & all', skipApp: false },
    ],
    [
      'deploy prod --ref <http://release.example|release.example>',
      { verb: 'deploy', target: 'prod', ref: 'release.example', reason: null, skipApp: false },
    ],
    // copied from a message, where what would be an emoji had been taken apart
    ['deploy prod --reason "at 02:00\u2060:30"', { verb: 'deploy', target: 'prod', ref: null, reason: 'at 02:00:30', skipApp: false }],
    ['cancel 41', { verb: 'cancel', id: 41 }],
    ['cancel #41', { verb: 'cancel', id: 41 }],
    ['history', { verb: 'history', target: null }],
    ['show 7', { verb: 'show', id: 7 }],
  ])('%j', (text, command) => {
    expect(parse(text)).toEqual(command)
  })

  test('votes are typed on the command line only', () => {
    expect(parseWords(['approve', '42', '--digest', '7f3a9c21'], { ...known, command: 'lockkeeper' })).toEqual({
      verb: 'approve',
      id: 42,
      digest: '7f3a9c21',
    })
    expect(refusal('approve 42')).toBe(
      'unknown_verb: Votes are given by the buttons of the card, and on the machine with `lockkeeper approve` while Slack cannot be reached. Nothing was changed.',
    )
  })
})

describe('a mistake is answered with what was understood and the nearest that exists', () => {
  test.each([
    [
      'delpoy prod',
      'unknown_verb: `delpoy` is no verb that Lockkeeper knows. Nothing was started. Did you mean `deploy`? For example `/migrate deploy prod`.',
    ],
    [
      'stat',
      'unknown_verb: `stat` is no verb that Lockkeeper knows. Nothing was started. Did you mean `status`? For example `/migrate status`.',
    ],
    ['xyzzyplugh', 'unknown_verb: `xyzzyplugh` is no verb that Lockkeeper knows. Nothing was started. `/migrate help` lists the verbs.'],
    [
      'prod',
      'unknown_verb: `prod` is a target, and the verb is missing. Nothing was started. To see what is pending: `/migrate status prod`. To ask for a run: `/migrate deploy prod`.',
    ],
    [
      'rollback prod',
      'not_available_yet: `rollback` is not available yet. Nothing was started. Available now: `help`, `status`, `plan`, `deploy`, `cancel`, `history`, `show`, `export`, `break-glass`, `ack`, `freeze`, `unfreeze`, `lock` and `unlock`.',
    ],
    ['deploy prdo', 'unknown_target: There is no target `prdo`. Nothing was started. Did you mean `prod`? `/migrate deploy prod`'],
    ['deploy moon', 'unknown_target: There is no target `moon`. Nothing was started. The targets are `prod` and `staging`.'],
    [
      'deploy',
      'bad_arguments: `deploy` needs a target: `prod` or `staging`. Nothing was started. For example: `/migrate deploy prod --reason "checkout needs the discount columns"`.',
    ],
    ['deploy Prod', 'unknown_target: There is no target `Prod`. Nothing was started. Did you mean `prod`? `/migrate deploy prod`'],
    [
      'plan prod --reff x',
      'bad_arguments: `--reff` is no option of `plan`, which takes `--ref`. Did you mean `--ref`? Nothing was started. For example: `/migrate plan prod --ref main`.',
    ],
    [
      'status --schema=/etc/passwd',
      'bad_arguments: `--schema` is no option of `status`, which takes no options. Nothing was started. For example: `/migrate status prod`.',
    ],
    [
      'plan prod --ref',
      'bad_arguments: `--ref` needs a value after it. Nothing was started. For example: `/migrate plan prod --ref main`.',
    ],
    [
      'plan prod --ref --skip-app',
      'bad_arguments: `--ref` needs a value after it. Nothing was started. For example: `/migrate plan prod --ref main`.',
    ],
    ['plan prod --ref a --ref b', 'bad_arguments: `--ref` stands there twice. Nothing was started. Give it once.'],
    [
      'deploy prod --reason checkout needs it',
      'bad_arguments: `needs` is more than `deploy` takes. A reason of several words stands in quotation marks. Nothing was started. For example: `/migrate deploy prod --reason "checkout needs the discount columns"`.',
    ],
    ['cancel', 'bad_arguments: `cancel` needs the number of a request. Nothing was changed. For example: `/migrate cancel 42`.'],
    ['cancel -1', 'bad_arguments: `-1` is not the number of a request. Nothing was changed. For example: `/migrate cancel 42`.'],
    [
      'show 9999999999999999',
      'bad_arguments: `9999999999999999` is not the number of a request. Nothing was changed. For example: `/migrate show 42`.',
    ],
  ])('%j', (text, answer) => {
    expect(refusal(text)).toBe(answer)
  })

  test.each(['rehearse', 'rollback', 'resolve', 'fix', 'retry'])('%s is known and not there yet', (verb) => {
    expect(refusal(`${verb} prod`)).toMatch(new RegExp(`^not_available_yet: \`${verb}\` is not available yet\\.`))
  })
})

test.each([
  ['deploy prod --at "Tue 02:00"', { verb: 'deploy', target: 'prod', ref: null, reason: null, skipApp: false, at: 'Tue 02:00' }],
  ['deploy prod --in-window spring', { verb: 'deploy', target: 'prod', ref: null, reason: null, skipApp: false, inWindow: 'spring' }],
  [
    'deploy prod --override "it is down"',
    { verb: 'deploy', target: 'prod', ref: null, reason: null, skipApp: false, override: 'it is down' },
  ],
  [
    'freeze all until Monday 09:00 "the fair"',
    { verb: 'freeze', target: null, words: ['until', 'Monday', '09:00', 'the fair'], reason: null },
  ],
  ['freeze prod "until Monday 09:00"', { verb: 'freeze', target: 'prod', words: ['until Monday 09:00'], reason: null }],
  ['unfreeze all', { verb: 'unfreeze', target: null }],
  ['lock prod for 2h --reason "by hand"', { verb: 'lock', target: 'prod', words: ['for', '2h'], reason: 'by hand' }],
  ['unlock prod', { verb: 'unlock', target: 'prod' }],
])('%s', (text, command) => {
  expect(parseText(text, known)).toEqual(command)
})

test('a run waits for one time, a window, or none, and a lock is for one target', () => {
  expect(refusal('deploy prod --at "Tue 02:00" --override now')).toBe(
    'bad_arguments: `--at` and `--override` exclude each other: a run waits for one time, or for none. Nothing was started. For example: `/migrate deploy prod --reason "checkout needs the discount columns"`.',
  )
  expect(refusal('lock all')).toContain('unknown_target')
})

describe('hostile text starts nothing', () => {
  test.each([
    [
      'deploy prod; rm -rf /',
      'bad_arguments: `-r` is no option of `deploy`, which takes `--ref`, `--reason`, `--at`, `--in-window`, `--skip-app`, `--break-glass` and `--override`. Nothing was started. For example: `/migrate deploy prod --reason "checkout needs the discount columns"`.',
    ],
    [
      'deploy "prod; rm -rf"',
      'unknown_target: There is no target `prod; rm -rf`. Nothing was started. The targets are `prod` and `staging`.',
    ],
    [
      'deploy prod\nstatus',
      'bad_arguments: The command contains a line break (U+000A), and a command is one line of visible text. Nothing was started. Type it again.',
    ],
    [
      'deploy prod\0',
      'bad_arguments: The command contains a NUL character (U+0000), and a command is one line of visible text. Nothing was started. Type it again.',
    ],
    [
      'deploy \u202eprod',
      'bad_arguments: The command contains a character that changes the direction of writing (U+202E), and a command is one line of visible text. Nothing was started. Type it again.',
    ],
    [
      'deploy pr\u200bod',
      'bad_arguments: The command contains an invisible character (U+200B), and a command is one line of visible text. Nothing was started. Type it again.',
    ],
    [
      'deploy prоd',
      'unknown_target: There is no target `prоd`: its `о` (U+043E) is not a Latin letter but a Cyrillic one. Nothing was started. Did you mean `prod`? `/migrate deploy prod`',
    ],
    [
      'dерlоу prod',
      'unknown_verb: `dерlоу` is no verb: its `е` (U+0435) is not a Latin letter but a Cyrillic one. Nothing was started. Did you mean `deploy`? For example `/migrate deploy prod`.',
    ],
    ['deploy <@U0ALICE>', 'unknown_target: There is no target `@U0ALICE`. Nothing was started. The targets are `prod` and `staging`.'],
    ['deploy <#C1|prod>', 'unknown_target: There is no target `#prod`. Nothing was started. Did you mean `prod`? `/migrate deploy prod`'],
    ['deploy __proto__', 'unknown_target: There is no target `__proto__`. Nothing was started. The targets are `prod` and `staging`.'],
    [
      'deploy &lt;!channel&gt;',
      'unknown_target: There is no target `&lt;!channel&gt;`. Nothing was started. The targets are `prod` and `staging`.',
    ],
    [
      'plan prod --ref ../../etc',
      'bad_arguments: `../../etc` cannot be a ref: git does not take it as a name. Write a branch, a tag or a commit. Nothing was started.',
    ],
    [
      'plan prod --ref=--upload-pack=x',
      'bad_arguments: `--upload-pack=x` cannot be a ref: it starts with a dash. Write a branch, a tag or a commit. Nothing was started.',
    ],
    [
      'plan prod --ref "main:HEAD"',
      'bad_arguments: `main:HEAD` cannot be a ref: names of branches and tags have no :. Write a branch, a tag or a commit. Nothing was started.',
    ],
  ])('%j', (text, answer) => {
    expect(refusal(text)).toBe(answer)
  })

  test('10,000 characters are counted, not read', () => {
    expect(refusal(`deploy prod --reason "${'x'.repeat(9_977)}"`)).toBe(
      'bad_arguments: That is 10,000 characters long, and a command has at most 2,000. Nothing was started. Shorten the reason.',
    )
  })

  test('any text gives a command or a refusal from the list, and no refusal can mention or link', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => `deploy ${text}`),
        ),
        (text) => {
          const parsed = parse(text)
          if (!isRefusal(parsed)) return
          expect(refusalCodes).toContain(parsed.code)
          expect(parsed.text).not.toMatch(/[<>]/)
        },
      ),
    )
  })

  test('what is understood as a deploy names a configured target, letter for letter', () => {
    const near = fc.stringMatching(/^[ prodstaging-]{0,12}$/).map((text) => `deploy ${text}`)
    fc.assert(
      fc.property(near, (text) => {
        const parsed = parse(text)
        expect(isRefusal(parsed) || parsed.verb !== 'deploy' || known.targets.includes(parsed.target)).toBe(true)
      }),
    )
  })
})
