import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { windowBlocks } from '../../approvals/home/calendar.ts'
import { askedIn } from '../../commands/asked.ts'
import { runCli, type CliDeps } from '../../commands/cli.ts'
import { dispatch } from '../../commands/dispatch.ts'
import { formNotOpened as deployFormNotOpened } from '../../commands/forms/deploy.ts'
import { formNotOpened as windowFormNotOpened } from '../../commands/forms/window.ts'
import type { Asker } from '../../commands/parse/channel-scope.ts'
import { parseText } from '../../commands/parse/command.ts'
import { parseWindow } from '../../commands/parse/window.ts'
import type { VerbDeps } from '../../commands/verbs/reply.ts'
import type { WindowDeps } from '../../commands/windows/deps.ts'
import { dispatchWindow } from '../../commands/windows/dispatch.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { createOncall } from '../../src/notifications/on-call.ts'
import { noStandbyText, overrunText } from '../../src/request/render/queue.ts'
import type { RequestView } from '../../src/request/request.ts'
import { transition } from '../../src/request/store.ts'
import { ALICE, baseTarget, createFixture, DIGEST, evidenceOf, planOf, type Fixture, type Store } from '../approvals/fixture.ts'
import { createStore } from '../helpers/postgres.ts'
import { setClock } from '../helpers/windows.ts'
import { advisedCommands } from './collect.ts'

/**
 * Every command that a sentence of the product tells people to type is generated from the source; each of their forms is typed once, in
 * the state in which it is advised and as it stands in the sentence, and must not be refused.
 */
let store: Store
let fixture: Fixture
let deps: VerbDeps
let windows: WindowDeps

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  fixture = await createFixture({
    store,
    targets: {
      prod: { ...baseTarget, protected: false, approvals: { from: ['group:S0DBA', 'user:U0BOB', 'user:U0ALICE'] } },
      shut: { ...baseTarget, windows: { allow: 'Tue 02:00-04:00' } },
    },
    people: { 'os:alice': ALICE },
  })
  await setClock(store.db, '2026-12-06T08:00:00Z') // a Sunday, when the hours of one target are over
  deps = {
    ...fixture.deps,
    known: { targets: ['prod', 'shut'], command: '/migrate' },
    lookLive: async () => null,
    commitsNotLive: async () => null,
    readStatus: async () => ({
      baseline: 'present',
      applied: [],
      pending: [{ name: 'one' }],
      failed: [],
      running: [],
      rolledBack: [],
      edited: [],
      unknown: [],
      record: [],
    }),
    askLiveCommit: async () => null,
    readOtherRecord: async () => Promise.reject(new Error('no target comes first')),
    makePlan: async () => ({ plan: planOf('prod'), digest: DIGEST, evidence: evidenceOf(['additive']) }),
    exportEvidence: async () => undefined,
    slack: fixture.slack.files,
    whyNoRun: async () => null,
    onFault: (error) => {
      throw error
    },
  }
  windows = { ...fixture.deps, freezes: [], maintenance: '/maintenance', onFault: deps.onFault }
})

const alice: Asker = { account: ALICE, entry: 'slash', origin: { channel: 'C0DEPLOYS', isDirect: false } }

const atMachine: Asker = { account: 'os:alice', entry: 'cli', origin: null }

/** Types a line, with the slash command in front, and gives what is answered, refused or not. */
async function typed(line: string, asker = alice): Promise<{ readonly text: string; readonly refused: boolean }> {
  const [name, ...words] = line.split(' ')
  const text = words.join(' ')
  const reply = name === '/maintenance' ? await maintenance(text) : await migrate(text, asker)
  return { text: reply.kind === 'form' ? '' : reply.text, refused: isRefusal(reply) }
}

function migrate(text: string, asker: Asker) {
  const parsed = parseText(text, deps.known)
  return isRefusal(parsed) ? parsed : dispatch(deps, parsed, asker)
}

function maintenance(text: string) {
  const parsed = parseWindow(text, { targets: ['prod', 'shut'], command: '/maintenance' })
  return isRefusal(parsed) ? parsed : dispatchWindow(windows, parsed, alice)
}

/** What people fill in where a sentence leaves a gap. */
const filled = (line: string) => line.replace('<when>', 'Thu 03:00').replace('<id>', '1').replace(/…$/, '18:00')

/** The command in a sentence that begins so, typed as it stands there. */
async function follow(sentence: string, beginning: string): Promise<string> {
  const spans = [...sentence.matchAll(/`([^`]+)`/g)].map(([, span = '']) =>
    span.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  )
  const found = spans.find((span) => span.startsWith(beginning))
  if (found === undefined) throw new Error(`no ${beginning} in: ${sentence}`)
  const { text, refused } = await typed(filled(found))
  if (refused) throw new Error(`${found} is advised and refused: ${text}`)
  return text
}

async function open(id: number) {
  await store.db.query(
    `update lockkeeper.maintenance set state = 'open', starts_at = lockkeeper.now() - interval '1 hour', ends_at = lockkeeper.now() + interval '1 hour' where id = $1`,
    [id],
  )
}

const scheduled = () => typed('/maintenance schedule prod "Wed 03:00" 2h "indexes"')

/** What `lockkeeper …` prints, on the machine. */
async function onMachine(words: readonly string[]): Promise<{ readonly code: number; readonly lines: string }> {
  const lines: string[] = []
  const say = (line: string) => void lines.push(line)
  const cli: CliDeps = {
    ...deps,
    command: 'lockkeeper',
    known: { ...deps.known, command: 'lockkeeper' },
    windows,
    login: 'alice',
    print: say,
    complain: say,
  }
  return { code: await runCli(words, cli), lines: lines.join('\n') }
}

type Scenario = { readonly forms: readonly string[]; readonly drive: () => Promise<string> }

const scenarios: readonly Scenario[] = [
  {
    forms: ['migrate deploy …', 'migrate deploy ……'],
    drive: async () => follow((await typed('/migrate plan prod')).text, '/migrate deploy prod'),
  },
  { forms: ['migrate …', 'migrate … …'], drive: async () => follow((await typed('/migrate statsu prod')).text, '/migrate status') },
  { forms: ['migrate help'], drive: async () => follow((await typed('/migrate xyzzy')).text, '/migrate help') },
  {
    forms: ['migrate show …', 'migrate show <id>'],
    drive: async () => {
      await fixture.waiting()
      return follow((await typed('/migrate history')).text, '/migrate show 1')
    },
  },
  { forms: ['migrate history'], drive: async () => follow((await typed('/migrate show 99')).text, '/migrate history') },
  { forms: ['migrate plan …'], drive: async () => follow((await typed('/migrate history')).text, '/migrate plan prod') },
  { forms: ['migrate status'], drive: async () => follow((await typed('/migrate unfreeze all')).text, '/migrate status') },
  {
    forms: ['migrate status …', 'migrate status…'],
    drive: async () => follow((await typed('/migrate unfreeze prod')).text, '/migrate status prod'),
  },
  {
    forms: ['migrate unfreeze all'],
    drive: async () => {
      await typed('/migrate freeze all until tomorrow 18:00 quarter end')
      return follow((await typed('/migrate unfreeze prod')).text, '/migrate unfreeze all')
    },
  },
  {
    forms: ['migrate un… …', 'migrate unfreeze …'],
    drive: async () => {
      await typed('/migrate freeze prod until tomorrow 18:00 quarter end')
      return follow((await typed('/migrate deploy prod')).text, '/migrate unfreeze prod')
    },
  },
  {
    forms: ['migrate … … until "…"…', 'migrate … … until …'],
    drive: async () =>
      follow((await typed('/migrate freeze prod until tomorrow --reason "quarter end"')).text, '/migrate freeze prod until'),
  },
  {
    forms: ['migrate cancel …'],
    drive: async () => {
      await fixture.waiting()
      return follow((await typed('/migrate deploy prod')).text, '/migrate cancel 1')
    },
  },
  {
    forms: ['migrate deploy … --at "…"………'],
    drive: async () => follow((await typed('/migrate deploy shut', atMachine)).text, '/migrate deploy shut --at'),
  },
  {
    forms: ['migrate deploy … --at "Tue 02:00"'],
    drive: async () => follow((await typed('/migrate deploy shut --in-window night')).text, '/migrate deploy shut --at'),
  },
  {
    forms: ['migrate deploy … --reason "why"'],
    drive: async () => follow(deployFormNotOpened(deps.known).text, '/migrate deploy prod --reason'),
  },
  {
    forms: ['migrate ack …', 'migrate ack with the number.'],
    drive: async () => {
      const request = await fixture.waiting()
      await transition(store.db, request.id, ['waiting'], 'needs_human')
      await createOncall({
        db: store.db,
        oncall: { webhook: 'env:PAGER', every: 600_000, people: [] },
        titleOf: (name) => name,
        command: '/migrate',
      }).act()
      const [page] = await store.db.query<{ text: string }>(`select payload::text as text from lockkeeper.delivery`)
      return follow((page?.text ?? '').replace(/\/migrate ack \d+/, '`$&`'), '/migrate ack')
    },
  },
  {
    forms: ['migrate … … --digest ……'],
    drive: async () => {
      await fixture.waiting({ by: 'U0DAVE' })
      const { lines } = await onMachine(['reject', '1'])
      const words = /lockkeeper (reject 1 --digest \w+)/.exec(lines)?.[1] ?? ''
      deps = { ...deps, people: { ...deps.people, isSlackReachable: async () => false } }
      const { code, lines: said } = await onMachine([...words.split(' '), '--reason', 'not today'])
      expect([code, said]).toEqual([0, said])
      return said
    },
  },
  {
    forms: ['migrate export …'],
    drive: async () => {
      await fixture.waiting()
      const file = { name: 'evidence', content: '' }
      const bundle = { requestId: 1, page: file, json: file, sha256: '', keyId: '', whyNotFinal: null }
      deps = { ...deps, exportEvidence: async () => bundle }
      const lost = askedIn({ command: '/migrate', text: 'EXPORT 1', user_id: ALICE, channel_id: 'C0DEPLOYS' }, deps.known)?.ifLost
      return follow(lost?.message.text ?? '', '/migrate export 1')
    },
  },
  {
    forms: ['migrate break-glass …'],
    drive: async () => {
      fixture.setTarget('prod', { ...baseTarget, breakGlass: { from: ['user:U0ALICE'], review: ['user:U0BOB'] } })
      const asked = await onMachine(['deploy', 'prod', '--break-glass', '--reason', 'the shop is down'])
      const words = /lockkeeper (break-glass \d+)/.exec(asked.lines)?.[1] ?? ''
      const { code, lines } = await onMachine(words.split(' '))
      expect([code, lines]).toEqual([0, lines])
      return lines
    },
  },
  {
    forms: ['maintenance list', 'migrate list'],
    drive: async () => follow((await typed('/maintenance show 99')).text, '/maintenance list'),
  },
  {
    forms: ['maintenance show …'],
    drive: async () => {
      await scheduled()
      return follow((await typed('/maintenance list')).text, '/maintenance show 1')
    },
  },
  {
    forms: ['maintenance reschedule … "<when>"', 'migrate reschedule … "<when>"'],
    drive: async () => follow((await scheduled()).text, '/maintenance reschedule 1'),
  },
  {
    forms: ['maintenance complete …'],
    drive: async () => {
      await scheduled()
      await open(1)
      return follow((await typed('/maintenance cancel 1')).text, '/maintenance complete 1')
    },
  },
  {
    forms: ['maintenance extend … 30m'],
    drive: async () => {
      await scheduled()
      await open(1)
      const view = { commands: deps.commands } as Pick<RequestView, 'commands'> as RequestView // all that this sentence reads
      const data = { closedAt: 0, owner: ALICE, windowId: 1 }
      expect(noStandbyText(view, { kind: 'no_standby', data: { windowId: 1, standby: null } } as never)).toContain('/maintenance show 1')
      return follow(overrunText(view, { kind: 'overrun', data } as never, 'UTC'), '/maintenance extend 1')
    },
  },
  {
    forms: ['migrate schedule … "Tue 02:00" 2h "why"'],
    drive: async () => follow(windowFormNotOpened({ command: '/maintenance', targets: ['prod'] }).text, '/maintenance schedule'),
  },
  {
    forms: ['maintenance schedule'],
    drive: async () => {
      const blocks = windowBlocks(
        { now: 0, zone: 'UTC', windows: [], commands: deps.commands } as unknown as Parameters<typeof windowBlocks>[0],
        50,
      )
      return follow(JSON.stringify(blocks), '/maintenance schedule')
    },
  },
]

test.each(scenarios)('$forms', async ({ drive }) => {
  expect(await drive()).not.toBe('')
})

test('every form of a command that the source advises has been typed above, and no other', async () => {
  const advised = new Set((await advisedCommands()).map(({ shape }) => shape))
  expect(scenarios.flatMap(({ forms }) => forms).toSorted()).toEqual([...advised].toSorted())
})
