import type { Asker } from '../../commands/parse/channel-scope.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dispatch } from '../../commands/dispatch.ts'
import { exitCodes, runCli } from '../../commands/cli.ts'
import { parseText } from '../../commands/parse/command.ts'
import type { PlanShown, TargetStatus, VerbDeps } from '../../commands/verbs/reply.ts'
import { castVote } from '../../approvals/decisions/vote.ts'
import type { LiveCommit } from '../../src/deploy/live-commit.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { transition } from '../../src/request/store.ts'
import { createStore } from '../helpers/postgres.ts'
import { ALICE, baseTarget, BOB, CAROL, createFixture, DIGEST, evidenceOf, planOf, type Store, type Fixture } from '../approvals/fixture.ts'

let store: Store
let fixture: Fixture
let deps: VerbDeps
let planned: PlanShown
let statuses: Map<string, TargetStatus | Refusal | Error>
let faults: unknown[]
let live: LiveCommit | null

const none = {
  baseline: 'present',
  applied: [],
  pending: [],
  failed: [],
  running: [],
  rolledBack: [],
  edited: [],
  unknown: [],
  record: [],
} as const
const names = (...all: string[]) => all.map((name) => ({ name }))

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({
    store,
    targets: { prod: { ...baseTarget, label: 'Production', askIn: ['C0PROD'] }, staging: { ...baseTarget, channel: 'C0STAGING' } },
  })
  statuses = new Map()
  faults = []
  live = null
  planned = {
    plan: { ...planOf('prod'), steps: [{ phase: 'deploy', name: 'Restart', settings: {} }] },
    digest: DIGEST,
    evidence: { ...evidenceOf(['additive']), notes: ['main is 4 ahead, migrations unchanged'] },
  }
  deps = {
    ...fixture.deps,
    known: { targets: ['prod', 'staging'], command: '/migrate' },
    lookLive: async () => null,
    commitsNotLive: async () => null,
    readStatus: async (target) => {
      const status = statuses.get(target.name) ?? none
      if (status instanceof Error) throw status
      return status
    },
    askLiveCommit: async () => live,
    readOtherRecord: async () => Promise.reject(new Error('no target comes first')),
    makePlan: async () => planned,
    exportEvidence: async () => undefined,
    slack: fixture.slack.files,
    whyNoRun: async () => null,
    onFault: (error) => faults.push(error),
  }
})

const inChannel: Asker = { account: ALICE, entry: 'slash', origin: { channel: 'C0DEPLOYS', isDirect: false } }

async function told(text: string, asker: Asker = inChannel): Promise<string> {
  const parsed = parseText(text, deps.known)
  const reply = isRefusal(parsed) ? parsed : await dispatch(deps, parsed, asker)
  return (reply.kind === 'form' ? 'form' : reply.text).replace(/<!date[^>]*>/g, '<date>')
}

describe('status', () => {
  test('says what is applied, pending and wrong, and what each means', async () => {
    statuses.set('prod', {
      ...none,
      applied: names('a', 'b'),
      pending: names('c'),
      failed: names('d'),
      edited: names('a'),
      unknown: names('b'),
    })
    expect(await told('status prod')).toBe(
      [
        '*Production* (`prod`): 2 applied, 1 pending.',
        '• Pending: `c`. To run them: `/migrate deploy prod`.',
        '• Failed: `d`. No other migration runs until it is resolved.',
        '• Edited after it was applied: `a`. The file and the database disagree.',
        '• Applied but not in the commit: `b`. Another branch may have been deployed.',
        '• No run yet',
      ].join('\n'),
    )
  })

  test('names a migration that was rolled back once, and counts it as pending', async () => {
    statuses.set('prod', { ...none, applied: names('a'), pending: names('b', 'c'), rolledBack: names('b') })
    const again = '• Rolled back: `b`. Pending again; it runs with the next deploy: `/migrate deploy prod`.'
    expect(await told('status prod')).toBe(
      ['*Production* (`prod`): 1 applied, 2 pending.', '• Pending: `c`. To run them: `/migrate deploy prod`.', again, '• No run yet'].join(
        '\n',
      ),
    )
    statuses.set('prod', { ...none, pending: names('b'), rolledBack: names('b') })
    expect(await told('status prod')).toBe(['*Production* (`prod`): 0 applied, 1 pending.', again, '• No run yet'].join('\n'))
  })

  test('of all targets leaves out those of other channels, and one that cannot be read hides no other', async () => {
    statuses.set('prod', new Error('boom'))
    const everywhere = { ...inChannel, origin: null }
    expect(await told('status', everywhere)).toBe(
      '*Production* (`prod`): could not be read; the log of Lockkeeper says why. Nothing was changed.\n• No run yet\n\n*staging*: 0 applied, nothing pending.\n• No run yet',
    )
    expect(faults).toEqual([new Error('boom')])
    expect(await told('status', { ...inChannel, origin: { channel: 'C0OTHER', isDirect: false } })).not.toContain('prod')
  })

  test('shows what is under way, what ended last, and a refusal as it is', async () => {
    const request = await fixture.waiting()
    statuses.set('prod', refuse('target_unreachable', 'The database did not answer in 5 s.'))
    expect(await told('status prod')).toBe(
      `*Production* (\`prod\`): The database did not answer in 5 s.\n• Under way: #${request.id}, waiting for approval since <date>\n• No run yet`,
    )
    await transition(store.db, request.id, ['waiting'], 'succeeded')
    expect(await told('status prod')).toContain(`• Last: #${request.id}, finished <date>`)
  })
})

describe('status of one target', () => {
  const at = (text: string) => new Date(`${text}Z`)
  const row = (name: string, startedAt: Date, finishedAt: Date | null, rolledBackAt: Date | null = null) => ({
    name,
    startedAt,
    finishedAt,
    rolledBackAt,
  })

  test('shows the rows of Prisma’s own record, newest first, with times in the zone of the target', async () => {
    statuses.set('prod', {
      ...none,
      applied: names('a'),
      failed: names('b'),
      record: [
        row('a', at('2026-11-27T09:00:00'), at('2026-11-27T09:00:02.400')),
        row('b', at('2026-11-28T10:15:00'), null, at('2026-11-28T10:20:30.900')),
        row('b', at('2026-11-29T10:15:00.999'), null),
      ],
    })
    expect((await told('status prod')).split('\n').slice(-4)).toEqual([
      '• `_prisma_migrations`, all 3 rows, times in UTC',
      '    ◦ `b` started Sun 29 Nov 2026 10:15, not finished',
      '    ◦ `b` started Sat 28 Nov 2026 10:15, rolled back Sat 28 Nov 2026 10:20:30',
      '    ◦ `a` applied Fri 27 Nov 2026 09:00:02, took 2.4 s',
    ])
  })

  test('shows the last ten of more, and none where all targets are shown', async () => {
    const record = Array.from({ length: 37 }, (_, index) => row(`m${index}`, new Date(index * 86_400_000), new Date(index * 86_400_000)))
    statuses.set('prod', { ...none, record })
    const lines = (await told('status prod')).split('\n')
    expect(lines).toContain('• `_prisma_migrations`, the last 10 of 37 rows, times in UTC')
    expect(lines.slice(-10).map((line) => line.split(' applied')[0])).toEqual(
      Array.from({ length: 10 }, (_, index) => `    ◦ \`m${36 - index}\``),
    )
    expect(await told('status', { ...inChannel, origin: null })).not.toContain('_prisma_migrations')
  })

  test('names the live commit by the command of the target, or says that it is not known', async () => {
    live = { commit: 'abcdef0123456789' }
    expect(await told('status prod')).toContain('• Live: commit `abcdef0`\n')
    live = { why: 'The command `git -C /srv/shop rev-parse HEAD`, which should print the live commit, failed with exit code 128.' }
    expect(await told('status prod')).toContain(
      '• Live: not known. The command `git -C /srv/shop rev-parse HEAD`, which should print the live commit, failed with exit code 128.\n',
    )
  })

  test('without such a command names what was deployed from here last, and not what ran without the application', async () => {
    const deployed = await fixture.waiting()
    await transition(store.db, deployed.id, ['waiting'], 'succeeded')
    expect(await told('status prod')).not.toContain('Live')
    await store.db.query(`update lockkeeper.request set plan = jsonb_set(plan, '{steps}', $2) where id = $1`, [
      deployed.id,
      JSON.stringify([{ phase: 'deploy', name: 'Restart', settings: {} }]),
    ])
    expect(await told('status prod')).toContain(
      `• Live: commit \`${planOf('prod').commit.slice(0, 7)}\`, deployed last from here by #${deployed.id}\n`,
    )
  })
})

describe('plan', () => {
  test('shows what a deploy would do and how to ask for it, and writes nothing', async () => {
    expect(await told('plan prod --ref main')).toBe(
      [
        'Plan for *Production* (`prod`): `a1b9f02` from `main`, “Discounts” by Alice',
        '1 migration would run, in this order:',
        '1. `20261118_add_discounts` additive: creates table discounts',
        '• Steps: back up, migrate, verify, Restart',
        '• Way back: the backup; no migration has a rollback.sql beside it',
        '• Approvals: 1 of <!subteam^S0DBA> or <@U0BOB>, never the one who asks',
        '• main is 4 ahead, migrations unchanged',
        'Plan `7f3a9c21`. To ask for it: `/migrate deploy prod --ref main`',
      ].join('\n'),
    )
    expect(await store.db.query('select id from lockkeeper.request')).toEqual([])
  })
  test('says what the review found, the heaviest first', async () => {
    const [first] = planned.evidence.migrations
    if (first === undefined) throw new Error('no migration')
    const index = 'building an index on a blocks writes to it until it is built'
    const migrations = [
      { ...first, class: 'transformative' as const, findings: [index] },
      {
        ...first,
        name: '2_move',
        class: 'breaking' as const,
        findings: ['rows of a are deleted', ...Array.from({ length: 22 }, () => index)],
      },
    ]
    planned = { ...planned, evidence: { ...planned.evidence, migrations } }
    const lines = (await told('plan prod')).split('\n')
    expect(lines.slice(3, 6)).toEqual(['What the review found:', '*2_move*', '• rows of a are deleted'])
    expect(lines[25]).toBe('… and 4 more, which the thread of a request shows beside the SQL')
  })
})

describe('history and show', () => {
  test('tell what was asked, by whom, and how it ended', async () => {
    expect(await told('history prod')).toBe('Nothing was asked for on `prod` yet. Begin with `/migrate plan prod`.')
    const request = await fixture.waiting()
    await castVote(fixture.deps, {
      token: request.token,
      account: CAROL,
      entry: 'modal',
      decision: 'reject',
      reason: 'not today',
      digest: DIGEST,
    })
    expect(await told('history prod')).toBe(
      `*Last requests for \`prod\`, newest first*\n• #1 \`prod\` rejected <date> · asked by <@U0ALICE>\nDetails: \`/migrate show 1\``,
    )
    expect(await told('show 1')).toBe(
      [
        '*#1* `prod`: rejected <date>',
        'Rejected by <@U0CAROL>. Nothing was changed.',
        'Why: not today',
        'Asked by <@U0ALICE> <date>',
        'Commit `a1b9f02` from `main`, plan `7f3a9c21`',
        '1 migration: `20261118_add_discounts`',
        'Approvals 0 of 1',
        'Rejected by <@U0CAROL>: “not today”',
      ].join('\n'),
    )
    expect(await told('show 4711')).toBe('There is no request #4711. `/migrate history` lists those there are.')
  })
})

describe('where and who', () => {
  test.each(['deploy prod', 'plan prod', 'status', 'status prod', 'history', 'show 1'])('a direct message refuses %j', async (text) => {
    expect(await told(text, { account: ALICE, entry: 'slash', origin: { channel: 'D0ALICE', isDirect: true } })).toBe(
      'Requests are made where others can see them, not in a direct message. Nothing was started. Type it in a channel.',
    )
  })

  test('a guest learns nothing, whatever is typed', async () => {
    for (const text of ['status', 'plan prod', 'history', 'show 1', 'cancel 1'])
      expect(await told(text, { ...inChannel, account: 'U0GUEST' })).toMatch(/^Lockkeeper takes requests and votes from full members/)
    expect(await fixture.audited()).toEqual(['status', 'plan', 'history', 'show', 'cancel'].map((verb) => `U0GUEST ${verb} not_a_member`))
  })

  test('help explains a verb with an example that works here', async () => {
    expect(await told('help deploy')).toBe(
      '`/migrate deploy &lt;target&gt; [--ref R] [--reason "…"] [--at "Tue 02:00"] [--in-window NAME] [--skip-app] [--break-glass] [--override "…"]` asks for the pending migrations and the deploy; it runs when enough others have approved.\nFor example: `/migrate deploy prod --reason "checkout needs the discount columns"`',
    )
    expect(await told('help')).toContain('• `/migrate` alone opens a form for a request')
  })
})

describe('the command line', () => {
  const run = async (login: string, ...words: string[]) => {
    const lines: string[] = []
    const print = (line: string) => void lines.push(line)
    const code = await runCli(words, {
      ...deps,
      known: { ...deps.known, command: 'lockkeeper' },
      command: 'lockkeeper',
      windows: { ...deps, freezes: [], maintenance: 'lockkeeper maintenance' },
      login,
      print,
      complain: print,
    })
    return { code, text: lines.join('\n') }
  }

  test('knows people by `people` alone', async () => {
    expect(await run('root', 'deploy', 'prod')).toEqual({
      code: exitCodes.refused,
      text: "The login `root` belongs to nobody that Lockkeeper knows. Nothing was changed. Add `os:root: U…` under `people` in lockkeeper.yaml, with the person's Slack user id.",
    })
    fixture.peopleFile['os:deploy'] = ALICE
    const asked = await run('deploy', 'deploy', 'prod')
    expect(asked).toMatchObject({ code: exitCodes.done })
    expect(asked.text).toMatch(/^#1 is asked for: `main` to `prod`\. Its card appears in C0DEPLOYS/)
    expect(await fixture.request(1)).toMatchObject({ requester: 'os:deploy', requesterHuman: ALICE, askedIn: null })
  })

  test('tells a mistyped command by its exit code', async () => {
    expect(await run('deploy', 'delpoy', 'prod')).toEqual({
      code: exitCodes.mistyped,
      text: '`delpoy` is no verb that Lockkeeper knows. Nothing was started. Did you mean `deploy`? For example `lockkeeper deploy prod`.',
    })
  })

  test('shows what would be approved before it counts an approval of exactly that, while Slack is down', async () => {
    fixture.peopleFile['os:bob'] = BOB
    const request = await fixture.waiting()
    expect((await run('bob', 'approve', '1', '--digest', DIGEST.slice(0, 8))).text).toMatch(/^Slack can be reached, so #1 is decided there/)
    fixture.slack.state.isDown = true
    const shown = await run('bob', 'approve', '1')
    expect(shown.code).toBe(exitCodes.mistyped)
    expect(shown.text).toContain('Commit `a1b9f02` from `main`, plan `7f3a9c21`')
    expect(shown.text).toContain('To decide about exactly this: `lockkeeper approve 1 --digest 7f3a9c21`')
    expect((await fixture.request(request.id)).state).toBe('waiting')
    expect((await run('bob', 'approve', '1', '--digest', '0badcafe')).text).toMatch(/^The plan of #1 has changed since this was shown/)
    expect(await run('bob', 'approve', '1', '--digest', '7f3a9c21')).toEqual({
      code: exitCodes.done,
      text: 'Your approval of #1 is counted: 1 of 1. The run starts now.\n1 migration: `20261118_add_discounts`',
    })
    expect((await fixture.request(request.id)).state).toBe('granted')
  })
})
